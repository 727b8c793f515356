"""Which pairs of one image may show the same thing."""

import numpy as np

from samclr_core.regions.region import Region, RegionSet
from samclr_core.views.pair import Cut
from samclr_core.views.related import related

BOX = (0, 0, 4, 4)


def square(y: int, x: int, side: int) -> Region:
    mask = np.zeros((40, 60), bool)
    mask[y : y + side, x : x + side] = True
    return Region.of_mask(mask)


def cuts(*regions: int | None) -> list[Cut]:
    return [Cut(BOX, BOX, region) for region in regions]


def test_same_nested_and_overlapping_regions_are_related() -> None:
    # 1 lies in 0; 2 is apart; 3 shares a quarter of itself with 2; 4 only a corner of 1 in 25.
    regions = (square(0, 0, 20), square(5, 5, 5), square(0, 30, 10), square(5, 35, 10))
    regions += (square(8, 38, 10),)
    found = related(cuts(0, 1, 2, 3, 0), RegionSet("i", 40, 60, {}, regions))
    expected = np.eye(5, dtype=bool)
    for one, other in ((0, 1), (0, 4), (1, 4), (2, 3)):
        expected[one, other] = expected[other, one] = True
    assert found.tolist() == expected.tolist()
    touching = related(cuts(2, 4), RegionSet("i", 40, 60, {}, regions))
    assert touching.tolist() == [[True, False], [False, True]]


def test_the_whole_image_is_related_to_all_of_it() -> None:
    regions = RegionSet("i", 40, 60, {}, (square(0, 0, 10), square(20, 20, 10)))
    found = related(cuts(0, None, 1), regions)
    assert found.tolist() == [[True, True, False], [True, True, True], [False, True, True]]
    assert related(cuts(None, None), None).all()
