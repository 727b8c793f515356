"""What a mask's outline tells before the mask is drawn: most proposals need no drawing.

Three of four are second copies of a better one, or unstable by far. An outline, one logit for each
of the 64 x 64 tokens, shows it at a hundredth of the price.
"""

from collections.abc import Sequence
from itertools import islice

import numpy as np

from samclr_core.regions.automatic.candidates import Candidate, Sketch, packed
from samclr_core.regions.automatic.geometry import LOGIT_SIDE, LOGITS_PER_TOKEN, TOKENS
from samclr_core.regions.automatic.overlaps import box_iou, mask_iou
from samclr_core.regions.automatic.reasons import SAME_BOX, SAME_MASK, UNSTABLE
from samclr_core.regions.config import SegmenterConfig

# Outlines of fewer tokens are too coarse to be compared ...
LEAST_TOKENS = 2
# ... of fewer than this, they must be more alike than the masks may be ...
MANY_TOKENS = 64
ALIKE = 0.75
# ... and an outline this like that of a mask that was drawn and refused need not be drawn.
SAME = 0.9
# An outline's stability is a share of so many samples of the mask: it may be so much lower, over
# the root of their number, if they are enough to tell.
TOLERANCE = 0.28
ENOUGH_TOKENS = 8
# Sketches whose boxes have no more in common are seldom copies; one that is, was drawn in vain.
APART = 0.5
# Sketches looked at together: more would not stay in a core's cache.
CHUNK = 128


class Outlines:
    """The outlines of all sketches of an image, best first, and why each need not be drawn.

    Whenever a mask was drawn and kept, or refused, all sketches after it are compared with it at
    once.

    Attributes:
        reasons: why each sketch cannot become a region, as far as is known by now; None: it may.
    """

    def __init__(self, sketches: Sequence[Sketch], config: SegmenterConfig) -> None:
        """``sketches`` are all of one image, in the order in which they will be looked at."""
        self.config = config
        total = len(sketches)
        self.tokens = np.zeros(total, int)
        self.bits = np.zeros((total, TOKENS * TOKENS // 64), np.uint64)
        self.boxes = np.zeros((total, 4))
        self.reasons: list[str | None] = [None] * total
        self._comparable = np.zeros(total, bool)
        for start in range(0, total, CHUNK):
            self._look_at(sketches[start : start + CHUNK], slice(start, start + CHUNK))

    def _look_at(self, sketches: Sequence[Sketch], part: slice) -> None:
        outlines = np.full((len(sketches), TOKENS, TOKENS), -np.inf, np.float32)
        height, width = sketches[0].outline.shape
        for place, sketch in enumerate(sketches):
            outlines[place, :height, :width] = sketch.outline
        offset = self.config.stability_offset
        sure, bits, perhaps = (as_bits(outlines > cut) for cut in (offset, 0, -offset))
        self.tokens[part] = count(bits)
        self.bits[part] = bits
        self.boxes[part] = boxes_of(bits)
        certain, possible = count(sure), count(perhaps)
        tolerance = TOLERANCE / np.sqrt(np.maximum(possible, 1))
        wavering = certain < (self.config.min_stability - tolerance) * possible
        self._comparable[part] = self.tokens[part] >= LEAST_TOKENS
        enough = self.tokens[part] >= ENOUGH_TOKENS
        self._drop(part.start + np.flatnonzero(wavering & enough), UNSTABLE)

    def apart(self, number: int, most: int) -> list[int]:
        """Sketch ``number``, and those of the next ``most`` that are no likely copies of any."""
        following = range(number, len(self.reasons))
        undecided = list(islice((one for one in following if not self.reasons[one]), most))
        boxes = self.boxes[undecided]
        return [
            one
            for place, one in enumerate(undecided)
            if not (box_iou(boxes[place], boxes[:place]) > APART).any()
        ]

    def keep(self, number: int, mask: Candidate) -> None:
        """Sketch ``number`` became a region: its copies need not be drawn."""
        bits = as_bits(tokens_of(mask)[None])
        others = self._comparable_after(number)
        least = np.where(self.tokens[others] >= MANY_TOKENS, 0.0, ALIKE)
        same_box = box_iou(boxes_of(bits)[0], self.boxes[others])
        same_box = same_box > np.maximum(self.config.max_box_iou, least)
        self._drop(others[same_box], SAME_BOX)
        others, least = others[~same_box], least[~same_box]
        alike = self._alike(bits[0], others, np.maximum(self.config.max_mask_iou, least))
        self._drop(alike, SAME_MASK)

    def refuse(self, number: int, reason: str) -> None:
        """Sketch ``number`` was drawn in vain: the same again need not be."""
        others = self._comparable_after(number)
        if self.tokens[number] >= LEAST_TOKENS:
            alike = self._alike(self.bits[number], others, np.full(len(others), SAME))
            self._drop(alike, reason)
        self._drop(np.array([number]), reason)

    def _alike(self, bits: np.ndarray, others: np.ndarray, least: np.ndarray) -> np.ndarray:
        """Those of ``others`` [N] that have an IoU of over ``least`` [N] with a mask."""
        sizes, own = self.tokens[others], count(bits[None])
        # No IoU is higher than the ratio of the sizes, and few sizes are near.
        near = np.minimum(sizes, own) > least * np.maximum(sizes, own)
        others, least = others[near], least[near]
        return others[mask_iou(bits, self.bits[others]) > least]

    def _comparable_after(self, number: int) -> np.ndarray:
        """Those after ``number`` that may still be drawn and have tokens enough to compare."""
        return number + 1 + np.flatnonzero(self._comparable[number + 1 :])

    def _drop(self, numbers: np.ndarray, reason: str) -> None:
        self._comparable[numbers] = False
        for number in numbers:
            self.reasons[number] = reason


def tokens_of(mask: Candidate) -> np.ndarray:
    """The tokens at least half of whose logits a mask has, bool [64, 64]."""
    pairs = packed(mask, LOGIT_SIDE).view(np.uint8).reshape(TOKENS, LOGITS_PER_TOKEN, -1)
    # A byte is four logits of one token and four of the next.
    inside = np.bitwise_count(np.stack([pairs >> 4, pairs & 15], axis=-1))
    return 2 * inside.sum(1).reshape(TOKENS, TOKENS) >= LOGITS_PER_TOKEN**2


def as_bits(inside: np.ndarray) -> np.ndarray:
    """Tokens bool [N, 64, 64] with a row's 64 in one number: uint64 [N, 64]."""
    return np.packbits(inside, axis=2).view(np.uint64)[..., 0]


def count(bits: np.ndarray) -> np.ndarray:
    """Tokens in each of uint64 [N, 64]: int [N]."""
    return np.bitwise_count(bits).sum(1, dtype=int)


def boxes_of(bits: np.ndarray) -> np.ndarray:
    """X, Y, and X, Y after the last, of each of uint64 [N, 64]: float [N, 4]; zeros if empty."""
    found = np.zeros((len(bits), 4))
    together = np.bitwise_or.reduce(bits, axis=1)
    columns = np.unpackbits(together[:, None].view(np.uint8), axis=1)
    for first, along in ((0, columns), (1, bits != 0)):
        found[:, first] = along.argmax(1)
        found[:, first + 2] = TOKENS - along[:, ::-1].argmax(1)
    found[together == 0] = 0
    return found
