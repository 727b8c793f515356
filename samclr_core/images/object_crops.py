"""Labelled crops of what label maps or boxes show: a classification task of the photos' domain."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image
from scipy import ndimage

from samclr_core.images import catalogue, store
from samclr_core.images.boxes import Boxes, Slices
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
    classes: Mapping[str, str],
    test: Sequence[str],
    boxes: Boxes | None = None,
    least_side: int = 24,
    context: float = 0.2,
    progress: Progress = silent,
) -> Crops:
    """Write ``folder/{train,test}/CLASS/*.png``, one for each box or connected piece of a class.

    A crop is the square around it, ``context`` of its side wider, as far as the image goes.

    Args:
        workspace: its images.
        folder: where they go; what is there stays.
        classes: the name of each class wanted, by what it is called in the boxes or by its id in
            the label maps; several may share a name.
        test: images whose names begin with one of these are the test split. Whole sequences belong
            there: neighbouring frames of a video are the same picture twice.
        boxes: what lies where, in place of label maps.
        least_side: shortest side in pixels of a box; smaller ones are left out.
        context: of the crop's side.
        progress: called with images done, images in all and the image's name.

    Raises:
        UserError: no image has a label map where there are no boxes, or either split stays empty.
        Cancelled: as ``progress`` asks.
    """
    records = [one for one in catalogue.records(workspace) if boxes or one.has_label_map]
    if not records:
        raise UserError("images.no_label_maps")
    things = boxes.of if boxes else partial(_pieces, workspace, classes)
    counts = {split: dict.fromkeys(classes.values(), 0) for split in ("train", "test")}
    for number, record in enumerate(records):
        progress(number, len(records), record.name)
        split = "test" if PurePosixPath(record.name).name.startswith(tuple(test)) else "train"
        wanted = ((classes[thing], box) for thing, box in things(record) if thing in classes)
        image = store.load(workspace, record.id)
        for name, pixels in _crops(image, wanted, least_side, context):
            place = folder / split / name / f"{record.id}-{counts[split][name]}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(place)
            counts[split][name] += 1
    for split, found in counts.items():
        if not any(found.values()):
            raise UserError("images.no_crops", split=split)
    return Crops(counts)


def _pieces(
    workspace: Workspace, ids: Iterable[str], record: ImageRecord
) -> Iterator[tuple[str, Slices]]:
    """The id and the box of each connected piece of these classes."""
    labels = store.label_map(workspace, record.id)
    assert labels is not None
    for number in ids:
        pieces, _ = ndimage.label(labels == int(number))
        yield from ((number, box) for box in ndimage.find_objects(pieces))


def _crops(
    image: np.ndarray, things: Iterable[tuple[str, Slices]], least_side: int, context: float
) -> Iterator[tuple[str, np.ndarray]]:
    for name, (rows, columns) in things:
        height, width = _side(rows, image.shape[0]), _side(columns, image.shape[1])
        if min(height, width) >= least_side:
            yield name, image[_square((rows, columns), context, image.shape[:2])]


def _side(part: slice, limit: int) -> int:
    """Of a box, as far as it lies in the image; drawn ones may reach beyond."""
    return min(part.stop, limit) - part.start


def _square(box: Slices, context: float, size: tuple[int, ...]) -> Slices:
    """The square around a box, with some context, as far as it lies in the image."""
    side = max(part.stop - part.start for part in box) * (1 + context)
    return tuple(  # type: ignore[return-value]
        slice(
            max(0, round((part.start + part.stop - side) / 2)),
            min(limit, round((part.start + part.stop + side) / 2)),
        )
        for part, limit in zip(box, size, strict=True)
    )
