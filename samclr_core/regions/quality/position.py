"""How regions lie: at the image's borders, and in one another."""

from collections.abc import Sequence

import numpy as np

from samclr_core.regions.region import Region
from samclr_core.regions.rle import covered

CONTAINED = 0.9


def borders(region: Region, width: int, height: int) -> int:
    """How many of the image's four borders the region touches."""
    x, y, w, h = region.bbox
    return sum((x <= 0, y <= 0, x + w >= width, y + h >= height))


def nesting(regions: Sequence[Region]) -> np.ndarray:
    """Which region lies in which, bool [regions, regions]: [i, j] is true where i is inside j.

    Inside means that at least nine tenths of i are covered by the larger j.
    """
    rles = [region.rle for region in regions]
    area = np.array([region.area for region in regions])
    return (covered(rles, rles) >= CONTAINED) & (area[:, None] < area[None, :])
