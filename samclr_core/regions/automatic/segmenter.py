"""Automatic regions of an image: a grid of prompts through SAM, then a choice among the masks."""

import time
from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
from segment_anything.utils.transforms import ResizeLongestSide

from samclr_core.jobs import Progress, silent
from samclr_core.regions.automatic.candidates import Sketch
from samclr_core.regions.automatic.decoder import PromptDecoder, ReferenceDecoder
from samclr_core.regions.automatic.folded import FoldedDecoder
from samclr_core.regions.automatic.geometry import MODEL_SIDE, Frame
from samclr_core.regions.automatic.parallel import in_parallel
from samclr_core.regions.automatic.reasons import LOW_IOU, REASONS
from samclr_core.regions.automatic.selection import Selection, render
from samclr_core.regions.config import PRESETS, SegmenterConfig
from samclr_core.regions.region import RegionSet
from samclr_core.regions.sam.models import load_model

__all__ = ["PRESETS", "Segmenter", "SegmenterConfig"]

MASKS_PER_PROMPT = 3


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
        frame = Frame(*image.shape[:2])
        points = frame.grid(self.config.points_per_side)
        self.decoder.set_image(self.embed(image) if embedding is None else embedding, frame)
        dropped: Counter[str] = Counter()
        sketches = self._sketches(frame.to_model(points), dropped, progress)
        chosen = list(Selection(frame, self.config, dropped).choices(sketches))
        regions = list(in_parallel(lambda choice: render(choice, frame, points), chosen))
        return RegionSet(
            image_id=image_id,
            height=frame.height,
            width=frame.width,
            segmenter=self.config.model_dump(),
            regions=tuple(sorted(regions, key=lambda region: -region.area)),
            seconds=time.perf_counter() - started,
            dropped={reason: dropped[reason] for reason in REASONS if dropped[reason]},
        )

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

    def _sketches(
        self, points: torch.Tensor, dropped: Counter[str], progress: Progress
    ) -> list[Sketch]:
        batches = self.decoder.batches(points)

        def decode(prompts: torch.Tensor) -> list[Sketch]:
            return self.decoder.decode(points[prompts], prompts, self.config.min_predicted_iou)

        found: list[Sketch] = []
        done = 0
        for prompts, sketches in zip(batches, in_parallel(decode, batches), strict=True):
            found += sketches
            done += len(prompts)
            progress(done, len(points))
        dropped[LOW_IOU] += MASKS_PER_PROMPT * len(points) - len(found)
        return found
