"""Boxes of crops: drawn at random, scaled to a copy of the image, and their least side."""

import math

import numpy as np

from samclr_core.regions.rle import Box
from samclr_core.views.config import ViewsConfig

ATTEMPTS = 10


def random_boxes(
    width: int,
    height: int,
    scale: tuple[float, float],
    ratio: tuple[float, float],
    rng: np.random.Generator,
    least_side: int = 1,
    count: int = 1,
) -> np.ndarray:
    """``count`` independent boxes in a frame of ``width`` x ``height`` px, int [count, 4] XYWH.

    The draw of ``torchvision.transforms.RandomResizedCrop``: area uniform in ``scale``, aspect
    ratio log-uniform in ``ratio``, ten attempts, then the largest centred crop. A side shorter
    than ``least_side`` (or than the frame, where that is shorter still) is a failed attempt.
    """
    if not count:
        return np.zeros((0, 4), int)
    area = width * height * rng.uniform(*scale, size=(count, ATTEMPTS))
    aspect = np.exp(rng.uniform(math.log(ratio[0]), math.log(ratio[1]), size=(count, ATTEMPTS)))
    w = np.rint(np.sqrt(area * aspect)).astype(int)
    h = np.rint(np.sqrt(area / aspect)).astype(int)
    least_w, least_h = max(1, min(least_side, width)), max(1, min(least_side, height))
    fits = (w >= least_w) & (w <= width) & (h >= least_h) & (h <= height)
    first = fits.argmax(axis=1)
    w, h = (
        np.take_along_axis(w, first[:, None], 1)[:, 0],
        np.take_along_axis(h, first[:, None], 1)[:, 0],
    )
    # Drawn for all, so that one box does not depend on whether another found a fit.
    at = rng.random((count, 2))
    x = np.floor(at[:, 0] * (width - w + 1)).astype(int)
    y = np.floor(at[:, 1] * (height - h + 1)).astype(int)
    boxes = np.stack([x, y, w, h], axis=1)
    boxes[~fits.any(axis=1)] = centred_box(width, height, ratio)
    return boxes


def centred_box(width: int, height: int, ratio: tuple[float, float]) -> Box:
    """The largest centred box whose aspect ratio is within ``ratio``."""
    w = min(width, max(1, round(height * ratio[1])))
    h = min(height, max(1, round(width / ratio[0])))
    return (width - w) // 2, (height - h) // 2, w, h


def scaled_box(box: Box, size: tuple[int, int] | list[int], width: int, height: int) -> Box:
    """A box of an original of ``size`` (H, W) in pixels of its copy of ``width`` x ``height``."""
    if (height, width) == tuple(size):
        return box
    across, down = width / size[1], height / size[0]
    x, y = min(int(box[0] * across), width - 1), min(int(box[1] * down), height - 1)
    right = min(width, max(x + 1, round((box[0] + box[2]) * across)))
    bottom = min(height, max(y + 1, round((box[1] + box[3]) * down)))
    return x, y, right - x, bottom - y


def widened_box(box: Box, margin: float, width: int, height: int) -> Box:
    """A box, wider on each side by ``margin`` times its own width or height, inside an image."""
    x, y, w, h = box
    across, down = round(margin * w), round(margin * h)
    left, top = max(0, x - across), max(0, y - down)
    return left, top, min(width, x + w + across) - left, min(height, y + h + down) - top


def least_side(config: ViewsConfig, size: int | None = None) -> int:
    """Shortest side in pixels of a crop for a view of ``size``, by default ``config.size``."""
    return max(1, round((size or config.size) / config.max_upscale))


def as_box(values: np.ndarray) -> Box:
    """A row of an array of boxes as plain numbers."""
    x, y, w, h = (int(value) for value in values)
    return x, y, w, h
