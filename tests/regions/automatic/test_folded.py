"""The decoder that shares the image's work among prompts, held to segment-anything's modules."""

from functools import partial

import pytest
import torch

from samclr_core.regions.automatic.candidates import Sketch
from samclr_core.regions.automatic.decoder import Prompted, ReferenceDecoder
from samclr_core.regions.automatic.folded import FoldedDecoder
from samclr_core.regions.automatic.geometry import Frame
from samclr_core.regions.automatic.pyramid import tile_of
from samclr_core.regions.sam.models import mobile_sam

FRAMES = [Frame(1024, 1024), Frame(600, 1000), Frame(1000, 333)]
ALL = -9.0
EVERY_TOKEN = torch.arange(64 * 64)


@pytest.fixture(scope="module")
def decoders() -> tuple[FoldedDecoder, ReferenceDecoder]:
    """Both, on the same random weights: the algebra must hold for any."""
    torch.manual_seed(0)
    model = mobile_sam().eval()
    for parameter in model.mask_decoder.parameters():
        # Random weights of torch's scale leave the attention even; sharper ones tell more.
        parameter.data.mul_(1.5)
    return FoldedDecoder(model, foveated=False), ReferenceDecoder(model)


@pytest.fixture(scope="module")
def embedding() -> torch.Tensor:
    return torch.randn(1, 256, 64, 64, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def points() -> torch.Tensor:
    return torch.rand(5, 2, generator=torch.Generator().manual_seed(2)) * 1023


def decoded(decoder, embedding, frame, points, min_iou: float = ALL) -> list[Sketch]:
    """The sketches of all prompts, in one order for both decoders."""
    images = [Prompted(embedding, frame, points)]
    (answers,) = decoder.sketches(images, min_iou, lambda done: None)
    assert answers.asked == len(points)
    return sorted(answers.sketches, key=lambda sketch: sketch.prompt)


def same(ours: list[Sketch], theirs: list[Sketch], tolerance: float = 1e-4) -> None:
    assert len(ours) == len(theirs) > 0
    for one, other in zip(ours, theirs, strict=True):
        assert (one.prompt, one.point) == (other.prompt, other.point)
        assert one.predicted_iou == pytest.approx(other.predicted_iou, abs=tolerance)
        wanted = other.logits(EVERY_TOKEN)
        scale = wanted.abs().max()
        assert scale > 0.1, "logits that differ from zero"
        near = partial(torch.testing.assert_close, rtol=0, atol=tolerance)
        near(one.logits(EVERY_TOKEN) / scale, wanted / scale)
        near(one.outline / scale, other.outline / scale)


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: f"{frame.width}x{frame.height}")
def test_all_logits_and_scores_are_the_same(decoders, embedding, points, frame):
    ours, theirs = (decoded(decoder, embedding, frame, points) for decoder in decoders)
    assert len(ours) == 3 * len(points)
    assert ours[0].outline.shape == frame.tokens_used
    same(ours, theirs)


@pytest.mark.parametrize("which", [0, 1], ids=["folded", "reference"])
def test_images_decoded_together_are_as_each_alone(decoders, embedding, points, which):
    """With batches of two, the five prompts of an image share one with the next image's."""
    decoder = (decoders[0], ReferenceDecoder(decoders[1].model, batch=2))[which]
    turned = [embedding, embedding.flip(-1), embedding.flip(-2)]
    images = [Prompted(*one, points) for one in zip(turned, FRAMES, strict=True)]
    told: list[int] = []
    coming = decoder.sketches(images, ALL, told.append)
    for number, image in enumerate(images, start=1):
        found = sorted(next(coming).sketches, key=lambda sketch: sketch.prompt)
        assert number * len(points) <= told[-1] <= number * len(points) + 1, "no more than asked"
        same(found, decoded(decoders[1], image.embedding, image.frame, points))
    assert told[-1] == 3 * len(points)
    assert list(coming) == []


@pytest.mark.parametrize("which", [0, 1], ids=["folded", "reference"])
def test_prompts_left_out_are_asked_where_the_others_found_something_else(
    decoders, embedding, points, which, monkeypatch
):
    """Two images; whatever is asked, and when, a prompt finds what it finds alone."""
    decoder = (decoders[0], ReferenceDecoder(decoders[1].model, batch=2))[which]
    everything = decoded(decoders[1], embedding, FRAMES[0], points)
    told: list[tuple[int, int]] = []

    def after_all(omitted, sketches, points):
        told.append((len(omitted), len({sketch.prompt for sketch in sketches})))
        return [4] if omitted else []

    monkeypatch.setattr("samclr_core.regions.automatic.decoder.worth_asking", after_all)
    images = [
        Prompted(embedding, FRAMES[0], points, {1: [0], 4: [0, 2]}),
        Prompted(embedding.flip(-1), FRAMES[1], points),
    ]
    coming = decoder.sketches(images, ALL, lambda done: None)
    answers = next(coming)
    same(
        sorted(answers.sketches, key=lambda sketch: sketch.prompt), everything[:3] + everything[6:]
    )
    assert [answers.asked, next(coming).asked] == [4, 5]
    assert told == [(2, 3), (0, 5)]


@pytest.mark.parametrize("which", [0, 1], ids=["folded", "reference"])
def test_masks_drawn_together_are_as_each_alone(decoders, embedding, points, which):
    """At tokens of its own each, of which one has many more than the others."""
    decoder = decoders[which]
    sketches = decoded(decoder, embedding, FRAMES[0], points)[:7]
    drawn = torch.Generator().manual_seed(3)
    tokens = [torch.randperm(4096, generator=drawn)[:count] for count in (3, 1, 500, 40, 61, 2, 3)]
    found = decoder.logits(sketches, tokens)
    for sketch, own, together in zip(sketches, tokens, found, strict=True):
        assert together.shape == (len(own), 4, 4)
        alone = sketch.logits(own)
        torch.testing.assert_close(together, alone, rtol=0, atol=1e-4 * float(alone.abs().max()))


def test_the_reference_is_what_segment_anything_computes(decoders, embedding, points):
    """Images go in with the dense embeddings; the sums must be the decoder's own."""
    model = decoders[1].model
    labels = torch.ones(len(points), 1, dtype=torch.int)
    sparse, dense = model.prompt_encoder((points[:, None], labels), boxes=None, masks=None)
    pe = model.prompt_encoder.get_dense_pe()
    with torch.inference_mode():
        wanted = model.mask_decoder(embedding, pe, sparse, dense, multimask_output=True)
        found = decoders[1].predict(points, embedding.expand(len(points), -1, -1, -1))
    torch.testing.assert_close(found, wanted)


def test_only_sketches_over_the_limit_come_back(decoders, embedding, points):
    for decoder in decoders:
        every = decoded(decoder, embedding, FRAMES[0], points)
        scores = sorted(sketch.predicted_iou for sketch in every)
        limit = scores[len(scores) // 2]
        over = [s.predicted_iou for s in decoded(decoder, embedding, FRAMES[0], points, limit)]
        assert sorted(over) == scores[len(scores) // 2 + 1 :]


def test_foveated_prompts_are_batched_by_tile_and_all_answered(decoders, embedding, points):
    folded = FoldedDecoder(decoders[0].model)
    batches = folded.batches(points, range(len(points)))
    assert sorted(torch.cat(batches).tolist()) == list(range(len(points)))
    assert all(len(set(tile_of(points[prompts]).tolist())) == 1 for prompts in batches)
    found = decoded(folded, embedding, FRAMES[0], points)
    assert [sketch.prompt for sketch in found] == [p for p in range(5) for _ in range(3)]


def test_where_an_image_is_even_a_foveated_prompt_sees_what_a_full_one_sees(decoders, points):
    """Averages of equal tokens are those tokens; only the position differs within an average."""
    even = torch.ones(1, 256, 64, 64)
    full, foveated = (
        decoded(decoder, even, FRAMES[0], points)
        for decoder in (decoders[0], FoldedDecoder(decoders[0].model))
    )
    for one, other in zip(foveated, full, strict=True):
        wanted = other.logits(EVERY_TOKEN)
        close = (one.logits(EVERY_TOKEN) - wanted).abs().mean()
        assert close < 0.1 * wanted.std()


def test_weights_that_change_are_minded(embedding, points):
    """A model that is being tuned is asked in between."""
    torch.manual_seed(1)
    model = mobile_sam().eval()
    folded = FoldedDecoder(model, foveated=False)
    decoded(folded, embedding, FRAMES[0], points)
    with torch.no_grad():
        for parameter in model.mask_decoder.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter) * parameter.std(correction=0))
    same(*(decoded(one, embedding, FRAMES[0], points) for one in (folded, ReferenceDecoder(model))))
