"""Which candidates become regions, and why the others do not.

Candidates are looked at in order of predicted IoU, as greedy non-maximum suppression does. The
cheap questions, on 256 x 256 logits, come first; a mask is upsampled, in its own window only, when
it has passed them. Every drop is counted by its reason, and logged one by one at level DEBUG.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from samclr_core.regions.automatic.candidates import Candidate, packed
from samclr_core.regions.automatic.geometry import LOGIT_SIDE, Frame
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.region import Region
from samclr_core.regions.rle import encode_window

logger = logging.getLogger(__name__)

LOW_IOU = "low_predicted_iou"
UNSTABLE = "unstable"
TOO_SMALL = "too_small"
TOO_LARGE = "too_large"
SAME_BOX = "same_box"
SAME_MASK = "same_mask"
CONTAINED = "contained"
EMPTY = "empty"
REASONS = (LOW_IOU, UNSTABLE, TOO_SMALL, TOO_LARGE, SAME_BOX, SAME_MASK, CONTAINED, EMPTY)


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
    """IoU of one box [4] with others [N, 4], as X, Y and X, Y after the last."""
    corner = np.maximum(box[:2], boxes[:, :2])
    sides = np.maximum(np.minimum(box[2:], boxes[:, 2:]) - corner, 0)
    shared = sides.prod(1)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return shared / ((box[2:] - box[:2]).prod() + areas - shared)


@dataclass(frozen=True)
class Choice:
    """A candidate that becomes a region, and its stability score."""

    candidate: Candidate
    stability: float


def select(
    candidates: Iterable[Candidate],
    frame: Frame,
    config: SegmenterConfig,
    dropped: Counter[str],
) -> Iterator[Choice]:
    """The candidates that become regions, best predicted IoU first.

    Args:
        candidates: all that passed the predicted IoU.
        frame: the image's.
        config: the limits.
        dropped: gets the reasons counted.
    """
    kept = Kept(config)
    for candidate in sorted(candidates, key=lambda c: -c.predicted_iou):
        corners = candidate.box()
        if corners is None:
            _drop(candidate, EMPTY, dropped)
            continue
        box, bits = np.array(corners, float), packed(candidate, LOGIT_SIDE)
        reason = kept.overlap(box, bits)
        if reason is None:
            stability, share = _score(candidate, frame, config.stability_offset)
            reason = _limits(stability, share, config)
        if reason:
            _drop(candidate, reason, dropped)
            continue
        kept.add(box, bits)
        yield Choice(candidate, stability)


def _drop(candidate: Candidate, reason: str, dropped: Counter[str]) -> None:
    dropped[reason] += 1
    logger.debug(
        "prompt %d, predicted IoU %.3f: %s", candidate.prompt, candidate.predicted_iou, reason
    )


def _score(candidate: Candidate, frame: Frame, offset: float) -> tuple[float, float]:
    """The stability score, and the mask's share of the image."""
    logits, _, _ = frame.scoring.window(candidate.logits, candidate.y, candidate.x)
    sure = torch.count_nonzero(logits > offset).item()
    perhaps = torch.count_nonzero(logits > -offset).item()
    height, width = frame.scoring.size
    area = torch.count_nonzero(logits > 0).item() / (height * width)
    return (sure / perhaps if perhaps else 0.0), area


def _limits(stability: float, share: float, config: SegmenterConfig) -> str | None:
    if share == 0:
        return EMPTY
    if stability < config.min_stability:
        return UNSTABLE
    if share < config.min_area:
        return TOO_SMALL
    return TOO_LARGE if share > config.max_area else None


def render(choice: Choice, frame: Frame, points: np.ndarray) -> Region:
    """The region in the image's own pixels; ``points`` are the prompts in pixels, [N, 2]."""
    candidate = choice.candidate
    logits, y, x = frame.full.window(candidate.logits, candidate.y, candidate.x)
    rle, bbox, area = encode_window((logits > 0).numpy(), y, x, (frame.height, frame.width))
    point = (float(points[candidate.prompt, 0]), float(points[candidate.prompt, 1]))
    return Region(rle, bbox, area, candidate.predicted_iou, choice.stability, point)


def _touching(box: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    return np.all((box[:2] < boxes[:, 2:]) & (boxes[:, :2] < box[2:]), axis=1)
