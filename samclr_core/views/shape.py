"""The shape of a region, as figures from 0 to 1."""

import numpy as np
from scipy.spatial import ConvexHull

from samclr_core.regions.region import Region
from samclr_core.regions.rle import decode_window


def solidity(region: Region) -> float:
    """Area over that of the convex hull: 1 is convex, a frame or a fork is far from it."""
    mask = decode_window(region.rle, region.bbox)
    rows = np.flatnonzero(mask.any(axis=1))
    left = mask[rows].argmax(axis=1)
    right = mask.shape[1] - mask[rows, ::-1].argmax(axis=1)
    # The corners of each row's outermost pixels are all that a hull can touch.
    corners = [np.stack([x, rows + edge], axis=1) for x in (left, right) for edge in (0, 1)]
    return float(mask.sum() / ConvexHull(np.concatenate(corners)).volume)


def aspect(region: Region) -> float:
    """The shorter side of the bounding box over the longer one: 1 is square, 0 is a line."""
    return min(region.bbox[2:]) / max(region.bbox[2:])
