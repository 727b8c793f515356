"""Overlapping regions as one map, in which every pixel belongs to one piece."""

import numpy as np
from scipy import ndimage

from samclr_core.regions.region import RegionSet
from samclr_core.regions.rle import decode_window

NONE = -1
EIGHT = np.ones((3, 3), bool)


def painted(region_set: RegionSet) -> np.ndarray:
    """The regions as one map, small ones over large ones.

    Returns:
        int64 [H, W]: the index of the region that a pixel shows, -1 where no region lies.
    """
    labels = np.full((region_set.height, region_set.width), NONE, np.int64)
    for index, region in enumerate(region_set.regions):
        x, y, w, h = region.bbox
        labels[y : y + h, x : x + w][decode_window(region.rle, region.bbox)] = index
    return labels


def partition(region_set: RegionSet) -> np.ndarray:
    """The map of :func:`painted`, with every connected part of the rest as a piece of its own.

    Returns:
        int64 [H, W], 0 and up.
    """
    labels = painted(region_set)
    rest, _ = ndimage.label(labels == NONE, EIGHT)
    return np.where(rest > 0, rest + len(region_set.regions) - 1, labels)


def segments_of(label_map: np.ndarray, void: int, least: float) -> np.ndarray:
    """The connected parts of each class, as segments that can be looked for.

    Args:
        label_map: int [H, W] of class ids.
        void: the id that means "not known".
        least: smaller parts, as a fraction of the image, are specks and become void.

    Returns:
        int64 [H, W]: 1 and up, -1 where void.
    """
    segments = np.full(label_map.shape, NONE, np.int64)
    count = 0
    for label in np.unique(label_map[label_map != void]):
        parts, found = ndimage.label(label_map == label, EIGHT)
        large = np.bincount(parts.ravel(), minlength=found + 1) >= least * label_map.size
        large[0] = False
        # 1, 2, ... for the large parts only.
        numbers = np.where(large, np.cumsum(large) + count, NONE)
        segments = np.where(large[parts], numbers[parts], segments)
        count += int(large.sum())
    return segments
