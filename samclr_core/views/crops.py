"""Crops of an image, and the part of a region's mask that lies in one."""

import numpy as np

from samclr_core.regions.region import Region
from samclr_core.regions.rle import Box, decode_window


def crop(image: np.ndarray, box: Box, size: int) -> np.ndarray:
    """The box of the image, uint8 [size, size, 3], resized as torchvision does (antialiased).

    torch does in a quarter of the time what pillow does, but for a rounding here and there, and a
    mapped image is not copied. What it cannot take is copied: an array that must not be changed.
    """
    import torch
    from torch.nn import functional as F

    x, y, w, h = box
    part = image[y : y + h, x : x + w]
    pixels = torch.from_numpy(part if part.flags.writeable else part.copy())
    resized = F.interpolate(
        pixels.permute(2, 0, 1)[None], (size, size), mode="bilinear", antialias=True
    )
    return resized[0].permute(1, 2, 0).numpy()


def region_mask(region: Region, box: Box, width: int, height: int) -> np.ndarray:
    """The region's mask in a box of an image of ``width`` x ``height`` px, bool [h, w].

    The image may be a smaller copy of the one that was segmented.
    """
    size = region.rle["size"]
    if (height, width) == tuple(size):
        return decode_window(region.rle, box)
    x, y, w, h = box
    columns = np.minimum(((np.arange(x, x + w) + 0.5) * size[1] / width).astype(int), size[1] - 1)
    rows = np.minimum(((np.arange(y, y + h) + 0.5) * size[0] / height).astype(int), size[0] - 1)
    left, top = int(columns[0]), int(rows[0])
    original = (left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1)
    return decode_window(region.rle, original)[np.ix_(rows - top, columns - left)]


def coverage(mask: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Share of each box, int [n, 4] XYWH, that the mask, bool [h, w], covers: float [n]."""
    sums = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), np.int64)
    np.cumsum(np.cumsum(mask, axis=0, dtype=np.int64), axis=1, out=sums[1:, 1:])
    x, y, w, h = boxes.T
    inside = sums[y + h, x + w] - sums[y, x + w] - sums[y + h, x] + sums[y, x]
    return inside / (w * h)
