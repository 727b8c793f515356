"""Features of images: from a frozen backbone, and the colour statistics to compare them with."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from samclr_core.device import device_of
from samclr_core.jobs import Progress, silent

if TYPE_CHECKING:
    from torch import nn

BATCH = 64
HISTOGRAM_BINS = 16
# Mean and standard deviation of R, G, B, then a histogram of each.
COLOUR_DIM = 3 * (2 + HISTOGRAM_BINS)

Images = Sequence[np.ndarray] | np.ndarray


class NotFrozenError(RuntimeError):
    """A backbone changed while it was evaluated: its features cannot be trusted."""


def fit(image: np.ndarray, size: int) -> np.ndarray:
    """The image at the size a run was trained at: uint8 [H, W, 3] to uint8 [size, size, 3].

    Its aspect ratio is kept: the shorter side becomes ``size``, and what the longer side has
    beyond it is cut off evenly at both ends. Smaller images are enlarged. Bilinear, antialiased.
    """
    if image.shape[:2] == (size, size):
        return image
    fitted = ImageOps.fit(Image.fromarray(image), (size, size), Image.Resampling.BILINEAR)
    return np.asarray(fitted)


def embed(
    backbone: "nn.Module",
    images: Images,
    size: int,
    device: str = "auto",
    progress: Progress = silent,
) -> np.ndarray:
    """Features of the images from the backbone, frozen and in eval mode.

    Args:
        backbone: [N, 3, size, size], ImageNet-normalised, to [N, dim].
        images: N times uint8 [H, W, 3] of any size (see :func:`fit`).
        size: side in pixels at which the backbone sees them.
        device: ``auto`` takes a CUDA GPU where there is one.
        progress: told after every batch.

    Returns:
        float32 [N, dim], not normalised.

    Raises:
        NotFrozenError: a weight or buffer of the backbone changed meanwhile.
        ValueError: there are no images.
    """
    import torch

    from samclr_core.views.augment import as_input

    if not len(images):
        raise ValueError("there are no images to embed")
    used = device_of(device)
    features = []
    with held_frozen(backbone), torch.inference_mode():
        backbone.to(used)
        for start in range(0, len(images), BATCH):
            batch = np.stack([fit(image, size) for image in images[start : start + BATCH]])
            features.append(backbone(as_input(batch).to(used)).float().cpu().numpy())
            progress(start + len(batch), len(images))
    return np.concatenate(features)


@contextmanager
def held_frozen(backbone: "nn.Module") -> Iterator[None]:
    """Eval mode inside, the former mode after; the weights must be the same before and after.

    Raises:
        NotFrozenError: a weight or buffer changed.
    """
    training, before = backbone.training, weights_digest(backbone)
    backbone.eval()
    try:
        yield
    finally:
        backbone.train(training)
    if weights_digest(backbone) != before:
        raise NotFrozenError("the backbone's weights or buffers changed during evaluation")


def weights_digest(backbone: "nn.Module") -> str:
    """24 hex digits over every parameter and buffer, those left out of state_dict too."""
    sha = hashlib.sha256()
    named = [*backbone.named_parameters(), *backbone.named_buffers()]
    for name, tensor in named:
        values = tensor.detach().cpu().contiguous().numpy()
        sha.update(f"{name}{values.dtype}{values.shape}".encode())
        sha.update(values.tobytes())
    return sha.hexdigest()[:24]


def colour_statistics(images: Images, progress: Progress = silent) -> np.ndarray:
    """What colour alone tells: mean, standard deviation and a 16-bin histogram per channel.

    Args:
        images: N times uint8 [H, W, 3].
        progress: told every 64 images.

    Returns:
        float32 [N, 54], all in 0..1: 3 means, 3 standard deviations, 3 x 16 histogram shares.
    """
    features = np.empty((len(images), COLOUR_DIM), np.float32)
    for index, image in enumerate(images):
        features[index] = _colours(np.asarray(image))
        if index % BATCH == BATCH - 1:
            progress(index + 1, len(images))
    return features


def _colours(image: np.ndarray) -> np.ndarray:
    pixels = image.reshape(-1, 3)
    bins = pixels // (256 // HISTOGRAM_BINS) + np.arange(3, dtype=np.uint8) * HISTOGRAM_BINS
    histogram = np.bincount(bins.ravel(), minlength=3 * HISTOGRAM_BINS) / len(pixels)
    return np.concatenate([pixels.mean(axis=0) / 255, pixels.std(axis=0) / 255, histogram])


def embedding_std(features: np.ndarray) -> float:
    """Spread of normalised features [N, dim]: about 1 is healthy, 0 is collapsed (SimSiam)."""
    import torch

    from samclr_core.training.health import embedding_std as spread

    return spread(torch.from_numpy(features)) if len(features) > 1 else 1.0
