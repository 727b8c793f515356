"""Reviewed regions as label maps, and somebody's label maps as a review.

A label map is one PNG per image whose pixels name their region. Where regions lie over each other,
it shows the smaller one.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np
from PIL import Image

from samclr_core.images import catalogue
from samclr_core.images.catalogue import ImageRecord
from samclr_core.images.names import ByFileName, last_part, without_ending
from samclr_core.images.sources import Entry
from samclr_core.images.store import VOID
from samclr_core.messages import UserError
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.quality.partition import painted
from samclr_core.regions.region import Region, RegionSet
from samclr_core.regions.review.fold import SAME_THING_IOU, reviewed
from samclr_core.regions.review.incoming import Incoming, refuse_other_size, refuse_strangers
from samclr_core.workspace import Workspace

ID_LETTERS = 8
# Of pixels side by side, so many differ at most: 1 to 6 % in maps of streets, half in steel photos.
MOST_CHANGES = 0.25


def label_map(region_set: RegionSet) -> np.ndarray:
    """The regions as one map, small ones over large ones.

    Returns:
        uint8 [H, W], or uint16 where there are more than 254 regions: 0 where no region lies, n
        for the n-th region, largest first.
    """
    few = len(region_set.regions) < VOID
    return (painted(region_set) + 1).astype(np.uint8 if few else np.uint16)


def label_maps(
    workspace: Workspace, config: SegmenterConfig | None = None
) -> Iterator[tuple[str, bytes]]:
    """File name and PNG of every image that has regions in use, in the order they came in.

    Args:
        workspace: whose review.
        config: the settings that made the automatic regions; by default the current ones.
    """
    for record in catalogue.records(workspace):
        regions = reviewed(workspace, record.id, config)
        if regions:
            yield file_name(record), _png(label_map(regions))


def read(
    workspace: Workspace, entries: Sequence[Entry], config: SegmenterConfig | None = None
) -> Incoming:
    """What label maps say: each value is a region, but for 0 and, in 8 bits, 255.

    A map belongs to the image whose map :func:`label_maps` calls so, or which has its name but for
    the ending.

    Args:
        workspace: that has the images.
        entries: the PNGs.
        config: the settings whose regions they are compared with; by default the current ones.

    Raises:
        UserError: one is no label map or of another size than its image, two are of one image, or
            none of their images is here.
    """
    records = catalogue.records(workspace)
    ours = {file_name(record): record for record in records}
    theirs = ByFileName({without_ending(record.name): record for record in records})
    maps: dict[str, tuple[ImageRecord, Entry]] = {}
    unknown = []
    for entry in entries:
        record = ours.get(entry.path.name) or theirs.find(without_ending(str(entry.path)))
        if record is None:
            unknown.append(str(entry.path))
        elif record.id in maps:
            first, second = str(maps[record.id][1].path), str(entry.path)
            raise UserError("review.two_label_maps", first=first, second=second, image=record.name)
        else:
            maps[record.id] = record, entry
    refuse_strangers(len(maps), unknown)
    masks = {
        image_id: _regions(_labels(entry, record), reviewed(workspace, image_id, config))
        for image_id, (record, entry) in maps.items()
    }
    return Incoming(len(masks), tuple(unknown), masks)


def _labels(entry: Entry, record: ImageRecord) -> np.ndarray:
    name = str(entry.path)
    try:
        # A palette's indices are the labels, so the file is not converted.
        with Image.open(io.BytesIO(entry.read()), formats=["PNG"]) as image:
            refuse_other_size(name, *image.size, record)
            labels = np.array(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError("review.no_label_map", name=name) from error
    if labels.ndim != 2 or _changes(labels) > MOST_CHANGES:
        raise UserError("review.no_label_map", name=name)
    # As in the label maps of Pascal VOC, Cityscapes and many tools.
    return np.where(labels == VOID, 0, labels) if labels.dtype == np.uint8 else labels


def _changes(labels: np.ndarray) -> float:
    """The share of pixels that differ from the one on their left."""
    return float((labels[:, 1:] != labels[:, :-1]).mean()) if labels.shape[1] > 1 else 0.0


def _regions(labels: np.ndarray, now: RegionSet | None) -> list[Region]:
    """The regions of a map, [H, W] with 0 for nothing.

    Of a region in use, what lay hidden under others and still does belongs to it as before.
    """
    shown = painted(now) if now else np.full(labels.shape, -1)
    sizes = np.bincount(shown[shown >= 0])
    found = []
    for value in np.unique(labels[labels != 0]):
        mask = labels == value
        same = _same(shown[mask], sizes)
        if now and same is not None:
            mask |= now.regions[same].mask() & (shown != same) & (labels != 0)
        region = Region.of_mask(mask)
        found.append(replace(region, point=region.centre))
    return found


def _same(here: np.ndarray, sizes: np.ndarray) -> int | None:
    """Which region is the same thing as a label, as far as regions can be seen.

    Args:
        here: int [n], the region shown at each of the label's pixels, -1 for none.
        sizes: int [m], how many pixels each region shows.
    """
    common = np.bincount(here[here >= 0], minlength=len(sizes))
    if not common.any():
        return None
    best = int(common.argmax())
    overlap = common[best] / (len(here) + sizes[best] - common[best])
    return best if overlap > SAME_THING_IOU else None


def file_name(image: ImageRecord) -> str:
    """The image's own name and the start of its id, since folders may share names."""
    stem = PurePosixPath(last_part(image.name)).stem
    return f"{stem}-{image.id[:ID_LETTERS]}.png"


def _png(labels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(labels).save(buffer, "PNG")
    return buffer.getvalue()
