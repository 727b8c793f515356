"""Whole networks trained on the labels: real, short trainings."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from samclr_core.evaluation import fine_tuning, results
from samclr_core.evaluation.evaluate import evaluate
from samclr_core.evaluation.samples import Prepared
from samclr_core.evaluation.split import Split
from samclr_core.messages import Cancelled
from samclr_core.training import backbones
from samclr_core.training.config import TrainingConfig
from samclr_core.workspace import Workspace

SIDE = 32
CLASSES = ["across", "down"]


def striped(kind: int, rng: np.random.Generator) -> np.ndarray:
    """Stripes of any colours and phase: nothing but their direction tells the class."""
    along = np.mgrid[:SIDE, :SIDE][kind]
    wave = (np.sin(along * rng.uniform(0.6, 0.9) + rng.uniform(0, 6)) + 1)[:, :, None] / 2
    colours = rng.uniform(0, 255, (2, 3))
    pixels = colours[0] * wave + colours[1] * (1 - wave) + rng.normal(0, 8, (SIDE, SIDE, 3))
    return pixels.clip(0, 255).astype(np.uint8)


@pytest.fixture
def stripes() -> tuple[Prepared, Split]:
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 2
    images = np.stack([striped(label, rng) for label in labels])
    ids = [f"{n:03}" for n in range(120)]
    split = Split(np.arange(80), np.arange(80, 120), CLASSES, labels, False, [])
    return Prepared([], ids, images, 0, [], 0), split


def start():
    return backbones.start(TrainingConfig(backbone="resnet18"))


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fine_tuning, "LEAST_STEPS", 60)
    monkeypatch.setattr(fine_tuning, "BATCH", 16)


@pytest.fixture
def shortest(short: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough to be trained at all: the 80 images once."""
    monkeypatch.setattr(fine_tuning, "LEAST_STEPS", 1)


def test_the_labels_teach_the_whole_network_and_what_was_trained_once_is_remembered(
    stripes: tuple[Prepared, Split], short: None, tmp_path: Path
) -> None:
    prepared, split = stripes
    workspace, told = Workspace(tmp_path / "w"), []

    def progress(done: int, total: int, note: str = "") -> None:
        told.append(done)

    first = fine_tuning.fine_tuned(workspace, start, 1.0, prepared, split, progress)
    assert told == list(range(1, 61))
    assert (first == split.labels[split.test]).mean() > 0.8
    again = fine_tuning.fine_tuned(workspace, start, 1.0, prepared, split, progress)
    assert np.array_equal(again, first)
    assert len(told) == 60
    # Elsewhere it is trained once more, to the same answers.
    elsewhere = Workspace(tmp_path / "elsewhere")
    same = fine_tuning.fine_tuned(elsewhere, start, 1.0, prepared, split, progress)
    assert np.array_equal(same, first)
    assert len(told) == 120


def test_other_labels_are_another_question(
    stripes: tuple[Prepared, Split], shortest: None, tmp_path: Path
) -> None:
    workspace, told = Workspace(tmp_path / "w"), []
    prepared, split = stripes
    turned = Split(split.train, split.test, CLASSES, 1 - split.labels, False, [])
    for labelled in (split, turned):
        fine_tuning.fine_tuned(
            workspace, start, 1.0, prepared, labelled, lambda done, *_: told.append(done)
        )
    assert told == [1, 2, 3, 4, 5] * 2


def test_a_stop_is_minded(stripes: tuple[Prepared, Split], short: None, tmp_path: Path) -> None:
    def stop(done: int, total: int, note: str = "") -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        fine_tuning.fine_tuned(Workspace(tmp_path / "w"), start, 1.0, *stripes, stop)


def test_batches_hold_every_image_once_before_any_comes_again() -> None:
    batches = fine_tuning._batches(np.arange(100), np.random.default_rng(0))
    drawn = np.concatenate([next(batches) for _ in range(25)])
    assert np.array_equal(np.sort(drawn[:100]), np.arange(100))
    assert np.array_equal(np.bincount(drawn), np.full(100, 16))


def test_every_image_is_altered_by_itself() -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (SIDE, SIDE, 3), np.uint8)
    altered = fine_tuning._altered(np.stack([image] * 6))
    assert altered.shape == (6, 3, SIDE, SIDE)
    assert len({view.numpy().tobytes() for view in altered}) == 6


def test_the_evaluation_has_a_row_for_each_start(trained_run, shortest: None) -> None:
    workspace, run, data = trained_run
    found = evaluate(workspace, run, data, with_map=False, with_fine_tuning=True)
    assert set(found.fine_tuned) == {"run", "scratch"}
    assert set(found.brief()["fine_tuned"]) == {"run", "scratch"}
    path = results.path_of(run, found)
    right = results.correct(path, "scratch", "fine_tuned")
    assert right.mean() == pytest.approx(found.fine_tuned["scratch"].accuracy)
    assert len(right) == found.n_test
    # Without it nothing is trained, and older results have none.
    assert evaluate(workspace, run, data, with_map=False).fine_tuned == {}


def test_a_pretrained_start_stands_beside_random_weights() -> None:
    config = TrainingConfig(backbone="efficientnet_lite0", weights="imagenet")
    run = type("Run", (), {"config": config, "twin": lambda self, workspace: None})()
    assert set(fine_tuning.starts(None, run)) == {"run", "start", "scratch"}


@pytest.fixture
def trained_run(tmp_path: Path):
    """A short run, and a labelled folder of stripes."""
    from samclr_core.images.intake import add_paths
    from samclr_core.training import runs
    from samclr_core.training.loop import train

    rng = np.random.default_rng(1)
    for split, count in (("train", 12), ("test", 6)):
        for kind, name in enumerate(CLASSES):
            for number in range(count):
                path = tmp_path / "data" / split / name / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(striped(kind, rng)).save(path)
    workspace = Workspace(tmp_path / "w")
    add_paths(workspace, [tmp_path / "data" / "train"])
    config = TrainingConfig.of(
        {
            "head_dim": (32, 16),
            "views": {"size": SIDE, "kind": "image"},
            "epochs": 1,
            "pairs_per_image": 1,
            "batch_size": 8,
            "device": "cpu",
        }
    )
    run = runs.create(workspace, config)
    train(workspace, run)
    return workspace, run, tmp_path / "data"
