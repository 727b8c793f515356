"""A tuned model's predicted IoUs and logits on the scale of the model it was tuned from.

Thresholds were set on SAM's scale, and tuning leaves it. A model that has learned how often a mask
is no true thing predicts far lower IoUs, and focal loss takes back confidence, so that masks look
unstable: with the same thresholds most regions would be dropped. So the last layers are stretched
until about as many masks pass each threshold as did. Neither the order of the masks nor their
outlines, which is what was learned, change by that.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from segment_anything.modeling import Sam
from torch import Tensor

from samclr_core.regions.automatic.geometry import TOKENS, Frame
from samclr_core.regions.automatic.segmenter import Segmenter
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.sam.embeddings import embedding
from samclr_core.regions.tuning.decoder import TrainableDecoder
from samclr_core.regions.tuning.examples import Example
from samclr_core.regions.tuning.prompts import Prompts
from samclr_core.workspace import Workspace

IMAGES = 8
POINTS_PER_SIDE = 6
# One token in three says how large a mask is.
EVERY = 3
FACTORS = np.geomspace(0.25, 16, 97)
# Predicted IoUs are held to the old ones from this far under the threshold upwards.
BELOW = 0.1


@dataclass(frozen=True)
class Answers:
    """The masks at a grid of points on some images.

    Attributes:
        iou: predicted IoU, float [N].
        logits: of some of the image's pixels, float [N, P], for each image.
    """

    iou: np.ndarray
    logits: tuple[Tensor, ...]

    def stability(self, cut: float) -> np.ndarray:
        """Each mask's IoU of two cuts, ``cut`` over and under 0; nan for an empty mask."""
        values = [(one > cut).sum(-1) / (one > -cut).sum(-1) for one in self.logits]
        return torch.cat(values).numpy()


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
def keep(model: Sam, wanted: Answers, found: Answers, limits: SegmenterConfig) -> None:
    """Stretch the decoder's last layers until ``found`` passes ``limits`` as often as ``wanted``.

    Args:
        model: that gave ``found``.
        wanted: the answers of the model it was tuned from.
        found: the answers to the same questions now.
        limits: the thresholds of predicted IoU and stability.
    """
    slope, offset = _line(wanted.iou, found.iou, limits.min_predicted_iou - BELOW)
    last = model.mask_decoder.iou_prediction_head.layers[-1]
    last.weight.mul_(slope)
    last.bias.mul_(slope).add_(offset)
    factor = _factor(wanted, replace(found, iou=slope * found.iou + offset), limits)
    for network in model.mask_decoder.output_hypernetworks_mlps:
        network.layers[-1].weight.mul_(factor)
        network.layers[-1].bias.mul_(factor)


def _line(wanted: np.ndarray, found: np.ndarray, least: float) -> tuple[float, float]:
    """Slope and offset that take the best of ``found`` to those of ``wanted`` over ``least``, or
    to its upper half where they are few."""
    best = slice(min(len(wanted) // 2, int(np.searchsorted(np.sort(wanted), least))), None)
    slope, offset = np.polyfit(np.sort(found)[best], np.sort(wanted)[best], 1)
    return float(slope), float(offset)


def _factor(wanted: Answers, found: Answers, limits: SegmenterConfig) -> float:
    """How many times larger logits must be for as many masks to be stable; near 1 in doubt."""
    goal = _stable(wanted, limits, 1.0)
    return min(FACTORS, key=lambda f: (abs(_stable(found, limits, f) - goal), abs(np.log(f))))


def _stable(answers: Answers, limits: SegmenterConfig, factor: float) -> float:
    """The share of the masks trusted enough that are stable, with logits ``factor`` as large."""
    trusted = answers.iou > limits.min_predicted_iou
    stability = answers.stability(limits.stability_offset / factor)
    return float((stability[trusted] >= limits.min_stability).mean()) if trusted.any() else 0.0


def _places(frame: Frame) -> Tensor:
    """Tokens under the image, one in three, int64 [1, S]."""
    rows, columns = frame.tokens_used
    tokens = torch.arange(TOKENS * TOKENS).view(TOKENS, TOKENS)[:rows, :columns]
    return tokens.flatten()[::EVERY][None]
