"""SAM's own prompt encoder and mask decoder, as a source of sketches: the reference."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Protocol

import torch
from segment_anything.modeling import Sam
from torch import Tensor

from samclr_core.regions.automatic.candidates import Sketch, one_by_one
from samclr_core.regions.automatic.geometry import Frame, by_token
from samclr_core.regions.automatic.prompts import worth_asking

# Of the 4 x 4 logits of a token, the one that stands for it in an outline.
OUTLINE = (2, 2)


@dataclass(frozen=True)
class Prompted:
    """An image and the points it is asked about.

    Attributes:
        embedding: of the image, [1, 256, 64, 64].
        frame: its place in the model's square.
        points: float32 [N, 2], X, Y in model pixels.
        omitted: those not to be asked at first; see :func:`.prompts.left_out`.
    """

    embedding: Tensor
    frame: Frame
    points: Tensor
    omitted: Mapping[int, Sequence[int]] = field(default_factory=dict)

    def first(self) -> list[int]:
        """The prompts to be asked at first."""
        return [number for number in range(len(self.points)) if number not in self.omitted]

    def then(self, sketches: Sequence[Sketch]) -> list[int]:
        """The prompts to be asked when ``sketches`` are what the first ones found."""
        return worth_asking(self.omitted, sketches, self.points)


class Answers(NamedTuple):
    """What an image's prompts found.

    Attributes:
        sketches: masks of a sufficient predicted IoU.
        asked: how many prompts were asked.
    """

    sketches: list[Sketch]
    asked: int


class PromptDecoder(Protocol):
    """Proposes masks for single-point prompts."""

    def sketches(
        self, images: Sequence[Prompted], min_iou: float, decoded: Callable[[int], None]
    ) -> Iterator[Answers]:
        """For each image in turn, its masks of a predicted IoU over ``min_iou``.

        An image's sketches give their logits until the next image's are asked for. ``decoded`` is
        told now and then how many prompts, of all the images', have been decoded.
        """

    def logits(self, sketches: Sequence[Sketch], tokens: Sequence[Tensor]) -> Sequence[Tensor]:
        """All logits [n, 4, 4] of tokens [n] of each of the last image's ``sketches``."""


@dataclass(frozen=True)
class Logits:
    """One mask's, float [64, 64, 4, 4], left where they were made until somebody asks."""

    blocks: Tensor

    @cached_property
    def _at_hand(self) -> Tensor:
        return self.blocks.flatten(0, 1).float().cpu()

    def __call__(self, tokens: Tensor) -> Tensor:
        return self._at_hand[tokens]


class _Asked:
    """What one image has been asked, and what was found."""

    def __init__(self, image: Prompted) -> None:
        self.image = image
        self.first = image.first()
        self.left = self.prompts = len(self.first)
        self.found: list[Sketch] = []
        self._followed = False

    def one_decoded(self) -> list[int]:
        """Count a prompt as decoded; after the last of the first ones, those that follow them."""
        self.left -= 1
        if self.left or self._followed:
            return []
        self._followed = True
        more = self.image.then(self.found)
        self.left = len(more)
        self.prompts += len(more)
        return more

    def answers(self) -> Answers:
        """What was found, which is let go."""
        found, self.found = self.found, []
        return Answers(found, self.prompts)


class ReferenceDecoder:
    """The modules of segment-anything, in batches across images; under bfloat16 on a GPU."""

    def __init__(self, model: Sam, batch: int | None = None) -> None:
        """``batch`` is the number of prompts at a time; by default what suits the device."""
        self.model = model
        self.cuda = model.device.type == "cuda"
        self.batch = batch or (64 if self.cuda else 8)

    def sketches(
        self, images: Sequence[Prompted], min_iou: float, decoded: Callable[[int], None]
    ) -> Iterator[Answers]:
        """As :class:`PromptDecoder` says."""
        asked = [_Asked(image) for image in images]
        waiting = deque((owner, number) for owner, one in enumerate(asked) for number in one.first)
        finished = done = 0
        while waiting:
            batch = [waiting.popleft() for _ in range(min(self.batch, len(waiting)))]
            for owner, sketch in self._decode(images, batch, min_iou):
                asked[owner].found.append(sketch)
            for owner, _ in batch:
                waiting.extendleft((owner, number) for number in asked[owner].one_decoded())
            done += len(batch)
            decoded(done)
            while finished < len(images) and asked[finished].left == 0:
                yield asked[finished].answers()
                finished += 1

    def logits(self, sketches: Sequence[Sketch], tokens: Sequence[Tensor]) -> Sequence[Tensor]:
        """As :class:`PromptDecoder` says."""
        return one_by_one(sketches, tokens)

    @torch.inference_mode()
    def _decode(
        self, images: Sequence[Prompted], batch: list[tuple[int, int]], min_iou: float
    ) -> list[tuple[int, Sketch]]:
        """Sketches and the images they are of, for prompts given as image and number in it."""
        points = torch.stack([images[owner].points[number] for owner, number in batch])
        embeddings = torch.cat([images[owner].embedding for owner, _ in batch])
        logits, iou = self.predict(points, embeddings)
        good = (iou > min_iou).nonzero()
        blocks = by_token(logits[good[:, 0], good[:, 1]])
        scores = iou[good[:, 0], good[:, 1]].tolist()
        outlines = blocks[..., *OUTLINE].float().cpu()
        found = []
        for place, prompt in enumerate(good[:, 0].tolist()):
            owner, number = batch[prompt]
            rows, columns = images[owner].frame.tokens_used
            x, y = points[prompt].tolist()
            outline = outlines[place, :rows, :columns]
            logits_of = Logits(blocks[place])
            found.append((owner, Sketch(outline, scores[place], number, (x, y), logits_of)))
        return found

    def predict(self, points: Tensor, embeddings: Tensor) -> tuple[Tensor, Tensor]:
        """Three masks per prompt: logits [B, 3, 256, 256] and predicted IoU [B, 3].

        Args:
            points: the prompts, [B, 2], X, Y in model pixels.
            embeddings: of the image of each, [B, 256, 64, 64].
        """
        model = self.model
        labels = torch.ones(len(points), 1, dtype=torch.int, device=model.device)
        coordinates = points.to(model.device)[:, None]
        sparse, dense = model.prompt_encoder((coordinates, labels), boxes=None, masks=None)
        with torch.autocast("cuda", torch.bfloat16, enabled=self.cuda):
            # The decoder takes one image for all prompts, and adds the dense embedding of each.
            return model.mask_decoder(
                image_embeddings=torch.zeros_like(embeddings[:1]),
                image_pe=model.prompt_encoder.get_dense_pe(),
                sparse_prompt_embeddings=sparse,
                dense_prompt_embeddings=embeddings + dense,
                multimask_output=True,
            )
