"""True masks where the loss looks at them: in SAM's 256 x 256, token by token."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from scipy import ndimage

from samclr_core.regions.automatic.geometry import LOGIT_SIDE, MODEL_SIDE, TOKENS, Frame, by_token

NEAR = np.ones((5, 5), bool)
"""Tokens up to two away from a mask are near it."""


@dataclass(frozen=True)
class Targets:
    """What the masks of one image's prompts are compared with.

    Attributes:
        places: the image tokens looked at, int64 [K, S], or None for all of them.
        masks: bool [K, S * 16].
        weights: how many pixels each stands for, float32 [K, S * 16]; 0 where nothing is known.
    """

    places: torch.Tensor | None
    masks: torch.Tensor
    weights: torch.Tensor


def targets(
    masks: list[np.ndarray],
    known: np.ndarray,
    count: int | None = None,
    rng: np.random.Generator | None = None,
) -> Targets:
    """Place masks, bool [H, W], on the image's tokens.

    Half of the tokens are drawn near the mask, where its edge is decided, half from the rest of
    the image, as PointRend (Kirillov et al. 2020) and Mask2Former (Cheng et al. 2022) do. The
    weights are the inverse of the chance of being drawn, so that sums are right on average.

    Args:
        masks: of the prompts.
        known: bool [H, W], where the truth is known.
        count: tokens to draw; all of them where it is None.
        rng: draws them.
    """
    frame = Frame(*known.shape)
    ground = _tokens(known, frame)
    within = ground.any(1).numpy()
    small = torch.stack([_tokens(mask, frame) for mask in masks])
    if count is None or rng is None:
        weights = ground.float().flatten().expand(len(masks), -1)
        return Targets(None, small.flatten(1), weights)
    drawn = [_drawn(one.any(1).numpy(), within, count, rng) for one in small]
    places = torch.from_numpy(np.stack([places for places, _ in drawn]))
    share = torch.from_numpy(np.stack([weights for _, weights in drawn]))
    looked_at = torch.stack([one[at] for one, at in zip(small, places, strict=True)])
    weights = share[..., None] * ground[places]
    return Targets(places, looked_at.flatten(1), weights.flatten(1))


def _drawn(
    touched: np.ndarray, within: np.ndarray, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Tokens drawn for one mask, int64 [count], and their weights, float32 [count]."""
    near = ndimage.binary_dilation(touched.reshape(TOKENS, TOKENS), NEAR).ravel() & within
    close, rest = np.flatnonzero(near), np.flatnonzero(within & ~near)
    count = min(count, len(close) + len(rest))
    from_close = min(len(close), max(count // 2, count - len(rest)))
    from_rest = count - from_close
    places = [rng.choice(close, from_close, False), rng.choice(rest, from_rest, False)]
    sizes = [(len(close), from_close), (len(rest), from_rest)]
    weights = [np.full(n, total / max(n, 1), np.float32) for total, n in sizes]
    return np.concatenate(places), np.concatenate(weights)


def _tokens(mask: np.ndarray, frame: Frame) -> torch.Tensor:
    """A mask, bool [H, W], token by token: bool [4096, 16]."""
    return by_token(_small(mask, frame)).flatten(0, 1).flatten(1)


def _small(mask: np.ndarray, frame: Frame) -> torch.Tensor:
    """A mask, bool [H, W], where it lies in the 256 x 256: bool, by majority of the area."""
    step = MODEL_SIDE // LOGIT_SIDE
    height, width = (max(1, round(side / step)) for side in frame.input_size)
    picture = Image.fromarray(mask.astype(np.uint8) * 255).resize(
        (width, height), Image.Resampling.BOX
    )
    square = torch.zeros(LOGIT_SIDE, LOGIT_SIDE, dtype=torch.bool)
    square[:height, :width] = torch.from_numpy(np.asarray(picture) > 127)
    return square
