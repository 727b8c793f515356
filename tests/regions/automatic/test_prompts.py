import numpy as np
import pytest
import torch

from samclr_core.regions.automatic.geometry import Frame
from samclr_core.regions.automatic.prompts import worth_asking

SIDE = 32


def asked(embedding: torch.Tensor, side: int = SIDE) -> np.ndarray:
    """Which of a square image's prompts, bool [side, side]."""
    frame = Frame(1024, 1024)
    found = np.zeros(side * side, bool)
    found[worth_asking(embedding, frame.to_model(frame.grid(side)))] = True
    return found.reshape(side, side)


def test_where_all_looks_alike_few_are_asked_and_none_is_far_from_them() -> None:
    halves = torch.zeros(1, 256, 64, 64)
    halves[:, 0, :, :32], halves[:, 1, :, 32:] = 1, 1
    found = asked(halves)
    assert found[::4, ::4].all()
    assert found.mean() < 0.25
    for row, column in np.argwhere(~found):
        half = slice(0, 16) if column < 16 else slice(16, 32)
        beside = np.zeros_like(found)
        beside[max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3] = True
        assert (found & beside)[:, half].any()


def test_where_nothing_is_alike_all_are_asked() -> None:
    noise = torch.randn(1, 256, 64, 64, generator=torch.Generator().manual_seed(0))
    assert asked(noise).all()


@pytest.mark.parametrize("side", [1, 2, 3, 5, 12])
def test_any_grid_will_do(side: int) -> None:
    noise = torch.randn(1, 256, 64, 64, generator=torch.Generator().manual_seed(0))
    assert asked(noise, side).all()
    assert asked(torch.ones(1, 256, 64, 64), side).sum() >= -((-side // 4) ** 2)


def test_a_small_thing_on_an_even_ground_is_asked_about() -> None:
    ground = torch.zeros(1, 256, 64, 64)
    ground[:, 0] = 1
    ground[:, 0, 18:22, 42:46], ground[:, 1, 18:22, 42:46] = 0, 1
    found = asked(ground)
    assert found[9:11, 21:23].any()
    assert found.mean() < 0.25
