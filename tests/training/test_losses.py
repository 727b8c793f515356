import math

import pytest
import torch
from lightly.loss import NTXentLoss

from samclr_core.training.losses import nt_xent


@pytest.mark.parametrize("batch", [2, 3, 8, 33])
@pytest.mark.parametrize("temperature", [0.05, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("dim", [2, 16, 128])
def test_value_and_gradient_are_lightlys(batch: int, temperature: float, dim: int) -> None:
    torch.manual_seed(batch * dim)
    ours = [(3 * torch.randn(batch, dim)).requires_grad_() for _ in range(2)]
    theirs = [z.detach().clone().requires_grad_() for z in ours]
    loss, expected = nt_xent(*ours, temperature), NTXentLoss(temperature)(*theirs)
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-6)
    loss.backward()
    expected.backward()
    for z, reference in zip(ours, theirs, strict=True):
        torch.testing.assert_close(z.grad, reference.grad, rtol=1e-4, atol=1e-6)


def test_two_pairs_by_hand() -> None:
    """Partners equal, pairs orthogonal: each view has e^(1/t) against two e^0 negatives."""
    z = torch.eye(2)
    for temperature in (0.5, 1.0):
        top = math.exp(1 / temperature)
        expected = -math.log(top / (top + 2))
        assert nt_xent(z, 5 * z, temperature).item() == pytest.approx(expected, abs=1e-6)


def test_two_wrong_pairs_by_hand() -> None:
    """Partners orthogonal, and the other pair holds an equal view: e^0 / (e^0 + e^1 + e^0)."""
    z = torch.eye(2)
    expected = -math.log(1 / (2 + math.e))
    assert nt_xent(z, z.flip(0), 1.0).item() == pytest.approx(expected, abs=1e-6)


def test_autocast_does_not_round_the_loss() -> None:
    torch.manual_seed(0)
    z1, z2 = torch.randn(64, 32), torch.randn(64, 32)
    exact = nt_xent(z1, z2, 0.05)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(nt_xent(z1, z2, 0.05), exact)
