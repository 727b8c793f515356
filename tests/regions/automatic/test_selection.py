"""Which candidates become regions, on masks drawn by hand into the 256 x 256 logits."""

import logging
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from samclr_core.regions.automatic.candidates import Sketch, one_by_one
from samclr_core.regions.automatic.geometry import Frame, by_token
from samclr_core.regions.automatic.selection import Choice, Selection, render
from samclr_core.regions.config import SegmenterConfig

FRAME = Frame(1024, 1024)
POINTS = np.array([(100.0 * n, 50.0) for n in range(9)])
CONFIG = SegmenterConfig()
SURE = 10.0


def sketch(logits: torch.Tensor, iou: float = 0.9, prompt: int = 0) -> Sketch:
    """The proposal of a mask whose logits [256, 256] are known; the prompt points at the middle."""
    blocks = by_token(logits)
    rows, columns = (
        (logits > 0).nonzero().float().mean(0).tolist() if (logits > 0).any() else (0, 0)
    )
    whole = blocks.flatten(0, 1).__getitem__
    return Sketch(blocks[..., 2, 2], iou, prompt, (4 * columns, 4 * rows), whole)


def candidate(
    box: tuple[int, int, int, int], iou: float = 0.9, prompt: int = 0, logit: float = SURE
) -> Sketch:
    """A mask that is a box, X, Y, W, H, in the 256 x 256."""
    x, y, w, h = box
    logits = torch.full((256, 256), -SURE)
    logits[y : y + h, x : x + w] = logit
    return sketch(logits, iou, prompt)


def choices(*sketches: Sketch, config: SegmenterConfig = CONFIG) -> tuple[list[Choice], Counter]:
    dropped: Counter[str] = Counter()
    return list(Selection(FRAME, config, dropped, one_by_one).choices(sketches)), dropped


def chosen(*sketches: Sketch, config: SegmenterConfig = CONFIG):
    """Prompts of the candidates that were chosen, in this order, and the reasons of the others."""
    found, dropped = choices(*sketches, config=config)
    return [choice.candidate.prompt for choice in found], dict(dropped)


def test_the_best_predicted_comes_first_and_both_stay_where_they_lie_apart():
    a = candidate((10, 10, 60, 60), iou=0.85, prompt=0)
    b = candidate((120, 10, 60, 60), iou=0.95, prompt=1)
    assert chosen(a, b) == ([1, 0], {})


def test_a_second_copy_goes_by_its_box():
    better = candidate((10, 10, 60, 60), iou=0.95, prompt=1)
    worse = candidate((12, 10, 60, 60), iou=0.9, prompt=0)
    assert chosen(worse, better) == ([1], {"same_box": 1})


def test_a_second_copy_goes_by_its_mask_where_a_speck_spoils_the_box():
    plain = candidate((10, 10, 60, 60), iou=0.95, prompt=1)
    logits = torch.full((256, 256), -SURE)
    logits[10:70, 10:70] = SURE
    logits[200:208, 200:208] = SURE
    specked = sketch(logits, 0.9, 0)
    assert chosen(specked, plain) == ([1], {"same_mask": 1})
    assert chosen(specked, plain, config=SegmenterConfig(max_mask_iou=1.0)) == (
        [1],
        {"contained": 1},
    )


def test_parts_of_things_stay_and_second_copies_inside_do_not():
    whole = candidate((10, 10, 100, 100), iou=0.95, prompt=0)
    part = candidate((20, 20, 50, 50), iou=0.9, prompt=1)
    assert chosen(whole, part) == ([0, 1], {})
    # 100 x 77 of 100 x 100: inside, over three quarters of it, and of another box.
    most = candidate((10, 10, 100, 77), iou=0.9, prompt=2)
    loose = SegmenterConfig(max_box_iou=1.0)
    assert chosen(whole, most, config=loose) == ([0], {"contained": 1})
    assert chosen(whole, most, config=SegmenterConfig(max_box_iou=1.0, max_containment=1.0)) == (
        [0, 2],
        {},
    )


def test_a_mask_without_a_sharp_edge_is_unstable():
    # Half of the mask is within one logit of the threshold.
    logits = torch.full((256, 256), -SURE)
    logits[10:70, 10:70] = 0.5
    logits[10:70, 10:40] = SURE
    soft = sketch(logits, 0.9, 0)
    assert chosen(soft) == ([], {"unstable": 1})
    ((choice,), _) = choices(soft, config=SegmenterConfig(min_stability=0.4))
    assert choice.stability == pytest.approx(0.5, abs=0.02)


def test_limits_on_area_are_shares_of_the_image():
    box = candidate((0, 0, 64, 64))  # a sixteenth
    assert chosen(box, config=SegmenterConfig(min_area=0.07)) == ([], {"too_small": 1})
    assert chosen(box, config=SegmenterConfig(max_area=0.05)) == ([], {"too_large": 1})
    assert chosen(box, config=SegmenterConfig(min_area=0.05, max_area=0.07)) == ([0], {})


def test_logits_that_never_pass_the_threshold_are_empty():
    assert chosen(candidate((10, 10, 60, 60), logit=-0.5)) == ([], {"empty": 1})


def test_the_reason_of_every_drop_is_logged(caplog):
    caplog.set_level(logging.DEBUG, logger="samclr_core.regions.automatic.selection")
    chosen(candidate((10, 10, 60, 60), 0.95, 7), candidate((11, 10, 60, 60), 0.9, 8))
    assert [record.getMessage() for record in caplog.records] == [
        "prompt 8, predicted IoU 0.900: same_box"
    ]


def test_a_choice_is_rendered_in_the_images_pixels_with_where_it_came_from():
    frame = Frame(512, 512)
    selection = Selection(frame, CONFIG, Counter(), one_by_one)
    (choice,) = selection.choices([candidate((64, 32, 64, 96), prompt=2)])
    region = render(choice, frame, POINTS)
    assert region.bbox == (128, 64, 128, 192)
    assert region.area == 128 * 192
    assert region.point == (200.0, 50.0)
    assert region.predicted_iou == pytest.approx(0.9)
    assert region.stability_score == choice.stability
    assert region.mask().sum() == region.area


def test_a_thing_that_its_outline_loses_is_followed_to_its_end():
    logits = torch.full((256, 256), -SURE)
    logits[100:108, 8:248] = SURE
    beam = sketch(logits, 0.9, 0)
    # Far from the prompt at the left, averages over many tokens know nothing of a narrow beam.
    lost = beam.outline.clone()
    lost[:, 16:] = -SURE
    seen = replace(beam, outline=lost, point=(64.0, 416.0))
    ((choice,), _) = choices(seen)
    assert choice.candidate.box() == (8, 100, 248, 108)
