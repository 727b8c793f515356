"""Labelled crops of the things in label maps: a classification task of the photos' own domain."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image
from scipy import ndimage

from samclr_core.images import catalogue, store
from samclr_core.images.catalogue import ImageRecord
from samclr_core.jobs import Progress, silent
from samclr_core.messages import UserError
from samclr_core.workspace import Workspace


@dataclass(frozen=True)
class Crops:
    """How many crops were written: by split, and in it by class."""

    counts: dict[str, dict[str, int]]


def write_crops(
    workspace: Workspace,
    folder: Path,
    classes: Mapping[int, str],
    test: Sequence[str],
    least_side: int = 24,
    context: float = 0.2,
    progress: Progress = silent,
) -> Crops:
    """Write ``folder/{train,test}/CLASS/*.png``, one for each connected piece of a class.

    A crop is the square around the piece, ``context`` of its side wider, as far as the image goes.

    Args:
        workspace: its images with label maps.
        folder: where they go; what is there stays.
        classes: the classes wanted, by their id in the label maps.
        test: images whose names begin with one of these are the test split. Whole sequences belong
            there: neighbouring frames of a video are the same picture twice.
        least_side: shortest side in pixels of a piece's box; smaller ones are left out.
        context: of the crop's side.
        progress: called with images done, images in all and the image's name.

    Raises:
        UserError: no image has a label map, or either split stays empty.
        Cancelled: as ``progress`` asks.
    """
    records = [record for record in catalogue.records(workspace) if record.has_label_map]
    if not records:
        raise UserError("images.no_label_maps")
    counts = {split: dict.fromkeys(classes.values(), 0) for split in ("train", "test")}
    for number, record in enumerate(records):
        progress(number, len(records), record.name)
        split = "test" if PurePosixPath(record.name).name.startswith(tuple(test)) else "train"
        for name, pixels in _crops(workspace, record, classes, least_side, context):
            place = folder / split / name / f"{record.id}-{counts[split][name]}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(place)
            counts[split][name] += 1
    for split, found in counts.items():
        if not any(found.values()):
            raise UserError("images.no_crops", split=split)
    return Crops(counts)


def _crops(
    workspace: Workspace,
    record: ImageRecord,
    classes: Mapping[int, str],
    least_side: int,
    context: float,
) -> Iterator[tuple[str, np.ndarray]]:
    labels, image = store.label_map(workspace, record.id), store.load(workspace, record.id)
    assert labels is not None
    for number, name in classes.items():
        pieces, _ = ndimage.label(labels == number)
        for rows, columns in ndimage.find_objects(pieces):
            if min(rows.stop - rows.start, columns.stop - columns.start) >= least_side:
                yield name, image[_square(rows, columns, context, image.shape[:2])]


def _square(
    rows: slice, columns: slice, context: float, size: tuple[int, ...]
) -> tuple[slice, slice]:
    """The square around a box, with some context, as far as it lies in the image."""
    side = max(rows.stop - rows.start, columns.stop - columns.start) * (1 + context)
    return tuple(  # type: ignore[return-value]
        slice(
            max(0, round((part.start + part.stop - side) / 2)),
            min(limit, round((part.start + part.stop + side) / 2)),
        )
        for part, limit in zip((rows, columns), size, strict=True)
    )
