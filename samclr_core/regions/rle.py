"""Masks as COCO's compressed run lengths: whole ones, and windows without the rest."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from pycocotools import mask as coco

Box = tuple[int, int, int, int]
"""X, Y, W, H in pixels."""

Rle = dict[str, Any]
"""``{"size": [H, W], "counts": str}``."""


def encode(mask: np.ndarray) -> Rle:
    """A bool mask [H, W] as COCO compressed RLE."""
    return text(coco.encode(np.asfortranarray(mask, dtype=np.uint8)))


def text(rle: Mapping[str, Any]) -> Rle:
    """What pycocotools gives, with text for bytes, as JSON wants it."""
    return {"size": [int(side) for side in rle["size"]], "counts": rle["counts"].decode("ascii")}


def decode(rle: Mapping[str, Any]) -> np.ndarray:
    """A COCO compressed RLE as bool mask [H, W]."""
    return coco.decode(dict(rle)).astype(bool)


def ious(masks: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """IoU of each mask with each of the others, float [masks, others]."""
    return _overlaps(masks, others, crowd=False)


def best_ious(
    masks: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]]
) -> np.ndarray:
    """For each mask its IoU with the one of the others most like it, float [masks]."""
    return ious(masks, others).max(axis=1, initial=0.0)


def covered(masks: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Share of each mask that lies in each of the others, float [masks, others]."""
    # With a "crowd", COCO's IoU is the intersection over the area of the first.
    return _overlaps(masks, others, crowd=True)


def _overlaps(
    masks: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]], crowd: bool
) -> np.ndarray:
    # pycocotools gives a list where one side is empty.
    if not masks or not others:
        return np.zeros((len(masks), len(others)))
    return np.asarray(coco.iou(list(masks), list(others), [int(crowd)] * len(others)))


def encode_window(mask: np.ndarray, y: int, x: int, size: tuple[int, int]) -> tuple[Rle, Box, int]:
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
    columns = np.zeros((mask.shape[1], mask.shape[0] + 2), bool)
    columns[:, 1:-1] = mask.T
    column, row = divmod(np.flatnonzero(columns[:, 1:] != columns[:, :-1]), mask.shape[0] + 1)
    edges = (column + x) * height + row + y
    starts, ends = edges[::2], edges[1::2]
    area = int((ends - starts).sum())
    if not area:
        return _compressed([height * width], size), (0, 0, 0, 0), 0
    # A run that fills a column to its foot goes on at the head of the next.
    apart = starts[1:] != ends[:-1]
    first, last = starts[np.r_[True, apart]], ends[np.r_[apart, True]]
    runs = np.concatenate([[0], np.stack([first, last], 1).ravel(), [height * width]])
    if runs[-2] == runs[-1]:
        # A mask that ends with the image leaves no run behind it.
        runs = runs[:-1]
    top, left = int(row.min()), int(column[0])
    bbox = (left + x, top + y, int(column[-1]) - left + 1, int(row.max()) - top)
    return _compressed(np.diff(runs).tolist(), size), bbox, area


def decode_window(rle: Mapping[str, Any], box: Box) -> np.ndarray:
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


def checked(rle: Mapping[str, Any]) -> Rle | None:
    """A run length encoding from somebody else's file, or None where it is none.

    pycocotools writes beyond its memory where the runs are longer than the image.

    Args:
        rle: ``{"size": [H, W], "counts": ...}`` with compressed counts, or a list of run lengths.
    """
    height, width = rle["size"]
    counts = rle["counts"]
    if isinstance(counts, str):
        whole = bool(counts) and all(48 <= ord(letter) < 112 for letter in counts)
        ends = _run_ends(counts) if whole else np.zeros(1)
    else:
        ends = np.cumsum(counts)
    if not len(ends) or ends[-1] != height * width or (np.diff(ends, prepend=0) < 0).any():
        return None
    if isinstance(counts, list):
        return _compressed(counts, (height, width))
    return {"size": [height, width], "counts": counts}


def _compressed(counts: list[int], size: tuple[int, int]) -> Rle:
    return text(coco.frPyObjects({"size": list(size), "counts": counts}, *size))


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
