"""Every kind of damage against masks worked out by hand."""

import numpy as np
import pytest

from samclr_core.messages import UserError
from samclr_core.regions.config import Perturbation
from samclr_core.regions.perturb.damage import best_iou, perturbed
from samclr_core.regions.region import Region, RegionSet

KINDS = ("eroded", "dilated", "merged", "split", "shifted", "dropped")


def box(x, y, w, h, size=(40, 60)):
    mask = np.zeros(size, bool)
    mask[y : y + h, x : x + w] = True
    return mask


def of_masks(*masks, image_id="a"):
    regions = sorted(map(Region.of_mask, masks), key=lambda region: -region.area)
    height, width = masks[0].shape
    return RegionSet(image_id, height, width, {"model": "m"}, tuple(regions))


def damaged(region_set, kind, strength, seed=0):
    return perturbed(region_set, Perturbation(kind=kind, strength=strength, seed=seed))


def masks(region_set):
    return [region.mask() for region in region_set.regions]


def test_erosion_moves_every_edge_inwards():
    # The square root of the area is 10, so 0.2 of it is 2 pixels on every side.
    (left,) = masks(damaged(of_masks(box(20, 10, 10, 10)), "eroded", 0.2))
    np.testing.assert_array_equal(left, box(22, 12, 6, 6))


def test_erosion_leaves_the_edge_of_the_photo():
    (left,) = masks(damaged(of_masks(box(0, 0, 10, 10)), "eroded", 0.2))
    np.testing.assert_array_equal(left, box(0, 0, 8, 8))
    whole = of_masks(np.ones((40, 60), bool))
    assert damaged(whole, "eroded", 0.3).regions == whole.regions


def test_dilation_moves_every_edge_outwards_and_rounds_corners():
    (grown,) = masks(damaged(of_masks(box(20, 10, 10, 10)), "dilated", 0.2))
    wanted = box(18, 12 - 2, 14, 10) | box(20, 8, 10, 14)
    # Of a corner's 2 x 2 pixels, those at most 2 away: all but the outermost.
    wanted |= box(19, 9, 12, 12)
    np.testing.assert_array_equal(grown, wanted)
    (cut,) = masks(damaged(of_masks(box(0, 0, 10, 10)), "dilated", 0.1))
    np.testing.assert_array_equal(cut, box(0, 0, 11, 10) | box(0, 0, 10, 11))


def test_what_is_eroded_away_is_gone():
    region_set = of_masks(box(5, 5, 20, 20), box(40, 5, 2, 18))
    (left,) = masks(damaged(region_set, "eroded", 0.2))
    np.testing.assert_array_equal(left, box(9, 9, 12, 12))
    assert damaged(region_set, "eroded", 0.6).regions == ()


def test_a_shift_keeps_the_shape_and_goes_as_far_as_asked():
    region_set = of_masks(box(20, 10, 10, 10))
    (moved,) = damaged(region_set, "shifted", 0.5).regions
    assert moved.area == 100
    dx, dy = np.subtract(moved.bbox[:2], (20, 10))
    assert np.hypot(dx, dy) == pytest.approx(5, abs=0.75)
    np.testing.assert_array_equal(moved.mask(), box(*moved.bbox))


def test_what_is_shifted_out_of_the_photo_is_lost():
    region_set = of_masks(*[box(50 * i, 30 * j, 10, 10) for i in (0, 1) for j in (0, 1)])
    found = [damaged(region_set, "shifted", 1.0, seed).regions for seed in range(20)]
    assert {len(regions) for regions in found} > {3}
    assert all(0 < region.area <= 100 for regions in found for region in regions)
    inside = [r.bbox for regions in found for r in regions]
    assert all(x >= 0 and y >= 0 and x + w <= 60 and y + h <= 40 for x, y, w, h in inside)


def test_a_split_halves_a_region_across_its_longest_axis():
    wide, tall = of_masks(box(20, 10, 10, 4)), of_masks(box(20, 10, 4, 11))
    parts = masks(damaged(wide, "split", 1.0))
    assert sorted(int(part.argmax(axis=1).max()) for part in parts) == [20, 25]
    np.testing.assert_array_equal(parts[0] | parts[1], box(20, 10, 10, 4))
    assert [part.sum() for part in parts] == [20, 20]
    # Of 11 rows the middle one goes to the second half.
    np.testing.assert_array_equal(masks(damaged(tall, "split", 1.0))[0], box(20, 15, 4, 6))


def test_a_share_of_the_regions_is_split_or_dropped():
    region_set = of_masks(*[box(6 * i, 4, 4, 4) for i in range(10)])
    for strength, count in ((0.1, 1), (0.3, 3), (1.0, 10)):
        assert len(damaged(region_set, "split", strength).regions) == 10 + count
        assert len(damaged(region_set, "dropped", strength).regions) == 10 - count
    kept = damaged(region_set, "dropped", 0.3).regions
    assert set(map(repr, kept)) < set(map(repr, region_set.regions))


def test_neighbours_are_merged_two_by_two():
    near = box(2, 2, 6, 6), box(9, 2, 6, 6)
    far = box(30, 25, 6, 6), box(38, 25, 6, 6)
    found = masks(damaged(of_masks(*near, *far), "merged", 1.0))
    assert {mask.tobytes() for mask in found} == {
        (near[0] | near[1]).tobytes(),
        (far[0] | far[1]).tobytes(),
    }
    half = masks(damaged(of_masks(*near, *far), "merged", 0.5))
    assert sorted(int(mask.sum()) for mask in half) == [36, 36, 72]


def test_a_part_is_not_merged_with_its_whole():
    whole, part, other = box(2, 2, 20, 20), box(4, 4, 5, 5), box(40, 20, 5, 5)
    (merged, alone) = masks(damaged(of_masks(whole, part, other), "merged", 1.0))
    in_pairs = {(whole | other).tobytes(), (part | other).tobytes()}
    assert in_pairs & {merged.tobytes(), alone.tobytes()}


def test_best_iou_by_hand():
    ours = of_masks(box(0, 0, 10, 10), box(20, 0, 4, 4), box(40, 20, 5, 5))
    theirs = of_masks(box(0, 0, 10, 5), box(5, 0, 10, 10), box(20, 0, 4, 4))
    # 50 of 100 against 50 of 150; the same mask; nothing.
    assert best_iou(ours, theirs).tolist() == [0.5, 0.0, 1.0]
    assert best_iou(ours, damaged(theirs, "dropped", 1.0)).tolist() == [0, 0, 0]
    assert best_iou(damaged(theirs, "dropped", 1.0), ours).tolist() == []


def crowd():
    """Twelve things, one inside another, some at the border."""
    grid = [box(2 + 20 * i, 1 + 14 * j, 12 + i, 9 + j) for i in range(3) for j in range(3)]
    return of_masks(*grid, box(0, 0, 60, 12), box(5, 3, 4, 4), box(46, 20, 14, 20))


@pytest.mark.parametrize("kind", KINDS)
def test_more_strength_is_more_damage(kind):
    whole = crowd()
    alike = [best_iou(whole, damaged(whole, kind, s)).mean() for s in (0.1, 0.25, 0.45, 0.7, 1.0)]
    assert alike == sorted(alike, reverse=True)
    assert 1 >= alike[0] > alike[-1]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_does_the_same_and_says_what_it_did(kind):
    found = damaged(crowd(), kind, 0.3, seed=4)
    assert found == damaged(crowd(), kind, 0.3, seed=4)
    assert found.segmenter["model"] == "m"
    assert found.segmenter["perturbation"] == {"kind": kind, "strength": 0.3, "seed": 4}
    assert RegionSet.from_json(found.to_json()) == found
    areas = [region.area for region in found.regions]
    assert areas == sorted(areas, reverse=True)
    for region in found.regions:
        assert region.rle == Region.of_mask(region.mask()).rle
        assert region.bbox == Region.of_mask(region.mask()).bbox


@pytest.mark.parametrize("kind", ["merged", "split", "shifted", "dropped"])
def test_seeds_and_images_differ(kind):
    first, second = (damaged(crowd(), kind, 0.5, seed).regions for seed in (0, 1))
    assert first != second
    other = of_masks(*masks(crowd()), image_id="b")
    assert damaged(other, kind, 0.5).regions != first


@pytest.mark.parametrize("kind", KINDS)
def test_no_regions_stay_none(kind):
    assert damaged(RegionSet("a", 4, 4, {}, ()), kind, 0.5).regions == ()


@pytest.mark.parametrize("wrong", [{"kind": "melted"}, {"strength": 0}, {"strength": 1.5}])
def test_settings_out_of_range_are_one_sentence(wrong):
    with pytest.raises(UserError, match="The setting"):
        Perturbation.of({"kind": "eroded", "strength": 0.5} | wrong)
