"""How classes lie apart, by hand and beside scikit-learn."""

import numpy as np
import pytest

from samclr_core.evaluation.separation import neighbour_purity, silhouette


def test_two_directions_lie_apart_and_one_heap_does_not() -> None:
    apart = np.repeat(np.eye(2), 6, axis=0) + 0.001 * np.arange(12)[:, None]
    labels = np.repeat([0, 1], 6)
    assert silhouette(apart, labels) > 0.99
    heap = np.random.default_rng(0).normal(size=(300, 40))
    assert abs(silhouette(heap, np.arange(300) % 3)) < 0.02


def test_silhouette_by_hand() -> None:
    """Cosine distances: 0 within the first class, 1 to the second, which is alone and counts 0."""
    values = np.array([[1.0, 0], [2.0, 0], [0, 1.0]])
    assert silhouette(values, np.array([0, 0, 1])) == pytest.approx(2 / 3)


def test_purity_by_hand() -> None:
    """Each of the first four has three neighbours like it and one stranger, which has none."""
    values = np.array([[1.0, 0.0], [1.0, 0.1], [1.0, 0.2], [1.0, 0.3], [0.0, 1.0]])
    share, chance = neighbour_purity(values, np.array([0, 0, 0, 0, 1]))
    assert share == pytest.approx((4 * 3 / 4) / 5)
    assert chance == pytest.approx(4 * 3 / (5 * 4))


def test_purity_looks_at_ten_neighbours() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    values = 4 * np.eye(3, 8)[labels] + rng.normal(0, 0.1, (60, 8))
    share, chance = neighbour_purity(values, labels)
    assert share == 1
    assert chance == pytest.approx(19 / 59)
    shuffled, _ = neighbour_purity(values, rng.permutation(labels))
    assert shuffled == pytest.approx(chance, abs=0.12)


def test_too_little_to_tell() -> None:
    assert silhouette(np.ones((3, 2)), np.zeros(3, int)) is None
    assert silhouette(np.ones((3, 2)), np.arange(3)) is None
    assert neighbour_purity(np.ones((1, 2)), np.zeros(1, int)) is None
