"""COCO RLE read only where a crop needs it."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

Box = tuple[int, int, int, int]
"""X, Y, W, H in pixels."""


def window(rle: Mapping[str, Any], box: Box) -> np.ndarray:
    """The part of a mask inside ``box``, bool [h, w], without decoding the rest.

    COCO's runs go down the columns, so only the columns of the box are laid out.
    """
    x, y, w, h = box
    height = rle["size"][0]
    ends = _run_ends(rle["counts"])
    start, stop = x * height, (x + w) * height
    first, last = np.searchsorted(ends, (start, stop), side="right")
    edges = np.clip(ends[first : last + 1], start, stop)
    lengths = np.diff(edges, prepend=start)
    values = (np.arange(first, first + len(lengths)) & 1).astype(bool)
    columns = np.repeat(values, lengths).reshape(w, height)
    return columns[:, y : y + h].T


@lru_cache(maxsize=8192)
def _run_ends(counts: str | bytes) -> np.ndarray:
    """Where each run ends, int64 [runs], from COCO's compressed counts.

    The inverse of ``rleToString`` in pycocotools: groups of 5 bits, 0x20 goes on, 0x10 is the
    sign, and from the fourth run on the difference to the run before the last.
    """
    text = counts.encode("ascii") if isinstance(counts, str) else counts
    chars = np.frombuffer(text, np.uint8).astype(np.int64) - 48
    starts = np.flatnonzero(np.concatenate(([True], (chars[:-1] & 0x20) == 0)))
    lengths = np.diff(np.append(starts, len(chars)))
    place = np.arange(len(chars)) - np.repeat(starts, lengths)
    numbers = np.add.reduceat((chars & 0x1F) << (5 * place), starts)
    negative = (chars[starts + lengths - 1] & 0x10) != 0
    numbers -= np.where(negative, np.int64(1) << (5 * lengths), 0)
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])
    return np.cumsum(numbers)
