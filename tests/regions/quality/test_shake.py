"""Regions that are found again, and those that are not."""

import math

import numpy as np
import pytest
from shapes import scene

from samclr_core.regions import rle
from samclr_core.regions.automatic.segmenter import Segmenter
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.quality.shake import ShakeConfig, found_again, shake
from samclr_core.regions.region import Region, RegionSet


def box(x: int, w: int) -> rle.Rle:
    mask = np.zeros((4, 20), bool)
    mask[:, x : x + w] = True
    return rle.encode(mask)


def test_each_mask_is_matched_once_and_a_lost_one_counts_zero():
    before = [box(0, 4), box(8, 4)]
    assert found_again(before, before) == 1
    assert found_again(before, [box(0, 4)]) == 0.5
    assert found_again(before, []) == 0
    assert math.isnan(found_again([], before))
    # 3 of 5 columns shared by the first; the one that is left meets nothing.
    assert found_again(before, [box(1, 4), box(1, 4)]) == pytest.approx(3 / 5 / 2)
    # The greatest sum: 3/4 + 4/6 beats the best single match, 4/5, with its rest, 2/6.
    assert found_again([box(0, 4), box(1, 5)], [box(0, 5), box(0, 3)]) == pytest.approx(17 / 24)


@pytest.fixture(scope="module")
def segmenter(sam_weights) -> Segmenter:
    return Segmenter(SegmenterConfig(points_per_side=4, min_area=0.005))


def test_plain_things_are_found_again(segmenter):
    image, _ = scene()
    regions = segmenter.segment(image)
    found = shake(segmenter, image, regions, ShakeConfig())
    assert 0.6 < found.shift_iou <= 1
    assert 0.6 < found.brightness_iou <= 1


def test_what_lies_in_the_edge_cut_off_does_not_count(segmenter):
    image, _ = scene()
    edge = np.zeros(image.shape[:2], bool)
    edge[:, :5] = True
    alone = RegionSet("a", *image.shape[:2], {}, (Region.of_mask(edge),))
    found = shake(segmenter, image, alone, ShakeConfig(shift=0.05))
    assert math.isnan(found.shift_iou)
    assert found.brightness_iou < 0.5
