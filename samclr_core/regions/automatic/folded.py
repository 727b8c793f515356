"""SAM's mask decoder, with the image's part of the work done once per image.

In SAM's two-way transformer every prompt carries a copy of the 4096 image tokens, [4096, 256].
But a prompt changes them only through attention to its 7 own tokens, so that at every moment

    keys = scale * content + mix^T rows (+ a constant)

with ``content`` [4096, 256] the same for all prompts, ``scale`` [4096] left by the layer norms, and
``mix`` [r, 4096] the attention weights of r = 56 or 112 (8 heads x 7 tokens per layer). The copy is
never made: each projection of the keys is one of ``content``, computed once per image, plus one of
the few ``rows``; the variance that a layer norm needs comes from the Gram matrix of the rows.
The algebra is exact; results differ from segment-anything's by rounding alone.
"""

import math

import torch
from segment_anything.modeling import Sam
from segment_anything.modeling.transformer import Attention, TwoWayAttentionBlock
from torch import Tensor, nn

from samclr_core.regions.automatic.candidates import Candidate
from samclr_core.regions.automatic.geometry import Frame
from samclr_core.regions.automatic.keys import Keys
from samclr_core.regions.automatic.upscaling import Upscaler


def split_heads(tokens: Tensor, heads: int) -> Tensor:
    """[..., N, heads * d] to [..., heads, N, d]."""
    return tokens.unflatten(-1, (heads, -1)).transpose(-3, -2)


def centred(rows: Tensor) -> Tensor:
    """Rows minus their means, as a layer norm begins."""
    return rows - rows.mean(-1, keepdim=True)


class Projection:
    """One linear projection of keys plus position, times the prompt's tokens, head by head."""

    def __init__(self, linear: nn.Linear, heads: int, content: Tensor, position: Tensor) -> None:
        self.heads = heads
        self.weight = linear.weight
        self.content = _heads_first(content @ linear.weight.T, heads)
        self.position = _heads_first(position @ linear.weight.T + linear.bias, heads)
        self.both = self.content + self.position

    def dot(self, tokens: Tensor, keys: Keys) -> Tensor:
        """Products of tokens [heads, T, d] with the projected keys, [heads, T, N]."""
        if keys.fresh:
            return torch.bmm(tokens, self.both)
        found = torch.bmm(tokens, self.content).mul_(keys.scale)
        found.baddbmm_(tokens, self.position)
        rows = split_heads(keys.rows @ self.weight.T, self.heads)
        folded = torch.bmm(tokens, rows.transpose(1, 2)).flatten(0, 1)
        found.flatten(0, 1).addmm_(folded, keys.mix)
        return found


class Reading:
    """Attention of the prompt's tokens to the image's."""

    def __init__(
        self, attention: Attention, content: Tensor, position: Tensor, bias: Tensor
    ) -> None:
        """``bias`` [C] is the constant part of the keys."""
        self.attention = attention
        self.heads = attention.num_heads
        # A constant in the keys adds the same to all logits of a token: softmax does not see it.
        self.keys = Projection(attention.k_proj, self.heads, content, position)
        values = attention.v_proj
        self.values = split_heads(content @ values.weight.T, self.heads).contiguous()
        self.constant = values(bias)

    def queries(self, tokens: Tensor) -> Tensor:
        """[B, T, C] to [B, heads, T, d], scaled."""
        queries = split_heads(self.attention.q_proj(tokens), self.heads)
        return queries.contiguous() / math.sqrt(queries.shape[-1])

    def read(self, queries: Tensor, keys: Keys) -> Tensor:
        """What a prompt's queries [heads, T, d] find, [T, heads * d], not projected out yet."""
        weights = self.keys.dot(queries, keys).softmax(-1)
        if keys.fresh:
            found = torch.bmm(weights, self.values)
        else:
            rows = split_heads(keys.rows @ self.attention.v_proj.weight.T, self.heads)
            shares = (weights.flatten(0, 1) @ keys.mix.T).unflatten(0, weights.shape[:2])
            found = torch.bmm(weights.mul_(keys.scale), self.values)
            found.baddbmm_(shares, rows)
        return found.transpose(0, 1).flatten(1) + self.constant


class Writing:
    """Attention of the image's tokens to the prompt's, and the layer norm after it."""

    def __init__(
        self,
        attention: Attention,
        norm: nn.LayerNorm,
        content: Tensor,
        position: Tensor,
        bias: Tensor,
        earlier: "Writing | None",
    ) -> None:
        self.attention = attention
        self.norm = norm
        self.heads = attention.num_heads
        self.queries = Projection(attention.q_proj, self.heads, content, position + bias)
        weight = attention.out_proj.weight
        self.out = split_heads(weight, self.heads).transpose(1, 2).contiguous()
        # A head's attention sums to 1: a share of the constant in each head's rows is exact.
        self.constant = (attention.out_proj.bias + bias) / self.heads
        middle = centred(content)
        self.power = middle.square().sum(-1)
        self.crosses = [(_heads_first(middle @ weight, self.heads), middle @ self.constant)]
        if earlier:
            # The earlier layer's rows were centred and weighted by its norm.
            back = centred(middle * earlier.norm.weight)
            cross = _heads_first(back @ earlier.attention.out_proj.weight, self.heads)
            self.crosses.insert(0, (cross, back @ earlier.constant))

    def tokens(self, tokens: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of the prompts' tokens [B, T, C], each [B, heads, T, d]."""
        keys = split_heads(self.attention.k_proj(tokens), self.heads).contiguous()
        values = split_heads(self.attention.v_proj(values), self.heads).contiguous()
        return keys / math.sqrt(keys.shape[-1]), values

    def write(self, tokens: Tensor, values: Tensor, keys: Keys) -> Keys:
        """One prompt's keys after it; ``tokens`` and ``values`` are [heads, T, d]."""
        mix = self.queries.dot(tokens, keys).softmax(1).flatten(0, 1)
        rows = (torch.bmm(values, self.out) + self.constant).flatten(0, 1)
        if not keys.fresh:
            mix, rows = torch.cat([keys.mix, mix]), torch.cat([keys.rows, rows])
        rows = centred(rows)
        parts = [*keys.values, values]
        factor = self._inverse_deviation(mix, rows, parts, keys.scale)
        return Keys(factor * keys.scale, mix.mul_(factor), rows * self.norm.weight, parts)

    def _inverse_deviation(
        self, mix: Tensor, rows: Tensor, parts: list[Tensor], scale: Tensor
    ) -> Tensor:
        """1 / standard deviation of each image token [N], without making the tokens."""
        crossed = [
            torch.bmm(values, cross).flatten(0, 1).add_(offset)
            for values, (cross, offset) in zip(parts, self.crosses, strict=True)
        ]
        # |s k + m R|^2 = s^2 |k|^2 + m (2 s R k + R R^T m)
        inner = torch.cat(crossed) if len(crossed) > 1 else crossed[0]
        inner.mul_(2 * scale).addmm_(rows @ rows.T, mix)
        variance = (self.power * scale.square() + inner.mul_(mix).sum(0)) / rows.shape[1]
        return torch.rsqrt(variance.clamp_(min=0) + self.norm.eps)


class FoldedDecoder:
    """Candidates for single-point prompts, with SAM's weights and segment-anything's results."""

    batch = 8

    def __init__(self, model: Sam) -> None:
        self.model = model
        self.decoder = model.mask_decoder
        self.layers = list(self.decoder.transformer.layers)
        self.upscaler = Upscaler(self.decoder.output_upscaling)

    @torch.inference_mode()
    def set_image(self, embedding: Tensor, frame: Frame) -> None:
        """Take an image's embedding [1, 256, 64, 64]: all projections of it are computed here."""
        prompts, transformer = self.model.prompt_encoder, self.decoder.transformer
        dense = prompts.no_mask_embed.weight[0]
        content = embedding[0].flatten(1).T + dense
        position = prompts.get_dense_pe()[0].flatten(1).T
        bias = torch.zeros_like(dense)
        self.readings: list[Reading] = []
        self.writings: list[Writing] = []
        self.untouched = Keys.untouched(content)
        for layer in self.layers:
            arguments = (content, position, bias)
            earlier = self.writings[-1] if self.writings else None
            self.readings.append(Reading(layer.cross_attn_token_to_image, *arguments))
            attention = layer.cross_attn_image_to_token
            self.writings.append(Writing(attention, layer.norm4, *arguments, earlier))
            content = centred(content) * layer.norm4.weight
            bias = layer.norm4.bias
        final = transformer.final_attn_token_to_image
        self.readings.append(Reading(final, content, position, bias))
        self.upscaler.set_image(content, bias, frame)

    @torch.inference_mode()
    def decode(self, points: Tensor, first: int, min_iou: float, below: float) -> list[Candidate]:
        """Candidates of over ``min_iou`` for prompts [B, 2] in model pixels."""
        hidden, keys = self._transform(self._tokens(points))
        iou = self.decoder.iou_prediction_head(hidden[:, 0])[:, 1:]
        hyper = self._hyper(hidden)
        found: list[Candidate] = []
        for prompt, good in enumerate(iou > min_iou):
            masks = good.nonzero().flatten()
            if not len(masks):
                continue
            scores = iou[prompt, masks].tolist()
            vectors = hyper[prompt, masks]
            found += self.upscaler.candidates(keys[prompt], vectors, scores, first + prompt, below)
        return found

    @torch.inference_mode()
    def predict(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Three masks per prompt: logits [B, 3, 256, 256] and predicted IoU [B, 3]."""
        hidden, keys = self._transform(self._tokens(points))
        hyper = self._hyper(hidden)
        logits = [self.upscaler.whole(k, h) for k, h in zip(keys, hyper, strict=True)]
        return torch.stack(logits), self.decoder.iou_prediction_head(hidden[:, 0])[:, 1:]

    def _tokens(self, points: Tensor) -> Tensor:
        labels = torch.ones(len(points), 1, dtype=torch.int)
        sparse, _ = self.model.prompt_encoder((points[:, None], labels), boxes=None, masks=None)
        own = torch.cat([self.decoder.iou_token.weight, self.decoder.mask_tokens.weight])
        return torch.cat([own.expand(len(points), -1, -1), sparse], dim=1)

    def _hyper(self, hidden: Tensor) -> Tensor:
        """The three masks' weights over the upscaled channels, [B, 3, 32]."""
        networks = list(self.decoder.output_hypernetworks_mlps)[1:]
        return torch.stack([net(hidden[:, 2 + i]) for i, net in enumerate(networks)], dim=1)

    def _transform(self, tokens: Tensor) -> tuple[Tensor, list[Keys]]:
        """The two-way transformer: prompts' tokens [B, T, C] after it, and their keys."""
        queries, keys = tokens, [self.untouched] * len(tokens)
        for layer, reading, writing in zip(self.layers, self.readings, self.writings, strict=False):
            queries = _self_attention(layer, queries, tokens)
            queries = layer.norm2(queries + _read(reading, queries + tokens, keys))
            queries = layer.norm3(queries + layer.mlp(queries))
            inputs = writing.tokens(queries + tokens, queries)
            keys = [writing.write(t, v, k) for t, v, k in zip(*inputs, keys, strict=True)]
        found = _read(self.readings[-1], queries + tokens, keys)
        return self.decoder.transformer.norm_final_attn(queries + found), keys


def _self_attention(layer: TwoWayAttentionBlock, queries: Tensor, tokens: Tensor) -> Tensor:
    if layer.skip_first_layer_pe:
        return layer.norm1(layer.self_attn(q=queries, k=queries, v=queries))
    both = queries + tokens
    return layer.norm1(queries + layer.self_attn(q=both, k=both, v=queries))


def _read(reading: Reading, tokens: Tensor, keys: list[Keys]) -> Tensor:
    queries = reading.queries(tokens)
    found = [reading.read(q, k) for q, k in zip(queries, keys, strict=True)]
    return reading.attention.out_proj(torch.stack(found))


def _heads_first(projected: Tensor, heads: int) -> Tensor:
    """[N, heads * d] to [heads, d, N]."""
    return projected.T.unflatten(0, (heads, -1)).contiguous()
