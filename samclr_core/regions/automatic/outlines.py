"""What a mask's outline tells before the mask is drawn: most proposals need no drawing.

Three of four are second copies of a better one, or unstable by far. An outline, one logit for each
of the 64 x 64 tokens, shows it at a hundredth of the price.
"""

from dataclasses import dataclass

import numpy as np

from samclr_core.regions.automatic.candidates import Candidate, Sketch, packed
from samclr_core.regions.automatic.geometry import LOGIT_SIDE, LOGITS_PER_TOKEN, TOKENS
from samclr_core.regions.automatic.overlaps import box_iou, mask_iou
from samclr_core.regions.automatic.reasons import SAME_BOX, SAME_MASK
from samclr_core.regions.config import SegmenterConfig

# Outlines of fewer tokens are too coarse to be compared ...
LEAST_TOKENS = 2
# ... of fewer than this, they must be more alike than the masks may be ...
MANY_TOKENS = 64
ALIKE = 0.85
# ... and an outline this like that of a mask that was drawn and refused need not be drawn.
SAME = 0.9
# An outline's stability may be so much lower than its mask's, if it has tokens enough to tell.
TOLERANCE = 0.2
ENOUGH_TOKENS = 16


@dataclass(frozen=True)
class Outline:
    """A mask's tokens: their number, their bits, uint64 [64], and their box, X, Y, X, Y."""

    tokens: int
    bits: np.ndarray
    box: np.ndarray

    @classmethod
    def of(cls, sketch: Sketch) -> "Outline":
        """That of a sketch."""
        inside = np.zeros((TOKENS, TOKENS), bool)
        height, width = sketch.outline.shape
        inside[:height, :width] = (sketch.outline > 0).numpy()
        return cls.of_tokens(inside)

    @classmethod
    def of_mask(cls, candidate: Candidate) -> "Outline":
        """That of a mask: the tokens at least half of whose logits it has."""
        bits = packed(candidate, LOGIT_SIDE).view(np.uint8)
        logits = np.unpackbits(bits).reshape(TOKENS, LOGITS_PER_TOKEN, TOKENS, LOGITS_PER_TOKEN)
        return cls.of_tokens(logits.mean((1, 3)) >= 0.5)

    @classmethod
    def of_tokens(cls, inside: np.ndarray) -> "Outline":
        """That of bool [64, 64]."""
        rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
        box = np.zeros(4)
        if len(rows):
            box[:] = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
        bits = np.packbits(inside).view(np.uint64)
        return cls(int(np.count_nonzero(inside)), bits, box)


class Outlines:
    """Outlines of the masks that were kept, and of those that were drawn and refused."""

    def __init__(self, config: SegmenterConfig) -> None:
        self.config = config
        self.kept_bits = self.refused_bits = np.zeros((0, TOKENS * TOKENS // 64), np.uint64)
        self.kept_boxes = np.zeros((0, 4))
        self.reasons: list[str] = []

    def keep(self, outline: Outline) -> None:
        """Remember a mask that became a region."""
        self.kept_bits = np.vstack([self.kept_bits, outline.bits])
        self.kept_boxes = np.vstack([self.kept_boxes, outline.box])

    def refuse(self, outline: Outline, reason: str) -> None:
        """Remember one that was drawn in vain."""
        self.refused_bits = np.vstack([self.refused_bits, outline.bits])
        self.reasons.append(reason)

    def copied(self, outline: Outline) -> str | None:
        """Why it is plainly a second copy of a mask that was kept, or None."""
        if outline.tokens < LEAST_TOKENS:
            return None
        least = 0.0 if outline.tokens >= MANY_TOKENS else ALIKE
        if (box_iou(outline.box, self.kept_boxes) > max(self.config.max_box_iou, least)).any():
            return SAME_BOX
        alike = mask_iou(outline.bits, self.kept_bits) > max(self.config.max_mask_iou, least)
        return SAME_MASK if alike.any() else None

    def refused(self, outline: Outline) -> str | None:
        """Why one that is plainly the same was refused, or None."""
        if outline.tokens < LEAST_TOKENS:
            return None
        same = np.flatnonzero(mask_iou(outline.bits, self.refused_bits) > SAME)
        return self.reasons[same[0]] if len(same) else None


def wavering(sketch: Sketch, outline: Outline, config: SegmenterConfig) -> bool:
    """Whether the outline alone tells that the mask would not be stable enough."""
    if outline.tokens < ENOUGH_TOKENS:
        return False
    sure = np.count_nonzero((sketch.outline > config.stability_offset).numpy())
    perhaps = np.count_nonzero((sketch.outline > -config.stability_offset).numpy())
    return bool(sure < (config.min_stability - TOLERANCE) * perhaps)
