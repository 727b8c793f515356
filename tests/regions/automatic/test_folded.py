"""The decoder that shares the image's work among prompts, held to segment-anything's modules."""

import pytest
import torch

from samclr_core.regions.automatic.candidates import Sketch
from samclr_core.regions.automatic.decoder import ReferenceDecoder
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


def decoded(decoder, points: torch.Tensor, min_iou: float = ALL) -> list[Sketch]:
    """The sketches of all prompts, in one order for both decoders."""
    batches = decoder.batches(points)
    found = [s for prompts in batches for s in decoder.decode(points[prompts], prompts, min_iou)]
    return sorted(found, key=lambda sketch: sketch.prompt)


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: f"{frame.width}x{frame.height}")
def test_all_logits_and_scores_are_the_same(decoders, embedding, points, frame):
    for decoder in decoders:
        decoder.set_image(embedding, frame)
    ours, theirs = (decoded(decoder, points) for decoder in decoders)
    assert len(ours) == len(theirs) == 3 * len(points)
    for one, other in zip(ours, theirs, strict=True):
        assert (one.prompt, one.point) == (other.prompt, other.point)
        assert one.predicted_iou == pytest.approx(other.predicted_iou, abs=1e-4)
        wanted = other.logits(EVERY_TOKEN)
        scale = wanted.abs().max()
        assert scale > 0.1, "logits that differ from zero"
        torch.testing.assert_close(
            one.logits(EVERY_TOKEN) / scale, wanted / scale, rtol=0, atol=1e-4
        )
        torch.testing.assert_close(one.outline / scale, other.outline / scale, rtol=0, atol=1e-4)
        assert one.outline.shape == frame.tokens_used


def test_a_new_image_takes_the_old_ones_place(decoders, embedding, points):
    decoders[0].set_image(embedding, FRAMES[0])
    for decoder in decoders:
        decoder.set_image(embedding.flip(-1), FRAMES[0])
    ours, theirs = (decoded(decoder, points) for decoder in decoders)
    torch.testing.assert_close(
        [sketch.predicted_iou for sketch in ours],
        [sketch.predicted_iou for sketch in theirs],
        rtol=1e-4,
        atol=1e-4,
    )


def test_only_sketches_over_the_limit_come_back(decoders, embedding, points):
    folded, _ = decoders
    folded.set_image(embedding, FRAMES[0])
    scores = sorted(sketch.predicted_iou for sketch in decoded(folded, points))
    limit = scores[len(scores) // 2]
    over = [sketch.predicted_iou for sketch in decoded(folded, points, limit)]
    assert sorted(over) == scores[len(scores) // 2 + 1 :]


def test_foveated_prompts_are_batched_by_tile_and_all_answered(decoders, embedding, points):
    folded = FoldedDecoder(decoders[0].model)
    folded.set_image(embedding, FRAMES[0])
    batches = folded.batches(points)
    assert sorted(torch.cat(batches).tolist()) == list(range(len(points)))
    assert all(len(set(tile_of(points[prompts]).tolist())) == 1 for prompts in batches)
    assert [s.prompt for s in decoded(folded, points)] == [p for p in range(5) for _ in range(3)]


def test_where_an_image_is_even_a_foveated_prompt_sees_what_a_full_one_sees(decoders, points):
    """Averages of equal tokens are those tokens; only the position differs within an average."""
    even = torch.ones(1, 256, 64, 64)
    full, foveated = decoders[0], FoldedDecoder(decoders[0].model)
    for decoder in (full, foveated):
        decoder.set_image(even, FRAMES[0])
    for one, other in zip(decoded(foveated, points), decoded(full, points), strict=True):
        wanted = other.logits(EVERY_TOKEN)
        close = (one.logits(EVERY_TOKEN) - wanted).abs().mean()
        assert close < 0.1 * wanted.std()
