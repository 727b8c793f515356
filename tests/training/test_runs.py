import shutil
from pathlib import Path

import pytest
from striped_scenes import SEGMENTER, fill

from samclr_core.config import with_changes
from samclr_core.jobs import State
from samclr_core.messages import UserError
from samclr_core.regions import sources
from samclr_core.regions.config import Perturbation
from samclr_core.regions.perturb.batch import perturb_workspace
from samclr_core.training import runs
from samclr_core.training.config import PRESETS, TrainingConfig
from samclr_core.workspace import Workspace, write_json

IMAGE = TrainingConfig()
REGION = with_changes({"base": IMAGE}, "base", {"views.kind": "region"})


def test_a_run_is_what_its_folder_says(workspace: Workspace) -> None:
    config = with_changes(PRESETS, "quick", {"views.kind": "region", "seed": 7, "views.size": 32})
    made = runs.create(workspace, config)
    read = runs.run(workspace, made.id)
    assert read.config == config
    assert read.config.digest() == config.digest()
    assert read.state is State.CREATED
    assert len(read.images) == 12
    assert read.source == sources.current(workspace)
    assert read.metrics() == []
    assert read.seconds == 0.0


def test_runs_come_newest_first(workspace: Workspace, tmp_path: Path) -> None:
    made = [runs.create(workspace, config) for config in (IMAGE, REGION, IMAGE)]
    wanted = [run.id for run in reversed(made)]
    assert [run.id for run in runs.runs(workspace)] == wanted
    copy = Workspace(shutil.copytree(workspace.root, tmp_path / "copy", copy_function=shutil.copy))
    assert [run.id for run in runs.runs(copy)] == wanted


def test_a_half_written_line_of_metrics_is_left_out(workspace: Workspace) -> None:
    run = runs.create(workspace, IMAGE)
    run.metrics_path.write_text('{"step": 1, "seconds": 2.5}\n{"step": 2, "sec')
    assert run.metrics() == [{"step": 1, "seconds": 2.5}]
    assert run.seconds == 2.5


def finished(workspace: Workspace, config: TrainingConfig) -> runs.Run:
    run = runs.create(workspace, config)
    run.encoder_path.touch()
    return run


def test_the_twin_differs_in_its_views_only(workspace: Workspace) -> None:
    region = finished(workspace, REGION)
    assert region.twin(workspace) is None
    finished(workspace, IMAGE.model_copy(update={"seed": 1}))
    finished(workspace, with_changes({"base": IMAGE}, "base", {"views.size": 64}))
    runs.create(workspace, IMAGE)  # not finished
    assert region.twin(workspace) is None
    twin = finished(workspace, IMAGE)
    assert region.twin(workspace).id == twin.id
    assert twin.twin(workspace).id == region.id


def test_of_several_twins_the_one_of_the_same_views_counts(workspace: Workspace) -> None:
    region, image = finished(workspace, REGION), finished(workspace, IMAGE)
    small = with_changes({"base": IMAGE}, "base", {"views.scale": [0.004, 0.1]})
    newer = finished(workspace, small)
    assert region.twin(workspace).id == image.id
    assert newer.twin(workspace).id == region.id


def test_runs_of_damaged_regions_stand_apart(workspace: Workspace) -> None:
    damaged = perturb_workspace(workspace, Perturbation(kind="split", strength=0.5)).source
    apart = runs.create(workspace, REGION, damaged)
    apart.encoder_path.touch()
    region, image = finished(workspace, REGION), finished(workspace, IMAGE)
    assert apart.source == damaged
    assert region.source == damaged.undamaged
    assert image.source is None
    assert {run.id for run in runs.runs(workspace)} == {region.id, image.id}
    assert [run.id for run in runs.damaged_runs(workspace)] == [apart.id]
    assert runs.run(workspace, apart.id).source == damaged
    assert apart.twin(workspace).id == image.id
    assert image.twin(workspace).id == region.id


def test_a_run_of_an_older_make_tells_its_regions(workspace: Workspace) -> None:
    run = runs.create(workspace, REGION)
    data = {"images": run.images, "segmenter": SEGMENTER.model_dump(), "created": run.created}
    write_json(run.folder / "data.json", data)
    assert runs.run(workspace, run.id).source == sources.current(workspace)
    write_json(run.folder / "data.json", data | {"segmenter": None})
    assert runs.run(workspace, run.id).source is None


def test_a_twin_learned_from_the_same_images(workspace: Workspace) -> None:
    region = finished(workspace, REGION)
    fill(workspace, 13)
    finished(workspace, IMAGE)
    assert region.twin(workspace) is None


def test_what_is_missing_is_said_before_a_run_is_made(tmp_path: Path) -> None:
    empty = Workspace(tmp_path / "empty")
    with pytest.raises(UserError, match="at least 2 images"):
        runs.create(empty, IMAGE)
    uncut = fill(Workspace(tmp_path / "uncut"), 3, regions=False)
    with pytest.raises(UserError, match="regions step"):
        runs.create(uncut, REGION)
    with pytest.raises(UserError, match="no run"):
        runs.run(uncut, "20200101-000000-simclr-image")
    assert runs.runs(uncut) == []
    unfinished = runs.create(uncut, IMAGE)
    with pytest.raises(UserError, match="finish"):
        runs.load_encoder(unfinished)
