"""Accuracy over labels: the right labels are drawn, and the curve says what they buy."""

import numpy as np
import pytest

from samclr_core.evaluation import label_efficiency, probe
from samclr_core.evaluation.label_efficiency import COUNTS, DRAWS, counts, drawn
from samclr_core.evaluation.split import Split
from samclr_core.messages import Cancelled
from samclr_core.workspace import Workspace


def blobs(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    return (2.0 * np.eye(3, 8)[labels] + rng.normal(size=(count, 8))).astype(np.float32), labels


@pytest.fixture(scope="module")
def world():
    """180 images to fit on and 150 to judge by, of three classes that overlap."""
    (train, train_labels), (test, test_labels) = blobs(180, 0), blobs(150, 1)
    split = Split(
        train=np.arange(180),
        test=np.arange(180, 330),
        classes=["a", "b", "c"],
        labels=np.concatenate([train_labels, test_labels]),
        official=True,
        dropped=[],
    )
    return np.concatenate([train, test]), split


@pytest.fixture(scope="module")
def made(world, tmp_path_factory):
    workspace = Workspace(tmp_path_factory.mktemp("curves"))
    return label_efficiency.curve(workspace, *world), workspace


def test_every_class_has_so_many_labels_and_more_hold_fewer() -> None:
    labels = np.repeat([0, 1, 2], [50, 4, 20])
    few, more = drawn(labels, 3), drawn(labels, 10)
    assert len(few) == DRAWS >= 5
    for small, large in zip(few, more, strict=True):
        assert np.bincount(labels[small]).tolist() == [3, 3, 3]
        assert np.bincount(labels[large]).tolist() == [10, 4, 10]
        assert set(small) <= set(large)
    assert len({tuple(part) for part in few}) == DRAWS
    assert counts(labels) == [count for count in COUNTS if count < 50]


def test_the_curve_rises_to_the_probe_on_everything(world, made) -> None:
    values, split = world
    found, _ = made
    assert found.per_class == (1, 2, 5, 10, 20, 50, None)
    assert found.labels == (3, 6, 15, 30, 60, 150, 180)
    assert [correct.shape for correct in found.correct] == [(5, 150)] * 6 + [(1, 150)]
    points = found.points()
    assert points[0].accuracy < points[3].accuracy < points[-1].accuracy + 0.05
    assert points[0].accuracy > 1 / 3
    whole = probe.linear_probe(values[:180], split.labels[:180], values[180:])
    assert points[-1].accuracy == np.mean(whole.predicted == split.labels[180:])
    for point in points:
        assert 0 <= point.ci95[0] <= point.accuracy <= point.ci95[1] <= 1
    widths = [point.ci95[1] - point.ci95[0] for point in points]
    assert widths[0] > widths[-2]


def test_what_was_fitted_is_not_fitted_again(world, made, monkeypatch) -> None:
    found, workspace = made
    monkeypatch.setattr(probe, "linear_probe", None)
    again = label_efficiency.curve(workspace, *world)
    assert again.points() == found.points()


def test_a_stop_is_minded(world, tmp_path) -> None:
    def stop(done: int, total: int, note: str = "") -> None:
        if done == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        label_efficiency.curve(Workspace(tmp_path), *world, progress=stop)
