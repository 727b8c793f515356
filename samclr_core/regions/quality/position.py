"""How regions lie: at the image's borders, and in one another."""

from collections.abc import Sequence

import numpy as np
from pycocotools import mask as coco

from samclr_core.regions.region import Region

CONTAINED = 0.9


def borders(region: Region, width: int, height: int) -> int:
    """How many of the image's four borders the region touches."""
    x, y, w, h = region.bbox
    return sum((x <= 0, y <= 0, x + w >= width, y + h >= height))


def nesting(regions: Sequence[Region]) -> np.ndarray:
    """Which region lies in which, bool [regions, regions]: [i, j] is true where i is inside j.

    Inside means that at least nine tenths of i are covered by the larger j.
    """
    if not regions:
        return np.zeros((0, 0), bool)
    rles = [{**region.rle, "counts": _bytes(region.rle["counts"])} for region in regions]
    # With iscrowd, COCO's "IoU" is the intersection over the area of the first.
    covered = coco.iou(rles, rles, [1] * len(rles))
    area = np.array([region.area for region in regions])
    return (covered >= CONTAINED) & (area[:, None] < area[None, :])


def _bytes(counts: str | bytes) -> bytes:
    return counts.encode("ascii") if isinstance(counts, str) else counts
