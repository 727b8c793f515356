"""A tuned model's predicted IoUs and logits on the scale of the model it was tuned from.

Thresholds were set on SAM's scale, and tuning leaves it. A model that has learned how often a mask
is no true thing predicts far lower IoUs, and focal loss takes back confidence, so that masks look
unstable: with the same thresholds most regions would be dropped. So the last layers are stretched
until predictions and stability are distributed as they were. Neither the order of the masks nor
their outlines, which is what was learned, change by that.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from segment_anything.modeling import Sam
from torch import Tensor

from samclr_core.regions.automatic.geometry import TOKENS, Frame
from samclr_core.regions.automatic.segmenter import Segmenter
from samclr_core.regions.sam.embeddings import embedding
from samclr_core.regions.tuning.decoder import TrainableDecoder
from samclr_core.regions.tuning.examples import Example
from samclr_core.regions.tuning.prompts import Prompts
from samclr_core.workspace import Workspace

IMAGES = 8
POINTS_PER_SIDE = 4
# One token in three says how large a mask is.
EVERY = 3
FACTORS = np.geomspace(0.25, 16, 97)


@dataclass(frozen=True)
class Answers:
    """The masks at a grid of points on some images.

    Attributes:
        iou: predicted IoU, float [N].
        logits: of some of the image's pixels, float [N, P], for each image.
    """

    iou: np.ndarray
    logits: tuple[Tensor, ...]

    def stability(self, factor: float = 1.0) -> float:
        """The median mask's IoU of two cuts, a logit over and under 0, with logits ``factor``
        times as large."""
        cut = 1 / factor
        # An empty mask gives nan, and does not count.
        values = [(one > cut).sum(-1) / (one > -cut).sum(-1) for one in self.logits]
        return float(torch.cat(values).nanmedian())


@torch.no_grad()
def answers(workspace: Workspace, segmenter: Segmenter, examples: Sequence[Example]) -> Answers:
    """What a grid of points on the first images is answered with."""
    decoder, model = TrainableDecoder(segmenter.model), segmenter.model
    ious, logits = [], []
    for example in examples[:IMAGES]:
        frame = Frame(*example.void["size"])
        points = frame.grid(POINTS_PER_SIDE)[:, None]
        prompts = Prompts("point", points, np.ones(points.shape[:2], np.int64))
        image = embedding(workspace, example.image_id, segmenter).to(model.device)
        places = _places(frame).to(model.device).expand(len(points), -1)
        found, iou = decoder(image, prompts.encoded(model, frame), places)
        ious.append(iou[:, prompts.answers].flatten().cpu().numpy())
        logits.append(found[:, prompts.answers].flatten(2).flatten(0, 1).cpu())
    return Answers(np.concatenate(ious), tuple(logits))


@torch.no_grad()
def keep(model: Sam, wanted: Answers, found: Answers) -> None:
    """Stretch the decoder's last layers until ``found`` is distributed as ``wanted``.

    Of the predicted IoUs the upper half, which thresholds lie in; of the logits the median mask's
    stability.

    Args:
        model: that gave ``found``.
        wanted: the answers of the model it was tuned from.
        found: the answers to the same questions now.
    """
    upper = slice(len(found.iou) // 2, None)
    slope, offset = np.polyfit(np.sort(found.iou)[upper], np.sort(wanted.iou)[upper], 1)
    last = model.mask_decoder.iou_prediction_head.layers[-1]
    last.weight.mul_(slope)
    last.bias.mul_(slope).add_(offset)
    goal = wanted.stability()
    factor = min(FACTORS, key=lambda factor: abs(found.stability(factor) - goal))
    for network in model.mask_decoder.output_hypernetworks_mlps:
        network.layers[-1].weight.mul_(factor)
        network.layers[-1].bias.mul_(factor)


def _places(frame: Frame) -> Tensor:
    """Tokens under the image, one in three, int64 [1, S]."""
    rows, columns = frame.tokens_used
    tokens = torch.arange(TOKENS * TOKENS).view(TOKENS, TOKENS)[:rows, :columns]
    return tokens.flatten()[::EVERY][None]
