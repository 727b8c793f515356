"""SAM's training loss (Kirillov et al. 2023, appendix A) on a sample of the image's tokens.

A mask's loss is focal (Lin et al. 2017) to dice (Milletari et al. 2016) as 20 to 1. Of a prompt's
masks only the one of the lowest loss is taught, so that the others may go on to mean something
else; the predicted IoU of every mask is held to its real IoU by the squared error.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision.ops import sigmoid_focal_loss

FOCAL_WEIGHT = 20.0


@dataclass(frozen=True)
class Loss:
    """The parts of the loss, each the mean over prompts.

    Attributes:
        mask: 20 focal + dice of the best mask.
        iou: squared error of the predicted IoU.
    """

    mask: Tensor
    iou: Tensor

    @property
    def total(self) -> Tensor:
        return self.mask + self.iou


def prompt_loss(logits: Tensor, predicted_iou: Tensor, target: Tensor, weights: Tensor) -> Loss:
    """The loss of the masks that prompts were answered with.

    Args:
        logits: [K, M, P], M masks of P pixels for each prompt.
        predicted_iou: [K, M].
        target: bool [K, P], the true mask.
        weights: [K, P], how many pixels of the image each pixel stands for; 0 where the truth is
            not known.
    """
    wide = target[:, None].expand_as(logits).float()
    masks = FOCAL_WEIGHT * focal(logits, wide, weights) + dice(logits, wide, weights)
    real = iou(logits.detach(), target, weights)
    return Loss(masks.min(dim=1).values.mean(), (predicted_iou - real).square().mean())


def focal(logits: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """Focal loss, alpha 0.25 and gamma 2, weighted mean over pixels: [K, M]."""
    values = sigmoid_focal_loss(logits, target) * weights[:, None]
    return values.sum(-1) / weights.sum(-1, keepdim=True).clamp(min=1)


def dice(logits: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """1 - (2 |P and T| + 1) / (|P| + |T| + 1) of soft masks: [K, M]."""
    soft = logits.sigmoid()
    both = (soft * target * weights[:, None]).sum(-1)
    sizes = ((soft + target) * weights[:, None]).sum(-1)
    return 1 - (2 * both + 1) / (sizes + 1)


def iou(logits: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """Weighted IoU of the masks, logits [K, M, P] over 0, with the target, bool [K, P]: [K, M]."""
    inside, wide = logits > 0, target[:, None]
    both = ((inside & wide) * weights[:, None]).sum(-1)
    either = ((inside | wide) * weights[:, None]).sum(-1)
    return both / torch.clamp(either, min=1)
