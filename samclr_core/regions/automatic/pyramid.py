"""The image's tokens at three resolutions, and which of them a prompt looks at.

In SAM's decoder a prompt's tokens attend to all 64 x 64 image tokens, but of what lies far away
they need an outline only. So a prompt sees its own surroundings token by token, theirs averaged
2 x 2, and the rest averaged 8 x 8: some 280 places instead of 4096. In a softmax an average counts
as often as it has tokens.
"""

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from samclr_core.regions.automatic.geometry import MODEL_PER_TOKEN, TOKENS

# Prompts of one tile of 8 x 8 tokens share their places.
TILE = 8
# Tokens along the side of an average, and how far from the tile averages of that side are used.
SIDES = (1, 2, 8)
REACHES = (2, 8, TOKENS)


def pyramid(tokens: Tensor) -> Tensor:
    """Tokens [4096, C], followed by their averages over 2 x 2 and over 8 x 8: [5184, C]."""
    grid = tokens.view(TOKENS, TOKENS, -1)
    levels = [grid.unflatten(0, (-1, s)).unflatten(2, (-1, s)).mean((1, 3)) for s in SIDES]
    return torch.cat([level.flatten(0, 1) for level in levels])


@dataclass(frozen=True)
class Places:
    """Rows of a pyramid.

    Attributes:
        index: which rows, int [n].
        log_count: logarithm of the number of tokens each stands for, [n].
        spread: for places that cover the image, the place that each token is in, int [4096].
    """

    index: Tensor
    log_count: Tensor
    spread: Tensor


def tile_of(points: Tensor) -> Tensor:
    """The tile of prompts [N, 2] in model pixels, int [N], numbered row by row."""
    column, row = points.div(MODEL_PER_TOKEN * TILE, rounding_mode="floor").long().unbind(1)
    return row * (TOKENS // TILE) + column


@cache
def around(tile: int) -> Places:
    """What the prompts of a tile look at."""
    row, column = divmod(tile, TOKENS // TILE)
    away = torch.maximum(_away(row)[..., :, None], _away(column)[..., None, :])
    level = torch.zeros(TOKENS, TOKENS, dtype=torch.long)
    # From coarse to fine, so that an average never holds a token that is seen by itself.
    for coarser in range(len(SIDES) - 1, 0, -1):
        level = torch.where(away[coarser] >= REACHES[coarser - 1], level.clamp(min=coarser), level)
    return _places(level)


@cache
def everywhere() -> Places:
    """Every token by itself."""
    return _places(torch.zeros(TOKENS, TOKENS, dtype=torch.long))


def _away(tile: int) -> Tensor:
    """How far the cell of each token lies from the tile's along one axis, per level, [3, 64]."""
    start, tokens = tile * TILE, torch.arange(TOKENS)
    cells = torch.stack([tokens // side * side for side in SIDES])
    ends = cells + torch.tensor(SIDES)[:, None]
    return torch.maximum(start - ends, cells - start - TILE).clamp(min=0)


def _places(level: Tensor) -> Places:
    """The places where each token [64, 64] is seen at the level of that number."""
    rows, columns = torch.meshgrid(torch.arange(TOKENS), torch.arange(TOKENS), indexing="ij")
    sides = torch.tensor(SIDES)[level]
    widths = TOKENS // sides
    counts = torch.tensor([0] + [(TOKENS // side) ** 2 for side in SIDES])
    row = counts.cumsum(0)[level] + rows // sides * widths + columns // sides
    index, spread, count = row.flatten().unique(return_inverse=True, return_counts=True)
    return Places(index, count.float().log(), spread)
