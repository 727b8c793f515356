"""From a mask in outline to its logits, which are computed only where its edge may run.

Far from its prompt an outline is an average over many tokens, in which a narrow thing is lost: a
beam would end where the fovea ends. So an edge is followed from token to token, wherever it leads.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

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
    outline = sketch.outline
    unknown = outline < SURE
    edge = (_highest_near(outline, NEAR) > -SURE) & (_highest_near(-outline, NEAR) > -SURE)
    # A small thing can lie between the outline's samples: the prompt's own place is always drawn.
    edge |= _around(sketch.point, outline)
    blocks = outline[:, :, None, None].repeat(1, 1, LOGITS_PER_TOKEN, LOGITS_PER_TOKEN)
    while edge.any():
        row, column = edge.nonzero(as_tuple=True)
        logits = sketch.logits(row * TOKENS + column)
        blocks[row, column] = logits
        unknown = unknown & ~edge
        reached = torch.zeros_like(outline)
        reached[row, column] = logits.amax((1, 2)).gt(0).float()
        edge = (_highest_near(reached, 1) > 0) & unknown
    # The last token may reach beyond the image.
    height, width = frame.full.logits_used
    return cut_out(as_picture(blocks)[:height, :width], sketch.predicted_iou, sketch.prompt, below)


def _around(point: tuple[float, float], outline: Tensor) -> Tensor:
    """The token a prompt points at, and its neighbours, bool as ``outline``."""
    column, row = (int(value // MODEL_PER_TOKEN) for value in point)
    around = torch.zeros_like(outline, dtype=torch.bool)
    around[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] = True
    return around


def _highest_near(outline: Tensor, near: int) -> Tensor:
    """The highest value within ``near`` tokens."""
    return F.max_pool2d(outline[None], 2 * near + 1, stride=1, padding=near)[0]
