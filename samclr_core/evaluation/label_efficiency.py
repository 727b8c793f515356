"""How much accuracy a few labels buy: the probe on n labels per class, drawn several times."""

from dataclasses import dataclass

import numpy as np

from samclr_core.cache import digest, remembered
from samclr_core.evaluation import intervals, probe
from samclr_core.evaluation.results import CurvePoint
from samclr_core.evaluation.split import Split
from samclr_core.jobs import Progress, silent
from samclr_core.progress import counted
from samclr_core.workspace import Workspace

COUNTS = (1, 2, 5, 10, 20, 50, 100)
"""Labels per class, as far as the train split has them; then all of it."""
DRAWS = 5


@dataclass(frozen=True)
class Curve:
    """The probe's answers with more and more labels.

    Attributes:
        per_class: labels per class of each point; None is the whole train split.
        labels: labels in all of each point.
        correct: bool [draws, n_test] of each point: were the test images found?
    """

    per_class: tuple[int | None, ...]
    labels: tuple[int, ...]
    correct: tuple[np.ndarray, ...]

    def points(self) -> list[CurvePoint]:
        """Each point's accuracy, with an interval over draws and test images."""
        columns = zip(self.per_class, self.labels, self.correct, strict=True)
        return [point_of(*column) for column in columns]


def point_of(per_class: int | None, labels: int, correct: np.ndarray) -> CurvePoint:
    """A point of a curve, from the answers of every draw, bool [draws, n_test]."""
    found = intervals.accuracy(correct)
    ends = (found.low, found.high)
    return CurvePoint(per_class=per_class, labels=labels, accuracy=found.mean, ci95=ends)


def curve(
    workspace: Workspace, values: np.ndarray, split: Split, progress: Progress = silent
) -> Curve:
    """The linear probe's curve over labels; see :func:`drawn` for which labels it gets.

    Its C is chosen inside the labels of each draw, as somebody with so few would have to. The whole
    train split is fitted once.

    Args:
        workspace: its cache remembers the answers.
        values: features of all images, float [N, dim].
        split: the same for all features that are compared, so that they get the same labels.
        progress: called with fits done and fits in all.

    Raises:
        Cancelled: as ``progress`` asks.
    """
    train, test = values[split.train], values[split.test]
    labels, truth = split.labels[split.train], split.labels[split.test]
    plan: list[tuple[int | None, list[np.ndarray]]] = [
        (count, drawn(labels, count)) for count in counts(labels)
    ]
    plan.append((None, [np.arange(len(labels))]))
    total = sum(len(draws) for _, draws in plan)
    done, correct = 0, []
    for _, draws in plan:
        answers = []
        for part in draws:
            told = counted(progress, done, total)
            answers.append(_answers(workspace, train[part], labels[part], test, told))
            done += 1
        correct.append(np.array(answers) == truth)
    return Curve(
        per_class=tuple(count for count, _ in plan),
        labels=tuple(len(draws[0]) for _, draws in plan),
        correct=tuple(correct),
    )


def counts(labels: np.ndarray) -> list[int]:
    """The points of :data:`COUNTS` that leave some of the train split out."""
    most = np.unique(labels, return_counts=True)[1].max()
    return [count for count in COUNTS if count < most]


def drawn(labels: np.ndarray, count: int, draws: int = DRAWS) -> list[np.ndarray]:
    """Indices of ``count`` images of every class, or of all that a class has, for every draw.

    A draw with more labels holds the same draw with fewer, so that a curve is not torn by luck.
    """
    found = []
    for draw in range(draws):
        order = np.random.default_rng([0, draw]).permutation(len(labels))
        members = [order[labels[order] == label][:count] for label in np.unique(labels)]
        found.append(np.sort(np.concatenate(members)))
    return found


def _answers(
    workspace: Workspace,
    train: np.ndarray,
    labels: np.ndarray,
    test: np.ndarray,
    progress: Progress,
) -> np.ndarray:
    progress(0, 1)
    key = digest(train, labels, test)
    found, _ = remembered(
        workspace,
        "few-labels",
        key,
        lambda: {"predicted": probe.linear_probe(train, labels, test).predicted},
    )
    return found["predicted"]
