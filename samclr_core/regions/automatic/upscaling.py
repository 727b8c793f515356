"""The last step of SAM's mask decoder, on those image tokens only that a mask needs.

Two transposed convolutions of stride 2 and kernel 2 do not mix neighbours: each of the 64 x 64
tokens becomes its own 4 x 4 logits. So one logit per token can be had at a tenth of the price; it
tells where the mask is, and the rest is computed in that window.
"""

import torch
from segment_anything.modeling.common import LayerNorm2d
from torch import Tensor, nn
from torch.nn import functional as F

from samclr_core.regions.automatic.candidates import Candidate, cut_out
from samclr_core.regions.automatic.geometry import Frame
from samclr_core.regions.automatic.keys import Keys

GRID = 64
# Tokens around the coarse mask that may still hold a part of it.
MARGIN = 2


class Upscaler:
    """From one prompt's keys to the logits of its masks."""

    def __init__(self, layers: nn.Sequential) -> None:
        """``layers`` are ``MaskDecoder.output_upscaling``."""
        first, norm, second = (layers[place] for place in (0, 1, 3))
        assert isinstance(first, nn.ConvTranspose2d)
        assert isinstance(second, nn.ConvTranspose2d)
        assert isinstance(norm, LayerNorm2d)
        # [C, 64, 2, 2] to [C, (2, 2, 64)]: what a layer norm needs lies side by side.
        self.first = first.weight.permute(0, 2, 3, 1).flatten(1)
        self.first_bias = _bias(first).repeat(4)
        self.norm = norm
        self.second = second.weight.permute(0, 2, 3, 1).flatten(1)
        self.second_bias = _bias(second).repeat(4)

    def set_image(self, content: Tensor, bias: Tensor, frame: Frame) -> None:
        """Project the image's part once; ``content`` is [N, C], ``bias`` the keys' constant [C]."""
        self.content = (content @ self.first).view(GRID, GRID, -1)
        self.constant = bias @ self.first + self.first_bias
        self.used = frame.full.logits_used
        self.rows, self.columns = (-(-used // 4) for used in self.used)

    def candidates(
        self, keys: Keys, hyper: Tensor, scores: list[float], prompt: int, below: float
    ) -> list[Candidate]:
        """The masks of one prompt, each cut out of its logits.

        Args:
            keys: the prompt's image tokens.
            hyper: the masks' weights over the upscaled channels, [M, 32].
            scores: predicted IoU, M of them.
            prompt: its index.
            below: the lower of the two stability cuts.
        """
        coarse = self._coarse(keys, hyper) > below
        if not coarse.any():
            return []
        top, bottom = _grown(coarse.any(0).any(1), self.rows)
        left, right = _grown(coarse.any(0).any(0), self.columns)
        logits = self.window(keys, hyper, (top, bottom), (left, right))
        # The last token may reach beyond the image.
        logits = logits[:, : self.used[0] - 4 * top, : self.used[1] - 4 * left]
        found = [
            cut_out(mask, score, prompt, below, (4 * top, 4 * left))
            for mask, score in zip(logits, scores, strict=True)
        ]
        return [candidate for candidate in found if candidate]

    def whole(self, keys: Keys, hyper: Tensor) -> Tensor:
        """All logits of the masks, [M, 256, 256]."""
        return self.window(keys, hyper, (0, GRID), (0, GRID))

    def window(
        self, keys: Keys, hyper: Tensor, rows: tuple[int, int], columns: tuple[int, int]
    ) -> Tensor:
        """Logits [M, 4 h, 4 w] of a window of h x w tokens."""
        height, width = rows[1] - rows[0], columns[1] - columns[0]
        hidden = self._first(keys, rows, columns, self.first, slice(None)).view(-1, 64)
        hidden = F.gelu(self._normed(hidden))
        hidden = F.gelu(torch.addmm(self.second_bias, hidden, self.second)).view(-1, 32)
        logits = hyper @ hidden.T
        # token row, token column, first step's row, column, second step's row, column
        parts = logits.view(len(hyper), height, width, 2, 2, 2, 2)
        return parts.permute(0, 1, 3, 5, 2, 4, 6).reshape(len(hyper), 4 * height, 4 * width)

    def _coarse(self, keys: Keys, hyper: Tensor) -> Tensor:
        """The logit at one of the 4 x 4 places of each token under the image, [M, h, w]."""
        part = slice(192, 256)
        rows, columns = (0, self.rows), (0, self.columns)
        hidden = self._first(keys, rows, columns, self.first[:, part].contiguous(), part)
        hidden = F.gelu(self._normed(hidden))
        hidden = F.gelu(torch.addmm(self.second_bias[:32], hidden, self.second[:, :32]))
        return (hyper @ hidden.T).view(len(hyper), self.rows, self.columns)

    def _first(
        self,
        keys: Keys,
        rows: tuple[int, int],
        columns: tuple[int, int],
        weight: Tensor,
        part: slice,
    ) -> Tensor:
        """The first transposed convolution of a window of tokens, [h * w, channels]."""
        place = (..., slice(*rows), slice(*columns))
        scale = keys.scale.view(GRID, GRID)[place].reshape(-1, 1)
        mix = keys.mix.view(-1, GRID, GRID)[place].flatten(1)
        content = self.content[slice(*rows), slice(*columns), part].flatten(0, 1)
        return torch.addmm(content * scale + self.constant[part], mix.T, keys.rows @ weight)

    def _normed(self, hidden: Tensor) -> Tensor:
        """LayerNorm2d over the last axis."""
        return F.layer_norm(hidden, (64,), self.norm.weight, self.norm.bias, self.norm.eps)


def _bias(layer: nn.ConvTranspose2d) -> Tensor:
    return torch.zeros(layer.out_channels) if layer.bias is None else layer.bias


def _grown(inside: Tensor, limit: int) -> tuple[int, int]:
    indices = inside.nonzero().flatten()
    return max(int(indices[0]) - MARGIN, 0), min(int(indices[-1]) + 1 + MARGIN, limit)
