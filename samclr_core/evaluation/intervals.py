"""How sure are we: 95% intervals of an accuracy, and of the difference of two."""

import numpy as np

from samclr_core.estimate import Estimate

CONFIDENCE = 0.95
# Fewer trainings hardly show the luck of a training.
LEAST_SEEDS = 3
# The 97.5% quantile of the standard normal distribution.
Z = 1.959963984540054


def wilson(correct: int, total: int) -> tuple[float, float]:
    """The Wilson score interval (95%) of a proportion (Wilson 1927, JASA 22:209).

    Unlike the textbook interval it stays inside 0..1 and holds for few images and for 100%.

    Args:
        correct: successes, 0 to ``total``.
        total: trials, at least 1.

    Returns:
        Its ends, in 0..1.
    """
    share = correct / total
    spread = Z * np.sqrt(share * (1 - share) / total + (Z / (2 * total)) ** 2)
    centre = share + Z**2 / (2 * total)
    low, high = (centre + np.array([-spread, spread])) / (1 + Z**2 / total)
    return float(max(low, 0.0)), float(min(high, 1.0))


def accuracy(correct: np.ndarray, draws: int = 10_000, seed: int = 0) -> Estimate:
    """The accuracy over seeds and test images: Wilson for one seed, else a bootstrap over both.

    Args:
        correct: bool [S, N] or [N]: whether the predictor of each seed is right on each test image.
        draws: bootstrap samples.
        seed: of the bootstrap.
    """
    correct = np.atleast_2d(correct)
    if len(correct) == 1:
        return Estimate(float(correct.mean()), *wilson(int(correct.sum()), correct.size))
    return _bootstrap(correct.astype(np.float64), draws, seed)


def paired_difference(
    correct_a: np.ndarray,
    correct_b: np.ndarray,
    draws: int = 10_000,
    seed: int = 0,
    comparisons: int = 1,
) -> Estimate:
    """How much more accurate a is than b on the same test images, with a percentile interval.

    A paired bootstrap (Efron & Tibshirani 1993, chapter 13): every draw takes test images with
    replacement, the same ones for a and b; with several seeds it takes seeds with replacement as
    well, the same ones for a and b, so that the interval covers both the choice of test images
    and the luck of training. With three seeds it is still a little too narrow, and where the two
    never disagree it has no width: report the number of seeds and images beside it.

    Args:
        correct_a: bool [S, N] or [N]: is a, trained with seed s, right on test image n?
        correct_b: the same of b; row s is the seed of row s of a, column n the image of column n.
        draws: bootstrap samples.
        seed: of the bootstrap.
        comparisons: how many such differences are read side by side. The interval is widened so
            that all of them together hold with 95% (Bonferroni).

    Returns:
        accuracy(a) - accuracy(b), in -1..1.

    Raises:
        ValueError: the shapes differ, or there are no test images.
    """
    a, b = np.atleast_2d(correct_a), np.atleast_2d(correct_b)
    if a.shape != b.shape or a.size == 0:
        raise ValueError(f"paired predictors need equal shapes, not {a.shape} and {b.shape}")
    return _bootstrap(a.astype(np.float64) - b.astype(np.float64), draws, seed, comparisons)


def _bootstrap(values: np.ndarray, draws: int, seed: int, comparisons: int = 1) -> Estimate:
    """Mean of ``values`` [S, N] when rows and columns are drawn with replacement."""
    seeds, images = values.shape
    rng = np.random.default_rng(seed)
    # Images with equal columns are interchangeable: drawing how often each kind of column comes
    # is the same as drawing the images, and there are few kinds.
    kinds, counts = np.unique(values, axis=1, return_counts=True)
    image_shares = rng.multinomial(images, counts / images, size=draws) / images
    seed_shares = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=draws) / seeds
    means = np.sum((image_shares @ kinds.T) * seed_shares, axis=1)
    tail = (1 - CONFIDENCE) / (2 * comparisons)
    low, high = np.quantile(means, [tail, 1 - tail])
    return Estimate(float(values.mean()), float(low), float(high))
