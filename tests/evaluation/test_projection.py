"""UMAP compiles itself at the first fit of a process, which takes most of this file's time."""

import numpy as np
import pytest

from samclr_core.evaluation.projection import ProjectionConfig, layout, project
from samclr_core.messages import UserError
from samclr_core.workspace import Workspace

QUICK = ProjectionConfig(epochs=50)


def blobs(count=40):
    rng = np.random.default_rng(0)
    return (np.eye(2, 12)[np.arange(count) % 2] + rng.normal(0, 0.05, (count, 12))).astype("f4")


def test_two_blobs_stay_apart():
    xy = layout(blobs(), QUICK)
    first, second = xy[::2], xy[1::2]
    spread = max(np.ptp(first, axis=0).max(), np.ptp(second, axis=0).max())
    assert np.linalg.norm(first.mean(axis=0) - second.mean(axis=0)) > spread


def test_a_second_call_lays_nothing_out_again(tmp_path, monkeypatch):
    workspace = Workspace(tmp_path)
    first = project(workspace, blobs(), QUICK)
    monkeypatch.setattr("samclr_core.evaluation.projection.layout", None)
    assert (project(workspace, blobs(), QUICK) == first).all()
    with pytest.raises(TypeError):
        project(workspace, blobs(), ProjectionConfig(epochs=51))
    with pytest.raises(TypeError):
        project(workspace, blobs() + 1, QUICK)


def test_the_seed_decides():
    assert (layout(blobs(), QUICK) == layout(blobs(), QUICK)).all()
    other = layout(blobs(), ProjectionConfig(epochs=50, seed=1))
    assert (layout(blobs(), QUICK) != other).any()


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 7])
def test_few_images_have_a_map_too(count):
    xy = layout(blobs(7)[:count], QUICK)
    assert xy.shape == (count, 2)
    assert np.isfinite(xy).all()
    assert len(np.unique(xy, axis=0)) == count


def test_images_that_all_look_the_same_lie_in_one_place():
    assert (layout(np.ones((30, 8), np.float32)) == 0).all()


def test_a_wrong_setting_is_named():
    with pytest.raises(UserError, match="neighbours"):
        ProjectionConfig.of({"neighbours": 1})
