"""From a mask in outline to its logits, which are computed only where its edge may run.

Far from its prompt an outline is an average over many tokens, in which a narrow thing is lost: a
beam would end where the fovea ends. So an edge is followed from token to token, wherever it leads.
"""

import numpy as np
import torch

from samclr_core.regions.automatic.candidates import Candidate, Sketch, cut_out
from samclr_core.regions.automatic.geometry import (
    LOGITS_PER_TOKEN,
    MODEL_PER_TOKEN,
    TOKENS,
    Frame,
    as_picture,
)

# A token lies surely inside, or outside, where all tokens this near ...
NEAR = 2
# ... have a logit beyond this.
SURE = 4.0


def draw(sketch: Sketch, frame: Frame, below: float) -> Candidate | None:
    """The mask of ``sketch``, or None where no logit is over ``below``.

    Args:
        sketch: the mask in outline.
        frame: the image's.
        below: the lower of the two cuts that stability is measured with.
    """
    outline = sketch.outline.numpy()
    unknown = outline < SURE
    edge = _grown(outline > -SURE, NEAR) & _grown(unknown, NEAR)
    # A small thing can lie between the outline's samples: the prompt's own place is always drawn.
    edge |= _around(sketch.point, edge.shape)
    blocks = np.empty((*outline.shape, LOGITS_PER_TOKEN, LOGITS_PER_TOKEN), np.float32)
    blocks[:] = outline[..., None, None]
    while edge.any():
        row, column = edge.nonzero()
        logits = sketch.logits(torch.from_numpy(row * TOKENS + column)).numpy()
        blocks[row, column] = logits
        unknown &= ~edge
        reached = np.zeros_like(edge)
        reached[row, column] = logits.max((1, 2)) > 0
        edge = _grown(reached, 1) & unknown
    # The last token may reach beyond the image.
    height, width = frame.full.logits_used
    picture = as_picture(torch.from_numpy(blocks))[:height, :width]
    return cut_out(picture, sketch.predicted_iou, sketch.prompt, below)


def _around(point: tuple[float, float], shape: tuple[int, ...]) -> np.ndarray:
    """The token a prompt points at, and its neighbours, bool of ``shape``."""
    column, row = (int(value // MODEL_PER_TOKEN) for value in point)
    around = np.zeros(shape, bool)
    around[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] = True
    return around


def _grown(tokens: np.ndarray, near: int) -> np.ndarray:
    """Those bool [h, w] and all within ``near`` of one, in a square."""
    for _ in range(near):
        tall = tokens.copy()
        tall[1:] |= tokens[:-1]
        tall[:-1] |= tokens[1:]
        tokens = tall.copy()
        tokens[:, 1:] |= tall[:, :-1]
        tokens[:, :-1] |= tall[:, 1:]
    return tokens
