"""What a decoder proposes for the prompts, before anything is chosen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

# A pixel needs the logits of at most this many neighbours around a mask.
MARGIN = 3


@dataclass(frozen=True)
class Sketch:
    """One proposed mask in outline, and how to have the rest.

    Attributes:
        outline: one logit for each token under the image, float32 [h, w].
        predicted_iou: the model's estimate of the mask's quality.
        prompt: index of the prompt it came from.
        point: that prompt, X, Y in model pixels.
        logits: gives all logits [n, 4, 4] of tokens [n], counted row by row in the 64 x 64.
    """

    outline: torch.Tensor
    predicted_iou: float
    prompt: int
    point: tuple[float, float]
    logits: Callable[[torch.Tensor], torch.Tensor]


# All logits [n, 4, 4] of tokens [n] of each sketch.
LogitsOf = Callable[[Sequence[Sketch], Sequence[torch.Tensor]], Sequence[torch.Tensor]]


def one_by_one(
    sketches: Sequence[Sketch], tokens: Sequence[torch.Tensor]
) -> Sequence[torch.Tensor]:
    """:data:`LogitsOf` for sketches that have nothing in common."""
    return [sketch.logits(own) for sketch, own in zip(sketches, tokens, strict=True)]


@dataclass(frozen=True)
class Candidate:
    """One proposed mask, cut out of the 256 x 256 logits.

    Attributes:
        logits: float32 [h, w]; all logits outside the window are below the cuts.
        y: the window's first row.
        x: the window's first column.
        predicted_iou: the model's estimate of the mask's quality.
        prompt: index of the prompt it came from.
    """

    logits: torch.Tensor
    y: int
    x: int
    predicted_iou: float
    prompt: int

    def box(self) -> tuple[int, int, int, int] | None:
        """X, Y, and X, Y after the last, of the mask in the 256 x 256; None for an empty one."""
        inside = self.logits > 0
        rows = inside.any(1).nonzero().flatten()
        columns = inside.any(0).nonzero().flatten()
        if not len(rows):
            return None
        y0, y1 = self.y + int(rows[0]), self.y + int(rows[-1]) + 1
        x0, x1 = self.x + int(columns[0]), self.x + int(columns[-1]) + 1
        return x0, y0, x1, y1


def cut_out(logits: torch.Tensor, iou: float, prompt: int, below: float) -> Candidate | None:
    """The candidate in ``logits`` [h, w], or None where no logit is over ``below``.

    Args:
        logits: the part of the 256 x 256 that lies under the image.
        iou: predicted IoU.
        prompt: index of its prompt.
        below: the lower of the two cuts that stability is measured with.
    """
    inside = logits > below
    rows = inside.any(1).nonzero().flatten()
    columns = inside.any(0).nonzero().flatten()
    if not len(rows):
        return None
    y0, y1 = _grown(rows, logits.shape[0])
    x0, x1 = _grown(columns, logits.shape[1])
    return Candidate(logits[y0:y1, x0:x1].clone(), y0, x0, iou, prompt)


def _grown(indices: torch.Tensor, limit: int) -> tuple[int, int]:
    return max(int(indices[0]) - MARGIN, 0), min(int(indices[-1]) + 1 + MARGIN, limit)


def packed(candidate: Candidate, side: int) -> np.ndarray:
    """The mask as bits of the whole ``side`` x ``side``, uint64 [side * side / 64]."""
    canvas = np.zeros((side, side), bool)
    inside = (candidate.logits > 0).numpy()
    height, width = inside.shape
    canvas[candidate.y : candidate.y + height, candidate.x : candidate.x + width] = inside
    return np.packbits(canvas).view(np.uint64)
