import numpy as np
import pytest
import torch
from torch import nn

from samclr_core.evaluation.features import (
    COLOUR_DIM,
    NotFrozenError,
    colour_statistics,
    embed,
    fit,
    weights_digest,
)
from samclr_core.training.backbones import build


class Forgetful(nn.Module):
    """Counts its calls in a buffer, as a careless batch norm would."""

    def __init__(self, persistent=True):
        super().__init__()
        self.register_buffer("calls", torch.zeros(1), persistent=persistent)

    def forward(self, images):
        self.calls += 1
        return images.mean(dim=(2, 3))


def photos(count=5, height=40, width=60):
    rng = np.random.default_rng(0)
    return list(rng.integers(0, 256, (count, height, width, 3), dtype=np.uint8))


def test_embedding_leaves_the_backbone_as_it_was():
    torch.manual_seed(0)
    backbone = build("resnet18").train()
    before = weights_digest(backbone)
    features = embed(backbone, photos(), 32)
    assert features.shape == (5, 512)
    assert features.dtype == np.float32
    assert weights_digest(backbone) == before
    assert backbone.training


@pytest.mark.parametrize("persistent", [True, False])
def test_a_backbone_that_changes_is_found_out(persistent):
    with pytest.raises(NotFrozenError):
        embed(Forgetful(persistent), photos(), 32)


def test_batches_do_not_matter(monkeypatch):
    torch.manual_seed(0)
    backbone = build("resnet18")
    at_once = embed(backbone, photos(), 32)
    monkeypatch.setattr("samclr_core.evaluation.features.BATCH", 2)
    np.testing.assert_allclose(embed(backbone, photos(), 32), at_once, rtol=1e-4, atol=1e-5)


def test_an_image_is_cut_to_a_square_from_its_middle():
    image = np.zeros((20, 60, 3), np.uint8)
    image[:, 20:40] = 200
    # Antialiasing lets a little of the neighbours into the outermost columns.
    assert (fit(image, 10)[:, 1:-1] == 200).all()
    assert fit(image, 10).min() > 150
    assert fit(image[:4, :4], 10).shape == (10, 10, 3)
    square = photos(1, 16, 16)[0]
    assert fit(square, 16) is square


def test_colour_statistics_by_hand():
    image = np.zeros((2, 2, 3), np.uint8)
    image[0, :, 0] = 255
    features = colour_statistics([image])[0]
    assert features.shape == (COLOUR_DIM,)
    assert features[:6].tolist() == [0.5, 0, 0, 0.5, 0, 0]
    red, green, blue = features[6:].reshape(3, 16)
    assert (red[0], red[15]) == (0.5, 0.5)
    assert green[0] == blue[0] == 1


def test_colour_statistics_know_no_place():
    image = photos(1)[0]
    turned = image[::-1, ::-1]
    np.testing.assert_allclose(*colour_statistics([image, turned]), atol=1e-6)
