"""Public data sets to judge encoders by, downloaded and laid out as labelled folders.

torchvision downloads and checks them. Where a licence or a login stands before the data, we say
where it is to be had and how its folder must look, which :mod:`.intake` then reads as it is.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from samclr_core.jobs import Progress, silent
from samclr_core.messages import UserError
from samclr_core.network import patience

Labelled = Iterator[tuple[str, str, Image.Image]]
"""Split, class and picture, one after the other."""

SIZES = {"cifar10": 60_000, "stl10": 13_000, "imagenette": 13_394}
"""How many pictures each has."""
ELSEWHERE = {
    "cityscapes": ("www.cityscapes-dataset.com", "leftImg8bit/, gtFine/"),
    "ade20k": ("groups.csail.mit.edu/vision/datasets/ADE20K", "images/, annotations/"),
    "camvid": ("mi.eng.cam.ac.uk/research/projects/VideoRec/CamVid", "train/, trainannot/"),
    "bsds500": ("www2.eecs.berkeley.edu/Research/Projects/CS/vision/bsds", "images/, groundTruth/"),
    "coco": ("cocodataset.org", "train2017/, annotations/"),
}
"""Where the others are to be had, and what their folder holds."""


def get(name: str, folder: Path, progress: Progress = silent) -> dict[str, int]:
    """Download a data set and lay it out as ``folder/{train,test}/CLASS/*.png``.

    What was downloaded stays beside it, in ``<folder>.download``; a file that a person put there is
    taken, and checked, instead. A call that was stopped goes on where it was.

    Args:
        name: one of :data:`SIZES`.
        folder: where it goes.
        progress: called with pictures written, pictures in all, and the class.

    Returns:
        How many pictures there are in each split.

    Raises:
        UserError: there is no such data set, it has to be fetched by hand, it cannot be downloaded,
            or what is there is not all of it.
        Cancelled: as ``progress`` asks.
    """
    if name in ELSEWHERE:
        address, folders = ELSEWHERE[name]
        raise UserError("images.get_by_hand", name=name, address=address, folders=folders)
    if name not in _READERS:
        known = ", ".join([*_READERS, *ELSEWHERE])
        raise UserError("images.unknown_data_set", name=name, known=known)
    counts: dict[str, int] = {}
    for number, (split, label, picture) in enumerate(_opened(name, folder)):
        progress(number, SIZES[name], label)
        counts[split] = counts.get(split, 0) + 1
        _write(folder / split / label / f"{counts[split]:06d}.png", picture)
    if sum(counts.values()) != SIZES[name]:
        raise UserError(
            "images.incomplete_data_set",
            name=name,
            found=sum(counts.values()),
            wanted=SIZES[name],
            folder=_downloads(folder),
        )
    return counts


def _opened(name: str, folder: Path) -> Labelled:
    downloads = _downloads(folder)
    downloads.mkdir(parents=True, exist_ok=True)
    try:
        with patience():
            yield from _READERS[name](downloads)
    except (OSError, RuntimeError) as error:
        raise UserError("images.download_failed", name=name, folder=downloads) from error


def _downloads(folder: Path) -> Path:
    """Not in the folder itself, whose every picture counts."""
    return folder.with_name(f"{folder.name}.download")


def _write(path: Path, picture: Image.Image) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    picture.save(part, "PNG", compress_level=1)
    os.replace(part, path)


def _cifar10(root: Path) -> Labelled:
    from torchvision.datasets import CIFAR10

    for split in ("train", "test"):
        found = CIFAR10(str(root), train=split == "train", download=True)
        for pixels, label in zip(found.data, found.targets, strict=True):
            yield split, found.classes[label], Image.fromarray(pixels)


def _stl10(root: Path) -> Labelled:
    from torchvision.datasets import STL10

    for split in ("train", "test"):
        found: Any = STL10(str(root), split=split, download=True)
        for pixels, label in zip(found.data, found.labels, strict=True):
            picture = Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))
            yield split, found.classes[label], picture


def _imagenette(root: Path) -> Labelled:
    from torchvision.datasets import Imagenette

    for split, theirs in (("train", "train"), ("test", "val")):
        found: Any = Imagenette(str(root), theirs, size="160px", download=True)
        for path, label in found._samples:
            yield split, found.classes[label][0], Image.open(path).convert("RGB")


_READERS: dict[str, Callable[[Path], Labelled]] = {
    "cifar10": _cifar10,
    "stl10": _stl10,
    "imagenette": _imagenette,
}
