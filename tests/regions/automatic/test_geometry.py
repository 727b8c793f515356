"""Windows of logits in pixels, held to segment-anything's own upsampling of whole masks."""

import numpy as np
import pytest
import torch
from segment_anything.modeling import Sam
from segment_anything.utils.amg import build_all_layer_point_grids
from segment_anything.utils.transforms import ResizeLongestSide

from samclr_core.regions.automatic.candidates import cut_out
from samclr_core.regions.automatic.geometry import MODEL_SIDE, Frame, as_picture, by_token
from samclr_core.regions.sam.models import mobile_sam

SIZES = [(1024, 1024), (683, 1024), (640, 960), (1080, 1920), (300, 77), (16, 16)]


@pytest.fixture(scope="module")
def sam() -> Sam:
    return mobile_sam()


def smooth_logits(seed: int) -> torch.Tensor:
    """Logits [256, 256] of a few blobs."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:256, :256]
    logits = np.full((256, 256), -6.0)
    for _ in range(4):
        cy, cx, r = rng.integers(0, 256), rng.integers(0, 256), rng.integers(8, 50)
        logits += 16 * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * r * r))
    return torch.from_numpy(logits).float()


@pytest.mark.parametrize("size", SIZES)
def test_the_frame_is_segment_anythings(size):
    frame = Frame(*size)
    transform = ResizeLongestSide(MODEL_SIDE)
    assert frame.input_size == transform.get_preprocess_shape(*size, MODEL_SIDE)
    grid = build_all_layer_point_grids(8, 0, 1)[0] * np.array(size)[None, ::-1]
    np.testing.assert_allclose(frame.grid(8), grid)
    np.testing.assert_allclose(
        frame.to_model(frame.grid(8)), transform.apply_coords(grid, size), rtol=1e-5
    )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_window_gives_the_pixels_of_the_whole(sam, size, seed):
    frame, logits = Frame(*size), smooth_logits(seed)
    wanted = sam.postprocess_masks(logits[None, None], frame.input_size, size)[0, 0]
    rows, columns = frame.full.logits_used
    candidate = cut_out(logits[:rows, :columns], 0.9, 0, below=-1.0)
    assert candidate
    window, y, x = frame.full.window(candidate.logits, candidate.y, candidate.x)
    found = np.zeros(size, bool)
    found[y : y + window.shape[0], x : x + window.shape[1]] = (window > 0).numpy()
    assert np.mean(found != (wanted > 0).numpy()) < 1e-4
    torch.testing.assert_close(
        window, wanted[y : y + window.shape[0], x : x + window.shape[1]], rtol=1e-3, atol=1e-3
    )
    mask, *corner = frame.full.mask(candidate.logits, candidate.y, candidate.x)
    assert corner == [y, x]
    assert mask.shape == tuple(window.shape)
    assert np.mean(mask != (window > 0).numpy()) < 1e-5


@pytest.mark.parametrize("side", [1, 2, 3, 9])
def test_a_window_may_be_too_small_for_a_pixel(side):
    full = Frame(90, 120).full
    logits = torch.ones(side, side)
    window, *_ = full.window(logits, 20, 30)
    mask, *_ = full.mask(logits, 20, 30)
    assert mask.shape == tuple(window.shape)
    assert mask.all()


def test_what_is_below_the_cut_everywhere_is_no_candidate():
    assert cut_out(torch.full((256, 256), -5.0), 0.9, 0, below=-1.0) is None


def test_a_picture_goes_to_tokens_and_back():
    picture = torch.arange(256 * 256).reshape(256, 256)
    tokens = by_token(picture)
    assert tokens[1, 1].tolist() == picture[4:8, 4:8].tolist()
    assert torch.equal(as_picture(tokens), picture)
