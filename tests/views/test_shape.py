"""The shape of a region as a figure, against shapes whose figure is known."""

import numpy as np
import pytest

from samclr_core.regions.region import Region
from samclr_core.views.shape import aspect, solidity


def region(paint) -> Region:
    mask = np.zeros((60, 80), bool)
    paint(mask)
    return Region.of_mask(mask)


def test_a_rectangle_is_convex() -> None:
    def paint(mask):
        mask[10:30, 5:45] = True

    assert solidity(region(paint)) == pytest.approx(1.0)
    assert aspect(region(paint)) == pytest.approx(0.5)


def test_a_corner_has_lost_a_quarter_of_its_square() -> None:
    """An L of 20 x 20 without a 10 x 10: its hull lacks half of that square, 350 of 400."""

    def paint(mask):
        mask[10:30, 10:30] = True
        mask[10:20, 20:30] = False

    assert solidity(region(paint)) == pytest.approx(300 / 350)
    assert aspect(region(paint)) == 1


def test_one_pixel_and_a_line() -> None:
    def dot(mask):
        mask[3, 4] = True

    def line(mask):
        mask[7, 10:30] = True

    assert solidity(region(dot)) == solidity(region(line)) == pytest.approx(1.0)
    assert aspect(region(line)) == pytest.approx(1 / 20)


def test_a_disc_is_nearly_convex() -> None:
    def paint(mask):
        rows, columns = np.ogrid[:60, :80]
        mask[(rows - 30) ** 2 + (columns - 40) ** 2 < 25**2] = True

    assert 0.97 < solidity(region(paint)) <= 1
