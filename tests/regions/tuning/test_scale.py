"""A tuned model's predicted IoUs mean what SAM's do to a threshold."""

import numpy as np
import pytest
import torch
from segment_anything.modeling.mask_decoder import MLP

from samclr_core.regions.automatic.segmenter import Segmenter
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.tuning import scale


@pytest.fixture(scope="module")
def segmenter(sam_weights) -> Segmenter:
    return Segmenter(SegmenterConfig(model=str(sam_weights)), "cpu")


def test_the_upper_half_is_distributed_as_before_and_the_order_stays(segmenter):
    head = segmenter.model.mask_decoder.iou_prediction_head
    assert isinstance(head, MLP)
    tokens = torch.randn(60, 256, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        wanted = head(tokens)[:, 1].numpy()
        head.layers[-1].weight.mul_(0.4)
        head.layers[-1].bias.mul_(0.4).sub_(0.3)
        lowered = head(tokens)[:, 1].numpy()
    assert lowered.max() < wanted.max() - 0.1
    scale.keep(segmenter, np.sort(wanted), np.sort(lowered))
    with torch.no_grad():
        kept = head(tokens)[:, 1].numpy()
    assert kept == pytest.approx(wanted, abs=1e-4)
