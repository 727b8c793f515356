"""Which prompts of the grid are worth decoding.

Where the image looks the same to SAM's encoder from one prompt to the next, as on a road or in the
sky, both find the same masks, and the second copies are thrown away in the end. So the grid is
walked from coarse to fine, and a prompt that looks like one asked already, right beside it, is
left out. None is left out for one far away: a flat ground still gets a prompt every few steps.

But each window of a facade looks like the next one, too. So when the others are answered, a prompt
is asked after all that lies in none of the things which those it resembles were found to be in.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from samclr_core.regions.automatic.candidates import Sketch
from samclr_core.regions.automatic.geometry import MODEL_PER_TOKEN, MODEL_SIDE

# Every fourth prompt of every fourth row is asked in any case, then those half way between, ...
COARSEST = 4
# ... but for those whose feature points the same way as a neighbour's: cosine similarity.
ALIKE = 0.9


def left_out(embedding: Tensor, points: Tensor) -> dict[int, list[int]]:
    """The prompts that need not be asked at first, and why.

    Args:
        embedding: of the image, [1, 256, 64, 64].
        points: a square grid of prompts, row by row, float [n * n, 2], X, Y in model pixels.

    Returns:
        For each of them, by number, the numbers of those beside it that are asked and look alike.
    """
    side = round(len(points) ** 0.5)
    looks = _looks(embedding, points).reshape(side, side, -1)
    numbers = np.arange(side * side).reshape(side, side)
    asked = np.zeros((side, side), bool)
    asked[::COARSEST, ::COARSEST] = True
    found: dict[int, list[int]] = {}
    step = COARSEST
    while step > 1:
        step //= 2
        for row, column in np.argwhere(_between(side, step)):
            near = _near(row, step), _near(column, step)
            beside = asked[near]
            alike = looks[near][beside] @ looks[row, column] > ALIKE
            asked[row, column] = not alike.any()
            if alike.any():
                found[int(numbers[row, column])] = numbers[near][beside][alike].tolist()
    return found


def worth_asking(
    omitted: Mapping[int, Sequence[int]], sketches: Sequence[Sketch], points: Tensor
) -> list[int]:
    """Of the prompts left out, those to be asked after all.

    A prompt is not worth it where it lies in the smallest mask of one that it resembles, or where
    none of those has found anything.

    Args:
        omitted: what :func:`left_out` gave for ``points``.
        sketches: the masks that the other prompts have found.
        points: all prompts, float [N, 2], X, Y in model pixels.
    """
    smallest: dict[int, tuple[int, Tensor]] = {}
    for sketch in sketches:
        inside = sketch.outline > 0
        found = int(torch.count_nonzero(inside)), inside
        known = smallest.get(sketch.prompt, found)
        smallest[sketch.prompt] = min(found, known, key=lambda one: one[0])
    places = (points / MODEL_PER_TOKEN).long().tolist()
    worth = []
    for prompt, alike in omitted.items():
        masks = [smallest[one][1] for one in alike if one in smallest]
        if masks and not any(_has(mask, *places[prompt]) for mask in masks):
            worth.append(prompt)
    return worth


def _has(mask: Tensor, column: int, row: int) -> bool:
    """Whether a mask, bool [h, w], has a token; of a tiny image the last ones are not needed."""
    height, width = mask.shape
    return bool(mask[min(row, height - 1), min(column, width - 1)])


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
