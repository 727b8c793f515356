"""A region where a person points: SAM's own prompt encoder and mask decoder on one image."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch

from samclr_core.jobs import Progress, silent
from samclr_core.messages import UserError
from samclr_core.regions.automatic.candidates import cut_out
from samclr_core.regions.automatic.geometry import Frame
from samclr_core.regions.automatic.parallel import on_one_core
from samclr_core.regions.automatic.segmenter import Segmenter
from samclr_core.regions.automatic.selection import score
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.region import Region
from samclr_core.regions.rle import Box, Rle, encode_window
from samclr_core.regions.sam.embeddings import embedding
from samclr_core.workspace import Workspace

Point = tuple[float, float]
Corners = tuple[float, float, float, float]


class Prompter:
    """Answers prompts with one model."""

    def __init__(
        self,
        config: SegmenterConfig,
        device: torch.device | str | None = None,
        progress: Progress = silent,
    ) -> None:
        """Load the model, fetching its weights where they are missing.

        Raises:
            UserError: the weights cannot be had, or are no SAM checkpoint.
        """
        self.config = config
        self.segmenter = Segmenter(config, device, progress)
        self.model = self.segmenter.model

    def embed(self, workspace: Workspace, image_id: str) -> torch.Tensor:
        """The image's embedding, float32 [1, 256, 64, 64], from the disk where it is there.

        Raises:
            UserError: the workspace has no such image.
        """
        return embedding(workspace, image_id, self.segmenter)

    @torch.inference_mode()
    def region(
        self,
        embedded: torch.Tensor,
        size: tuple[int, int],
        points: Sequence[Point] = (),
        labels: Sequence[int] | None = None,
        box: Corners | None = None,
    ) -> Region:
        """The region that the prompts ask for.

        A single click may mean a thing, a part of it or what it is part of: SAM answers with three
        masks, and the one it thinks best is taken. Several prompts, or a box, leave less doubt: SAM
        recommends its single mask then (Kirillov et al. 2023, arXiv 2304.02643, section 3).

        Args:
            embedded: of the image, [1, 256, 64, 64].
            size: of the image, H, W in pixels.
            points: X, Y in pixels.
            labels: for each point 1 (inside the thing) or 0 (outside); all inside by default.
            box: the thing's box, as X, Y and X, Y of two opposite corners in pixels.

        Raises:
            UserError: there is no prompt inside the image, or nothing at it.
        """
        labels = [1] * len(points) if labels is None else list(labels)
        if not _usable(size, points, labels, box):
            raise UserError("review.no_prompt")
        frame = _frame(*size)
        logits, iou = self._decode(embedded, frame, points, labels, box)
        best = int(iou.argmax())
        found = self._drawn(logits[best], frame)
        if found is None:
            raise UserError("review.nothing_there")
        encoded, bbox, area, stability = found
        place = _place(points, labels, box)
        return Region(encoded, bbox, area, float(iou[best]), stability, place)

    def _decode(
        self,
        embedded: torch.Tensor,
        frame: Frame,
        points: Sequence[Point],
        labels: Sequence[int],
        box: Corners | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits [M, 256, 256] and predicted IoU [M] of one or three masks, on the CPU."""
        model, clicks, corners = self.model, None, None
        if points:
            at = frame.to_model(np.array(points, float)).to(model.device)
            clicks = at[None], torch.as_tensor(labels, dtype=torch.int, device=model.device)[None]
        if box:
            ends = np.reshape(_sorted(box), (2, 2))
            corners = frame.to_model(ends).to(model.device).reshape(1, 4)
        sparse, dense = model.prompt_encoder(points=clicks, boxes=corners, masks=None)
        logits, iou = model.mask_decoder(
            image_embeddings=embedded.to(model.device),
            image_pe=model.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=len(points) == 1 and not box,
        )
        return logits[0].float().cpu(), iou[0].float().cpu()

    def _drawn(self, logits: torch.Tensor, frame: Frame) -> tuple[Rle, Box, int, float] | None:
        """Run lengths, box and area in the image's pixels, and stability; None for an empty mask.

        Only a window around the mask is made larger, which a large photo would make slow.
        """
        offset, (rows, columns) = self.config.stability_offset, frame.full.logits_used
        cut = cut_out(logits[:rows, :columns], 1.0, 0, -offset)
        if cut is None:
            return None
        with on_one_core():
            pixels, y, x = frame.full.mask(cut.logits, cut.y, cut.x)
            stability, _ = score(cut, frame, offset)
        encoded, bbox, area = encode_window(pixels, y, x, (frame.height, frame.width))
        return (encoded, bbox, area, stability) if area else None


@lru_cache(maxsize=16)
def _frame(height: int, width: int) -> Frame:
    """Kept, since photos of one camera have one size."""
    return Frame(height, width)


def _usable(
    size: tuple[int, int], points: Sequence[Point], labels: Sequence[int], box: Corners | None
) -> bool:
    """Whether there is a box, or a click on the thing, and all clicks lie inside the image."""
    height, width = size
    inside = all(0 <= x < width and 0 <= y < height for x, y in points)
    if box:
        x1, y1, x2, y2 = _sorted(box)
        return inside and x2 - x1 >= 1 and y2 - y1 >= 1 and x1 < width and y1 < height
    return inside and len(points) == len(labels) and 1 in labels


def _sorted(box: Corners) -> Corners:
    x1, y1, x2, y2 = box
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def _place(points: Sequence[Point], labels: Sequence[int], box: Corners | None) -> Point:
    """The first click on the thing, or the middle of its box."""
    on_it = [point for point, label in zip(points, labels, strict=True) if label == 1]
    if on_it:
        return float(on_it[0][0]), float(on_it[0][1])
    assert box
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
