"""Before and after, with an interval that is honest about few images."""

import numpy as np
import pytest

from samclr_core.regions.tuning.report import MEASURES, compare, mean_of


def test_few_images_have_student_s_interval():
    # n = 4, mean 0.1, s = 0.1155: the t quantile with 3 degrees of freedom is 3.182.
    found = mean_of(np.array([0.0, 0.0, 0.2, 0.2]))
    assert (found.mean, found.low, found.high) == pytest.approx((0.1, -0.0837, 0.2837), abs=1e-4)


def test_many_images_have_a_bootstrap_like_the_normal_one():
    differences = np.random.default_rng(0).normal(0.05, 0.1, 200)
    found = mean_of(differences)
    reach = 1.96 * differences.std() / np.sqrt(200)
    assert found.low == pytest.approx(differences.mean() - reach, abs=2e-3)
    assert found.high == pytest.approx(differences.mean() + reach, abs=2e-3)
    assert mean_of(differences) == found


def test_one_image_says_nothing():
    found = mean_of(np.array([0.3]))
    assert (found.low, found.high) == (-1, 1)


@pytest.mark.parametrize(
    ("gains", "verdict"),
    [
        ([0.1, 0.12, 0.09], "better"),
        ([-0.1, -0.12, -0.09], "worse"),
        ([0.1, -0.1, 0.02], "unclear"),
    ],
)
def test_a_verdict_needs_the_whole_interval(gains, verdict):
    before = {str(i): dict.fromkeys(MEASURES, 0.5) for i in range(3)}
    after = {str(i): dict.fromkeys(MEASURES, 0.5 + gain) for i, gain in enumerate(gains)}
    found = compare(before, after)["point"]
    assert found.verdict == verdict
    assert found.after - found.before == pytest.approx(found.difference.mean)
