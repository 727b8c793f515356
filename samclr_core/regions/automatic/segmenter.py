"""Automatic regions of an image: a grid of prompts through SAM, then a choice among the masks."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from segment_anything.utils.transforms import ResizeLongestSide

from samclr_core.jobs import Progress, silent
from samclr_core.regions.automatic.decoder import (
    Answers,
    PromptDecoder,
    Prompted,
    ReferenceDecoder,
)
from samclr_core.regions.automatic.folded import FoldedDecoder
from samclr_core.regions.automatic.geometry import MODEL_SIDE, Frame
from samclr_core.regions.automatic.parallel import in_parallel, on_one_core
from samclr_core.regions.automatic.prompts import left_out
from samclr_core.regions.automatic.reasons import LOW_IOU, REASONS
from samclr_core.regions.automatic.selection import Selection, render
from samclr_core.regions.config import PRESETS, SegmenterConfig
from samclr_core.regions.region import Region, RegionSet
from samclr_core.regions.sam.models import load_model

__all__ = ["PRESETS", "Embedded", "Segmenter", "SegmenterConfig"]

MASKS_PER_PROMPT = 3


class Embedded(NamedTuple):
    """An image that is ready to be segmented.

    Attributes:
        image_id: which.
        image: uint8 [H, W, 3], RGB.
        embedding: [1, 256, 64, 64].
    """

    image_id: str
    image: np.ndarray
    embedding: torch.Tensor


class Segmenter:
    """Makes regions with one model and one set of settings."""

    def __init__(
        self,
        config: SegmenterConfig,
        device: torch.device | str | None = None,
        progress: Progress = silent,
    ) -> None:
        """Load the model, fetching its weights where they are missing.

        Args:
            config: the settings.
            device: where it runs; by default a GPU where there is one.
            progress: of the download, where there is one.

        Raises:
            UserError: the weights cannot be had, or are no SAM checkpoint.
        """
        self.config = config
        self.model = load_model(config.model, device, progress)
        on_cpu = self.model.device.type == "cpu"
        self.decoder: PromptDecoder = (
            FoldedDecoder(self.model, config.foveated) if on_cpu else ReferenceDecoder(self.model)
        )

    def segment(
        self,
        image: np.ndarray,
        image_id: str = "",
        progress: Progress = silent,
        embedding: torch.Tensor | None = None,
    ) -> RegionSet:
        """The regions of one image.

        Args:
            image: uint8 [H, W, 3], RGB.
            image_id: goes into the result.
            progress: called with prompts done and prompts in all.
            embedding: of the image, [1, 256, 64, 64], where it is there already.

        Raises:
            Cancelled: the person asked to stop.
        """
        started = time.perf_counter()
        embedding = self.embed(image) if embedding is None else embedding
        (regions,) = self.segment_all([Embedded(image_id, image, embedding)], progress, alone=True)
        return replace(regions, seconds=time.perf_counter() - started)

    def segment_all(
        self, images: Sequence[Embedded], progress: Progress = silent, alone: bool = False
    ) -> Iterator[RegionSet]:
        """The regions of each image, in order; on a GPU, their prompts are decoded together.

        Args:
            images: with their embeddings.
            progress: called with prompts done and prompts in all.
            alone: whether masks are chosen on all cores; else one is left to what runs beside.

        Raises:
            Cancelled: the person asked to stop.
        """
        frames = [Frame(*one.image.shape[:2]) for one in images]
        grids = [frame.grid(self.config.points_per_side) for frame in frames]
        prompted = [
            self._prompted(one.embedding, frame, frame.to_model(points))
            for one, frame, points in zip(images, frames, grids, strict=True)
        ]
        decoded = partial(_tell, progress, sum(len(image.first()) for image in prompted))
        found = self.decoder.sketches(prompted, self.config.min_predicted_iou, decoded)
        started = time.perf_counter()
        for one, frame, points, answers in zip(images, frames, grids, found, strict=True):
            with nullcontext() if alone else on_one_core():
                regions, dropped = self._choose(answers, frame, points)
            yield RegionSet(
                image_id=one.image_id,
                height=frame.height,
                width=frame.width,
                segmenter=self.config.model_dump(),
                regions=regions,
                seconds=time.perf_counter() - started,
                dropped=dropped,
            )
            started = time.perf_counter()

    def _prompted(self, embedding: torch.Tensor, frame: Frame, points: torch.Tensor) -> Prompted:
        omitted = left_out(embedding, points) if self.config.foveated else {}
        return Prompted(embedding, frame, points, omitted)

    def embed(self, image: np.ndarray) -> torch.Tensor:
        """The image's embedding, [1, 256, 64, 64], from uint8 [H, W, 3]."""
        return self.embed_all([image])

    @torch.inference_mode()
    def embed_all(self, images: Sequence[np.ndarray]) -> torch.Tensor:
        """Embeddings [N, 256, 64, 64] of images of any sizes, uint8 [H, W, 3], at once."""
        inputs = torch.cat([self._input(image) for image in images])
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        cuda = self.model.device.type == "cuda"
        with torch.autocast("cuda", torch.bfloat16, enabled=cuda):
            embeddings = self.model.image_encoder(inputs)
        return embeddings.float()

    def _input(self, image: np.ndarray) -> torch.Tensor:
        resized = ResizeLongestSide(MODEL_SIDE).apply_image(image)
        pixels = torch.from_numpy(resized).to(self.model.device).permute(2, 0, 1)[None]
        return self.model.preprocess(pixels)

    def _choose(
        self, answers: Answers, frame: Frame, points: np.ndarray
    ) -> tuple[tuple[Region, ...], dict[str, int]]:
        """The masks that become regions, large ones first, and how many do not, by reason."""
        dropped = Counter({LOW_IOU: MASKS_PER_PROMPT * answers.asked - len(answers.sketches)})
        selection = Selection(frame, self.config, dropped, self.decoder.logits)
        chosen = list(selection.choices(answers.sketches))
        regions = in_parallel(lambda choice: render(choice, frame, points), chosen)
        ordered = tuple(sorted(regions, key=lambda region: -region.area))
        return ordered, {reason: dropped[reason] for reason in REASONS if dropped[reason]}


def _tell(progress: Progress, first: int, done: int) -> None:
    """Those asked after the first ones are few: the bar stands full meanwhile."""
    progress(min(done, first), first)
