"""Figures of a region set against a case worked out by hand."""

import math

import numpy as np
import pytest

from samclr_core.regions.quality.figures import SIZE_EDGES, figures
from samclr_core.regions.region import Region, RegionSet


def box_mask(x, y, w, h):
    mask = np.zeros((10, 20), bool)
    mask[y : y + h, x : x + w] = True
    return mask


def region_set(*regions):
    return RegionSet("a", 10, 20, {}, regions, seconds=1.5)


def test_pixels_in_two_regions_count_once():
    found = figures(
        region_set(
            Region.of_mask(box_mask(0, 0, 10, 10), predicted_iou=0.9, stability_score=1.0),
            Region.of_mask(box_mask(5, 0, 10, 10), predicted_iou=0.7, stability_score=0.8),
        )
    )
    assert found.regions == 2
    assert found.coverage == pytest.approx(150 / 200)
    assert found.predicted_iou == pytest.approx(0.8)
    assert found.stability == pytest.approx(0.9)
    assert found.seconds == 1.5


def test_sizes_borders_and_nesting():
    found = figures(
        region_set(
            Region.of_mask(box_mask(0, 0, 10, 10)),  # half of the image, at its border
            Region.of_mask(box_mask(1, 1, 4, 4)),  # 8 %, in the first
            Region.of_mask(box_mask(2, 2, 2, 2)),  # 2 %, in both
            Region.of_mask(box_mask(15, 4, 2, 2)),  # 2 %, by itself
        )
    )
    assert found.area == pytest.approx((0.08 + 0.02) / 2)
    assert found.border == 0.25
    assert found.depth == pytest.approx((0 + 1 + 2 + 0) / 4)
    by_edge = dict(zip(SIZE_EDGES, found.sizes, strict=False))
    assert by_edge == {0.0: 0, 0.0003: 0, 0.001: 0, 0.003: 0, 0.01: 2, 0.03: 1, 0.1: 0, 0.3: 1}


def test_no_regions_cover_nothing():
    found = figures(region_set())
    assert found.regions == 0
    assert found.coverage == 0
    assert math.isnan(found.predicted_iou)
    assert math.isnan(found.depth)
    assert sum(found.sizes) == 0
