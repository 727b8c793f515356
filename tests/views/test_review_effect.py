"""What dropping mixed regions does to the pairs that are cut."""

from pathlib import Path

import numpy as np
import pytest

from samclr_core.images import catalogue, store
from samclr_core.regions import store as region_store
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.region import Region, RegionSet
from samclr_core.regions.review.actions import Reviewer
from samclr_core.views import purity, review_effect
from samclr_core.views.config import ViewsConfig
from samclr_core.workspace import Workspace

SEGMENTER = SegmenterConfig()
VIEWS = ViewsConfig(size=32, max_borders=4)
IMAGES = [f"{number:032x}" for number in range(4)]


def halves_and_whole(folder: Path, labelled: bool) -> tuple[Workspace, str]:
    """Left half class 0, right half class 1; regions: either half, and one that mixes them."""
    workspace = Workspace(folder)
    labels = np.zeros((80, 120), np.uint8)
    labels[:, 60:] = 1
    mixed = np.zeros((80, 120), bool)
    mixed[20:60, 20:100] = True
    regions = tuple(map(Region.of_mask, (labels == 0, labels == 1, mixed)))
    for image_id in IMAGES:
        record = catalogue.ImageRecord(image_id, image_id, 120, 80, None, "g", labelled)
        catalogue.put(workspace, record)
        if labelled:
            store.save_label_map(workspace, image_id, labels)
        found = RegionSet(image_id, 80, 120, SEGMENTER.model_dump(), regions)
        region_store.write(workspace, SEGMENTER, found)
    region_store.choose(workspace, SEGMENTER)
    return workspace, regions[2].id


@pytest.mark.parametrize("labelled", [True, False])
def test_dropping_mixed_regions_makes_pairs_pure(tmp_path: Path, labelled: bool) -> None:
    workspace, mixed = halves_and_whole(tmp_path, labelled)
    for image_id in IMAGES:
        Reviewer(workspace, "ann").drop(image_id, [mixed])
    found = review_effect.measure(workspace, 80, config=VIEWS)
    assert found.after.mean == 1.0
    assert 0.5 < found.before.mean < 0.95
    assert found.difference.mean == pytest.approx(found.after.mean - found.before.mean)
    assert found.difference.low > 0
    assert found.reference == ("labels" if labelled else "regions")
    assert review_effect.last_measured(workspace, VIEWS) == found


def test_what_was_measured_before_a_review_is_not_shown_after_it(tmp_path: Path) -> None:
    workspace, mixed = halves_and_whole(tmp_path, labelled=True)
    before = purity.measure(workspace, 80, config=VIEWS)
    review_effect.measure(workspace, 80, config=VIEWS)
    ann = Reviewer(workspace, "ann")
    ann.judge(IMAGES[0], "good")
    assert purity.last_measured(workspace, VIEWS) == before
    ann.drop(IMAGES[0], [mixed])
    assert purity.last_measured(workspace, VIEWS) is None
    assert review_effect.last_measured(workspace, VIEWS) is None
    assert purity.measure(workspace, 80, config=VIEWS).region.mean > before.region.mean
    ann.undo()
    assert purity.measure(workspace, 80, config=VIEWS) == before


def test_nothing_reviewed_is_no_difference(tmp_path: Path) -> None:
    workspace, _ = halves_and_whole(tmp_path, labelled=True)
    found = review_effect.measure(workspace, 40, config=VIEWS)
    assert found.before == found.after
    assert (found.difference.low, found.difference.high) == (0, 0)
