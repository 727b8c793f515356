"""From a mask in outline to its logits, which are computed only where its edge may run.

Far from its prompt an outline is an average over many tokens, in which a narrow thing is lost: a
beam would end where the fovea ends. So an edge is followed from token to token, wherever it leads.
"""

from collections.abc import Sequence

import numpy as np
import torch

from samclr_core.regions.automatic.candidates import Candidate, LogitsOf, Sketch, cut_out
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


def draw(
    sketches: Sequence[Sketch], frame: Frame, below: float, logits_of: LogitsOf
) -> list[Candidate | None]:
    """The masks of ``sketches``; None where no logit is over ``below``.

    Args:
        sketches: masks in outline.
        frame: the image's.
        below: the lower of the two cuts that stability is measured with.
        logits_of: gives the logits of some tokens of each.
    """
    # The last token may reach beyond the image.
    height, width = frame.full.logits_used
    pictures = (as_picture(blocks)[:height, :width] for blocks in _blocks(sketches, logits_of))
    return [
        cut_out(picture, sketch.predicted_iou, sketch.prompt, below)
        for sketch, picture in zip(sketches, pictures, strict=True)
    ]


def _blocks(sketches: Sequence[Sketch], logits_of: LogitsOf) -> torch.Tensor:
    """What all tokens look like, float [N, h, w, 4, 4]."""
    outlines = np.stack([sketch.outline.numpy() for sketch in sketches])
    unknown = outlines < SURE
    edges = _grown(outlines > -SURE, NEAR) & _grown(unknown, NEAR)
    # A small thing can lie between the outline's samples: the prompt's own place is always drawn.
    edges |= np.stack([_around(sketch.point, edges.shape[1:]) for sketch in sketches])
    blocks = np.empty((*outlines.shape, LOGITS_PER_TOKEN, LOGITS_PER_TOKEN), np.float32)
    blocks[:] = outlines[..., None, None]
    while edges.any():
        tokens = [torch.from_numpy(row * TOKENS + column) for row, column in map(np.nonzero, edges)]
        asked = [number for number, own in enumerate(tokens) if len(own)]
        found = logits_of([sketches[one] for one in asked], [tokens[one] for one in asked])
        logits = torch.cat(list(found)).numpy()
        blocks[edges] = logits
        unknown &= ~edges
        reached = np.zeros_like(edges)
        reached[edges] = logits.max((1, 2)) > 0
        edges = _grown(reached, 1) & unknown
    return torch.from_numpy(blocks)


def _around(point: tuple[float, float], shape: tuple[int, ...]) -> np.ndarray:
    """The token a prompt points at, and its neighbours, bool of ``shape``."""
    column, row = (int(value // MODEL_PER_TOKEN) for value in point)
    around = np.zeros(shape, bool)
    around[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] = True
    return around


def _grown(tokens: np.ndarray, near: int) -> np.ndarray:
    """Those bool [..., h, w] and all within ``near`` of one, in a square."""
    for _ in range(near):
        tall = tokens.copy()
        tall[..., 1:, :] |= tokens[..., :-1, :]
        tall[..., :-1, :] |= tokens[..., 1:, :]
        tokens = tall.copy()
        tokens[..., 1:] |= tall[..., :-1]
        tokens[..., :-1] |= tall[..., 1:]
    return tokens
