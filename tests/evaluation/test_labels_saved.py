"""Labels saved: read off two curves, with an interval."""

import numpy as np
import pytest

from samclr_core.evaluation.labels_saved import labels_needed, read_off

LABELS = [10, 100, 1000]


def test_labels_needed_by_hand() -> None:
    curve = np.array([10, 100, 200, 1000]), np.array([0.5, 0.7, 0.65, 0.9])
    assert read_off(*curve, 0.3) == 10
    assert read_off(*curve, 0.5) == 10
    assert read_off(*curve, 0.6) == pytest.approx(10 * 10**0.5)
    assert read_off(*curve, 0.7) == pytest.approx(100)
    # From 200 labels on, where the curve stands at the 0.7 it had reached before.
    assert read_off(*curve, 0.8) == pytest.approx(200 * 5**0.5)
    assert read_off(*curve, 0.91) == np.inf


def right(share: float, seeds: int = 3, images: int = 400) -> np.ndarray:
    """bool [seeds, images]: so many of the images, the first ones, are found by every seed."""
    return np.tile(np.arange(images) < share * images, (seeds, 1))


def curve(*shares: float, images: int = 400) -> list[np.ndarray]:
    """The answers at each point, five draws but for the last."""
    few = [np.repeat(right(share, images=images)[:, None], 5, axis=1) for share in shares[:-1]]
    return [*few, right(shares[-1], images=images)[:, None]]


def test_the_value_is_read_off_the_means_of_both() -> None:
    rng = np.random.default_rng(0)
    ours = [rng.random((3, draws, 300)) < share for draws, share in ((5, 0.3), (5, 0.6), (1, 0.8))]
    theirs = rng.random((3, 300)) < 0.5
    means = np.array([answers.mean() for answers in ours])
    found = labels_needed(LABELS, ours, theirs)
    by_hand = read_off(np.array(LABELS), means, theirs.mean())
    assert found.labels == pytest.approx(by_hand, rel=1e-6)
    assert found.all == 1000
    assert found.low < found.labels < found.high


def test_more_test_images_make_it_surer() -> None:
    few = labels_needed(LABELS, curve(0.3, 0.6, 0.8), right(0.5))
    many = labels_needed(LABELS, curve(0.3, 0.6, 0.8, images=4000), right(0.5, images=4000))
    assert few.labels == pytest.approx(many.labels, rel=1e-6)
    assert few.low < many.low < many.high < few.high


def test_the_same_images_are_drawn_for_both() -> None:
    """Where both are right on the same images, which of them are drawn changes nothing."""
    found = labels_needed(LABELS, curve(0.3, 0.6, 0.8), right(0.6))
    assert found.low == pytest.approx(100, rel=1e-6)
    assert found.high == pytest.approx(100, rel=1e-6)


def test_the_luck_of_a_training_counts() -> None:
    """One of three seeds is far worse: surer is what had three alike."""
    ours = curve(0.3, 0.6, 0.8)
    for answers in ours:
        answers[0] = False
    shaky = labels_needed(LABELS, ours, right(0.5))
    steady = labels_needed(LABELS, curve(0.2, 0.4, 0.8 * 2 / 3), right(0.5))
    assert shaky.high is None
    assert shaky.low < steady.low


def test_what_is_never_reached_is_more_than_there_are() -> None:
    found = labels_needed(LABELS, curve(0.3, 0.4, 0.5), right(0.9))
    assert (found.labels, found.low, found.high, found.all) == (None, None, None, 1000)


def test_what_the_fewest_reach_needs_no_more() -> None:
    found = labels_needed(LABELS, curve(0.6, 0.7, 0.8), right(0.2))
    assert (found.labels, found.low, found.high) == (10, 10, 10)


def test_equal_features_need_at_most_all() -> None:
    found = labels_needed(LABELS, curve(0.3, 0.4, 0.7), right(0.7))
    assert found.labels == pytest.approx(1000, rel=1e-6)
    assert found.high <= 1000
