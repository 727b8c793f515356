"""How long a study takes, worked out by hand from made-up runs."""

from pathlib import Path

import pytest

from samclr_core.config import with_changes
from samclr_core.evaluation.robustness.config import StudyConfig
from samclr_core.evaluation.robustness.cost import cost
from samclr_core.images import catalogue
from samclr_core.regions import sources, store
from samclr_core.regions.config import Perturbation, SegmenterConfig
from samclr_core.training import runs
from samclr_core.training.config import TrainingConfig
from samclr_core.workspace import Workspace, write_json

TRAINING = TrainingConfig.of({"epochs": 5, "pairs_per_image": 2, "views": {"size": 32}})
STUDY = StudyConfig(training=TRAINING, kinds=("split", "eroded"), strengths=(0.2, 0.5), seeds=3)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = Workspace(tmp_path / "w")
    for number in range(4):
        image_id = f"{number:032x}"
        record = catalogue.ImageRecord(image_id, f"{number}.png", 40, 30, None, "g", False)
        catalogue.put(made, record)
    store.choose(made, SegmenterConfig())
    return made


def finished(workspace, config, source=None, pairs=40, seconds=8.0):
    run = runs.create(workspace, config, source)
    run.encoder_path.touch()
    write_json(run.folder / "facts.json", {"pairs": pairs})
    run.metrics_path.write_text(f'{{"step": 1, "seconds": {seconds}}}\n')


def test_nobody_knows_before_the_first_run(workspace):
    found = cost(workspace, STUDY)
    assert (found.trainings, found.missing, found.seconds) == (18, 18, None)
    finished(workspace, with_changes({"": TRAINING}, "", {"views.size": 64}))
    assert cost(workspace, STUDY).seconds is None


def test_what_is_there_is_not_trained_again(workspace):
    finished(workspace, STUDY.of_views("image", 0))
    finished(workspace, STUDY.of_views("region", 2))
    source = sources.current(workspace)
    damage = Perturbation(kind="split", strength=0.5, seed=1)
    damaged = source.model_copy(update={"perturbation": damage})
    finished(workspace, STUDY.of_views("region", 1), damaged)
    # Of another study: other seeds, other budgets, other damage.
    finished(workspace, STUDY.of_views("image", 3))
    finished(workspace, STUDY.of_views("region", 0).model_copy(update={"epochs": 6}))
    finished(workspace, STUDY.of_views("region", 0), damaged)
    found = cost(workspace, STUDY)
    assert (found.trainings, found.missing) == (18, 15)
    # 8 s for 40 pairs; a training has 5 x 2 pairs of each of 4 images.
    assert found.seconds == pytest.approx(15 * 8.0)
    twice_as_long = STUDY.model_copy(
        update={"training": TRAINING.model_copy(update={"epochs": 10})}
    )
    assert cost(workspace, twice_as_long).seconds == pytest.approx(18 * 16.0)


def test_other_regions_have_to_be_learned_from_anew(workspace):
    finished(workspace, STUDY.of_views("region", 0))
    assert cost(workspace, STUDY).missing == 17
    store.choose(workspace, SegmenterConfig(points_per_side=5))
    assert cost(workspace, STUDY).missing == 18
