"""What one kind of features is worth: linear probe and k-NN on the test split."""

from dataclasses import dataclass

import numpy as np

from samclr_core.cache import Arrays, digest, remembered
from samclr_core.evaluation import knn, probe, separation
from samclr_core.evaluation.baselines import Embedded
from samclr_core.evaluation.features import embedding_std
from samclr_core.evaluation.intervals import wilson
from samclr_core.evaluation.results import Method, NeighbourScore, ProbeScore, Score
from samclr_core.evaluation.split import Split
from samclr_core.jobs import Progress, silent
from samclr_core.workspace import Workspace


@dataclass(frozen=True)
class Judged:
    """A method's figures, and its answers: classes int64 [n_test] by predictor."""

    method: Method
    predicted: dict[str, np.ndarray]


def judge(
    workspace: Workspace, embedded: Embedded, split: Split, progress: Progress = silent
) -> Judged:
    """Fit on the train split, judge by the test split; its labels are looked at only to count."""
    train, test = embedded.values[split.train], embedded.values[split.test]
    linear, linear_seconds = _linear(workspace, train, split.labels[split.train], test, progress)
    near, near_seconds = _neighbours(workspace, train, split.labels[split.train], test)
    truth = split.labels[split.test]
    method = Method(
        features=embedded.described,
        run=embedded.run,
        dim=train.shape[1],
        linear_probe=_probe_score(linear, truth, split.classes),
        knn=NeighbourScore(**score(near == truth).model_dump(), k=knn.clamped(knn.K, len(train))),
        embedding_std=embedding_std(embedded.values),
        silhouette=separation.silhouette(test, truth),
        neighbour_purity=separation.neighbour_purity(test, truth),
        seconds={
            "features": embedded.seconds,
            "linear_probe": linear_seconds,
            "knn": near_seconds,
        },
    )
    return Judged(method, {"linear_probe": linear["predicted"], "knn": near})


def _linear(
    workspace: Workspace,
    train: np.ndarray,
    labels: np.ndarray,
    test: np.ndarray,
    progress: Progress,
) -> tuple[Arrays, float]:
    def compute() -> Arrays:
        fitted = probe.linear_probe(train, labels, test, progress=progress)
        return {
            "predicted": fitted.predicted,
            "strength": np.array(fitted.strength),
            "tried": np.array(list(fitted.scores.items())).reshape(-1, 2),
        }

    return remembered(workspace, "probes", digest(train, labels, test), compute)


def _neighbours(
    workspace: Workspace, train: np.ndarray, labels: np.ndarray, test: np.ndarray
) -> tuple[np.ndarray, float]:
    arrays, seconds = remembered(
        workspace,
        "neighbours",
        digest(train, labels, test),
        lambda: {"predicted": knn.predict(train, labels, test)},
    )
    return arrays["predicted"], seconds


def score(correct: np.ndarray) -> Score:
    """The share of right answers, with its interval; bool [n_test]."""
    return Score(accuracy=float(correct.mean()), ci95=wilson(int(correct.sum()), len(correct)))


def _probe_score(linear: Arrays, truth: np.ndarray, classes: list[str]) -> ProbeScore:
    matrix = probe.confusion(truth, linear["predicted"], len(classes))
    return ProbeScore(
        **score(linear["predicted"] == truth).model_dump(),
        C=float(linear["strength"]),
        C_scores={f"{strength:g}": float(score) for strength, score in linear["tried"]},
        per_class=dict(zip(classes, probe.per_class_accuracy(matrix), strict=True)),
        confusion=matrix.tolist(),
    )
