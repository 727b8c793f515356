"""From a mask in outline to its logits, which are computed only where its edge may run."""

import torch
from torch import Tensor
from torch.nn import functional as F

from samclr_core.regions.automatic.candidates import Candidate, Sketch, cut_out
from samclr_core.regions.automatic.geometry import LOGITS_PER_TOKEN, MODEL_PER_TOKEN, TOKENS, Frame

# A token lies surely inside, or outside, where all tokens this near ...
NEAR = 2
# ... have a logit beyond this.
SURE = 8.0


def draw(sketch: Sketch, frame: Frame, below: float) -> Candidate | None:
    """The mask of ``sketch``, or None where no logit is over ``below``.

    Args:
        sketch: the mask in outline.
        frame: the image's.
        below: the lower of the two cuts that stability is measured with.
    """
    outline = sketch.outline
    # A small thing can lie between the outline's samples: the prompt's own place is always drawn.
    own = _around(sketch.point, outline)
    highest = _highest_near(outline)
    touched = (highest > below) | own
    edge = (highest > -SURE) & (_highest_near(-outline) > -SURE) | own
    rows, columns = _extent(touched.any(1)), _extent(touched.any(0))
    window = _filled(sketch, edge, rows, columns)
    y, x = LOGITS_PER_TOKEN * rows.start, LOGITS_PER_TOKEN * columns.start
    # The last token may reach beyond the image.
    height, width = frame.full.logits_used
    window = window[: height - y, : width - x]
    return cut_out(window, sketch.predicted_iou, sketch.prompt, below, (y, x))


def _filled(sketch: Sketch, edge: Tensor, rows: slice, columns: slice) -> Tensor:
    """A window of logits: the outline's, and those of tokens at the ``edge`` in full."""
    blocks = sketch.outline[rows, columns, None, None]
    blocks = blocks.repeat(1, 1, LOGITS_PER_TOKEN, LOGITS_PER_TOKEN)
    row, column = edge[rows, columns].nonzero(as_tuple=True)
    blocks[row, column] = sketch.logits((row + rows.start) * TOKENS + column + columns.start)
    return blocks.transpose(1, 2).flatten(2).flatten(0, 1)


def _around(point: tuple[float, float], outline: Tensor) -> Tensor:
    """The token a prompt points at, and its neighbours, bool as ``outline``."""
    column, row = (int(value // MODEL_PER_TOKEN) for value in point)
    around = torch.zeros_like(outline, dtype=torch.bool)
    around[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] = True
    return around


def _highest_near(outline: Tensor) -> Tensor:
    """The highest value within ``NEAR`` tokens."""
    return F.max_pool2d(outline[None], 2 * NEAR + 1, stride=1, padding=NEAR)[0]


def _extent(inside: Tensor) -> slice:
    indices = inside.nonzero().flatten()
    return slice(int(indices[0]), int(indices[-1]) + 1)
