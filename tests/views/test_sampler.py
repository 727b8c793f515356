from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms.v2 import functional as tv

from samclr_core.regions.quality.position import nesting
from samclr_core.regions.region import Region, RegionSet
from samclr_core.views.config import ViewsConfig
from samclr_core.views.crops import crop, region_mask
from samclr_core.views.image_views import ImageViews
from samclr_core.views.region_choice import eligible
from samclr_core.views.region_views import RegionViews
from samclr_core.views.sampler import sampler

HEIGHT, WIDTH = 160, 240


def disc(x: int, y: int, radius: int) -> np.ndarray:
    rows, columns = np.ogrid[:HEIGHT, :WIDTH]
    return (columns - x) ** 2 + (rows - y) ** 2 <= radius**2


def region_set(*masks: np.ndarray) -> RegionSet:
    regions = sorted((Region.of_mask(mask) for mask in masks), key=lambda r: -r.area)
    return RegionSet("image", HEIGHT, WIDTH, {}, tuple(regions))


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


@pytest.fixture
def two_discs() -> RegionSet:
    return region_set(disc(60, 80, 40), disc(180, 80, 20))


def config(**values) -> ViewsConfig:
    return ViewsConfig(**{"kind": "region", "size": 32, **values})


def test_image_views_ignore_regions_and_have_the_size(image, two_discs) -> None:
    pair = ImageViews(config(kind="image"))(image, two_discs, np.random.default_rng(0))
    assert pair.region is None
    assert pair.view1.shape == pair.view2.shape == (32, 32, 3)
    assert pair.box1 != pair.box2


def test_both_crops_lie_in_one_region_and_cover_it_enough(image, two_discs) -> None:
    views = RegionViews(config(min_coverage=0.8))
    for seed in range(100):
        pair = views(image, two_discs, np.random.default_rng(seed))
        assert pair.region is not None
        mask = two_discs.regions[pair.region].mask()
        for x, y, w, h in (pair.box1, pair.box2):
            assert mask[y : y + h, x : x + w].mean() >= 0.8
            assert min(w, h) >= 32 / 4


def test_with_a_margin_crops_show_the_ground_around_a_region_and_enough_of_it(image) -> None:
    square = np.zeros((HEIGHT, WIDTH), bool)
    square[60:100, 100:140] = True
    views = RegionViews(config(margin=0.5, min_coverage=0.25, region_scale=(0.2, 1.0)))
    found = []
    for seed in range(100):
        pair = views(image, region_set(square), np.random.default_rng(seed))
        assert pair.region == 0
        found += [pair.box1, pair.box2]
    left, top, w, h = np.array(found).T
    assert left.min() >= 80
    assert top.min() >= 40
    assert (left + w).max() <= 160
    assert (top + h).max() <= 120
    shown = np.array([square[y : y + h, x : x + w].sum() for x, y, w, h in found])
    assert (shown >= 0.25 * w * h).all()
    # Half of the crops are larger than the square itself: 0.8 to 4 times its area.
    assert (w * h > 40 * 40).mean() > 0.5


def test_the_same_seed_gives_the_same_pair(image, two_discs) -> None:
    views = sampler(config(outside="noise"))
    first, again, other = (views(image, two_discs, np.random.default_rng(s)) for s in (5, 5, 6))
    np.testing.assert_array_equal(first.view1, again.view1)
    assert (first.box1, first.box2, first.region) == (again.box1, again.box2, again.region)
    assert first.box1 != other.box1


@pytest.mark.parametrize(
    ("choice", "expected"), [("uniform", 1.0), ("area", 4.0), ("sqrt_area", 2.0), ("score", 0.5)]
)
def test_regions_are_chosen_as_often_as_asked(two_discs, choice: str, expected: float) -> None:
    """The large disc has four times the area, and here half the score, of the small one."""
    large, small = two_discs.regions
    regions = replace(two_discs, regions=(replace(large, predicted_iou=0.4), small))
    regions = replace(regions, regions=(regions.regions[0], replace(small, predicted_iou=0.8)))
    views = RegionViews(config(choice=choice, min_coverage=0.0))
    drawn = [
        views.cut(WIDTH, HEIGHT, regions, np.random.default_rng(s)).region for s in range(2000)
    ]
    share = expected / (1 + expected)
    assert drawn.count(0) / 2000 == pytest.approx(share, abs=0.04)


def test_shapes_weigh_as_they_are_formed() -> None:
    """A square is convex; the L beside it has 1200 of the 1400 pixels of its hull."""
    square, corner = (np.zeros((HEIGHT, WIDTH), bool) for _ in range(2))
    square[20:60, 20:60] = corner[20:60, 100:140] = True
    corner[20:60, 120:160] = False
    corner[20:40, 100:140] = True
    regions = region_set(square, corner)
    by_shape = eligible(regions, config(choice="solidity"))
    expected = np.array([1.0, 1200 / 1400])
    np.testing.assert_allclose(by_shape.chances, expected / expected.sum())
    wide = np.zeros((HEIGHT, WIDTH), bool)
    wide[80:120, 20:180] = True
    by_aspect = eligible(region_set(wide, square), config(choice="aspect"))
    np.testing.assert_allclose(by_aspect.chances, [0.2, 0.8])


def test_limits_on_area_and_borders() -> None:
    band = np.zeros((HEIGHT, WIDTH), bool)
    band[100:] = True  # touches three borders
    regions = region_set(band, disc(60, 50, 30), disc(150, 50, 3))
    assert list(eligible(regions, config()).indices) == [1]
    assert list(eligible(regions, config(max_borders=3)).indices) == [0, 1]
    assert list(eligible(regions, config(max_borders=3, max_area=0.2)).indices) == [1]
    assert list(eligible(regions, config(size=16, min_area=0.0003)).indices) == [1, 2]


def test_limits_on_nesting() -> None:
    regions = region_set(disc(60, 80, 50), disc(60, 80, 25), disc(60, 80, 12), disc(190, 80, 20))
    inside = nesting(regions.regions)
    assert inside.tolist() == [
        [False, False, False, False],
        [True, False, False, False],
        [False, False, False, False],
        [True, True, False, False],
    ]
    small = config(size=16)
    assert list(eligible(regions, small).indices) == [0, 1, 2, 3]
    assert list(eligible(regions, small.model_copy(update={"max_nested": 0})).indices) == [2, 3]
    assert list(eligible(regions, small.model_copy(update={"max_depth": 0})).indices) == [0, 2]


@pytest.mark.parametrize("regions", [None, region_set(), region_set(disc(100, 80, 2))])
def test_without_an_eligible_region_the_whole_image_is_cut(image, regions) -> None:
    pair = RegionViews(config())(image, regions, np.random.default_rng(0))
    assert pair.region is None
    assert pair.view1.shape == (32, 32, 3)


def test_a_region_too_thin_for_the_coverage_gives_way(image) -> None:
    """A frame one pixel wide has the box of a large region, but no crop lies on it."""
    frame = np.zeros((HEIGHT, WIDTH), bool)
    frame[20, 20:220] = frame[140, 20:220] = True
    frame[20:140, 20] = frame[20:140, 219] = True
    views = RegionViews(config(min_area=0.0))
    for seed in range(30):
        rng = np.random.default_rng(seed)
        assert views(image, region_set(frame), rng).region is None
        assert views(image, region_set(frame, disc(60, 80, 30)), rng).region == 0


@pytest.mark.parametrize("outside", ["keep", "mean", "blur", "noise"])
def test_only_pixels_outside_the_region_change(image, two_discs, outside: str) -> None:
    kept = RegionViews(config())(image, two_discs, np.random.default_rng(3))
    pair = RegionViews(config(outside=outside))(image, two_discs, np.random.default_rng(3))
    mask = region_mask(two_discs.regions[pair.region], pair.box1, WIDTH, HEIGHT)
    inside = np.asarray(Image.fromarray(mask).resize((32, 32), Image.Resampling.NEAREST))
    assert 0 < inside.mean() < 1
    np.testing.assert_array_equal(pair.view1[inside], kept.view1[inside])
    changed = (pair.view1[~inside] != kept.view1[~inside]).any(axis=1).mean()
    assert changed == 0 if outside == "keep" else changed > 0.9


def test_a_smaller_copy_of_the_image_is_cut_in_the_same_places(image, two_discs) -> None:
    half = np.asarray(Image.fromarray(image).resize((WIDTH // 2, HEIGHT // 2)))
    views = RegionViews(config(size=16, min_coverage=0.7))
    for seed in range(30):
        pair = views(half, two_discs, np.random.default_rng(seed))
        mask = two_discs.regions[pair.region].mask()
        for x, y, w, h in (pair.box1, pair.box2):
            assert x + w <= WIDTH // 2
            assert y + h <= HEIGHT // 2
            covered = mask[2 * y : 2 * (y + h), 2 * x : 2 * (x + w)].mean()
            assert covered == pytest.approx(0.85, abs=0.2)


@pytest.mark.parametrize("size", [48, 224])
@pytest.mark.parametrize("writeable", [True, False])
def test_a_crop_is_resized_as_torchvision_does(image, size: int, writeable: bool) -> None:
    image = image.copy()
    image.setflags(write=writeable)
    ours = crop(image, (30, 20, 120, 90), size)
    pixels = torch.from_numpy(image.copy()).permute(2, 0, 1)
    theirs = tv.resized_crop(pixels, 20, 30, 90, 120, [size, size])
    np.testing.assert_array_equal(ours, theirs.permute(1, 2, 0))
    pillows = tv.resized_crop(Image.fromarray(image), 20, 30, 90, 120, [size, size])
    assert np.abs(ours - np.asarray(pillows, int)).max() <= 1


def test_difficulty_multiplies_the_chances_and_leaves_some_to_all(two_discs) -> None:
    by_area = config(choice="area")
    np.testing.assert_allclose(eligible(two_discs, by_area).chances, [0.8, 0.2], atol=0.01)
    figures = {"equal": [1.0, 4.0], "unknown": [np.nan, 0.3], "none": [np.nan, np.nan]}
    chances = {
        name: eligible(two_discs, by_area, np.array(values)).chances
        for name, values in figures.items()
    }
    np.testing.assert_allclose(chances["equal"], [0.5, 0.5], atol=0.02)
    for name in ("unknown", "none"):
        np.testing.assert_allclose(chances[name], [0.8, 0.2], atol=0.01)
    assert eligible(two_discs, by_area, np.zeros(2)).chances.min() > 0.1
