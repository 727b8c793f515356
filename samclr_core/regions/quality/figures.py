"""What a region set looks like in numbers, with no ground truth at hand."""

from dataclasses import dataclass

import numpy as np
from pycocotools import mask as coco

from samclr_core.regions.quality.position import borders, nesting
from samclr_core.regions.region import RegionSet

# Steps of a half order of magnitude, as shares of the image.
SIZE_EDGES = (0.0, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)


@dataclass(frozen=True)
class Figures:
    """A region set in numbers.

    Attributes:
        regions: how many.
        coverage: share of the image's pixels that lie in at least one region, 0 to 1.
        area: median area of a region, as a share of the image.
        predicted_iou: the model's own estimate of the masks' quality, mean over regions.
        stability: IoU of the masks cut at a higher and at a lower logit, mean over regions.
        border: share of the regions that touch the image's border, 0 to 1.
        depth: how many larger regions a region lies in, mean over regions.
        seconds: machine time it took.
        sizes: how many regions have an area between each two of ``SIZE_EDGES``.
    """

    regions: int
    coverage: float
    area: float
    predicted_iou: float
    stability: float
    border: float
    depth: float
    seconds: float
    sizes: tuple[int, ...]


def figures(region_set: RegionSet) -> Figures:
    """The figures of ``region_set``; means are nan where there are no regions."""
    regions = region_set.regions
    union = coco.merge([region.rle for region in regions]) if regions else None
    covered = float(coco.area(union)) if union else 0.0
    pixels = region_set.height * region_set.width
    areas = [region.area / pixels for region in regions]
    touching = [borders(r, region_set.width, region_set.height) > 0 for r in regions]
    counts, _ = np.histogram(areas, SIZE_EDGES)
    return Figures(
        regions=len(regions),
        coverage=covered / pixels,
        area=float(np.median(areas)) if areas else float("nan"),
        predicted_iou=_mean([region.predicted_iou for region in regions]),
        stability=_mean([region.stability_score for region in regions]),
        border=_mean(touching),
        depth=_mean(list(nesting(regions).sum(axis=1))),
        seconds=region_set.seconds,
        sizes=tuple(int(count) for count in counts),
    )


def _mean(values: list) -> float:
    return float(np.mean(values)) if values else float("nan")
