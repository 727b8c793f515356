import numpy as np
import pytest

from samclr_core.regions.region import Region
from samclr_core.views.rle import window


def masks() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    blob = np.zeros((70, 90), bool)
    blob[10:50, 20:60] = True
    blob[20:30, 30:40] = False
    speckle = rng.random((37, 53)) < 0.4
    return [blob, speckle, np.ones((20, 30), bool), np.zeros((20, 30), bool), speckle[:, :1]]


@pytest.mark.parametrize("mask", masks(), ids=["blob", "speckle", "full", "empty", "column"])
def test_any_window_is_the_same_part_of_the_decoded_mask(mask: np.ndarray) -> None:
    region = Region.of_mask(mask)
    rng = np.random.default_rng(1)
    height, width = mask.shape
    for _ in range(50):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        w, h = int(rng.integers(1, width - x + 1)), int(rng.integers(1, height - y + 1))
        np.testing.assert_array_equal(
            window(region.rle, (x, y, w, h)), region.mask()[y : y + h, x : x + w]
        )


def test_a_large_mask_with_long_runs_is_read_right() -> None:
    mask = np.zeros((3000, 2000), bool)
    mask[100:2900, 150:1900] = True
    mask[1000:1010, ::7] ^= True
    region = Region.of_mask(mask)
    np.testing.assert_array_equal(window(region.rle, (140, 90, 900, 1500)), mask[90:1590, 140:1040])
