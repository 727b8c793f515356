"""The labelled images of an evaluation: listed, decoded once, cut to size, without duplicates."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from samclr_core.cache import Arrays, digest, remembered
from samclr_core.evaluation.features import fit
from samclr_core.images import catalogue, store
from samclr_core.images.datasets import read_labelled_folder
from samclr_core.images.decode import decode
from samclr_core.jobs import Progress, silent
from samclr_core.messages import UserError
from samclr_core.workspace import Workspace

# More would take long and move an accuracy by less than its interval.
MAX_IMAGES = 30_000
MAX_BYTES = 2 * 2**30
THREADS = 4


@dataclass(frozen=True)
class Sample:
    """One labelled image, not decoded yet.

    Attributes:
        name: its path within the data set.
        label: its class.
        split: ``train`` or ``test`` where the data set says so.
        source: the photo it was cut from, or the folder, zip or upload it came with.
        path: a file that shows it: the image itself, or its thumbnail in the workspace.
        image_id: its id in the workspace; None for a file of a folder.
    """

    name: str
    label: str
    split: str | None
    source: str
    path: Path
    image_id: str | None = None


@dataclass(frozen=True)
class Prepared:
    """Samples that could be read, each content once.

    Attributes:
        samples: as many as there are images, N.
        ids: content ids: 32 hex digits, as the workspace gives them.
        images: uint8 [N, size, size, 3].
        enlarged: how many were smaller than ``size``.
        unreadable: names of the files that could not be read.
        duplicates: how many samples were left out as copies of another.
    """

    samples: list[Sample]
    ids: list[str]
    images: np.ndarray
    enlarged: int
    unreadable: list[str]
    duplicates: int


def of_folder(folder: Path) -> list[Sample]:
    """The labelled images of ``folder``; see :func:`images.datasets.read_labelled_folder`.

    Raises:
        UserError: no such folder, or fewer than two classes in it.
    """
    return [
        Sample(found.name, found.label, found.split, found.source, found.path)
        for found in read_labelled_folder(folder)
    ]


def of_workspace(workspace: Workspace) -> list[Sample]:
    """The images of the workspace that have a label."""
    return [
        Sample(r.name, r.label, None, r.group, store.thumbnail(workspace, r.id), r.id)
        for r in catalogue.records(workspace)
        if r.label is not None
    ]


def most_images(size: int) -> int:
    """How many images of ``size`` x ``size`` px an evaluation takes at most."""
    return min(MAX_IMAGES, MAX_BYTES // (3 * size * size))


def thinned(samples: Sequence[Sample], most: int) -> list[Sample]:
    """At most ``most`` samples, with the same share of every class and split; seeded."""
    if len(samples) <= most:
        return list(samples)
    order = np.random.default_rng(0).permutation(len(samples))
    seen: dict[tuple, int] = {}
    ranks = np.empty(len(samples))
    for index in order:
        group = (samples[index].split, samples[index].label)
        seen[group] = seen.get(group, 0) + 1
        ranks[index] = seen[group]
    sizes = np.array([seen[(s.split, s.label)] for s in samples])
    keep = np.argsort(ranks / sizes, kind="stable")[:most]
    return [samples[index] for index in np.sort(keep)]


def prepare(
    workspace: Workspace, samples: Sequence[Sample], size: int, progress: Progress = silent
) -> Prepared:
    """Decode the samples and cut them to ``size`` x ``size`` px; see :func:`features.fit`.

    The result is cached by the files' paths, sizes and times of change. Of equal images only one
    is kept, the one in the test split if there is one, so that no test image is in the train
    split under another name.
    """
    key = digest([_stamp(sample) for sample in samples], size)
    arrays, _ = remembered(
        workspace, "prepared", key, lambda: _decoded(workspace, samples, size, progress)
    )
    ids = arrays["ids"]
    unreadable = [s.name for s, image_id in zip(samples, ids, strict=True) if not image_id]
    keep = _one_of_each(samples, ids)
    return Prepared(
        samples=[samples[index] for index in keep],
        ids=[str(ids[index]) for index in keep],
        images=arrays["images"] if len(keep) == len(samples) else arrays["images"][keep],
        enlarged=int(np.sum(arrays["sides"][keep] < size)),
        unreadable=unreadable,
        duplicates=len(samples) - len(unreadable) - len(keep),
    )


def _stamp(sample: Sample) -> list[Any]:
    if sample.image_id:
        return [sample.image_id]
    try:
        status = sample.path.stat()
        return [str(sample.path), status.st_mtime_ns, status.st_size]
    except OSError:
        return [str(sample.path)]


def _decoded(
    workspace: Workspace, samples: Sequence[Sample], size: int, progress: Progress
) -> Arrays:
    images = np.zeros((len(samples), size, size, 3), np.uint8)
    ids = np.zeros(len(samples), "U32")
    sides = np.zeros(len(samples), np.int64)

    def work(index: int) -> None:
        try:
            image, ids[index] = _read(workspace, samples[index])
        except UserError:
            return
        images[index], sides[index] = fit(image, size), min(image.shape[:2])

    pool = ThreadPoolExecutor(THREADS)
    try:
        for index, _ in enumerate(pool.map(work, range(len(samples)))):
            progress(index + 1, len(samples), samples[index].name)
    finally:
        pool.shutdown(cancel_futures=True)
    return {"images": images, "ids": ids, "sides": sides}


def _read(workspace: Workspace, sample: Sample) -> tuple[np.ndarray, str]:
    if sample.image_id:
        return store.load(workspace, sample.image_id), sample.image_id
    try:
        content = sample.path.read_bytes()
    except OSError as error:
        raise UserError("images.unreadable", name=sample.name) from error
    image = decode(content, sample.name)
    return image, store.content_id(image)


def _one_of_each(samples: Sequence[Sample], ids: np.ndarray) -> list[int]:
    """Indices in order, one for every content; the test split has the first claim."""
    kept: dict[str, int] = {}
    for index in sorted(range(len(samples)), key=lambda i: samples[i].split != "test"):
        if ids[index]:
            kept.setdefault(str(ids[index]), index)
    return sorted(kept.values())
