"""SAM's loss, held to values worked out by hand and to other libraries."""

import math

import pytest
import torch
from torch.nn import functional as F

from samclr_core.regions.tuning import losses

CERTAIN = 30.0
"""A logit whose sigmoid is 1 to the last bit that matters."""


def one(values: list[float]) -> torch.Tensor:
    """One prompt, one mask."""
    return torch.tensor(values)[None, None]


def test_focal_by_hand():
    # At logit 0 of a true pixel p = 1/2: 0.25 * (1/2)^2 * ln 2; of a false one 0.75 instead.
    found = losses.focal(one([0.0, 0.0]), one([1.0, 0.0]), torch.ones(1, 2))
    assert found.item() == pytest.approx((0.25 + 0.75) * 0.25 * math.log(2) / 2)


def test_focal_is_weighted_cross_entropy_with_its_easy_pixels_taken_back():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 2, 50, generator=generator)
    target = (torch.rand(3, 2, 50, generator=generator) > 0.5).float()
    weights = torch.rand(3, 50, generator=generator) * 3
    right = torch.where(target > 0, logits.sigmoid(), 1 - logits.sigmoid())
    alpha = torch.where(target > 0, 0.25, 0.75)
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    values = alpha * (1 - right) ** 2 * entropy * weights[:, None]
    wanted = values.sum(-1) / weights.sum(-1)[:, None]
    assert torch.allclose(losses.focal(logits, target, weights), wanted, atol=1e-6)


def test_dice_by_hand():
    # Prediction {a, b}, truth {b, c}: 1 - (2 * 1 + 1) / (2 + 2 + 1).
    logits = one([CERTAIN, CERTAIN, -CERTAIN, -CERTAIN])
    target = one([0.0, 1.0, 1.0, 0.0])
    assert losses.dice(logits, target, torch.ones(1, 4)).item() == pytest.approx(0.4)
    # b stands for three pixels: 1 - (2 * 3 + 1) / (4 + 4 + 1).
    weighted = losses.dice(logits, target, torch.tensor([[1.0, 3.0, 1.0, 1.0]]))
    assert weighted.item() == pytest.approx(2 / 9)


def test_iou_by_hand():
    logits = one([1.0, 1.0, -1.0, -1.0])
    target = torch.tensor([[False, True, True, False]])
    assert losses.iou(logits, target, torch.ones(1, 4)).item() == pytest.approx(1 / 3)
    unknown = torch.tensor([[0.0, 1.0, 1.0, 1.0]])
    assert losses.iou(logits, target, unknown).item() == pytest.approx(1 / 2)


def test_only_the_best_mask_is_taught_and_every_iou_is_held_to_the_real_one():
    target = torch.tensor([[True, True, False, False]])
    right, wrong = [2.0, 2.0, -2.0, -2.0], [-2.0, -2.0, 2.0, 2.0]
    logits = torch.tensor([[wrong, right]], requires_grad=True)
    predicted = torch.tensor([[0.5, 0.5]], requires_grad=True)
    loss = losses.prompt_loss(logits, predicted, target, torch.ones(1, 4))
    # The real IoUs are 0 and 1.
    assert loss.iou.item() == pytest.approx(0.25)
    loss.total.backward()
    assert logits.grad is not None
    assert predicted.grad is not None
    assert logits.grad[0, 0].abs().sum() == 0
    assert logits.grad[0, 1].abs().min() > 0
    assert predicted.grad.tolist() == [[0.5, -0.5]]


def test_mask_loss_is_focal_to_dice_as_twenty_to_one():
    target = torch.tensor([[True, False]])
    logits, weights = one([0.3, -0.2]), torch.ones(1, 2)
    loss = losses.prompt_loss(logits, torch.zeros(1, 1), target, weights)
    wide = target[:, None].float()
    wanted = 20 * losses.focal(logits, wide, weights) + losses.dice(logits, wide, weights)
    assert loss.mask.item() == pytest.approx(wanted.item())
