"""The image's tokens as prompts have changed them, kept in parts; ``folded.py`` says why."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn


def centred(rows: Tensor) -> Tensor:
    """Rows minus their means, as a layer norm begins."""
    return rows - rows.mean(-1, keepdim=True)


def shared(tokens: Tensor, image: Tensor) -> Tensor:
    """Prompts' tokens [B, heads, T, d] times what they share, [heads, d, n]: [B, heads, T, n].

    Of the image each may have its own, too: [B, heads, d, n].
    """
    if image.dim() == tokens.dim():
        return tokens @ image
    prompts, heads, count, _ = tokens.shape
    rows = tokens.transpose(0, 1).reshape(heads, prompts * count, -1)
    return torch.bmm(rows, image).view(heads, prompts, count, -1).transpose(0, 1)


@dataclass(frozen=True)
class Keys:
    """The image's tokens of B prompts at N places, in parts.

    Attributes:
        scale: what the layer norms multiplied the content with, [B, N].
        mix: attention of the image's tokens to the prompts', [B, r, N]; r = heads x T a layer.
        values: the prompts' tokens as the layers so far gave them out, [B, heads, T, d] each.
    """

    scale: Tensor
    mix: Tensor
    values: tuple[Tensor, ...]

    @classmethod
    def untouched(cls, prompts: int, places: int) -> "Keys":
        """Those before the first layer."""
        return cls(torch.ones(prompts, places), torch.empty(prompts, 0, places), ())

    @property
    def fresh(self) -> bool:
        """Whether they are the image's alone still."""
        return not self.values


@dataclass(frozen=True)
class Rows:
    """What prompts gave to the image's tokens, as a linear map of the layers' values.

    Attributes:
        parts: per layer, weights [heads, d, C] and constant [C].
    """

    parts: tuple[tuple[Tensor, Tensor], ...] = ()

    def and_from(self, out: nn.Linear, bias: Tensor, heads: int) -> "Rows":
        """Those of one more layer, with the output projection ``out`` and the keys' ``bias``."""
        weights = out.weight.unflatten(1, (heads, -1)).permute(1, 2, 0)
        # A head's attention sums to 1: a share of the constant in each head's rows is exact.
        return Rows((*self.parts, (weights, (out.bias + bias) / heads)))

    def normed(self, norm: nn.LayerNorm) -> "Rows":
        """After the parts of a layer norm that are linear; its scale goes into the keys'."""
        weighted = ((w * norm.weight, c * norm.weight) for w, c in self.centred().parts)
        return Rows(tuple(weighted))

    def centred(self) -> "Rows":
        """With the mean over the channels taken away."""
        return Rows(tuple((centred(w), centred(c)) for w, c in self.parts))

    def through(self, weight: Tensor) -> "Rows":
        """Seen through a linear projection [K, C]."""
        return Rows(tuple((w @ weight.T, c @ weight.T) for w, c in self.parts))

    def of(self, values: Sequence[Tensor]) -> Tensor:
        """The rows of B prompts, [B, r, C]."""
        parts = zip(values, self.parts, strict=True)
        given = [shared(v, weights).add(constant).flatten(1, 2) for v, (weights, constant) in parts]
        return given[0] if len(given) == 1 else torch.cat(given, dim=1)
