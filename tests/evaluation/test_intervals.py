import numpy as np
import pytest
from scipy.stats import binomtest

from samclr_core.evaluation.intervals import accuracy, paired_difference, wilson


@pytest.mark.parametrize("correct", [0, 1, 7, 19, 20])
def test_wilson_is_scipys(correct):
    theirs = binomtest(correct, 20).proportion_ci(method="wilson")
    assert wilson(correct, 20) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_the_difference_is_counted_by_hand():
    a = np.array([True, True, True, False])
    b = np.array([True, False, False, True])
    estimate = paired_difference(a, b)
    assert estimate.mean == 0.25
    assert estimate.low < 0.25 < estimate.high
    assert estimate.low <= 0 <= estimate.high


def test_swapping_the_two_turns_the_sign():
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 3, 50)) < 0.7
    there, back = paired_difference(a, b, 20_000), paired_difference(b, a, 20_000)
    assert there.mean == pytest.approx(-back.mean)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=0.01)


def test_drawing_kinds_of_images_is_drawing_images():
    """Against the plain bootstrap that draws the images one by one."""
    rng = np.random.default_rng(1)
    values = rng.choice([-1.0, 0.0, 1.0], (3, 40))
    means = [
        values[rng.integers(3, size=3)][:, rng.integers(40, size=40)].mean() for _ in range(20_000)
    ]
    estimate = paired_difference(values == 1, values == -1, draws=20_000)
    assert (estimate.low, estimate.high) == pytest.approx(
        np.quantile(means, [0.025, 0.975]), abs=0.015
    )


def test_pairing_narrows_the_interval():
    rng = np.random.default_rng(2)
    easy = rng.random(300) < 0.7
    a, b = easy | (rng.random(300) < 0.1), easy
    paired = paired_difference(a, b)
    shuffled = paired_difference(a, rng.permutation(b))
    assert paired.low > 0
    assert paired.high - paired.low < 0.5 * (shuffled.high - shuffled.low)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(200):
        a, b = rng.random(200) < 0.75, rng.random(200) < 0.70
        estimate = paired_difference(a, b, draws=1000)
        covered += estimate.low <= 0.05 <= estimate.high
    assert 180 <= covered <= 199


def test_seeds_that_disagree_widen_the_interval():
    steady = np.tile([True, False] * 50, (3, 1))
    lucky = np.array([[True] * 100, [True, False] * 50, [False] * 100])
    nothing = np.zeros((3, 100), bool)
    one, other = paired_difference(steady, nothing), paired_difference(lucky, nothing)
    assert one.mean == other.mean == 0.5
    assert other.high - other.low > 2 * (one.high - one.low)


def test_what_cannot_be_paired_is_refused():
    with pytest.raises(ValueError, match="equal shapes"):
        paired_difference(np.ones((2, 5), bool), np.ones((3, 5), bool))


def test_one_seed_has_wilsons_interval_and_several_a_bootstrap():
    correct = np.array([True] * 15 + [False] * 5)
    assert (accuracy(correct).low, accuracy(correct).high) == wilson(15, 20)
    several = accuracy(np.tile(correct, (3, 1)))
    assert several.mean == 0.75
    assert several.low < 0.75 < several.high
