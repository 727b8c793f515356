"""True masks on SAM's tokens, and a sample of these that gives the right sums."""

import numpy as np
import torch

from samclr_core.regions.automatic.geometry import as_picture
from samclr_core.regions.tuning.target import targets

SIZE = (192, 256)
"""A logit per pixel: the longer side is SAM's 1024 and 256 logits."""


def disc() -> np.ndarray:
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    return (x - 60) ** 2 + (y - 90) ** 2 < 40**2


def test_all_tokens_hold_the_mask_where_it_lies():
    known = np.ones(SIZE, bool)
    known[:, 200:] = False
    found = targets([disc()], known)
    assert found.places is None
    mask = as_picture(found.masks.view(64, 64, 4, 4))
    assert torch.equal(mask[:192, :256], torch.from_numpy(disc()))
    weights = as_picture(found.weights.view(64, 64, 4, 4))
    assert torch.equal(weights[:192, :256] > 0, torch.from_numpy(known))
    assert not weights[192:].any()


def test_a_sample_s_weighted_sums_are_those_of_the_whole_on_average():
    known = np.ones(SIZE, bool)
    rng = np.random.default_rng(0)
    drawn = [targets([disc()], known, 64, rng) for _ in range(150)]
    assert drawn[0].places is not None
    assert drawn[0].places.shape == (1, 64)
    areas = [float((one.masks * one.weights).sum()) for one in drawn]
    assert abs(np.mean(areas) / disc().sum() - 1) < 0.02
    everything = [float(one.weights.sum()) for one in drawn]
    assert np.allclose(everything, SIZE[0] * SIZE[1])


def test_no_token_is_drawn_twice_or_from_outside_the_image():
    known = np.ones(SIZE, bool)
    found = targets([disc()], known, 4096, np.random.default_rng(0))
    assert found.places is not None
    places = found.places[0].numpy()
    assert len(np.unique(places)) == len(places) == 48 * 64
    assert (places // 64).max() == 47
    assert (found.weights == 1).all()
