"""SAM's mask decoder for several prompts on one image, in a form that is quick to train.

segment-anything copies the image's 4096 tokens for every prompt, projects each copy five times
and paints every mask whole. Here

- a projection is put on the prompt's 7 tokens instead of the image's 4096 (the products are the
  same: ``q . (W k) = (W^T q) . k``), and what no prompt has touched yet is not copied;
- logits are computed for those image tokens only that the loss looks at: the upscaling does not
  mix neighbours, so each token becomes its own 4 x 4 logits.

The algebra is exact and differentiable; a test holds it to segment-anything's own modules.
"""

import math

import torch
from segment_anything.modeling import Sam
from segment_anything.modeling.common import LayerNorm2d
from segment_anything.modeling.transformer import Attention
from torch import Tensor, nn
from torch.nn import functional as F

from samclr_core.regions.automatic.attention import self_attention, split_heads
from samclr_core.regions.automatic.geometry import LOGITS_PER_TOKEN


class TrainableDecoder:
    """Answers prompts with the weights that ``model`` has at that moment."""

    def __init__(self, model: Sam) -> None:
        self.model = model
        self.decoder = model.mask_decoder
        self.layers = list(model.mask_decoder.transformer.layers)

    def __call__(
        self, embedding: Tensor, sparse: Tensor, places: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """All four masks of each prompt: the single one, then the three of a multimask answer.

        Args:
            embedding: of the image, [1, 256, 64, 64].
            sparse: the prompts from the prompt encoder, [K, T, 256].
            places: image tokens whose logits are wanted, int64 [K, S]; all of them by default.

        Returns:
            logits [K, 4, S, 4, 4] and predicted IoU [K, 4].
        """
        hidden, keys = self._transform(embedding, sparse)
        if places is not None:
            keys = keys.gather(1, places[..., None].expand(-1, -1, keys.shape[-1]))
        networks = self.decoder.output_hypernetworks_mlps
        hyper = torch.stack([net(hidden[:, 1 + i]) for i, net in enumerate(networks)], dim=1)
        return self._upscaled(keys, hyper), self.decoder.iou_prediction_head(hidden[:, 0])

    def _transform(self, embedding: Tensor, sparse: Tensor) -> tuple[Tensor, Tensor]:
        """The two-way transformer: tokens [K, T, C] and the image's tokens [K, N, C] after it."""
        prompts, transformer = self.model.prompt_encoder, self.decoder.transformer
        position = prompts.get_dense_pe().flatten(2).transpose(1, 2)
        keys = embedding.flatten(2).transpose(1, 2) + prompts.no_mask_embed.weight
        own = torch.cat([self.decoder.iou_token.weight, self.decoder.mask_tokens.weight])
        tokens = torch.cat([own.expand(len(sparse), -1, -1), sparse], dim=1)
        queries = tokens
        for layer in self.layers:
            placed = keys + position
            queries = self_attention(layer, queries, tokens)
            found = _read(layer.cross_attn_token_to_image, queries + tokens, placed, keys)
            queries = layer.norm2(queries + found)
            queries = layer.norm3(queries + layer.mlp(queries))
            written = _written(layer.cross_attn_image_to_token, placed, queries + tokens, queries)
            keys = layer.norm4(keys + written)
        last = transformer.final_attn_token_to_image
        found = _read(last, queries + tokens, keys + position, keys)
        return transformer.norm_final_attn(queries + found), keys

    def _upscaled(self, keys: Tensor, hyper: Tensor) -> Tensor:
        first, norm, act1, second, act2 = self.decoder.output_upscaling
        assert isinstance(norm, LayerNorm2d)
        middle = _unfolded(first, keys)
        middle = act1(F.layer_norm(middle, middle.shape[-1:], norm.weight, norm.bias, norm.eps))
        fine = act2(_unfolded(second, middle))
        logits = torch.einsum("ksabc,kmc->kmsab", fine, hyper)
        # Both steps cut a square in 2 x 2: rows of the one and of the other, then columns.
        steps = logits.unflatten(-1, (2, 2)).unflatten(-3, (2, 2))
        return steps.transpose(-3, -2).reshape(
            *logits.shape[:3], LOGITS_PER_TOKEN, LOGITS_PER_TOKEN
        )


def _unfolded(layer: nn.ConvTranspose2d, inputs: Tensor) -> Tensor:
    """A transposed convolution of kernel and stride 2 on single pixels: [..., C] to [..., 4, D]."""
    weight = layer.weight.permute(0, 2, 3, 1)
    out = (inputs @ weight.flatten(1)).unflatten(-1, (4, -1))
    return out if layer.bias is None else out + layer.bias


def _read(attention: Attention, tokens: Tensor, placed: Tensor, keys: Tensor) -> Tensor:
    """The prompts' tokens attend to the image's: [K, T, C], keys [K or 1, N, C]."""
    heads = attention.num_heads
    queries = _heads(attention.q_proj(tokens), heads)
    # The bias of k_proj adds the same to all scores of a token: softmax does not see it.
    folded = queries @ attention.k_proj.weight.unflatten(0, (heads, -1))
    weights = _products(folded.flatten(1, 2), placed).softmax(-1)
    found = (weights @ keys).unflatten(1, (heads, -1))
    values = found @ attention.v_proj.weight.unflatten(0, (heads, -1)).transpose(1, 2)
    return attention.out_proj(values.transpose(1, 2).flatten(2) + attention.v_proj.bias)


def _written(attention: Attention, placed: Tensor, tokens: Tensor, values: Tensor) -> Tensor:
    """The image's tokens attend to the prompts': what is added to them, [K, N, C]."""
    heads = attention.num_heads
    keys = _heads(attention.k_proj(tokens), heads)
    folded = keys @ attention.q_proj.weight.unflatten(0, (heads, -1))
    constant = keys @ attention.q_proj.bias.unflatten(0, (heads, -1))[..., None]
    scores = _products(folded.flatten(1, 2), placed).unflatten(1, (heads, -1)) + constant
    weights = scores.softmax(2).flatten(1, 2)
    spread = split_heads(attention.v_proj(values), heads)
    rows = spread @ attention.out_proj.weight.T.unflatten(0, (heads, -1))
    return weights.transpose(1, 2) @ rows.flatten(1, 2) + attention.out_proj.bias


def _heads(tokens: Tensor, heads: int) -> Tensor:
    """[K, T, heads * d] to [K, heads, T, d], scaled for the softmax."""
    split = split_heads(tokens, heads)
    return split / math.sqrt(split.shape[-1])


def _products(rows: Tensor, keys: Tensor) -> Tensor:
    """rows [K, M, C] times keys [K or 1, N, C] to [K, M, N]; keys of one image are not copied."""
    if len(keys) == 1:
        return (rows.flatten(0, 1) @ keys[0].T).unflatten(0, rows.shape[:2])
    return rows @ keys.transpose(1, 2)
