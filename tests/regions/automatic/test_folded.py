"""The decoder that shares the image's work among prompts, held to segment-anything's modules."""

import pytest
import torch

from samclr_core.regions.automatic.decoder import ReferenceDecoder
from samclr_core.regions.automatic.folded import FoldedDecoder
from samclr_core.regions.automatic.geometry import Frame
from samclr_core.regions.sam.models import mobile_sam

FRAMES = [Frame(1024, 1024), Frame(600, 1000), Frame(1000, 333)]
BELOW = -1.0


@pytest.fixture(scope="module")
def decoders() -> tuple[FoldedDecoder, ReferenceDecoder]:
    """Both, on the same random weights: the algebra must hold for any."""
    torch.manual_seed(0)
    model = mobile_sam().eval()
    for parameter in model.mask_decoder.parameters():
        # Random weights of torch's scale leave the attention even; sharper ones tell more.
        parameter.data.mul_(1.5)
    return FoldedDecoder(model), ReferenceDecoder(model)


@pytest.fixture(scope="module")
def embedding() -> torch.Tensor:
    return torch.randn(1, 256, 64, 64, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def points() -> torch.Tensor:
    return torch.rand(5, 2, generator=torch.Generator().manual_seed(2)) * 1023


def test_all_masks_and_scores_are_the_same(decoders, embedding, points):
    folded, reference = decoders
    for decoder in decoders:
        decoder.set_image(embedding, FRAMES[0])
    logits, iou = folded.predict(points)
    wanted, wanted_iou = reference.predict(points)
    assert logits.shape == (5, 3, 256, 256)
    scale = wanted.abs().max()
    assert scale > 0.1, "logits that differ from zero"
    torch.testing.assert_close(logits / scale, wanted / scale, rtol=0, atol=1e-4)
    torch.testing.assert_close(iou, wanted_iou, rtol=1e-4, atol=1e-4)


def test_a_new_image_takes_the_old_ones_place(decoders, embedding, points):
    folded, reference = decoders
    folded.set_image(embedding, FRAMES[0])
    for decoder in decoders:
        decoder.set_image(embedding.flip(-1), FRAMES[0])
    torch.testing.assert_close(
        folded.predict(points)[1], reference.predict(points)[1], rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: f"{frame.width}x{frame.height}")
def test_the_same_candidates_are_cut_out(decoders, embedding, points, frame):
    found = []
    for decoder in decoders:
        decoder.set_image(embedding, frame)
        found.append(decoder.decode(points, first=40, min_iou=-9.0, below=BELOW))
    assert len(found[0]) == len(found[1]) > 0
    for ours, theirs in zip(*found, strict=True):
        assert ours.prompt == theirs.prompt >= 40
        assert ours.predicted_iou == pytest.approx(theirs.predicted_iou, abs=1e-4)
        both = [torch.full((256, 256), -1e3) for _ in range(2)]
        for canvas, candidate in zip(both, (ours, theirs), strict=True):
            height, width = candidate.logits.shape
            canvas[candidate.y : candidate.y + height, candidate.x : candidate.x + width] = (
                candidate.logits
            )
        differs = (both[0] > 0) != (both[1] > 0)
        assert differs.sum() <= 3, "rounding may turn a pixel at the threshold"


def test_only_candidates_over_the_limit_come_back(decoders, embedding, points):
    folded, _ = decoders
    folded.set_image(embedding, FRAMES[0])
    scores = folded.predict(points)[1].flatten().sort().values
    limit = float(scores[len(scores) // 2])
    found = folded.decode(points, 0, limit, BELOW)
    assert {candidate.predicted_iou > limit for candidate in found} == {True}
