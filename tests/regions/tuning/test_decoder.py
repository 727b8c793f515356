"""The quick form of the mask decoder, held to segment-anything's own."""

import pytest
import torch
from segment_anything.modeling import Sam

from samclr_core.regions.automatic.geometry import as_picture
from samclr_core.regions.sam.models import load_model
from samclr_core.regions.tuning.decoder import TrainableDecoder

PROMPTS = 3


@pytest.fixture(scope="module")
def model(sam_weights) -> Sam:
    return load_model(str(sam_weights), "cpu")


@pytest.fixture(scope="module")
def question(model) -> tuple[torch.Tensor, torch.Tensor]:
    """An image's embedding, and three prompts of two points."""
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(PROMPTS, 2, 2, generator=generator) * 1000
    labels = torch.tensor([[1, 0]]).expand(PROMPTS, -1)
    with torch.no_grad():
        sparse, _ = model.prompt_encoder((points, labels), boxes=None, masks=None)
    return torch.randn(1, 256, 64, 64, generator=generator) * 0.1, sparse


def reference(model: Sam, embedding: torch.Tensor, sparse: torch.Tensor):
    dense = model.prompt_encoder.no_mask_embed.weight.reshape(1, -1, 1, 1)
    dense = dense.expand(PROMPTS, -1, 64, 64)
    place = model.prompt_encoder.get_dense_pe()
    return model.mask_decoder.predict_masks(embedding, place, sparse, dense)


def test_it_answers_as_segment_anything_does(model, question):
    with torch.no_grad():
        wanted, wanted_iou = reference(model, *question)
        found, iou = TrainableDecoder(model)(*question)
    assert (
        as_picture(found.unflatten(2, (64, 64))) - wanted
    ).abs().max() < 1e-4 * wanted.abs().max()
    assert torch.allclose(iou, wanted_iou, atol=1e-5)


def test_it_learns_as_segment_anything_does(model, question):
    parameters = list(model.mask_decoder.parameters())

    def gradients(logits: torch.Tensor, iou: torch.Tensor) -> list[torch.Tensor]:
        # Some biases are without effect, which only the quick form knows.
        target = logits.sigmoid().mean() + iou.sum()
        found = torch.autograd.grad(target, parameters, materialize_grads=True)
        return [one.flatten() for one in found]

    wanted = torch.cat(gradients(*reference(model, *question)))
    logits, iou = TrainableDecoder(model)(*question)
    found = torch.cat(gradients(as_picture(logits.unflatten(2, (64, 64))), iou))
    assert (found - wanted).norm() < 1e-4 * wanted.norm()


def test_logits_of_some_places_are_those_of_the_whole(model, question):
    places = torch.tensor([[5, 4095, 70]]).expand(PROMPTS, -1)
    with torch.no_grad():
        some, _ = TrainableDecoder(model)(*question, places)
        everything, _ = TrainableDecoder(model)(*question)
    assert torch.allclose(some, everything[:, :, [5, 4095, 70]], atol=1e-3)
