"""Prompts lie where their masks say."""

import numpy as np
import pytest

from samclr_core.regions.tuning.prompts import INSIDE_CLICKS, NO_CLICK, draw


@pytest.fixture
def mask() -> np.ndarray:
    mask = np.zeros((40, 60), bool)
    mask[10:30, 20:50] = True
    mask[12:28, 22:48] = False
    return mask


def at(mask: np.ndarray, points: np.ndarray) -> np.ndarray:
    columns, rows = points.astype(int).T
    return mask[rows, columns]


def test_points_lie_on_the_mask_everywhere_on_it(mask):
    points = draw("point", [mask] * 3000, np.random.default_rng(0)).coordinates[:, 0]
    assert at(mask, points).all()
    assert len(np.unique(points, axis=0)) > 0.99 * mask.sum()


def test_boxes_are_the_mask_s_with_noise_of_a_tenth_of_their_sides(mask):
    boxes = draw("box", [mask] * 3000, np.random.default_rng(0)).coordinates
    assert np.allclose(boxes.mean(0), [[20, 10], [50, 30]], atol=0.2)
    # 20 pixels of the model's 1024 are 1.17 of this image's 60: no edge moves further.
    assert np.abs(boxes - [[20, 10], [50, 30]]).max() == pytest.approx(20 * 60 / 1024)


def test_clicks_are_some_inside_and_one_close_outside(mask):
    prompts = draw("clicks", [mask] * 200, np.random.default_rng(0))
    assert prompts.labels.tolist() == [[1] * INSIDE_CLICKS + [0]] * 200
    for points in prompts.coordinates:
        assert at(mask, points).tolist() == [True] * INSIDE_CLICKS + [False]
    assert prompts.coordinates[:, -1].min(0).tolist() >= [12, 5]
    assert prompts.coordinates[:, -1].max(0).tolist() <= [58, 36]


def test_a_mask_that_fills_the_image_has_no_click_outside():
    prompts = draw("clicks", [np.ones((8, 8), bool)], np.random.default_rng(0))
    assert prompts.labels[0, -1] == NO_CLICK


def test_three_masks_answer_a_point_and_the_single_one_the_rest(mask):
    rng = np.random.default_rng(0)
    masks = list(range(4))
    assert masks[draw("clicks", [mask], rng).answers] == [0]
    assert masks[draw("point", [mask], rng).answers] == [1, 2, 3]
    assert masks[draw("box", [mask], rng).answers] == [0]
