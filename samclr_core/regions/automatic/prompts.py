"""Which prompts of the grid are worth decoding.

Where the image looks the same to SAM's encoder from one prompt to the next, as on a road or in the
sky, both find the same masks, and the second copies are thrown away in the end. So the grid is
walked from coarse to fine, and a prompt that looks like one asked already, right beside it, is
left out. None is left out for one far away: a flat ground still gets a prompt every few steps.
"""

import numpy as np
from torch import Tensor
from torch.nn import functional as F

from samclr_core.regions.automatic.geometry import MODEL_SIDE

# Every fourth prompt of every fourth row is asked in any case, then those half way between, ...
COARSEST = 4
# ... but for those whose feature points the same way as a neighbour's: cosine similarity.
ALIKE = 0.9


def worth_asking(embedding: Tensor, points: Tensor) -> np.ndarray:
    """The prompts to decode.

    Args:
        embedding: of the image, [1, 256, 64, 64].
        points: a square grid of prompts, row by row, float [n * n, 2], X, Y in model pixels.

    Returns:
        Their numbers, ascending, int [m].
    """
    side = round(len(points) ** 0.5)
    looks = _looks(embedding, points).reshape(side, side, -1)
    asked = np.zeros((side, side), bool)
    asked[::COARSEST, ::COARSEST] = True
    step = COARSEST
    while step > 1:
        step //= 2
        for row, column in np.argwhere(_between(side, step)):
            near = _near(row, step), _near(column, step)
            neighbours = looks[near][asked[near]]
            asked[row, column] = not (neighbours @ looks[row, column] > ALIKE).any()
    return np.flatnonzero(asked)


def _looks(embedding: Tensor, points: Tensor) -> np.ndarray:
    """Unit features of the points, without the image's mean, float [N, 256]."""
    places = (2 * points / MODEL_SIDE - 1)[None, None].to(embedding)
    found = F.grid_sample(embedding, places, align_corners=False)[0, :, 0].T
    return F.normalize(found - found.mean(0)).cpu().numpy()


def _between(side: int, step: int) -> np.ndarray:
    """The places of a level that the coarser ones before it do not have, bool [side, side]."""
    new = np.zeros((side, side), bool)
    new[::step, ::step] = True
    new[:: 2 * step, :: 2 * step] = False
    return new


def _near(place: int, step: int) -> slice:
    return slice(max(place - step, 0), place + step + 1)
