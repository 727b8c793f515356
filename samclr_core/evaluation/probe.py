"""The linear probe: logistic regression on frozen, standardised features."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from samclr_core.jobs import Progress, silent

# Of scikit-learn's inverse strength of regularisation; ascending, so that fits can follow on.
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)
DEFAULT_STRENGTH = 1e-2
FOLDS = 5
# The strength is chosen on at most that many images; the probe itself is fitted on all.
CHOICE_IMAGES = 3_000
MAX_ITERATIONS = 500


@dataclass(frozen=True)
class LinearProbe:
    """What the probe says about the test images.

    Attributes:
        predicted: int64 [N], a class for each test image.
        strength: the C it was fitted with.
        scores: for each C tried, its mean accuracy over the folds within the train split;
            empty where there was too little to choose from.
    """

    predicted: np.ndarray
    strength: float
    scores: dict[float, float]


def linear_probe(
    train: np.ndarray,
    labels: np.ndarray,
    test: np.ndarray,
    seed: int = 0,
    progress: Progress = silent,
) -> LinearProbe:
    """Fit on the train split and predict the test split, whose labels are not even passed in.

    C is chosen by stratified cross-validation inside the train split (2 to 5 folds, as the rarest
    class allows), on a stratified part of it where it is large; equal accuracies go to the smaller
    C, the stronger regularisation. Means and variances come from the fitted images only.

    Args:
        train: float [M, dim].
        labels: int [M], at least two different ones.
        test: float [N, dim].
        seed: of the folds and of the part that C is chosen on.
    """
    total = len(STRENGTHS) * FOLDS + 1
    scores = choose(train, labels, seed, lambda done, _, note="": progress(done, total, note))
    strength = max(scores, key=lambda c: (scores[c], -c)) if scores else DEFAULT_STRENGTH
    progress(total - 1, total, f"C={strength:g}")
    predicted = next(_fitted(train, labels, test, [strength]))
    progress(total, total)
    return LinearProbe(predicted, strength, scores)


def choose(
    train: np.ndarray, labels: np.ndarray, seed: int = 0, progress: Progress = silent
) -> dict[float, float]:
    """Mean accuracy over the folds for every C of :data:`STRENGTHS`; {} where nothing can be told.

    Classes with one image cannot be in both parts of a fold and take no part.
    """
    from sklearn.model_selection import StratifiedKFold

    part = _choice_part(labels, seed)
    train, labels = train[part], labels[part]
    counts = np.unique(labels, return_counts=True)[1]
    if len(counts) < 2:
        return {}
    folds = StratifiedKFold(min(FOLDS, counts.min()), shuffle=True, random_state=seed)
    right = dict.fromkeys(STRENGTHS, 0)
    done, total = 0, folds.n_splits * len(STRENGTHS)
    for fit, held_out in folds.split(train, labels):
        fits = _fitted(train[fit], labels[fit], train[held_out], STRENGTHS)
        for strength, predicted in zip(STRENGTHS, fits, strict=True):
            right[strength] += int(np.sum(predicted == labels[held_out]))
            done += 1
            progress(done, total, f"C={strength:g}")
    return {strength: count / len(labels) for strength, count in right.items()}


def _choice_part(labels: np.ndarray, seed: int) -> np.ndarray:
    """Indices of the images that C is chosen on: classes of two or more, thinned evenly."""
    order = np.random.default_rng(seed).permutation(len(labels))
    keep: list[np.ndarray] = []
    share = min(1.0, CHOICE_IMAGES / len(labels))
    for label in np.unique(labels):
        members = order[labels[order] == label]
        if len(members) >= 2:
            keep.append(members[: max(2, round(share * len(members)))])
    return np.sort(np.concatenate(keep)) if keep else np.empty(0, np.int64)


def _fitted(
    train: np.ndarray, labels: np.ndarray, test: np.ndarray, strengths: Sequence[float]
) -> Iterator[np.ndarray]:
    """Predictions for ``test`` after fitting with each C in turn, each fit starting at the last."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    scaler = StandardScaler().fit(train)
    train, test = scaler.transform(train), scaler.transform(test)
    model = LogisticRegression(max_iter=MAX_ITERATIONS, warm_start=True)
    for strength in strengths:
        # The products are small: on a busy machine threads wait for each other, 20 times as long.
        with warnings.catch_warnings(), threadpool_limits(1):
            # Where classes are separable and C is large, the last digits of the weights never
            # settle; the predictions have long done so.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.set_params(C=strength).fit(train, labels)
            predicted = model.predict(test)
        yield predicted


def confusion(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """int64 [classes, classes]: row is the true class, column the predicted one."""
    matrix = np.zeros((classes, classes), np.int64)
    np.add.at(matrix, (labels, predicted), 1)
    return matrix


def per_class_accuracy(matrix: np.ndarray) -> list[float | None]:
    """Share of each true class that was found (its recall); None for a class without images."""
    return [float(row[i] / row.sum()) if row.sum() else None for i, row in enumerate(matrix)]
