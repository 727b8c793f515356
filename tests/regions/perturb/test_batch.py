from dataclasses import replace

import numpy as np
import pytest

from samclr_core.images import catalogue
from samclr_core.messages import Cancelled, UserError
from samclr_core.regions import sources, store
from samclr_core.regions.config import Perturbation, SegmenterConfig
from samclr_core.regions.perturb.batch import perturb_workspace
from samclr_core.regions.perturb.damage import perturbed
from samclr_core.regions.region import Region, RegionSet
from samclr_core.workspace import Workspace

SEGMENTER = SegmenterConfig()
HALF = Perturbation(kind="dropped", strength=0.5)


@pytest.fixture
def workspace(tmp_path):
    """Two photos with two regions each, and one that was not segmented."""
    made = Workspace(tmp_path / "w")
    for number in range(3):
        image_id = f"{number:032x}"
        record = catalogue.ImageRecord(image_id, f"{number}.png", 40, 30, None, "g", False)
        catalogue.put(made, record)
        if number < 2:
            regions = tuple(Region.of_mask(square(8 + 12 * side)) for side in (1, 0))
            found = RegionSet(image_id, 30, 40, SEGMENTER.model_dump(), regions)
            store.write(made, SEGMENTER, found)
    store.choose(made, SEGMENTER)
    return made


def square(x):
    mask = np.zeros((30, 40), bool)
    mask[5:15, x : x + 10] = True
    return mask


def test_damaged_regions_are_kept_beside_those_in_use(workspace):
    in_use = sources.current(workspace)
    told = []
    found = perturb_workspace(workspace, HALF, lambda *step: told.append(step))
    assert (found.images, found.before, found.regions) == (2, 4, 2)
    # One of two is there as it was; the other is overlapped by none.
    assert found.mean_best_iou == 0.5
    assert told == [(1, 2, "0.png"), (2, 2, "1.png")]
    assert sources.current(workspace) == in_use
    assert found.source.undamaged == in_use
    before, after = (sources.regions(workspace, "0" * 32, s) for s in (None, found.source))
    assert len(before.regions) == 2
    assert after == perturbed(before, HALF)
    assert sources.regions(workspace, f"{2:032x}", found.source) is None


def test_what_is_there_is_not_made_again(workspace):
    first = perturb_workspace(workspace, HALF)
    (path, *_) = workspace.regions(first.source.digest()).glob("0*.json")
    made = path.stat().st_mtime_ns
    again = perturb_workspace(workspace, HALF)
    assert replace(again, seconds=0) == replace(first, seconds=0)
    assert path.stat().st_mtime_ns == made


def test_they_are_found_by_their_name(workspace):
    made = perturb_workspace(workspace, HALF).source
    assert sources.named(workspace, made.digest()) == made
    again = perturb_workspace(workspace, HALF.model_copy(update={"seed": 1})).source
    assert again.digest() != made.digest()
    for unknown in ("0123456789ab", "..", SEGMENTER.digest()):
        with pytest.raises(UserError, match="no regions"):
            sources.named(workspace, unknown)


def test_an_image_that_is_removed_takes_its_damaged_regions_along(workspace):
    made = perturb_workspace(workspace, HALF).source
    workspace.forget(["0" * 32])
    assert sources.regions(workspace, "0" * 32, made) is None
    assert sources.regions(workspace, f"{1:032x}", made) is not None


def test_what_cannot_be_damaged_is_said(workspace, tmp_path):
    with pytest.raises(UserError, match="regions step"):
        perturb_workspace(Workspace(tmp_path / "empty"), HALF)
    with pytest.raises(UserError, match="Nothing is left"):
        perturb_workspace(workspace, Perturbation(kind="eroded", strength=0.5))

    def stop(done, total, note=""):
        raise Cancelled

    with pytest.raises(Cancelled):
        perturb_workspace(workspace, HALF, stop)
