"""Masks that were kept, and whether another one is a second copy of one of them."""

import numpy as np

from samclr_core.regions.automatic.geometry import LOGIT_SIDE
from samclr_core.regions.automatic.reasons import CONTAINED, SAME_BOX, SAME_MASK
from samclr_core.regions.config import SegmenterConfig


class Kept:
    """The masks chosen so far, as boxes and bits, to compare the next one with."""

    def __init__(self, config: SegmenterConfig) -> None:
        self.config = config
        self.boxes = np.zeros((0, 4))
        self.bits = np.zeros((0, LOGIT_SIDE * LOGIT_SIDE // 64), np.uint64)
        self.areas = np.zeros(0)

    def add(self, box: np.ndarray, bits: np.ndarray) -> None:
        self.boxes = np.vstack([self.boxes, box])
        self.bits = np.vstack([self.bits, bits])
        self.areas = np.append(self.areas, np.bitwise_count(bits).sum())

    def overlap(self, box: np.ndarray, bits: np.ndarray) -> str | None:
        """Why a mask is a second copy of one of ours, or None."""
        if (box_iou(box, self.boxes) > self.config.max_box_iou).any():
            return SAME_BOX
        near = np.flatnonzero(_touching(box, self.boxes))
        shared = np.bitwise_count(self.bits[near] & bits).sum(1).astype(float)
        area = float(np.bitwise_count(bits).sum())
        return mask_overlap(shared, area, self.areas[near], self.config)


def mask_overlap(
    shared: np.ndarray, area: float, others: np.ndarray, config: SegmenterConfig
) -> str | None:
    """Why a mask of ``area`` that has ``shared`` pixels with others is a copy of one, or None."""
    if (shared / np.maximum(area + others - shared, 1) > config.max_mask_iou).any():
        return SAME_MASK
    smaller, larger = np.minimum(area, others), np.maximum(area, others)
    inside = shared > config.max_containment * smaller
    if (inside & (smaller >= config.min_contained_ratio * larger)).any():
        return CONTAINED
    return None


def box_iou(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """IoU of one box [4] with others [N, 4], whole numbers X, Y and X, Y after the last."""
    corner = np.maximum(box[:2], boxes[:, :2])
    sides = np.maximum(np.minimum(box[2:], boxes[:, 2:]) - corner, 0)
    shared = sides.prod(1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return shared / np.maximum((box[2:] - box[:2]).prod() + areas - shared, 1)


def mask_iou(bits: np.ndarray, others: np.ndarray) -> np.ndarray:
    """IoU of one mask as bits, uint64 [W], with others [N, W]."""
    shared = np.bitwise_count(others & bits).sum(1, dtype=float)
    union = np.bitwise_count(others | bits).sum(1, dtype=float)
    return shared / np.maximum(union, 1)


def _touching(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    return np.all((box[:2] < boxes[:, 2:]) & (boxes[:, :2] < box[2:]), axis=1)
