"""Regions of a whole workspace: kept one by one, never made twice."""

import pytest
from shapes import scene

from samclr_core.images import catalogue, store
from samclr_core.messages import Cancelled, UserError
from samclr_core.regions import store as region_store
from samclr_core.regions.automatic import pipeline
from samclr_core.regions.batch import segment_one, segment_workspace
from samclr_core.regions.config import SegmenterConfig
from samclr_core.workspace import Workspace

COARSE = SegmenterConfig(points_per_side=3)


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    workspace = Workspace(tmp_path / "poc")
    for seed in range(3):
        image, _ = scene(seed)
        image_id = store.content_id(image)
        store.save(workspace, image_id, image, lossy=False)
        name = f"写真 {seed}.png"
        catalogue.put(
            workspace, catalogue.ImageRecord(image_id, name, 512, 384, None, "test", False)
        )
    return workspace


def ids(workspace: Workspace) -> list[str]:
    return [image.id for image in catalogue.records(workspace)]


def test_no_images_is_said(tmp_path):
    with pytest.raises(UserError, match="no images"):
        segment_workspace(Workspace(tmp_path), COARSE)


def test_what_was_made_is_not_made_again(sam_weights, workspace):
    told = []
    summary = segment_workspace(workspace, COARSE, progress=lambda *step: told.append(step))
    assert (summary.images, summary.computed) == (3, 3)
    assert summary.regions > 3
    assert [step for step in told if step[0] == 3][-1] == (3, 3, "写真 2.png")
    again = segment_workspace(workspace, COARSE)
    assert (again.images, again.computed, again.regions) == (3, 0, summary.regions)


def test_the_settings_in_use_name_their_weights(sam_weights, workspace):
    segment_workspace(workspace, COARSE, image_ids=ids(workspace)[:1])
    current = region_store.current(workspace)
    assert current is not None
    assert len(current.weights) == 12
    assert current.points_per_side == 3
    regions = region_store.read(workspace, ids(workspace)[0])
    assert regions is not None
    assert regions.segmenter == current.model_dump()
    assert region_store.read(workspace, ids(workspace)[1]) is None


@pytest.mark.parametrize("together", [1, 2, 8], ids="in batches of {}".format)
def test_a_stop_keeps_the_images_that_are_done(sam_weights, workspace, monkeypatch, together):
    monkeypatch.setitem(pipeline.IMAGES_PER_BATCH, "cpu", together)

    def stop(done: int, total: int, note: str = "") -> None:
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        segment_workspace(workspace, COARSE, progress=stop)
    kept = [region_store.read(workspace, image_id) is not None for image_id in ids(workspace)]
    assert kept == [True, True, False]
    assert segment_workspace(workspace, COARSE).computed == 1


def test_a_model_that_cannot_be_had_takes_nothing_away(sam_weights, workspace):
    segment_workspace(workspace, COARSE)
    before = region_store.current(workspace)
    with pytest.raises(UserError):
        segment_workspace(workspace, COARSE.model_copy(update={"model": "/no/such.pth"}))
    assert region_store.current(workspace) == before

    def stop(done: int, total: int, note: str = "") -> None:
        raise Cancelled

    other = SegmenterConfig(points_per_side=2)
    with pytest.raises(Cancelled):
        segment_workspace(workspace, other, progress=stop)
    assert region_store.current(workspace) == before
    segment_workspace(workspace, other, image_ids=ids(workspace)[:1])
    assert region_store.current(workspace) != before


def test_an_unknown_image_is_said(sam_weights, workspace):
    with pytest.raises(UserError, match="no image"):
        segment_workspace(workspace, COARSE, image_ids=["f" * 32])


def test_one_image_can_be_tried_and_is_kept_without_coming_into_use(sam_weights, workspace):
    image_id = ids(workspace)[1]
    tried = segment_one(workspace, COARSE, image_id)
    assert tried.image_id == image_id
    assert tried.regions
    assert region_store.current(workspace) is None
    assert segment_one(workspace, COARSE, image_id) == tried
    assert segment_workspace(workspace, COARSE).computed == 2
