"""To a threshold, a tuned model's figures mean what SAM's do."""

import numpy as np
import pytest
import torch
from segment_anything.modeling import Sam

from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.sam.models import load_model
from samclr_core.regions.tuning import scale
from samclr_core.regions.tuning.decoder import TrainableDecoder
from samclr_core.regions.tuning.scale import Answers


@pytest.fixture
def model(sam_weights) -> Sam:
    return load_model(str(sam_weights), "cpu")


def answered(model: Sam) -> Answers:
    """The answers to a few points on one picture."""
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(6, 1, 2, generator=generator) * 1000
    labels = torch.ones(6, 1, dtype=torch.int)
    embedding = torch.randn(1, 256, 64, 64, generator=generator) * 0.1
    with torch.no_grad():
        sparse, _ = model.prompt_encoder((points, labels), boxes=None, masks=None)
        logits, iou = TrainableDecoder(model)(embedding, sparse)
    masks = logits[:, 1:].flatten(2).flatten(0, 1)
    return Answers(iou[:, 1:].flatten().numpy(), (masks,))


def test_stability_is_the_iou_of_two_cuts():
    # Over 1: two pixels; over -1: four. At cuts half as far: three and four.
    answers = Answers(np.ones(2), (torch.tensor([[3.0, 1.5, 0.7, -0.4, -2.0], [-9.0] * 5]),))
    assert answers.stability(1.0) == pytest.approx([2 / 4, np.nan], nan_ok=True)
    assert answers.stability(0.5) == pytest.approx([3 / 4, np.nan], nan_ok=True)


def passing(answers: Answers, limits: SegmenterConfig) -> np.ndarray:
    """Which masks pass both thresholds, bool [N]."""
    stable = answers.stability(limits.stability_offset) >= limits.min_stability
    return (answers.iou > limits.min_predicted_iou) & stable


def test_a_model_that_lost_its_scale_gets_it_back(model):
    wanted = answered(model)
    # Thresholds that half of these masks pass: the embedding is noise, which SAM trusts little.
    middle = {
        "min_predicted_iou": float(np.quantile(wanted.iou, 0.4)),
        "min_stability": float(np.quantile(wanted.stability(1.0), 0.4)),
    }
    limits = SegmenterConfig(**middle)
    decoder = model.mask_decoder
    with torch.no_grad():
        head = decoder.iou_prediction_head.layers[-1]
        head.weight.mul_(0.4)
        head.bias.mul_(0.4).sub_(0.3)
        for network in decoder.output_hypernetworks_mlps:
            network.layers[-1].weight.mul_(0.25)
            network.layers[-1].bias.mul_(0.25)
    lost = answered(model)
    assert passing(wanted, limits).sum() >= 3
    assert not passing(lost, limits).any()
    scale.keep(model, wanted, lost, limits)
    found = answered(model)
    assert found.iou == pytest.approx(wanted.iou, abs=1e-4)
    assert passing(found, limits).tolist() == passing(wanted, limits).tolist()
    inside = [one.logits[0] > 0 for one in (found, lost)]
    assert torch.equal(*inside)
