"""SAM's mask decoder, with the image's part of the work done once per image.

In SAM's two-way transformer every prompt carries a copy of the 4096 image tokens, [4096, 256].
But a prompt changes them only through attention to its 7 own tokens, so that at every moment

    keys = scale * content + mix^T rows (+ a constant)

with ``content`` [4096, 256] the same for all prompts, ``scale`` [4096] left by the layer norms, and
``mix`` [r, 4096] the attention weights of r = 56 or 112 (8 heads x 7 tokens per layer). The copy is
never made: each projection of the keys is one of ``content``, computed once per image, plus one of
the few ``rows``; the variance that a layer norm needs comes from the Gram matrix of the rows.
That algebra is exact; results differ from segment-anything's by rounding alone.

The second saving is not exact: a prompt reads the image at some 280 places instead of 4096
(``pyramid.py``). What it writes to an image token depends on that token alone, so that the tokens
which a mask's edge runs through still get their own, in full.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import cast

import torch
from segment_anything.modeling import Sam
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from samclr_core.regions.automatic.attention import Image, Reading, Said, Writing, self_attention
from samclr_core.regions.automatic.candidates import Sketch
from samclr_core.regions.automatic.decoder import Answers, Prompted
from samclr_core.regions.automatic.geometry import TOKENS, Frame
from samclr_core.regions.automatic.keys import Keys, Rows
from samclr_core.regions.automatic.parallel import in_parallel
from samclr_core.regions.automatic.pyramid import (
    Places,
    around,
    everywhere,
    pyramid,
    tile_of,
)
from samclr_core.regions.automatic.upscaling import Upscaler

# More prompts at once, with 4096 places each, would not stay in a core's cache.
EXACT_BATCH = 2
# Masks are drawn together where the shorter list of tokens lacks no more: so many cost what one
# more call does.
SPARE = 60


class FoldedDecoder:
    """Sketches for single-point prompts, with the weights SAM has when it gets an image."""

    def __init__(self, model: Sam, foveated: bool = True) -> None:
        """``foveated`` prompts read the image at a few places; else at all, as SAM does."""
        self.model = model
        self.foveated = foveated
        self.decoder = model.mask_decoder
        self.layers = list(self.decoder.transformer.layers)

    def sketches(
        self, images: Sequence[Prompted], min_iou: float, decoded: Callable[[int], None]
    ) -> Iterator[Answers]:
        """As :class:`~samclr_core.regions.automatic.decoder.PromptDecoder` says."""
        done = 0
        for image in images:
            self.set_image(image.embedding, image.frame)
            decode = partial(self.decode, image.points, min_iou)
            found: list[Sketch] = []
            asked = 0
            for choose in (image.first, partial(image.then, found)):
                batches = self.batches(image.points, choose())
                for prompts, sketches in zip(batches, in_parallel(decode, batches), strict=True):
                    found += sketches
                    asked += len(prompts)
                    decoded(done + asked)
            done += asked
            yield Answers(found, asked)

    @torch.inference_mode()
    def set_image(self, embedding: Tensor, frame: Frame) -> None:
        """Take an image's embedding [1, 256, 64, 64]: all projections of it are computed here."""
        prompts, transformer = self.model.prompt_encoder, self.decoder.transformer
        dense = prompts.no_mask_embed.weight[0]
        content = pyramid(embedding[0].flatten(1).T + dense)
        position = pyramid(prompts.get_dense_pe()[0].flatten(1).T)
        image = Image(content, position, torch.zeros_like(dense), Rows())
        self.readings: list[Reading] = []
        self.writings: list[Writing] = []
        for layer in self.layers:
            self.readings.append(Reading(layer.cross_attn_token_to_image, image))
            self.writings.append(Writing(layer.cross_attn_image_to_token, layer.norm4, image))
            image = self.writings[-1].after
        self.readings.append(Reading(transformer.final_attn_token_to_image, image))
        self.upscaler = Upscaler(self.decoder.output_upscaling, image)
        self.rows, self.columns = frame.tokens_used

    def batches(self, points: Tensor, asked: Sequence[int]) -> list[Tensor]:
        """Which of the prompts ``asked`` of ``points`` [N, 2] are decoded together, as numbers."""
        numbers = torch.tensor(asked, dtype=torch.long)
        if not self.foveated:
            return [part for part in numbers.split(EXACT_BATCH) if len(part)]
        tiles = tile_of(points[numbers])
        return [numbers[tiles == tile] for tile in tiles.unique()]

    @torch.inference_mode()
    def decode(self, points: Tensor, min_iou: float, prompts: Tensor) -> list[Sketch]:
        """Sketches of over ``min_iou`` for the batch ``prompts`` [B] of ``points``; thread-safe."""
        points = points[prompts]
        places = around(int(tile_of(points[:1]))) if self.foveated else everywhere()
        hidden, keys, said = self._transform(self._tokens(points), places)
        iou = self.decoder.iou_prediction_head(hidden[:, 0])[:, 1:]
        hyper = self._hyper(hidden)
        good = iou > min_iou
        outlines = self.upscaler.outlines(keys, hyper, places.index)[good]
        outlines = outlines.index_select(1, places.spread[: self.rows * TOKENS])
        outlines = outlines.unflatten(1, (self.rows, TOKENS))[..., : self.columns]
        return [
            Sketch(
                outline,
                float(iou[prompt, mask]),
                int(prompts[prompt]),
                (float(points[prompt, 0]), float(points[prompt, 1])),
                Logits(self, said, prompt, hyper[prompt, mask]),
            )
            for outline, (prompt, mask) in zip(outlines, good.nonzero().tolist(), strict=True)
        ]

    @torch.inference_mode()
    def logits(self, sketches: Sequence[Sketch], tokens: Sequence[Tensor]) -> list[Tensor]:
        """As :class:`~samclr_core.regions.automatic.decoder.PromptDecoder` says."""
        found: dict[int, Tensor] = {}
        for group in _of_like_length([len(own) for own in tokens]):
            masks = cast(list[Logits], [sketches[one].logits for one in group])
            index = pad_sequence([tokens[one] for one in group], batch_first=True)
            found |= zip(group, self.logits_of(masks, index), strict=True)
        return [found[one][: len(own)] for one, own in enumerate(tokens)]

    def logits_of(self, masks: Sequence["Logits"], index: Tensor) -> Tensor:
        """All logits of B masks, each at tokens of its own: [B, n, 4, 4] for ``index`` [B, n]."""
        keys = Keys.untouched(*index.shape)
        layers = zip(*(mask.own for mask in masks), strict=True)
        for writing, said in zip(self.writings, layers, strict=True):
            keys = writing.at(index).write(Said.together(said), keys)
        rows = torch.cat([mask.rows for mask in masks])
        hyper = torch.stack([mask.hyper for mask in masks])
        return self.upscaler.logits(keys, rows, hyper, index)

    def _tokens(self, points: Tensor) -> Tensor:
        labels = torch.ones(len(points), 1, dtype=torch.int)
        sparse, _ = self.model.prompt_encoder((points[:, None], labels), boxes=None, masks=None)
        own = torch.cat([self.decoder.iou_token.weight, self.decoder.mask_tokens.weight])
        return torch.cat([own.expand(len(points), -1, -1), sparse], dim=1)

    def _hyper(self, hidden: Tensor) -> Tensor:
        """The three masks' weights over the upscaled channels, [B, 3, 32]."""
        networks = list(self.decoder.output_hypernetworks_mlps)[1:]
        return torch.stack([net(hidden[:, 2 + i]) for i, net in enumerate(networks)], dim=1)

    def _transform(self, tokens: Tensor, places: Places) -> tuple[Tensor, Keys, list[Said]]:
        """The two-way transformer: prompts' tokens [B, T, C] after it, and the image's."""
        queries, keys = tokens, Keys.untouched(len(tokens), len(places.index))
        said: list[Said] = []
        readings = [reading.at(places.index, places.log_count) for reading in self.readings]
        for layer, reading, writing in zip(self.layers, readings, self.writings, strict=False):
            queries = self_attention(layer, queries, tokens)
            queries = layer.norm2(queries + reading.read(queries + tokens, keys))
            queries = layer.norm3(queries + layer.mlp(queries))
            said.append(writing.said(queries + tokens, queries, keys.values))
            keys = writing.at(places.index).write(said[-1], keys)
        found = readings[-1].read(queries + tokens, keys)
        return self.decoder.transformer.norm_final_attn(queries + found), keys, said


@dataclass(frozen=True)
class Logits:
    """All logits of some tokens, for one mask of one prompt.

    Attributes:
        decoder: which has the image still.
        said: in each layer, by the prompts it was decoded with.
        prompt: which of these it is.
        hyper: the mask's weights over the upscaled channels, [32].
    """

    decoder: FoldedDecoder
    said: list[Said]
    prompt: int
    hyper: Tensor

    @cached_property
    def own(self) -> list[Said]:
        """In each layer, what the prompt itself said."""
        return [one.by(self.prompt) for one in self.said]

    @cached_property
    def rows(self) -> Tensor:
        """What the prompt gives to the upscaled channels."""
        return self.decoder.upscaler.rows.of(self.own[-1].values)

    @torch.inference_mode()
    def __call__(self, tokens: Tensor) -> Tensor:
        return self.decoder.logits_of([self], tokens[None])[0]


def _of_like_length(lengths: Sequence[int]) -> Iterator[list[int]]:
    """The numbers of all, long ones first, in groups in which little has to be filled up."""
    group: list[int] = []
    for one in sorted(range(len(lengths)), key=lambda one: -lengths[one]):
        if group and lengths[group[0]] - lengths[one] > SPARE:
            yield group
            group = []
        group.append(one)
    if group:
        yield group
