"""Backbones: the networks whose features are kept, and where their first weights come from."""

from collections.abc import Callable
from pathlib import Path

import torch

from samclr_core.messages import UserError
from samclr_core.training.backbones import weights as sources
from samclr_core.training.backbones.backbone import Backbone
from samclr_core.training.backbones.nets import FROM_TIMM, RESNETS, SAM, net
from samclr_core.training.backbones.weights import State
from samclr_core.training.config import TrainingConfig

__all__ = ["Backbone", "build", "frozen", "start"]

# What weights a name stands for, besides "random" and a file, and whose they are.
_NAMED: dict[tuple[str, str], Callable[[], State]] = {
    **{(name, "imagenet"): sources.torchvision_weights(name) for name in RESNETS},
    **{(name, "imagenet"): sources.timm_weights(timm) for name, timm in FROM_TIMM.items()},
    ("efficientnet_lite0", "imagenet"): sources.packaged_efficientnet_lite0,
    (SAM, "sam"): sources.sam_encoder,
}


def build(name: str, weights: str = "random", small_stem: bool = False) -> Backbone:
    """The backbone ``name``, on the CPU, in training mode.

    Args:
        name: one of :data:`~samclr_core.training.config.WEIGHTS_OF`, or ``timm/`` and one of timm's
            own names.
        weights: ``random`` (from torch's current seed), ``imagenet``, ``sam``, or a .pth or
            .safetensors file.
        small_stem: ResNets only: 3x3 stem of stride 1 without pooling (SimCLR, appendix B.9).

    Raises:
        UserError: there is no such backbone, or the weights cannot be had, read, or do not fit.
    """
    backbone = net(name, small_stem)
    if weights != "random":
        sources.fill(backbone, _state(name, weights), weights, name, small_stem)
    return backbone


def _state(name: str, weights: str) -> State:
    if weights not in ("imagenet", "sam"):
        return sources.read_state(Path(weights))
    if (name, weights) not in _NAMED:
        raise UserError("training.no_such_weights", backbone=name, weights=weights)
    return _NAMED[name, weights]()


def start(config: TrainingConfig) -> Backbone:
    """The backbone as a run with ``config`` starts, whatever torch's seed is now."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        backbone = build(config.backbone, config.weights, config.small_stem)
    backbone.frozen_norm = config.frozen_norm
    if config.freeze_stages > len(backbone.stages):
        raise UserError(
            "training.too_few_stages",
            backbone=config.backbone,
            stages=len(backbone.stages),
            wanted=config.freeze_stages,
        )
    backbone.freeze(config.freeze_stages)
    return backbone


def frozen(backbone: Backbone) -> Backbone:
    """The backbone in eval mode, without gradients."""
    return backbone.eval().requires_grad_(False)
