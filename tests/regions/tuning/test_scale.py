"""To a threshold, a tuned model's figures mean what SAM's do."""

import numpy as np
import pytest
import torch
from segment_anything.modeling import Sam

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
    # Over 1: two pixels; over -1: four. With logits twice as large: three and four.
    answers = Answers(np.ones(1), (torch.tensor([[3.0, 1.5, 0.7, -0.4, -2.0]]),))
    assert answers.stability() == pytest.approx(2 / 4)
    assert answers.stability(2.0) == pytest.approx(3 / 4)


def test_a_model_that_lost_its_scale_gets_it_back(model):
    wanted = answered(model)
    decoder = model.mask_decoder
    with torch.no_grad():
        head = decoder.iou_prediction_head.layers[-1]
        head.weight.mul_(0.4)
        head.bias.mul_(0.4).sub_(0.3)
        for network in decoder.output_hypernetworks_mlps:
            network.layers[-1].weight.mul_(0.25)
            network.layers[-1].bias.mul_(0.25)
    lost = answered(model)
    assert lost.iou.max() < wanted.iou.max() - 0.1
    assert lost.stability() < wanted.stability() - 0.05
    scale.keep(model, wanted, lost)
    found = answered(model)
    assert found.iou == pytest.approx(wanted.iou, abs=1e-4)
    assert found.stability() == pytest.approx(wanted.stability(), abs=0.01)
    inside = [one.logits[0] > 0 for one in (found, lost)]
    assert torch.equal(*inside)
