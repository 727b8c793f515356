"""SimCLR's augmentations for whole batches, with parameters of its own for every view.

Each operation is the tensor version of ``torchvision.transforms.v2.functional``, applied to the
views it was drawn for, on whatever device the batch is.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from samclr_core.views.config import AugmentConfig

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
GREY = (0.2989, 0.587, 0.114)
# The view's side for which AugmentConfig.sigma is given.
SIGMA_SIDE = 224
# Least chroma to divide by; the hue of a grey pixel is of no account.
TINY = 1e-9


@dataclass(frozen=True)
class Parameters:
    """What was drawn for each of N views.

    Attributes:
        flip: bool [N].
        jitter: bool [N].
        order: int [N, 4]; column p holds the operation applied p-th: 0 brightness, 1 contrast,
            2 saturation, 3 hue.
        factors: float [N, 4], in the order of the operations; hue is a shift in turns.
        grey: bool [N].
        blur: bool [N].
        sigma: float [N], in pixels.
    """

    flip: Tensor
    jitter: Tensor
    order: Tensor
    factors: Tensor
    grey: Tensor
    blur: Tensor
    sigma: Tensor


class Augmentation:
    """Alters a batch of views as SimCLR does (arXiv 2002.05709, appendix A) and normalises it."""

    def __init__(self, config: AugmentConfig) -> None:
        self.config = config

    def __call__(self, views: Tensor, generator: torch.Generator) -> Tensor:
        """The views, uint8 [N, 3, S, S], altered: float32 [N, 3, S, S], ImageNet-normalised.

        ``generator`` is one of the CPU: the same draw then holds on every device.
        """
        return normalised(self.altered(views, generator))

    def altered(self, views: Tensor, generator: torch.Generator) -> Tensor:
        """The same before normalisation, in 0 to 1."""
        return apply(views.float() / 255, self.draw(len(views), views.shape[-1], generator))

    def draw(self, count: int, side: int, generator: torch.Generator) -> Parameters:
        """Parameters for ``count`` views of ``side`` x ``side`` px."""
        config, s = self.config, self.config.strength
        uniform = torch.rand((count, 13), generator=generator)
        spread = torch.tensor([0.8 * s, 0.8 * s, 0.8 * s, 0.2 * s])
        low, high = config.sigma
        sigma = (low + (high - low) * uniform[:, 12]) * side / SIGMA_SIDE
        return Parameters(
            flip=uniform[:, 0] < config.flip,
            jitter=uniform[:, 1] < config.jitter,
            order=uniform[:, 2:6].argsort(dim=1),
            factors=torch.tensor([1.0, 1.0, 1.0, 0.0]) + spread * (2 * uniform[:, 6:10] - 1),
            grey=uniform[:, 10] < config.grey,
            blur=uniform[:, 11] < config.blur,
            sigma=sigma.clamp(min=1e-3),
        )


def apply(views: Tensor, drawn: Parameters) -> Tensor:
    """The views, float [N, 3, S, S] in 0 to 1, altered as drawn.

    What was drawn stays on the CPU, which then knows the chosen views without asking the GPU: a
    GPU that is asked must finish all it was given before it answers.
    """
    flip = _beside(views, drawn.flip)[:, None, None, None]
    views = torch.where(flip, views.flip(-1), views)
    for place in range(4):
        for operation, change in enumerate(_JITTER):
            chosen = drawn.jitter & (drawn.order[:, place] == operation)
            _change(views, chosen, change, drawn.factors[chosen, operation])
    _change(views, drawn.grey, lambda v: grey(v).expand_as(v))
    reaches = reach_of(drawn.sigma, views.shape[-1])
    for reach in reaches[drawn.blur].unique().tolist():
        chosen = drawn.blur & (reaches == reach)
        _change(views, chosen, partial(blurred, reach=reach), drawn.sigma[chosen])
    return views


def _change(views: Tensor, chosen: Tensor, change: Callable[..., Tensor], *values: Tensor) -> None:
    """Apply ``change`` in place to the chosen views only, with the values of these."""
    if chosen.any():
        index = _beside(views, chosen.nonzero()[:, 0])
        changed = change(views.index_select(0, index), *(_beside(views, value) for value in values))
        views.index_copy_(0, index, changed)


def _beside(views: Tensor, values: Tensor) -> Tensor:
    """The values on the device of the views, which nobody waits for."""
    return values.to(views.device, non_blocking=True)


def as_input(views: np.ndarray) -> Tensor:
    """Unaltered views uint8 [N, S, S, 3] as a network sees them: float32 [N, 3, S, S]."""
    return normalised(torch.from_numpy(views).permute(0, 3, 1, 2).float() / 255)


def normalised(views: Tensor) -> Tensor:
    """Views in 0 to 1 as networks trained on ImageNet expect them."""
    mean, std = (_beside(views, torch.tensor(v)[:, None, None]) for v in (MEAN, STD))
    return (views - mean) / std


def grey(views: Tensor) -> Tensor:
    """Luma, [N, 1, S, S]."""
    (red, green, blue), (r, g, b) = views.unbind(1), GREY
    return (red * r).add_(green, alpha=g).add_(blue, alpha=b)[:, None]


def brightness(views: Tensor, factor: Tensor) -> Tensor:
    return (views * factor[:, None, None, None]).clamp_(0, 1)


def contrast(views: Tensor, factor: Tensor) -> Tensor:
    mean = grey(views).mean(dim=(1, 2, 3), keepdim=True)
    return mean.lerp(views, factor[:, None, None, None]).clamp_(0, 1)


def saturation(views: Tensor, factor: Tensor) -> Tensor:
    return grey(views).lerp(views, factor[:, None, None, None]).clamp_(0, 1)


def hue(views: Tensor, shift: Tensor) -> Tensor:
    """The hue turned by ``shift`` turns (-0.5 to 0.5), through HSV."""
    red, green, blue = views.unbind(1)
    value, least = views.amax(1), views.amin(1)
    chroma = value - least
    # Which channel is the highest, as 1 and 0: choosing by a condition takes five times as long.
    is_red, is_green = torch.empty_like(value), torch.empty_like(value)
    torch.eq(value, red, out=is_red)
    torch.eq(value, green, out=is_green).mul_(1 - is_red)
    is_blue = 1 - is_red - is_green
    sector = (green - blue).mul_(is_red)
    sector.addcmul_(blue - red, is_green).addcmul_(red - green, is_blue)
    sector.div_(chroma.clamp(min=TINY))
    sector.add_(is_green, alpha=2).add_(is_blue, alpha=4).add_(6 * shift[:, None, None])
    # Foley and van Dam: a channel is value - chroma * clamp(2 - d, 0, 1), where d is how far the
    # hue is from its opposite, in sixths of a turn. The channels are at 0, 2 and 4 of them, and
    # what is a from one, -9 to 9, is | | |a| - 6 | - 3 | from its opposite.
    away = sector[:, None] - torch.arange(0, 5, 2, device=views.device)[:, None, None]
    away.abs_().sub_(6).abs_().sub_(3).abs_().sub_(2).clamp_(-1, 0)
    return away.mul_(chroma[:, None]).add_(value[:, None])


_JITTER = (brightness, contrast, saturation, hue)


def kernel_side(side: int) -> int:
    """Odd number of taps nearest to a tenth of the view's side, at least 3."""
    return max(3, 2 * round(side / 20) + 1)


def reach_of(sigma: Tensor, side: int) -> Tensor:
    """Pixels on either side that a blur of ``sigma`` pixels takes in, int [N].

    Those that weigh less than a millionth are left out, as are those beyond :func:`kernel_side`.
    """
    reach = (sigma * math.sqrt(2 * math.log(1e6))).long()
    return reach.clamp(min=1, max=kernel_side(side) // 2)


def blurred(views: Tensor, sigma: Tensor, reach: int) -> Tensor:
    """Gaussian blur of ``reach`` with a ``sigma`` in pixels for every view, borders reflected."""
    at = torch.arange(-reach, reach + 1, device=views.device, dtype=views.dtype)
    weights = torch.exp(-0.5 * (at / sigma[:, None]) ** 2)
    weights = weights / weights.sum(dim=1, keepdim=True)
    padded = F.pad(views, (reach, reach, reach, reach), mode="reflect")
    return _along(_along(padded, weights, 3), weights, 2)


def _along(views: Tensor, weights: Tensor, dim: int) -> Tensor:
    """Weighted sum of the taps along ``dim``; a few shifted sums beat a grouped convolution."""
    length = views.shape[dim] - weights.shape[1] + 1
    total = views.narrow(dim, 0, length) * weights[:, 0, None, None, None]
    for tap in range(1, weights.shape[1]):
        total.addcmul_(views.narrow(dim, tap, length), weights[:, tap, None, None, None])
    return total


def seeded(*numbers: int) -> torch.Generator:
    """A generator of its own for every tuple of numbers, whatever was drawn elsewhere."""
    seed = 0
    for number in numbers:
        seed = (seed * 6364136223846793005 + number + 1442695040888963407) % 2**63
    return torch.Generator().manual_seed(seed ^ (seed >> 29))
