import numpy as np
import pytest
import torch

from samclr_core.regions.automatic.candidates import Sketch
from samclr_core.regions.automatic.geometry import Frame
from samclr_core.regions.automatic.prompts import left_out, worth_asking

SIDE = 32


def asked(embedding: torch.Tensor, side: int = SIDE) -> np.ndarray:
    """Which of a square image's prompts, bool [side, side]."""
    frame = Frame(1024, 1024)
    found = np.ones(side * side, bool)
    found[[*left_out(embedding, frame.to_model(frame.grid(side)))]] = False
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


def test_what_a_prompt_is_left_out_for_is_asked_and_beside_it() -> None:
    even = torch.ones(1, 256, 64, 64)
    frame = Frame(1024, 1024)
    omitted = left_out(even, frame.to_model(frame.grid(SIDE)))
    for prompt, alike in omitted.items():
        row, column = divmod(prompt, SIDE)
        assert alike
        assert not omitted.keys() & set(alike)
        for other in alike:
            assert max(abs(row - other // SIDE), abs(column - other % SIDE)) <= 2


def sketch(prompt: int, *parts: tuple[slice, slice]) -> Sketch:
    """A mask of these rows and columns of tokens."""
    outline = torch.full((64, 64), -9.0)
    for part in parts:
        outline[part] = 9.0
    return Sketch(outline, 0.9, prompt, (0.0, 0.0), lambda tokens: tokens)


def test_windows_of_a_facade_are_each_asked_about_and_a_wall_is_not() -> None:
    """Prompt 1 lies between 0 and 2, which it resembles, on tokens 4, 0 and 8 of the first row."""
    points = torch.tensor([[8.0, 8.0], [72.0, 8.0], [136.0, 8.0]])
    omitted = {1: [0, 2]}
    row = slice(0, 2)
    windows = sketch(0, (row, slice(0, 2))), sketch(2, (row, slice(8, 10)))
    wall = [sketch(number, (slice(0, 20), slice(0, 20))) for number in (0, 2)]
    assert worth_asking(omitted, windows, points) == [1]
    assert worth_asking(omitted, [*windows, *wall], points) == [1]
    assert worth_asking(omitted, wall, points) == []
    assert worth_asking(omitted, [windows[0], wall[1]], points) == []
    assert worth_asking(omitted, [], points) == []
    assert worth_asking({}, windows, points) == []
