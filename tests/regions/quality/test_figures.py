"""Figures of a region set against a case worked out by hand."""

import math

import numpy as np
import pytest

from samclr_core.regions.quality.figures import figures
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


def test_no_regions_cover_nothing():
    found = figures(region_set())
    assert found.regions == 0
    assert found.coverage == 0
    assert math.isnan(found.predicted_iou)
