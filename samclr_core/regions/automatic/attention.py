"""The two directions of attention in SAM's decoder, with the image's part computed beforehand.

Everything here exists twice: for all rows of an image's pyramid, made once per image, and ``at``
some places of it, taken out for the prompts that look at them.
"""

import math
from dataclasses import dataclass

import torch
from segment_anything.modeling.transformer import Attention, TwoWayAttentionBlock
from torch import Tensor, nn

from samclr_core.regions.automatic.keys import Keys, Rows, centred, shared


@dataclass(frozen=True)
class Image:
    """The image's tokens before a layer, without what prompts gave them.

    Attributes:
        content: [N, C].
        position: their positional encoding, [N, C].
        bias: the constant part, [C].
        rows: how the prompts' part is made.
    """

    content: Tensor
    position: Tensor
    bias: Tensor
    rows: Rows


def self_attention(layer: TwoWayAttentionBlock, queries: Tensor, tokens: Tensor) -> Tensor:
    """Attention of the prompts' tokens [B, T, C] among themselves, and the norm after it."""
    if layer.skip_first_layer_pe:
        return layer.norm1(layer.self_attn(q=queries, k=queries, v=queries))
    both = queries + tokens
    return layer.norm1(queries + layer.self_attn(q=both, k=both, v=queries))


def split_heads(tokens: Tensor, heads: int) -> Tensor:
    """[..., N, heads * d] to [..., heads, N, d]."""
    return tokens.unflatten(-1, (heads, -1)).transpose(-3, -2)


class Projection:
    """One linear projection of keys plus position, times the prompts' tokens, head by head."""

    def __init__(self, linear: nn.Linear, heads: int, image: Image, position: Tensor) -> None:
        self.heads = heads
        self.content = image.content @ linear.weight.T
        self.position = position @ linear.weight.T + linear.bias
        self.rows = image.rows.through(linear.weight)

    def at(self, index: Tensor) -> "Projected":
        content, position = self.content[index], self.position[index]
        return Projected(
            _heads_first(content, self.heads),
            _heads_first(position, self.heads),
            _heads_first(content + position, self.heads),
            self.rows,
        )


@dataclass(frozen=True)
class Projected:
    """A :class:`Projection` at n places, [heads, d, n] each."""

    content: Tensor
    position: Tensor
    both: Tensor
    rows: Rows

    def dot(self, tokens: Tensor, keys: Keys) -> Tensor:
        """Products of tokens [B, heads, T, d] with the projected keys, [B, heads, T, n]."""
        if keys.fresh:
            return shared(tokens, self.both)
        prompts, heads, count, _ = tokens.shape
        rows = split_heads(self.rows.of(keys.values), heads)
        folded = (tokens @ rows.transpose(-1, -2)).flatten(1, 2)
        found = torch.bmm(folded, keys.mix).view(prompts, heads, count, -1)
        found.addcmul_(shared(tokens, self.content), keys.scale[:, None, None])
        return found.add_(shared(tokens, self.position))


class Reading:
    """Attention of the prompts' tokens to the image's."""

    def __init__(self, attention: Attention, image: Image) -> None:
        self.attention = attention
        self.heads = attention.num_heads
        # A constant in the keys adds the same to all logits of a token: softmax does not see it.
        self.keys = Projection(attention.k_proj, self.heads, image, image.position)
        self.values = image.content @ attention.v_proj.weight.T
        self.rows = image.rows.through(attention.v_proj.weight)
        self.constant = attention.v_proj(image.bias)

    def at(self, index: Tensor, log_count: Tensor) -> "ReadingAt":
        values = split_heads(self.values[index], self.heads)
        return ReadingAt(self, self.keys.at(index), values, log_count)


@dataclass(frozen=True)
class ReadingAt:
    """A :class:`Reading` at n places; values are [heads, n, d], ``log_count`` [n]."""

    of: Reading
    keys: Projected
    values: Tensor
    log_count: Tensor

    def read(self, tokens: Tensor, keys: Keys) -> Tensor:
        """What the prompts' tokens [B, T, C] find, [B, T, C]."""
        attention, heads = self.of.attention, self.of.heads
        queries = split_heads(attention.q_proj(tokens), heads)
        logits = self.keys.dot(queries / math.sqrt(queries.shape[-1]), keys)
        weights = (logits + self.log_count).softmax(-1)
        found = shared(weights * keys.scale[:, None, None], self.values)
        if not keys.fresh:
            rows = split_heads(self.of.rows.of(keys.values), heads)
            shares = torch.bmm(weights.flatten(1, 2), keys.mix.transpose(1, 2))
            found = found + shares.unflatten(1, weights.shape[1:3]) @ rows
        return attention.out_proj(found.transpose(1, 2).flatten(2) + self.of.constant)


class Writing:
    """Attention of the image's tokens to the prompts', and the layer norm after it."""

    def __init__(self, attention: Attention, norm: nn.LayerNorm, image: Image) -> None:
        self.attention = attention
        self.norm = norm
        self.heads = attention.num_heads
        position = image.position + image.bias
        self.queries = Projection(attention.q_proj, self.heads, image, position)
        middle = centred(image.content)
        rows = image.rows.and_from(attention.out_proj, image.bias, self.heads)
        self.rows = rows.centred()
        self.power = middle.square().sum(-1)
        self.crosses = [
            (middle @ weights.flatten(0, 1).T, middle @ constant)
            for weights, constant in rows.parts
        ]
        self.after = Image(middle * norm.weight, image.position, norm.bias, rows.normed(norm))

    def tokens(self, tokens: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of the prompts' tokens [B, T, C], each [B, heads, T, d]."""
        keys = split_heads(self.attention.k_proj(tokens), self.heads)
        values = split_heads(self.attention.v_proj(values), self.heads).contiguous()
        return keys / math.sqrt(keys.shape[-1]), values

    def at(self, index: Tensor) -> "WritingAt":
        crosses = [
            (_heads_first(c[index], self.heads), offset[index]) for c, offset in self.crosses
        ]
        return WritingAt(self, self.queries.at(index), self.power[index], crosses)


@dataclass(frozen=True)
class WritingAt:
    """A :class:`Writing` at n places: ``power`` [n], ``crosses`` [heads, d, n] and [n] a layer."""

    of: Writing
    queries: Projected
    power: Tensor
    crosses: list[tuple[Tensor, Tensor]]

    def write(self, tokens: Tensor, values: Tensor, keys: Keys) -> Keys:
        """The keys after it; ``tokens`` and ``values`` are [B, heads, T, d]."""
        mix = self.queries.dot(tokens, keys).softmax(2).flatten(1, 2)
        mix = mix if keys.fresh else torch.cat([keys.mix, mix], dim=1)
        given = (*keys.values, values)
        factor = self._inverse_deviation(mix, given, keys.scale)
        return Keys(factor * keys.scale, mix * factor[:, None], given)

    def _inverse_deviation(self, mix: Tensor, values: tuple[Tensor, ...], scale: Tensor) -> Tensor:
        """1 / standard deviation of each image token, [B, n], without making the tokens."""
        rows = self.of.rows.of(values)
        crossed = torch.cat(
            [
                shared(value, cross).add(offset).flatten(1, 2)
                for value, (cross, offset) in zip(values, self.crosses, strict=True)
            ],
            dim=1,
        )
        # |s k + m R|^2 = s^2 |k|^2 + m (2 s R k + R R^T m)
        inner = crossed.mul_(2 * scale[:, None]).baddbmm_(rows @ rows.transpose(1, 2), mix)
        variance = (self.power * scale.square() + inner.mul_(mix).sum(1)) / rows.shape[-1]
        return torch.rsqrt(variance.clamp_(min=0) + self.of.norm.eps)


def _heads_first(projected: Tensor, heads: int) -> Tensor:
    """[n, heads * d] to [heads, d, n]."""
    return projected.unflatten(1, (heads, -1)).permute(1, 2, 0)
