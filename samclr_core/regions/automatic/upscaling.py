"""The last step of SAM's mask decoder, on those image tokens only that a mask needs.

Two transposed convolutions of stride 2 and kernel 2 do not mix neighbours: each of the 64 x 64
tokens becomes its own 4 x 4 logits. So one logit of each can be had at a tenth of the price, and
all of them for any few tokens.
"""

import torch
from segment_anything.modeling.common import LayerNorm2d
from torch import Tensor, nn
from torch.nn import functional as F

from samclr_core.regions.automatic.attention import Image
from samclr_core.regions.automatic.geometry import LOGITS_PER_TOKEN
from samclr_core.regions.automatic.keys import Keys

# Of the 4 x 4 logits of a token, the one that stands for all: the second step's first of the
# first step's last, next to the middle.
CHANNELS, HIDDEN = 64, 32
LAST = slice(3 * CHANNELS, 4 * CHANNELS)
FIRST = slice(HIDDEN)


class Upscaler:
    """From keys to the logits of masks on one image."""

    def __init__(self, layers: nn.Sequential, image: Image) -> None:
        """``layers`` are ``MaskDecoder.output_upscaling``; the image's part is projected once."""
        first, norm, second = (layers[place] for place in (0, 1, 3))
        assert isinstance(first, nn.ConvTranspose2d)
        assert isinstance(second, nn.ConvTranspose2d)
        assert isinstance(norm, LayerNorm2d)
        # [C, 64, 2, 2] to [(2, 2, 64), C]: what a layer norm needs lies side by side.
        self.first = first.weight.permute(2, 3, 1, 0).flatten(0, 2).contiguous()
        self.first_bias = _bias(first).repeat(4)
        self.norm = norm
        self.second = second.weight.permute(0, 2, 3, 1).flatten(1).contiguous()
        self.second_bias = _bias(second).repeat(4)
        self.content = image.content @ self.first.T
        self.constant = image.bias @ self.first.T + self.first_bias
        self.rows = image.rows.through(self.first)
        self.outline_rows = image.rows.through(self.first[LAST])

    def outlines(self, keys: Keys, hyper: Tensor, index: Tensor) -> Tensor:
        """One logit for each place ``index`` [n].

        Args:
            keys: of B prompts at these places.
            hyper: the masks' weights over the upscaled channels, [B, M, 32].
            index: the places' rows in the pyramid.

        Returns:
            float [B, M, n].
        """
        content = self.content[index, LAST] * keys.scale[..., None] + self.constant[LAST]
        rows = self.outline_rows.of(keys.values)
        hidden = self._normed(torch.baddbmm(content, keys.mix.transpose(1, 2), rows))
        hidden = F.gelu(hidden @ self.second[:, FIRST] + self.second_bias[FIRST])
        return hyper @ hidden.transpose(1, 2)

    def logits(self, keys: Keys, rows: Tensor, hyper: Tensor, index: Tensor) -> Tensor:
        """All logits of n tokens each, of one mask of each of B prompts.

        Args:
            keys: of the prompts at these tokens.
            rows: what the prompts give to the hidden channels, as ``rows`` makes it, [B, r, 256].
            hyper: the masks' weights, [B, 32].
            index: the tokens, [B, n].

        Returns:
            float [B, n, 4, 4].
        """
        content = F.embedding(index, self.content)
        content = torch.addcmul(self.constant, content, keys.scale[..., None])
        hidden = torch.baddbmm(content, keys.mix.transpose(1, 2), rows)
        hidden = self._normed(hidden.view(-1, CHANNELS))
        hidden = F.gelu(torch.addmm(self.second_bias, hidden, self.second))
        logits = hidden.view(len(index), -1, HIDDEN) @ hyper[..., None]
        # the first step's row and column, the second step's row and column
        parts = logits.view(*index.shape, 2, 2, 2, 2).transpose(3, 4)
        return parts.reshape(*index.shape, LOGITS_PER_TOKEN, LOGITS_PER_TOKEN)

    def _normed(self, hidden: Tensor) -> Tensor:
        """LayerNorm2d over the last axis, and what follows it."""
        norm = self.norm
        return F.gelu(F.layer_norm(hidden, (CHANNELS,), norm.weight, norm.bias, norm.eps))


def _bias(layer: nn.ConvTranspose2d) -> Tensor:
    return torch.zeros(layer.out_channels) if layer.bias is None else layer.bias
