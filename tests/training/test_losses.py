import math

import pytest
import torch
from lightly.loss import DINOLoss, NTXentLoss
from torch.nn import functional as F

from samclr_core.training.losses import dino, info_nce, nt_xent


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


def test_related_pairs_are_no_negatives() -> None:
    """Pairs 0 and 1 are related: each of their views has the two views of pair 2 alone."""
    torch.manual_seed(0)
    z1, z2 = torch.randn(3, 8), torch.randn(3, 8)
    related = torch.eye(3, dtype=torch.bool)
    torch.testing.assert_close(nt_xent(z1, z2, 0.2, related), nt_xent(z1, z2, 0.2))
    related[0, 1] = related[1, 0] = True
    z = F.normalize(torch.cat([z1, z2]), dim=1)
    similarity = (z @ z.T / 0.2).exp()
    negatives = {0: (2, 5), 1: (2, 5), 2: (0, 1, 3, 4), 3: (2, 5), 4: (2, 5), 5: (0, 1, 3, 4)}
    expected = 0.0
    for view, others in negatives.items():
        positive = similarity[view, (view + 3) % 6]
        rest = sum(similarity[view, other] for other in others)
        expected -= torch.log(positive / (positive + rest)) / 6
    torch.testing.assert_close(nt_xent(z1, z2, 0.2, related), expected)


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


@pytest.mark.parametrize("batch", [1, 3, 16])
@pytest.mark.parametrize("temperature", [0.07, 0.2, 1.0])
@pytest.mark.parametrize(("dim", "queue"), [(4, 1), (16, 7), (128, 256)])
def test_info_nce_is_lightlys_with_a_memory_bank(batch, temperature, dim, queue) -> None:
    torch.manual_seed(batch * dim)
    criterion = NTXentLoss(temperature, memory_bank_size=(queue, dim))
    keys = F.normalize(torch.randn(batch, dim), dim=1)
    queries = (3 * torch.randn(batch, dim)).requires_grad_()
    theirs = queries.detach().clone().requires_grad_()
    bank = criterion.memory_bank.bank.clone()
    everyone = torch.zeros(batch, queue, dtype=torch.bool)
    loss, expected = info_nce(queries, keys, bank, temperature, everyone), criterion(theirs, keys)
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-6)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(queries.grad, theirs.grad, rtol=1e-4, atol=1e-6)


def test_an_excluded_negative_is_as_if_it_were_not_there() -> None:
    torch.manual_seed(0)
    queries, keys, bank = (F.normalize(torch.randn(n, 8), dim=1) for n in (3, 3, 5))
    excluded = torch.zeros(3, 5, dtype=torch.bool)
    excluded[:, [1, 4]] = True
    short = info_nce(queries, keys, bank[[0, 2, 3]], 0.2, excluded[:, [0, 2, 3]])
    torch.testing.assert_close(info_nce(queries, keys, bank, 0.2, excluded), short)
    assert info_nce(queries, keys, bank, 0.2, excluded | True).item() == 0


@pytest.mark.parametrize("batch", [1, 5])
@pytest.mark.parametrize("views", [2, 3, 8])
@pytest.mark.parametrize("prototypes", [2, 64])
@pytest.mark.parametrize("temperatures", [(0.1, 0.04), (0.5, 0.07), (1.0, 1.0)])
def test_dino_is_lightlys(batch, views, prototypes, temperatures) -> None:
    torch.manual_seed(batch * views * prototypes)
    student = torch.randn(views, batch, prototypes).requires_grad_()
    theirs = student.detach().clone().requires_grad_()
    teacher, center = torch.randn(2, batch, prototypes), torch.randn(prototypes)
    criterion = DINOLoss(prototypes, student_temp=temperatures[0])
    criterion.center.data = center[None, None].clone()
    loss = dino(student, teacher, center, *temperatures)
    expected = criterion(list(teacher), list(theirs), teacher_temp=temperatures[1])
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-6)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(student.grad, theirs.grad, rtol=1e-4, atol=1e-6)


def test_dino_by_hand() -> None:
    """Sure answers that agree cost nothing; a student that knows nothing pays log K."""
    sure = 100 * torch.eye(4)[:2]
    both = torch.stack([sure, sure])
    assert dino(both, both, torch.zeros(4), 1.0, 1.0).item() == pytest.approx(0, abs=1e-6)
    unsure = torch.zeros(2, 2, 4)
    expected = pytest.approx(math.log(4), abs=1e-6)
    assert dino(unsure, both, torch.zeros(4), 1.0, 1.0).item() == expected
