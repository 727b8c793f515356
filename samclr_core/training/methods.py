"""Methods: a backbone, what is put on it while it learns, and a loss on a batch of views.

To add one: a class like :class:`SimCLR`, its name in ``METHODS`` and in ``config.Loss``.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from samclr_core.training.backbones import Backbone
from samclr_core.training.config import TrainingConfig
from samclr_core.training.losses import nt_xent


class Outcome(NamedTuple):
    """What a method makes of one batch.

    Attributes:
        loss: scalar, to be differentiated.
        features: of the backbone, [views x N, dim], without gradient.
        projections: of the head, [views x N, D], without gradient, view by view.
    """

    loss: Tensor
    features: Tensor
    projections: Tensor


class Method(nn.Module):
    """A backbone that learns; ``forward`` takes the views of a batch, each [N, 3, S, S]."""

    def __init__(self, backbone: Backbone, config: TrainingConfig) -> None:
        super().__init__()
        self.backbone = backbone
        self.config = config

    def forward(self, views: Sequence[Tensor]) -> Outcome:
        raise NotImplementedError

    def after_step(self, step: int, steps: int) -> None:
        """What happens after the optimizer's step: momentum teachers and queues move here."""


class SimCLR(Method):
    """SimCLR (arXiv 2002.05709): two views, a two-layer projection head, NT-Xent."""

    def __init__(self, backbone: Backbone, config: TrainingConfig) -> None:
        super().__init__(backbone, config)
        self.head = projection_head(backbone.dim, *config.head_dim)

    def forward(self, views: Sequence[Tensor]) -> Outcome:
        # One pass for both views, so that batch norm sees them alike.
        features = self.backbone(torch.cat(list(views)))
        projections = self.head(features)
        z1, z2 = projections.chunk(2)
        loss = nt_xent(z1, z2, self.config.temperature)
        return Outcome(loss, features.detach(), projections.detach())


METHODS: dict[str, type[Method]] = {"simclr": SimCLR}


def projection_head(dim: int, hidden: int, out: int) -> nn.Sequential:
    """SimCLR's head: Linear, batch norm, ReLU, Linear, batch norm."""
    return nn.Sequential(
        nn.Linear(dim, hidden, bias=False),
        nn.BatchNorm1d(hidden),
        nn.ReLU(),
        nn.Linear(hidden, out, bias=False),
        nn.BatchNorm1d(out),
    )
