"""What a region set looks like in numbers."""

from dataclasses import dataclass

import numpy as np
from pycocotools import mask as coco

from samclr_core.regions.region import RegionSet


@dataclass(frozen=True)
class Figures:
    """A region set in numbers.

    Attributes:
        regions: how many.
        coverage: share of the image's pixels that lie in at least one region, 0 to 1.
        predicted_iou: the model's own estimate of the masks' quality, mean over regions.
        stability: IoU of the masks cut at a higher and at a lower logit, mean over regions.
        seconds: machine time it took.
    """

    regions: int
    coverage: float
    predicted_iou: float
    stability: float
    seconds: float


def figures(region_set: RegionSet) -> Figures:
    """The figures of ``region_set``; means are nan where there are no regions."""
    regions = region_set.regions
    union = coco.merge([region.rle for region in regions]) if regions else None
    covered = float(coco.area(union)) if union else 0.0
    return Figures(
        regions=len(regions),
        coverage=covered / (region_set.height * region_set.width),
        predicted_iou=_mean([region.predicted_iou for region in regions]),
        stability=_mean([region.stability_score for region in regions]),
        seconds=region_set.seconds,
    )


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
