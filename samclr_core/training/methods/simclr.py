"""SimCLR (arXiv 2002.05709): two views, a two-layer projection head, NT-Xent."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from samclr_core.training.backbones import Backbone
from samclr_core.training.config import TrainingConfig
from samclr_core.training.gathering import everyones, everyones_blocks
from samclr_core.training.losses import nt_xent
from samclr_core.training.methods.method import Method, Outcome


class SimCLR(Method):
    """Every other view of the batch is a negative. With ``region`` views, this is SAMCLR."""

    def __init__(self, backbone: Backbone, config: TrainingConfig) -> None:
        super().__init__(backbone, config)
        self.head = projection_head(backbone.dim, *config.head_dim)

    def forward(self, views: Sequence[Tensor], images: Tensor, related: Tensor) -> Outcome:
        # One pass for both views, so that batch norm sees them alike.
        features = self.backbone(torch.cat(list(views)))
        projections = self.head(features)
        z1, z2 = projections.chunk(2)
        loss = nt_xent(
            everyones(z1), everyones(z2), self.config.temperature, everyones_blocks(related)
        )
        return Outcome(loss, features.detach(), projections.detach())


def projection_head(dim: int, hidden: int, out: int) -> nn.Sequential:
    """SimCLR's head: Linear, batch norm, ReLU, Linear, batch norm."""
    return nn.Sequential(
        nn.Linear(dim, hidden, bias=False),
        nn.BatchNorm1d(hidden),
        nn.ReLU(),
        nn.Linear(hidden, out, bias=False),
        nn.BatchNorm1d(out),
    )
