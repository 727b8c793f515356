"""A region where a person points: SAM's own prompt encoder and mask decoder on one image."""

from collections.abc import Sequence

import numpy as np
import torch
from segment_anything.utils.amg import calculate_stability_score
from segment_anything.utils.transforms import ResizeLongestSide

from samclr_core.jobs import Progress, silent
from samclr_core.messages import UserError
from samclr_core.regions.automatic.segmenter import Segmenter
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.region import Region
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
        logits, iou = self._decode(embedded, size, points, labels, box)
        best = int(iou.argmax())
        mask = self._upsampled(logits[None, None, best], size)
        offset = self.config.stability_offset
        stability = float(calculate_stability_score(mask[None], 0.0, offset)[0])
        inside = (mask > 0).cpu().numpy()
        if not inside.any():
            raise UserError("review.nothing_there")
        return Region.of_mask(inside, float(iou[best]), stability, _place(points, labels, box))

    def _decode(
        self,
        embedded: torch.Tensor,
        size: tuple[int, int],
        points: Sequence[Point],
        labels: Sequence[int],
        box: Corners | None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits [M, 256, 256] and predicted IoU [M] of one or three masks."""
        device, resize = self.model.device, ResizeLongestSide(self.model.image_encoder.img_size)
        clicks = corners = None
        if points:
            at = torch.as_tensor(resize.apply_coords(np.array(points, float), size))
            kinds = torch.as_tensor(labels, dtype=torch.int, device=device)
            clicks = at.float().to(device)[None], kinds[None]
        if box:
            corners = torch.as_tensor(resize.apply_boxes(np.array([_sorted(box)], float), size))
            corners = corners.float().to(device)
        sparse, dense = self.model.prompt_encoder(points=clicks, boxes=corners, masks=None)
        logits, iou = self.model.mask_decoder(
            image_embeddings=embedded.to(device),
            image_pe=self.model.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=len(points) == 1 and not box,
        )
        return logits[0].float(), iou[0].float()

    def _upsampled(self, logits: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        """Logits [1, 1, 256, 256] to those of the image's pixels, [H, W]."""
        resize = ResizeLongestSide(self.model.image_encoder.img_size)
        within = resize.get_preprocess_shape(*size, resize.target_length)
        return self.model.postprocess_masks(logits, within, size)[0, 0]


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
