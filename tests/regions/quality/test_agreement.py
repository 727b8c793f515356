"""Regions beside ground truth, against cases worked out by hand."""

import numpy as np
import pytest

from samclr_core.regions.quality.agreement import agreement, partition_agreement
from samclr_core.regions.quality.boundaries import boundary_f
from samclr_core.regions.quality.partition import painted, partition, segments_of
from samclr_core.regions.region import Region, RegionSet


def region_set(*masks: np.ndarray) -> RegionSet:
    regions = sorted((Region.of_mask(mask) for mask in masks), key=lambda r: -r.area)
    return RegionSet("a", *masks[0].shape, {}, tuple(regions))


def grid(text: str) -> np.ndarray:
    """``"aab aab"`` as numbers: a is 1, b is 2, ...; . is 0 and - is -1."""
    numbers = {".": 0, "-": -1} | {letter: n for n, letter in enumerate("abcdefg", 1)}
    return np.array([[numbers[sign] for sign in row] for row in text.split()])


TRUTH = grid("aaaabb aaaabb aaaabb aaaabb")  # a has 16 pixels, b has 8


def test_the_truth_itself_is_perfect():
    found = agreement(region_set(TRUTH == 1, TRUTH == 2), TRUTH)
    assert found.mean_best_iou == found.covering == found.recall75 == found.boundary_f == 1
    assert found.undersegmentation == 0


def test_best_iou_counts_segments_and_covering_counts_pixels():
    half = grid("aa.... aa.... aa.... aa....") == 1  # 8 of the 16 pixels of a, none of b
    found = agreement(region_set(half, TRUTH == 2), TRUTH)
    assert found.mean_best_iou == pytest.approx((0.5 + 1) / 2)
    assert found.covering == pytest.approx((0.5 * 16 + 1 * 8) / 24)
    assert (found.recall50, found.recall75) == (1.0, 0.5)


def test_a_region_that_overlaps_others_may_serve_too():
    """Views choose among regions as they are: a part on top takes nothing from the whole."""
    part = grid("...... .aa... .aa... ......") == 1
    found = agreement(region_set(TRUTH == 1, part, TRUTH == 2), TRUTH)
    assert found.mean_best_iou == 1
    assert found.undersegmentation == 0  # parts of one segment leak into no other


def test_what_leaks_counts_the_smaller_share():
    """A piece of 12 pixels of a and 4 of b leaks 4 into a's side and 4 into b's."""
    pieces = grid("abbbbc abbbbc abbbbc abbbbc") - 1
    found = partition_agreement(pieces, TRUTH)
    assert found.undersegmentation == pytest.approx((4 + 4) / 24)
    # a is met best by the middle piece: 12 shared, 20 in all; b by c: 4 of 8.
    assert found.covering == pytest.approx((12 / 20 * 16 + 4 / 8 * 8) / 24)


def test_ground_makes_a_region_too_large_and_void_does_not():
    whole = np.ones((4, 6), bool)
    ground = grid("aaaa.. aaaa.. aaaa.. aaaa..")
    void = grid("aaaa-- aaaa-- aaaa-- aaaa--")
    assert agreement(region_set(whole), ground).covering == pytest.approx(16 / 24)
    assert agreement(region_set(whole), void).covering == 1
    assert agreement(region_set(whole), ground).undersegmentation == pytest.approx(8 / 16)
    assert agreement(region_set(whole), void).undersegmentation == 0


def test_nothing_found_and_nothing_to_find():
    none = RegionSet("a", 4, 6, {}, ())
    found = agreement(none, TRUTH)
    assert found.mean_best_iou == found.covering == found.recall50 == found.boundary_f == 0
    assert found.undersegmentation == pytest.approx((8 + 8) / 24)  # one piece for all
    assert agreement(none, np.zeros((4, 6), int)) is None


def test_boundaries_within_the_tolerance_are_right():
    rows, columns = 30, 40  # a diagonal of 50 pixels
    truth = np.ones((rows, columns), int)
    truth[:, 20:] = 2
    near, far = (np.zeros((rows, columns), int) for _ in range(2))
    near[:, 22:] = 1  # off by 2 pixels
    far[:, 30:] = 1
    assert boundary_f(near, truth, tolerance=0.04) == 1
    assert boundary_f(far, truth, tolerance=0.04) == 0
    # With a true and a false line of 30 pixels each, precision is 1/2 and recall 1.
    both = near + far
    assert boundary_f(both, truth, tolerance=0.04) == pytest.approx(2 / 3)
    # Lines on ground, where nothing was marked, are not judged.
    assert boundary_f(both, np.where(truth == 2, 0, truth), tolerance=0.04) == 1


def test_small_regions_lie_on_large_ones_and_the_rest_is_pieces():
    large = grid("aaa...a aaa...a aaa...a") > 0
    large[:, 6] = False
    small = grid("....... .a..... .......") == 1
    strip = grid("....a.. ....a.. ....a..") == 1
    regions = region_set(large, small, strip)
    assert painted(regions).tolist() == [
        [0, 0, 0, -1, 1, -1, -1],
        [0, 2, 0, -1, 1, -1, -1],
        [0, 0, 0, -1, 1, -1, -1],
    ]
    # The strip cuts the rest into two.
    assert partition(regions)[0].tolist() == [0, 0, 0, 3, 1, 4, 4]


def test_segments_are_connected_parts_and_specks_are_void():
    labels = grid("aabba aabba aabbb --bbb")
    labels[labels == -1] = 255
    segments = segments_of(labels, void=255, least=0.11)  # 2.2 of 20 pixels
    # The second part of a has 2 pixels only.
    assert segments.tolist() == [
        [1, 1, 2, 2, -1],
        [1, 1, 2, 2, -1],
        [1, 1, 2, 2, 2],
        [-1, -1, 2, 2, 2],
    ]
    apart = segments_of(grid("aba aba"), void=255, least=0.0)
    assert apart.tolist() == [[1, 3, 2], [1, 3, 2]]
