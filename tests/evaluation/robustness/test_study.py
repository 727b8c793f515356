"""A real study of tiny runs: stopped, gone on with, and read again."""

import shutil

import numpy as np
import pytest
from PIL import Image

from samclr_core.evaluation.robustness import results
from samclr_core.evaluation.robustness.answer import answer
from samclr_core.evaluation.robustness.config import StudyConfig
from samclr_core.evaluation.robustness.study import study
from samclr_core.images import catalogue, store
from samclr_core.messages import Cancelled, UserError
from samclr_core.regions import sources
from samclr_core.regions import store as region_store
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.region import Region, RegionSet
from samclr_core.training import runs
from samclr_core.workspace import Workspace

SEGMENTER = SegmenterConfig()
TINY = {
    "views": {"size": 16, "max_borders": 4},
    "small_stem": True,
    "epochs": 1,
    "pairs_per_image": 1,
    "batch_size": 4,
    "head_dim": (16, 8),
    "workers": 1,
}
ASKED = {"training": TINY, "kinds": ["shifted", "split"], "strengths": [0.5], "seeds": 2}


def noise(rng, level, size=(32, 48)):
    return (rng.normal(level, 30, (*size, 3))).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Six photos with two regions each, and a folder of two classes."""
    folder = tmp_path_factory.mktemp("robustness")
    workspace, rng = Workspace(folder / "w"), np.random.default_rng(0)
    for number in range(6):
        pixels = noise(rng, 120)
        image_id = store.content_id(pixels)
        store.save(workspace, image_id, pixels, lossy=False)
        record = catalogue.ImageRecord(image_id, f"{number}.png", 48, 32, None, "g", False)
        catalogue.put(workspace, record)
        masks = np.zeros((2, 32, 48), bool)
        masks[0, 4:28, 2:22] = masks[1, 6:26, 25:45] = True
        found = tuple(Region.of_mask(mask) for mask in masks)
        region_set = RegionSet(image_id, 32, 48, SEGMENTER.model_dump(), found)
        region_store.write(workspace, SEGMENTER, region_set)
    region_store.choose(workspace, SEGMENTER)
    for label, level in (("dark", 60), ("light", 180)):
        (folder / "data" / label).mkdir(parents=True)
        for number in range(4):
            Image.fromarray(noise(rng, level)).save(folder / "data" / label / f"{number}.png")
    return workspace, folder / "data"


@pytest.fixture
def world(made, tmp_path):
    workspace, data = made
    return Workspace(shutil.copytree(workspace.root, tmp_path / "w")), data


def everyone(workspace):
    return {run.id for run in [*runs.runs(workspace), *runs.damaged_runs(workspace)]}


def test_a_study_goes_on_where_it_was_stopped(world):
    workspace, data = world

    def stop(done, total, note=""):
        if note == "shifted 0.5, seed 1" and done > 60:
            raise Cancelled

    config = StudyConfig.of(ASKED)
    with pytest.raises(Cancelled):
        study(workspace, config, data, stop)
    assert results.studies(workspace) == []
    before = everyone(workspace)
    steps = []
    found = study(workspace, config, data, lambda done, total, note="": steps.append(done))
    assert steps == sorted(steps)
    assert steps[-1] == 100
    assert len(everyone(workspace)) == config.trainings == 8
    assert before < everyone(workspace)

    assert results.studies(workspace) == [found]
    kinds = [(row.kind, row.strength) for row in found.rows]
    assert kinds == [("image", 0), ("undamaged", 0), ("shifted", 0.5), ("split", 0.5)]
    assert {run for row in found.rows for run in row.runs} == everyone(workspace)
    image, undamaged, shifted, split = found.rows
    assert undamaged.mean_best_iou == 1
    assert image.mean_best_iou is None
    # One of two regions is halved, the other stays.
    assert split.mean_best_iou == pytest.approx(0.75, abs=0.02)
    assert shifted.mean_best_iou < 0.6
    # Judged by the undamaged regions: views of these are pure but for what lies around them.
    assert undamaged.purity > shifted.purity
    assert undamaged.change.mean == image.gain.mean == 0
    assert image.change.mean == -undamaged.gain.mean
    assert found.n_test == 4
    assert answer(found)[0].key == "robustness.few_seeds"
    assert found.table()[1]["mean_best_iou"] == 1

    again = study(workspace, config, data)
    assert again.rows == found.rows
    assert len(everyone(workspace)) == 8


def test_a_study_leaves_what_is_in_use_alone(world):
    workspace, data = world
    in_use = sources.current(workspace)
    study(workspace, StudyConfig.of(ASKED | {"kinds": ["dropped"], "seeds": 1}), data)
    assert sources.current(workspace) == in_use
    assert workspace.setting("purity") is None
    assert {run.source for run in runs.runs(workspace)} == {None, in_use}
    (apart,) = runs.damaged_runs(workspace)
    assert apart.source.perturbation.kind == "dropped"


def test_the_same_study_has_one_name():
    twice = ASKED | {"kinds": ["split", "split"], "strengths": ["0.5", 0.2, 0.5]}
    config = StudyConfig.of(twice).normal()
    assert config.strengths == (0.2, 0.5)
    assert config.kinds == ("split",)
    assert config.trainings == StudyConfig.of(twice).trainings == 8


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"kinds": ["melted"]}, "choose one of"),
        ({"strengths": ["much"]}, "a number"),
        ({"strengths": [1.5]}, "1.0 or less"),
        ({"seeds": 0}, "1 or more"),
        ({"kinds": []}, "at least 1"),
    ],
)
def test_settings_out_of_range_are_one_sentence(wrong, sentence):
    with pytest.raises(UserError, match=sentence):
        StudyConfig.of(ASKED | wrong)


def test_what_is_missing_is_said(world, tmp_path):
    workspace, data = world
    with pytest.raises(UserError, match="regions step"):
        study(Workspace(tmp_path / "empty"), StudyConfig.of(ASKED), data)
    with pytest.raises(UserError, match="Nothing is left"):
        study(workspace, StudyConfig.of(ASKED | {"kinds": ["eroded"], "strengths": [0.9]}), data)
    assert everyone(workspace) == set()
