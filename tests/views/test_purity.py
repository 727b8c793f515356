import math
from pathlib import Path

import numpy as np
import pytest

from samclr_core.images import catalogue, store
from samclr_core.messages import Cancelled, UserError
from samclr_core.regions import store as region_store
from samclr_core.regions.config import Perturbation, SegmenterConfig
from samclr_core.regions.perturb.batch import perturb_workspace
from samclr_core.regions.region import Region, RegionSet
from samclr_core.views.config import ViewsConfig
from samclr_core.views.purity import VOID, estimate, last_measured, measure, of_regions, purity
from samclr_core.workspace import Workspace

SEGMENTER = SegmenterConfig()


def test_purity_by_hand() -> None:
    ones, twos = np.ones((2, 2), int), np.full((3, 1), 2)
    assert purity(ones, ones) == 1.0
    assert purity(ones, twos) == 0.0
    # 3/4 and 1/4 of classes 0 and 1 against 1/2 and 1/2: 3/8 + 1/8
    assert purity(np.array([[0, 0], [0, 1]]), np.array([[0, 1]])) == 0.5
    # 1/2, 1/4, 1/4 of three classes with itself: 1/4 + 1/16 + 1/16
    three = np.array([[0, 0], [1, 2]])
    assert purity(three, three) == 0.375


def test_void_pixels_are_left_out() -> None:
    assert purity(np.array([[0, VOID], [VOID, 1]]), np.array([[0, 0, VOID]])) == 0.5
    assert math.isnan(purity(np.full((2, 2), VOID), np.array([[0]])))


def test_purity_is_the_chance_of_two_equal_pixels() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 5, (9, 7)), rng.integers(2, 9, (5, 6))
    pairs = np.mean(a.ravel()[:, None] == b.ravel()[None, :])
    assert purity(a, b) == pytest.approx(pairs)


def workspace_with(tmp_path: Path, images: int, labelled: bool, cut: bool = True) -> Workspace:
    """Images whose left half is class 0 and right half class 1, each half a region."""
    workspace = Workspace(tmp_path / "w")
    labels = np.zeros((80, 120), np.uint8)
    labels[:, 60:] = 1
    labels[:4] = store.VOID
    halves = (Region.of_mask(labels == 0), Region.of_mask(labels == 1))
    for i in range(images):
        image_id = f"{i:032x}"
        record = catalogue.ImageRecord(image_id, f"{i}.png", 120, 80, None, "g", labelled)
        catalogue.put(workspace, record)
        if labelled:
            store.save_label_map(workspace, image_id, labels)
        if cut:
            regions = RegionSet(image_id, 80, 120, SEGMENTER.model_dump(), halves)
            region_store.write(workspace, SEGMENTER, regions)
    if cut:
        region_store.choose(workspace, SEGMENTER)
    return workspace


def test_region_pairs_of_two_halves_are_pure_and_image_pairs_are_not(tmp_path: Path) -> None:
    config = ViewsConfig(size=32, max_borders=4)
    told = []
    found = measure(
        workspace_with(tmp_path, 5, labelled=True), 203, 0, lambda *step: told.append(step), config
    )
    assert found.reference == "labels"
    assert found.region.mean == 1.0
    assert 0.3 < found.image.low < found.image.mean < found.image.high < 0.7
    assert found.difference.low > 0
    assert found.difference.mean == pytest.approx(1.0 - found.image.mean)
    assert (found.pairs, found.images, found.whole_image) == (203, 5, 0)
    assert [step[0] for step in told] == [1, 2, 3, 4, 5]


def test_without_labels_the_regions_are_the_reference(tmp_path: Path) -> None:
    config = ViewsConfig(size=32, max_borders=4)
    found = measure(workspace_with(tmp_path, 3, labelled=False), 60, config=config)
    assert found.reference == "regions"
    assert found.region.mean == 1.0


def test_pairs_of_the_whole_image_are_counted(tmp_path: Path) -> None:
    config = ViewsConfig(size=32, max_borders=0)
    found = measure(workspace_with(tmp_path, 3, labelled=True), 60, config=config)
    assert found.whole_image == 60
    assert found.region == found.image
    assert found.difference.mean == 0.0


def test_the_same_seed_measures_the_same(tmp_path: Path) -> None:
    workspace = workspace_with(tmp_path, 3, labelled=True)
    assert measure(workspace, 30, seed=4) == measure(workspace, 30, seed=4)
    assert measure(workspace, 30, seed=4).image != measure(workspace, 30, seed=5).image


def test_a_measurement_is_kept_for_its_settings_and_its_regions(tmp_path: Path) -> None:
    workspace = workspace_with(tmp_path, 3, labelled=True)
    blurred = ViewsConfig(outside="blur")
    assert last_measured(workspace) is None
    found = measure(workspace, 30, config=blurred)
    assert last_measured(workspace) == found
    both_kinds = ViewsConfig(outside="blur", kind="region")
    assert last_measured(workspace, both_kinds) == found
    assert last_measured(workspace, ViewsConfig()) is None
    region_store.choose(workspace, SegmenterConfig(points_per_side=7))
    assert last_measured(workspace) is None


@pytest.mark.parametrize("labelled", [True, False])
def test_damaged_regions_are_judged_by_the_truth_or_what_they_were(tmp_path, labelled) -> None:
    config = ViewsConfig(size=32, max_borders=4, max_area=1.0)
    workspace = workspace_with(tmp_path, 3, labelled)
    # Both halves become one region: its pairs are cut all over the image.
    damaged = perturb_workspace(workspace, Perturbation(kind="merged", strength=1.0)).source
    kept = measure(workspace, 60, config=config)
    found = of_regions(workspace, 60, config=config, source=damaged)
    assert found.image == kept.image
    assert found.region.high < 0.9 < kept.region.mean == 1.0
    assert last_measured(workspace, config) == kept


def test_missing_images_and_regions_are_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no images"):
        measure(Workspace(tmp_path / "empty"))
    with pytest.raises(UserError, match="regions step"):
        measure(workspace_with(tmp_path, 2, labelled=True, cut=False))


def test_measuring_can_be_stopped(tmp_path: Path) -> None:
    def stop(done: int, total: int, note: str = "") -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        measure(workspace_with(tmp_path, 3, labelled=True), 30, progress=stop)


def test_the_interval_is_that_of_a_mean_over_images() -> None:
    """With one pair per image the bootstrap is that of a mean: 1.96 sd / sqrt(n) either side."""
    values = np.random.default_rng(0).normal(0.6, 0.1, 400)
    rows = np.stack([values, np.ones(400)], axis=1)
    found = estimate(rows, lambda sums: sums[..., 0] / sums[..., 1])
    half = 1.96 * values.std() / 20
    assert found.mean == pytest.approx(values.mean())
    assert found.high - found.mean == pytest.approx(half, rel=0.1)
    assert found.mean - found.low == pytest.approx(half, rel=0.1)
