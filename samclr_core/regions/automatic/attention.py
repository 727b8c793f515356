"""The two directions of attention in SAM's decoder, with the image's part computed beforehand.

Everything here exists twice: for all rows of an image's pyramid, made once per image, and ``at``
some places of it, taken out for the prompts that look at them: ``index`` [n] for all of them the
same, or [B, n] for each its own.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from segment_anything.modeling.transformer import Attention, TwoWayAttentionBlock
from torch import Tensor, nn
from torch.nn import functional as F

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
        content, position = (F.embedding(index, p) for p in (self.content, self.position))
        return Projected(
            _heads_first(content, self.heads),
            _heads_first(position, self.heads),
            _heads_first(content + position, self.heads),
        )

    def folded(self, tokens: Tensor, values: Sequence[Tensor]) -> Tensor | None:
        """Tokens [B, heads, T, d] times what prompts gave to the keys, wherever these are.

        ``values`` are those of :class:`Keys`; returns [B, heads * T, r], None where there are none.
        """
        if not values:
            return None
        rows = split_heads(self.rows.of(values), self.heads)
        return (tokens @ rows.transpose(-1, -2)).flatten(1, 2)


@dataclass(frozen=True)
class Projected:
    """A :class:`Projection` at n places, [heads, d, n] or [B, heads, d, n] each."""

    content: Tensor
    position: Tensor
    both: Tensor

    def dot(self, tokens: Tensor, folded: Tensor | None, keys: Keys) -> Tensor:
        """Products of tokens [B, heads, T, d] with the projected keys, [B, heads, T, n]."""
        if folded is None:
            return shared(tokens, self.both)
        prompts, heads, count, _ = tokens.shape
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
        values = split_heads(self.values.index_select(0, index), self.heads)
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
        queries = queries / math.sqrt(queries.shape[-1])
        logits = self.keys.dot(queries, self.of.keys.folded(queries, keys.values), keys)
        weights = _softmax(logits + self.log_count)
        if keys.fresh:
            found = shared(weights, self.values)
        else:
            found = shared(weights * keys.scale[:, None, None], self.values)
            rows = split_heads(self.of.rows.of(keys.values), heads)
            shares = torch.bmm(weights.flatten(1, 2), keys.mix.transpose(1, 2))
            found = found + shares.unflatten(1, weights.shape[1:3]) @ rows
        return attention.out_proj(found.transpose(1, 2).flatten(2) + self.of.constant)


@dataclass(frozen=True)
class Said:
    """What the tokens of B prompts say to the image in a layer; the same to every place.

    Attributes:
        tokens: what an image token asks for, [B, heads, T, d].
        values: what it gets, in this layer and in those before, [B, heads, T, d] each.
        folded: ``tokens`` times what those before gave, [B, heads * T, r]; None in the first.
        gram: products of all that is given with each other, [B, r, r].
    """

    tokens: Tensor
    values: tuple[Tensor, ...]
    folded: Tensor | None
    gram: Tensor

    def by(self, prompt: int) -> "Said":
        """That of one prompt; B is 1."""
        one = slice(prompt, prompt + 1)
        folded = None if self.folded is None else self.folded[one]
        values = tuple(value[one] for value in self.values)
        return Said(self.tokens[one], values, folded, self.gram[one])

    @classmethod
    def together(cls, parts: Sequence["Said"]) -> "Said":
        """What the prompts of all parts said in the same layer."""
        folded = [part.folded for part in parts if part.folded is not None]
        return cls(
            torch.cat([part.tokens for part in parts]),
            tuple(torch.cat(own) for own in zip(*(part.values for part in parts), strict=True)),
            torch.cat(folded) if folded else None,
            torch.cat([part.gram for part in parts]),
        )


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

    def said(self, tokens: Tensor, values: Tensor, before: tuple[Tensor, ...]) -> Said:
        """By the prompts' tokens, [B, T, C] with position and without, after layers ``before``."""
        keys = split_heads(self.attention.k_proj(tokens), self.heads)
        keys = keys / math.sqrt(keys.shape[-1])
        own = split_heads(self.attention.v_proj(values), self.heads).contiguous()
        given = (*before, own)
        rows = self.rows.of(given)
        return Said(keys, given, self.queries.folded(keys, before), rows @ rows.transpose(1, 2))

    def at(self, index: Tensor) -> "WritingAt":
        crosses = [
            (_heads_first(F.embedding(index, cross), self.heads), offset[index][..., None, None, :])
            for cross, offset in self.crosses
        ]
        return WritingAt(self, self.queries.at(index), self.power[index], crosses)


@dataclass(frozen=True)
class WritingAt:
    """A :class:`Writing` at n places: ``power`` [n], ``crosses`` [heads, d, n] and [1, 1, n] a
    layer; or of each prompt's own, [B, ...]."""

    of: Writing
    queries: Projected
    power: Tensor
    crosses: list[tuple[Tensor, Tensor]]

    def write(self, said: Said, keys: Keys) -> Keys:
        """The keys after it."""
        mix = self.queries.dot(said.tokens, said.folded, keys).softmax(2).flatten(1, 2)
        mix = mix if keys.fresh else torch.cat([keys.mix, mix], dim=1)
        factor = self._inverse_deviation(mix, said, keys.scale)
        return Keys(factor * keys.scale, mix.mul_(factor[:, None]), said.values)

    def _inverse_deviation(self, mix: Tensor, said: Said, scale: Tensor) -> Tensor:
        """1 / standard deviation of each image token, [B, n], without making the tokens."""
        prompts, heads, count, _ = said.tokens.shape
        crossed = mix.new_empty(prompts, len(said.values), heads, count, mix.shape[-1])
        for layer, (value, (cross, offset)) in enumerate(
            zip(said.values, self.crosses, strict=True)
        ):
            torch.add(shared(value, cross), offset, out=crossed[:, layer])
        # |s k + m R|^2 = s^2 |k|^2 + m (2 s R k + R R^T m)
        inner = crossed.flatten(1, 3).mul_(2 * scale[:, None]).baddbmm_(said.gram, mix)
        channels = self.of.norm.normalized_shape[0]
        variance = (self.power * scale.square() + inner.mul_(mix).sum(1)) / channels
        return torch.rsqrt(variance.clamp_(min=0) + self.of.norm.eps)


def _softmax(logits: Tensor) -> Tensor:
    """Over the places, [B, heads, T, n]; what is laid out heads first stays so, uncopied."""
    if logits.is_contiguous():
        return logits.softmax(-1)
    return logits.transpose(0, 1).softmax(-1).transpose(0, 1)


def _heads_first(projected: Tensor, heads: int) -> Tensor:
    """[..., n, heads * d] to [..., heads, d, n]."""
    return projected.unflatten(-1, (heads, -1)).movedim(-3, -1)
