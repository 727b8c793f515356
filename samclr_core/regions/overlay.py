"""Regions drawn over their image, for people to look at."""

import colorsys

import numpy as np

from samclr_core.regions.region import RegionSet

GOLDEN = 0.618033988749895


def overlay(image: np.ndarray, region_set: RegionSet, alpha: float = 0.5) -> np.ndarray:
    """The image, uint8 [H, W, 3], with every region in a colour of its own and outlined.

    The largest regions are drawn first, so that small ones lie on top; the n-th region always has
    the same colour.

    Args:
        image: uint8 [H, W, 3] RGB.
        region_set: the image's regions.
        alpha: strength of the colours, 0 to 1.

    Returns:
        uint8 [H, W, 3] RGB.
    """
    drawn = image.astype(np.float32)
    thickness = max(1, round(max(image.shape[:2]) / 800))
    for number, region in enumerate(region_set.regions):
        mask = region.mask()
        drawn[mask] = (1 - alpha) * drawn[mask] + alpha * colour(number)
        drawn[edge(mask, thickness)] = 255
    return drawn.round().astype(np.uint8)


def colour(number: int) -> np.ndarray:
    """The colour of a number, RGB 0 to 255, float64 [3]; neighbours are told apart."""
    return np.array(colorsys.hsv_to_rgb(number * GOLDEN % 1, 0.75, 0.95)) * 255


def edge(mask: np.ndarray, thickness: int) -> np.ndarray:
    """Pixels of the mask within ``thickness`` of its outside, bool [H, W].

    What lies beyond ``mask`` is taken for inside.
    """
    inner = mask.copy()
    for _ in range(thickness):
        inner[1:-1, 1:-1] &= inner[:-2, 1:-1] & inner[2:, 1:-1] & inner[1:-1, :-2] & inner[1:-1, 2:]
    return mask & ~inner
