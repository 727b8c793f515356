import numpy as np
import torch
from scipy.stats import ks_2samp
from torchvision.transforms import RandomResizedCrop

from samclr_core.views.boxes import centred_box, random_boxes, widened_box

SCALE, RATIO = (0.08, 1.0), (3 / 4, 4 / 3)


def test_boxes_are_distributed_as_torchvisions() -> None:
    """Every coordinate and the area, on a wide image where some attempts fail."""
    torch.manual_seed(0)
    image = torch.zeros(3, 60, 200)
    theirs = np.array(
        [RandomResizedCrop.get_params(image, list(SCALE), list(RATIO)) for _ in range(4000)]
    )[:, [1, 0, 3, 2]]
    ours = random_boxes(200, 60, SCALE, RATIO, np.random.default_rng(0), count=4000)
    for column in range(4):
        assert ks_2samp(ours[:, column], theirs[:, column]).pvalue > 0.001
    assert ks_2samp(ours[:, 2] * ours[:, 3], theirs[:, 2] * theirs[:, 3]).pvalue > 0.001


def test_boxes_stay_in_the_frame_and_above_the_least_side() -> None:
    boxes = random_boxes(90, 40, SCALE, RATIO, np.random.default_rng(1), least_side=16, count=3000)
    x, y, w, h = boxes.T
    assert (boxes[:, :2] >= 0).all()
    assert (x + w <= 90).all()
    assert (y + h <= 40).all()
    assert w.min() >= 16
    assert h.min() >= 16


def test_a_frame_smaller_than_the_least_side_is_still_cut() -> None:
    boxes = random_boxes(9, 7, SCALE, RATIO, np.random.default_rng(2), least_side=16, count=10)
    assert (boxes[:, 2] == 9).all()
    assert (boxes[:, 3] == 7).all()


def test_where_nothing_fits_the_largest_centred_crop_is_cut() -> None:
    boxes = random_boxes(400, 10, (0.9, 1.0), RATIO, np.random.default_rng(3), count=5)
    torch.manual_seed(0)
    i, j, h, w = RandomResizedCrop.get_params(torch.zeros(3, 10, 400), [0.9, 1.0], list(RATIO))
    assert {tuple(box) for box in boxes.tolist()} == {(j, i, w, h)}
    assert centred_box(400, 10, RATIO) == (j, i, w, h)


def test_a_box_is_widened_by_its_own_sides_and_stays_in_the_image() -> None:
    assert widened_box((40, 30, 20, 10), 0.5, 200, 100) == (30, 25, 40, 20)
    assert widened_box((5, 90, 20, 10), 1.0, 200, 100) == (0, 80, 45, 20)
    assert widened_box((5, 90, 20, 10), 0.0, 200, 100) == (5, 90, 20, 10)
