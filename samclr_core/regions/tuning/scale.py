"""Predicted IoUs of a tuned model on the scale of the model it was tuned from.

SAM's predicted IoU is no IoU with the segments of any one place: a model that has learned how
often a mask is none of them predicts far less, and thresholds that were set on SAM's scale would
drop nearly all of its regions. So the tuned head's last layer is stretched and shifted until its
upper predictions are distributed as they were. Their order, which is what was learned, stays.
"""

from collections.abc import Sequence

import numpy as np
import torch

from samclr_core.regions.automatic.geometry import Frame
from samclr_core.regions.automatic.segmenter import Segmenter
from samclr_core.regions.sam.embeddings import embedding
from samclr_core.regions.tuning.decoder import PromptDecoder
from samclr_core.regions.tuning.examples import Example
from samclr_core.regions.tuning.prompts import Prompts
from samclr_core.workspace import Workspace

IMAGES = 8
POINTS_PER_SIDE = 4


@torch.no_grad()
def predictions(
    workspace: Workspace, segmenter: Segmenter, examples: Sequence[Example]
) -> np.ndarray:
    """Predicted IoUs of the masks at a grid of points on some images, sorted, float [N]."""
    decoder, model = PromptDecoder(segmenter.model), segmenter.model
    nowhere = torch.zeros(POINTS_PER_SIDE**2, 1, dtype=torch.int64, device=model.device)
    found = []
    for example in examples[:IMAGES]:
        frame = Frame(*example.void["size"])
        points = frame.grid(POINTS_PER_SIDE)[:, None]
        prompts = Prompts("point", points, np.ones(points.shape[:2], np.int64))
        image = embedding(workspace, example.image_id, segmenter).to(model.device)
        _, iou = decoder(image, prompts.encoded(model, frame), nowhere)
        found.append(iou[:, prompts.answers].flatten().cpu().numpy())
    return np.sort(np.concatenate(found))


@torch.no_grad()
def keep(segmenter: Segmenter, wanted: np.ndarray, found: np.ndarray) -> None:
    """Change the head's last layer so that the upper half of ``found`` becomes that of ``wanted``.

    Args:
        segmenter: whose model is changed.
        wanted: sorted predictions of the model it was tuned from, float [N].
        found: sorted predictions for the same questions now, float [N].
    """
    upper = slice(len(found) // 2, None)
    slope, offset = np.polyfit(found[upper], wanted[upper], 1)
    last = segmenter.model.mask_decoder.iou_prediction_head.layers[-1]
    last.weight.mul_(slope)
    last.bias.mul_(slope).add_(offset)
