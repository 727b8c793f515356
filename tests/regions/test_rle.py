"""COCO's run lengths, held to pycocotools."""

import numpy as np
import pytest
from pycocotools import mask as coco

from samclr_core.regions import rle


def masks() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    blob = np.zeros((70, 90), bool)
    blob[10:50, 20:60] = True
    blob[20:30, 30:40] = False
    speckle = rng.random((37, 53)) < 0.4
    return [blob, speckle, np.ones((20, 30), bool), np.zeros((20, 30), bool), speckle[:, :1]]


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (64, 129)])
@pytest.mark.parametrize("density", [0.0, 0.3, 1.0])
def test_rle_roundtrip(shape, density):
    mask = np.random.default_rng(0).random(shape) < density
    assert np.array_equal(rle.decode(rle.encode(mask)), mask)


@pytest.mark.parametrize("seed", range(6))
def test_a_window_is_encoded_like_the_whole_mask(seed):
    rng = np.random.default_rng(seed)
    size = (int(rng.integers(5, 60)), int(rng.integers(5, 60)))
    height, width = (int(rng.integers(1, side + 1)) for side in size)
    y, x = int(rng.integers(size[0] - height + 1)), int(rng.integers(size[1] - width + 1))
    window = rng.random((height, width)) < (0.0, 0.2, 0.5, 0.9, 1.0, 0.02)[seed]
    whole = np.zeros(size, bool)
    whole[y : y + height, x : x + width] = window
    encoded, bbox, area = rle.encode_window(window, y, x, size)
    expected = coco.encode(np.asfortranarray(whole.astype(np.uint8)))
    assert encoded == {"size": list(size), "counts": expected["counts"].decode()}
    assert bbox == tuple(int(value) for value in coco.toBbox(expected))
    assert area == whole.sum()


def test_a_mask_without_pixels_has_an_empty_box():
    encoded, bbox, area = rle.encode_window(np.zeros((3, 4), bool), 1, 1, (8, 9))
    assert (bbox, area) == ((0, 0, 0, 0), 0)
    assert encoded["size"] == [8, 9]


@pytest.mark.parametrize("mask", masks(), ids=["blob", "speckle", "full", "empty", "column"])
def test_any_window_is_the_same_part_of_the_decoded_mask(mask):
    encoded = rle.encode(mask)
    rng = np.random.default_rng(1)
    height, width = mask.shape
    for _ in range(50):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        w, h = int(rng.integers(1, width - x + 1)), int(rng.integers(1, height - y + 1))
        np.testing.assert_array_equal(
            rle.decode_window(encoded, (x, y, w, h)), mask[y : y + h, x : x + w]
        )


def test_a_large_mask_with_long_runs_is_read_right():
    mask = np.zeros((3000, 2000), bool)
    mask[100:2900, 150:1900] = True
    mask[1000:1010, ::7] ^= True
    found = rle.decode_window(rle.encode(mask), (140, 90, 900, 1500))
    np.testing.assert_array_equal(found, mask[90:1590, 140:1040])


def test_overlaps_are_those_of_the_masks_also_where_there_are_none():
    left, half, right = (np.zeros((4, 6), bool) for _ in range(3))
    left[:, :4] = half[:2, :4] = right[:, 4:] = True
    one, two, three = map(rle.encode, (left, half, right))
    assert rle.ious([one, three], [two, three]).tolist() == [[0.5, 0.0], [0.0, 1.0]]
    assert rle.covered([two], [one, three]).tolist() == [[1.0, 0.0]]
    assert rle.best_ious([one, three], [two]).tolist() == [0.5, 0.0]
    assert rle.ious([], [one]).shape == (0, 1)
    assert rle.best_ious([one], []).tolist() == [0.0]
