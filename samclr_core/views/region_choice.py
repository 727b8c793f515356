"""Which regions views may be cut from, and how likely each is."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from samclr_core.regions.quality.position import borders, nesting
from samclr_core.regions.region import Region, RegionSet
from samclr_core.views.config import Choice, ViewsConfig
from samclr_core.views.shape import aspect, solidity

LEAST_DIFFICULTY = 0.01


@dataclass(frozen=True)
class Eligible:
    """Regions that pass the limits: their indices and the chance of each, summing to 1."""

    indices: np.ndarray
    chances: np.ndarray

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Up to ``count`` different indices, in the order in which they should be tried."""
        count = min(count, len(self.indices))
        if not count:
            return self.indices
        return rng.choice(self.indices, size=count, replace=False, p=self.chances)


def eligible(
    regions: RegionSet, config: ViewsConfig, difficulty: np.ndarray | None = None
) -> Eligible:
    """The regions of one image that pass the limits of ``config``, with their chances.

    Args:
        regions: of the image.
        config: the limits, and what the chance of a region depends on.
        difficulty: of each region, [regions], 0 to 2; multiplies the chances. Where it is nan, it
            counts as the mean of the others.
    """
    passed = [_fits(region, regions, config) for region in regions.regions]
    if config.max_nested is not None or config.max_depth is not None:
        passed = list(passed & _nesting_fits(regions.regions, config))
    indices = np.flatnonzero(passed)
    weights = np.array([_weight(regions.regions[i], config) for i in indices], dtype=float)
    if difficulty is not None:
        weights *= _known(difficulty[indices])
    return Eligible(indices, weights / weights.sum() if len(weights) else weights)


def _fits(region: Region, regions: RegionSet, config: ViewsConfig) -> bool:
    share = region.area / (regions.width * regions.height)
    # A region whose box is smaller than the smallest crop could only give blurred views.
    least = config.size / config.max_upscale
    return (
        config.min_area <= share <= config.max_area
        and min(region.bbox[2:]) >= least
        and borders(region, regions.width, regions.height) <= config.max_borders
    )


def _weight(region: Region, config: ViewsConfig) -> float:
    return _WEIGHTS[config.choice](region)


_WEIGHTS: dict[Choice, Callable[[Region], float]] = {
    "uniform": lambda region: 1.0,
    "area": lambda region: float(region.area),
    "sqrt_area": lambda region: float(region.area) ** 0.5,
    "score": lambda region: max(region.predicted_iou * region.stability_score, 1e-6),
    "solidity": solidity,
    "aspect": aspect,
}


def _known(difficulty: np.ndarray) -> np.ndarray:
    """All of it above zero, so that every region keeps a chance."""
    judged = np.isfinite(difficulty)
    mean = difficulty[judged].mean() if judged.any() else 1.0
    return np.maximum(np.where(judged, difficulty, mean), LEAST_DIFFICULTY)


def _nesting_fits(regions: tuple[Region, ...], config: ViewsConfig) -> np.ndarray:
    inside = nesting(regions)
    nested, depth = inside.sum(axis=0), inside.sum(axis=1)
    most = len(regions)
    fits_nested = nested <= (most if config.max_nested is None else config.max_nested)
    fits_depth = depth <= (most if config.max_depth is None else config.max_depth)
    return fits_nested & fits_depth
