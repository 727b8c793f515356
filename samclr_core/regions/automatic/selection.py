"""Which proposed masks become regions, and why the others do not.

They are looked at in order of predicted IoU, as greedy non-maximum suppression does. The cheap
questions come first: those that the outline answers, then those on 256 x 256 logits; a mask is
upsampled, in its own window only, when it has passed them. Those that are no likely copies of
each other are drawn at once, before their turn: one by one, calls would cost more than the work
in them. Every drop is counted by its reason, and logged one by one at level DEBUG.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from samclr_core.regions.automatic.candidates import Candidate, LogitsOf, Sketch, packed
from samclr_core.regions.automatic.drawing import draw
from samclr_core.regions.automatic.geometry import LOGIT_SIDE, Frame
from samclr_core.regions.automatic.outlines import Outlines
from samclr_core.regions.automatic.overlaps import Kept
from samclr_core.regions.automatic.reasons import (
    EMPTY,
    TOO_LARGE,
    TOO_SMALL,
    UNSTABLE,
)
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.region import Region
from samclr_core.regions.rle import encode_window

logger = logging.getLogger(__name__)

# Of so many sketches, those are drawn at once that lie apart.
WAVE = 32


@dataclass(frozen=True)
class Choice:
    """A mask that becomes a region, and its stability score."""

    candidate: Candidate
    stability: float


class Selection:
    """The choice among the masks that were proposed for one image."""

    def __init__(
        self, frame: Frame, config: SegmenterConfig, dropped: Counter[str], logits_of: LogitsOf
    ) -> None:
        """``dropped`` gets the reasons counted; ``logits_of`` is the decoder's."""
        self.frame = frame
        self.config = config
        self.dropped = dropped
        self.logits_of = logits_of
        self.kept = Kept(config)

    def choices(self, sketches: Iterable[Sketch]) -> Iterator[Choice]:
        """The masks that become regions, of those that passed the predicted IoU, best first."""
        ordered = sorted(sketches, key=lambda sketch: -sketch.predicted_iou)
        outlines = Outlines(ordered, self.config)
        drawn: dict[int, Candidate | None] = {}
        for number in range(len(ordered)):
            if outlines.reasons[number]:
                continue
            if number not in drawn:
                wave = [one for one in outlines.apart(number, WAVE) if one not in drawn]
                drawn |= zip(wave, self._drawn([ordered[one] for one in wave]), strict=True)
            candidate = drawn.pop(number)
            reason, stability = self._judged(candidate)
            if reason or candidate is None:
                outlines.refuse(number, reason or EMPTY)
            else:
                outlines.keep(number, candidate)
                yield Choice(candidate, stability)
        for sketch, reason in zip(ordered, outlines.reasons, strict=True):
            if reason:
                self._drop(sketch, reason)

    def _drawn(self, sketches: Sequence[Sketch]) -> list[Candidate | None]:
        return draw(sketches, self.frame, -self.config.stability_offset, self.logits_of)

    def _judged(self, candidate: Candidate | None) -> tuple[str | None, float]:
        """Why a mask does not become a region, and its stability; a mask that does is kept."""
        corners = candidate.box() if candidate else None
        if candidate is None or corners is None:
            return EMPTY, 0.0
        box, bits = np.array(corners, float), packed(candidate, LOGIT_SIDE)
        if reason := self.kept.overlap(box, bits):
            return reason, 0.0
        stability, share = score(candidate, self.frame, self.config.stability_offset)
        reason = _limits(stability, share, self.config)
        if reason is None:
            self.kept.add(box, bits)
        return reason, stability

    def _drop(self, sketch: Sketch, reason: str) -> None:
        self.dropped[reason] += 1
        logger.debug(
            "prompt %d, predicted IoU %.3f: %s", sketch.prompt, sketch.predicted_iou, reason
        )


def score(candidate: Candidate, frame: Frame, offset: float) -> tuple[float, float]:
    """The stability score with the cuts ``±offset``, and the mask's share of the image."""
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
    mask, y, x = frame.full.mask(candidate.logits, candidate.y, candidate.x)
    rle, bbox, area = encode_window(mask, y, x, (frame.height, frame.width))
    point = (float(points[candidate.prompt, 0]), float(points[candidate.prompt, 1]))
    return Region(rle, bbox, area, candidate.predicted_iou, choice.stability, point)
