import math

import pytest
import torch

from samclr_core.training import health


def test_collapsed_embeddings_show() -> None:
    same = torch.ones(64, 1) * torch.randn(1, 32)
    assert health.embedding_std(same) == pytest.approx(0, abs=1e-5)
    assert health.effective_rank(same) == pytest.approx(1, abs=0.01)
    assert health.uniformity(same) == pytest.approx(0, abs=1e-5)


def test_evenly_spread_embeddings_show() -> None:
    torch.manual_seed(0)
    even = torch.randn(2000, 32)
    assert health.embedding_std(even) == pytest.approx(1, abs=0.02)
    assert 30 < health.effective_rank(even) <= 32
    # On the sphere in many dimensions, squared distances gather at 2: log e^-4.
    assert health.uniformity(even) == pytest.approx(-4, abs=0.3)


def test_rank_of_a_subspace() -> None:
    torch.manual_seed(0)
    basis, _ = torch.linalg.qr(torch.randn(32, 5))
    plane = torch.linalg.qr(torch.randn(200, 5))[0] @ basis.T
    assert health.effective_rank(plane) == pytest.approx(5, abs=0.01)


def test_alignment_by_hand() -> None:
    z = torch.eye(2)
    assert health.alignment(z, 3 * z) == 0
    assert health.alignment(z, z.flip(0)) == pytest.approx(2)
    assert health.alignment(z, -z) == pytest.approx(4)


def test_uniformity_by_hand() -> None:
    """Two orthogonal points: squared distance 2, log e^-4."""
    assert health.uniformity(torch.eye(2)) == pytest.approx(-4)
    assert math.isfinite(health.uniformity(torch.randn(50, 8)))
