"""How many labels a curve needs for what other features reach with all, and how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from samclr_core.evaluation.intervals import CONFIDENCE

# Two sums of the same numbers may differ by so much.
ROUNDING = 1e-9


@dataclass(frozen=True)
class LabelsNeeded:
    """Labels for an accuracy, with a 95% interval; None is more than there are.

    Attributes:
        labels: what the curve needs.
        low: end of the interval.
        high: the other end.
        all: how many there are.
    """

    labels: float | None
    low: float | None
    high: float | None
    all: int

    def brief(self) -> list[float | None]:
        """The figures as the command line prints them."""
        ends = self.labels, self.low, self.high
        return [None if end is None else round(end, 1) for end in ends]


def labels_needed(
    labels: Sequence[int],
    ours: Sequence[np.ndarray],
    theirs: np.ndarray,
    draws: int = 2_000,
    seed: int = 0,
) -> LabelsNeeded:
    """What one curve needs for the accuracy that other features have with all labels.

    The interval is a paired bootstrap's: every draw takes training seeds, draws of labels and test
    images with replacement, the same seeds and images for both, and reads the curve off anew. A
    single seed tells nothing of the luck of training.

    Args:
        labels: int [P], of each point of the curve, ascending; the last is all of them.
        ours: for each point bool [S, D, N]: is the probe of seed s, on draw d of the labels, right
            on test image n? Every point has the same number of draws, or one.
        theirs: bool [S, N], with all labels.
        draws: bootstrap samples.
        seed: of the bootstrap.
    """
    curve = _with_all_draws(ours)
    points, seeds, label_draws, images = curve.shape
    rng = np.random.default_rng(seed)
    of_seeds, of_draws, of_images = (_weights(n, draws, rng) for n in (seeds, label_draws, images))
    by_image = (of_images @ curve.reshape(-1, images).T).reshape(-1, points, seeds, label_draws)
    reached = np.einsum("bpsd,bs,bd->bp", by_image, of_seeds, of_draws)
    goals = np.sum(of_images @ theirs.T * of_seeds, axis=1) - ROUNDING
    # The first one weighs everything alike: it is the value itself.
    value, *others = (
        read_off(np.array(labels), *both) for both in zip(reached, goals, strict=True)
    )
    # No mean of two draws is taken: one of them may be infinite.
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(others, [tail, 1 - tail], method="inverted_cdf")
    return LabelsNeeded(_finite(value), _finite(low), _finite(high), labels[-1])


def _weights(count: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Float [1 + draws, count]: all alike, then what each weighs in a draw with replacement."""
    drawn = (rng.integers(count, size=count) for _ in range(draws))
    rows = [np.ones(count), *(np.bincount(row, minlength=count) for row in drawn)]
    return np.array(rows) / count


def _with_all_draws(points: Sequence[np.ndarray]) -> np.ndarray:
    """Float [P, S, D, N]; a point with one draw of labels has it in all places."""
    most = max(point.shape[1] for point in points)
    full = [np.repeat(p, most, axis=1) if p.shape[1] == 1 else p for p in points]
    return np.stack(full).astype(np.float64)


def read_off(labels: np.ndarray, accuracies: np.ndarray, goal: float) -> float:
    """How many labels a curve needs for the accuracy ``goal``; infinite where it never gets there.

    Between two points the accuracy is taken to grow with the logarithm of the labels. A point
    below an earlier one counts as that one: more labels do no harm.

    Args:
        labels: [P], ascending.
        accuracies: [P], with so many labels.
        goal: in 0..1.
    """
    reached = np.maximum.accumulate(accuracies)
    if reached[-1] < goal:
        return np.inf
    after = int(np.argmax(reached >= goal))
    if after == 0:
        return float(labels[0])
    share = (goal - reached[after - 1]) / (reached[after] - reached[after - 1])
    return float(labels[after - 1] * (labels[after] / labels[after - 1]) ** share)


def _finite(labels: float) -> float | None:
    return float(labels) if np.isfinite(labels) else None
