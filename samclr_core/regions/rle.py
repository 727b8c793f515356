"""COCO's run-length encoding of a mask of which only a window is at hand."""

from typing import Any

import numpy as np
from pycocotools import mask as coco

BBox = tuple[int, int, int, int]


def window_rle(
    mask: np.ndarray, y: int, x: int, size: tuple[int, int]
) -> tuple[dict[str, Any], BBox, int]:
    """Encode a mask without painting it on the whole image, which a large photo makes slow.

    Args:
        mask: bool [h, w], the window.
        y: the window's first row in the image.
        x: the window's first column in the image.
        size: the image's H, W.

    Returns:
        COCO compressed RLE, box as X, Y, W, H, area in pixels.
    """
    height, width = size
    # Runs go down the columns; a border of False ends each column's last run.
    columns = np.zeros((mask.shape[1], mask.shape[0] + 2), np.int8)
    columns[:, 1:-1] = mask.T
    steps = np.diff(columns, axis=1)
    start_column, start_row = np.nonzero(steps == 1)
    end_column, end_row = np.nonzero(steps == -1)
    starts = (start_column + x) * height + start_row + y
    ends = (end_column + x) * height + end_row + y
    area = int((ends - starts).sum())
    if not area:
        return _compressed([height * width], size), (0, 0, 0, 0), 0
    # A run that fills a column to its foot goes on at the head of the next.
    apart = starts[1:] != ends[:-1]
    first, last = starts[np.r_[True, apart]], ends[np.r_[apart, True]]
    edges = np.concatenate([[0], np.stack([first, last], 1).ravel(), [height * width]])
    if edges[-2] == edges[-1]:
        # A mask that ends with the image leaves no run behind it.
        edges = edges[:-1]
    top, left = int(start_row.min()), int(start_column[0])
    bbox = (left + x, top + y, int(end_column[-1]) - left + 1, int(end_row.max()) - top)
    return _compressed(np.diff(edges).tolist(), size), bbox, area


def _compressed(counts: list[int], size: tuple[int, int]) -> dict[str, Any]:
    rle = coco.frPyObjects({"size": list(size), "counts": counts}, *size)
    return {"size": list(size), "counts": rle["counts"].decode("ascii")}
