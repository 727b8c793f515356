from functools import partial

import numpy as np
import pytest
import torch

from samclr_core.regions.automatic.candidates import Candidate, Sketch
from samclr_core.regions.automatic.outlines import Outlines, as_bits, boxes_of, count, tokens_of
from samclr_core.regions.automatic.reasons import SAME_BOX, SAME_MASK, UNSTABLE
from samclr_core.regions.config import SegmenterConfig

HEIGHT, WIDTH = 48, 64


def sketch(*boxes: tuple[int, int, int, int], high: float = 9.0, ring: float = -9.0) -> Sketch:
    """A mask of boxes of tokens, X, Y, and X, Y after the last, with ``ring`` logits around."""
    outline = torch.full((HEIGHT, WIDTH), -9.0)
    for x0, y0, x1, y1 in boxes:
        outline[max(y0 - 1, 0) : y1 + 1, max(x0 - 1, 0) : x1 + 1] = ring
    for x0, y0, x1, y1 in boxes:
        outline[y0:y1, x0:x1] = high
    return Sketch(outline, 0.9, 0, (0.0, 0.0), partial(_never, outline))


def _never(outline: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    raise AssertionError("an outline was drawn")


def mask(x0: int, y0: int, x1: int, y1: int) -> Candidate:
    """The mask of a box of tokens, in the 256 x 256."""
    return Candidate(torch.ones(4 * (y1 - y0), 4 * (x1 - x0)), 4 * y0, 4 * x0, 0.9, 0)


def test_bits_count_and_box() -> None:
    inside = np.zeros((3, 64, 64), bool)
    inside[0, 3:7, 60:64] = inside[1, 0, 0] = True
    bits = as_bits(inside)
    assert count(bits).tolist() == [16, 1, 0]
    assert boxes_of(bits).tolist() == [[60, 3, 64, 7], [0, 0, 1, 1], [0, 0, 0, 0]]


def test_copies_of_a_kept_mask_need_not_be_drawn() -> None:
    thing, copy, other = (10, 10, 30, 30), (10, 11, 30, 30), (40, 5, 50, 15)
    outlines = Outlines([sketch(thing), sketch(copy), sketch(other)], SegmenterConfig())
    assert outlines.reasons == [None, None, None]
    outlines.keep(0, mask(*thing))
    assert outlines.reasons == [None, SAME_BOX, None]


def test_a_copy_with_an_outlier_has_the_same_mask_in_another_box() -> None:
    thing = (10, 10, 30, 30)
    outlines = Outlines([sketch(thing), sketch(thing, (60, 40, 62, 42))], SegmenterConfig())
    outlines.keep(0, mask(*thing))
    assert outlines.reasons == [None, SAME_MASK]


def test_the_same_again_is_refused_for_the_same_reason_and_earlier_ones_stay() -> None:
    thing = (10, 10, 30, 30)
    outlines = Outlines([sketch(thing) for _ in range(3)], SegmenterConfig())
    outlines.refuse(1, "a reason")
    assert outlines.reasons == [None, "a reason", "a reason"]


def test_those_lie_apart_that_cannot_be_copies_of_an_undecided_one_before() -> None:
    thing, copy, other, empty = (10, 10, 30, 30), (10, 11, 30, 30), (40, 5, 50, 15), (0, 0, 0, 0)
    boxes = [other, thing, copy, other, empty, (32, 20, 36, 24)]
    outlines = Outlines([sketch(box) for box in boxes], SegmenterConfig())
    outlines.refuse(4, "empty")
    assert outlines.apart(1, 10) == [1, 3, 5]
    assert outlines.apart(1, 3) == [1, 3]
    assert outlines.apart(2, 10) == [2, 3, 5]
    assert outlines.apart(5, 10) == [5]


def test_a_token_belongs_to_a_mask_that_has_half_of_it() -> None:
    """Of the 4 x 4 of each: 8 and 7 of those beside each other, one in each row of the next."""
    logits = torch.full((4, 12), -1.0)
    logits[:2, :4] = logits[2:, 4:8] = logits[:, 8] = 1
    logits[3, 7] = -1
    inside = tokens_of(Candidate(logits, 8, 20, 0.9, 0))
    assert np.argwhere(inside).tolist() == [[2, 5]]
    rng = np.random.default_rng(0)
    mask = Candidate(torch.from_numpy(rng.normal(size=(256, 256))), 0, 0, 0.9, 0)
    shares = (mask.logits.numpy() > 0).reshape(64, 4, 64, 4).mean((1, 3))
    assert np.array_equal(tokens_of(mask), shares >= 0.5)


def test_single_tokens_are_too_coarse_to_compare() -> None:
    dots = [sketch((5, 5, 6, 6)) for _ in range(2)]
    outlines = Outlines(dots, SegmenterConfig())
    outlines.refuse(0, "a reason")
    assert outlines.reasons == ["a reason", None]


@pytest.mark.parametrize(("ring", "reason"), [(-9.0, None), (-0.5, UNSTABLE)])
def test_a_mask_that_wavers_by_far_is_not_drawn(ring: float, reason: str | None) -> None:
    """Its ring of 28 tokens around 36 lies between the two cuts."""
    (found,) = Outlines([sketch((10, 10, 16, 16), ring=ring)], SegmenterConfig()).reasons
    assert found == reason


def test_chunks_make_no_difference() -> None:
    boxes = [(x, y, x + 5, y + 4) for y in range(0, 40, 3) for x in range(0, 56, 4)]
    outlines = Outlines([sketch(box) for box in boxes], SegmenterConfig())
    assert outlines.tokens.tolist() == [20] * len(boxes)
    assert outlines.boxes.astype(int).tolist() == [list(box) for box in boxes]
    assert Outlines([], SegmenterConfig()).reasons == []
