"""A backbone: the network whose features are kept."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from samclr_core.views.augment import MEAN, STD


class Backbone(nn.Module):
    """A network without its classifier: [N, 3, H, W], ImageNet-normalised, to [N, dim].

    Attributes:
        net: the network itself.
        dim: width of its features.
        stages: the names of its parameters from the input to the features, stage by stage.
        frozen_norm: whether batch norm keeps its statistics in training.
        frozen_stages: so many of the first stages stay as they are.
    """

    scale: Tensor
    shift: Tensor

    def __init__(
        self,
        net: nn.Module,
        dim: int,
        stages: Sequence[Sequence[str]],
        mean: tuple[float, ...] = MEAN,
        std: tuple[float, ...] = STD,
    ) -> None:
        """``mean`` and ``std`` are what the network was made to see its pixels normalised by."""
        super().__init__()
        self.net = net
        self.dim = dim
        self.stages = stages
        self.frozen_norm = False
        self.frozen_stages = 0
        self._rescales = (tuple(mean), tuple(std)) != (MEAN, STD)
        own_mean, own_std, ours, spread = (
            torch.tensor(values)[:, None, None] for values in (mean, std, MEAN, STD)
        )
        self.register_buffer("scale", spread / own_std, persistent=False)
        self.register_buffer("shift", (ours - own_mean) / own_std, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        return self.net(images * self.scale + self.shift if self._rescales else images)

    def freeze(self, stages: int) -> None:
        """Let the first ``stages`` stages stay as they are."""
        self.frozen_stages = stages
        for name, parameter in self.net.named_parameters():
            parameter.requires_grad_(self.stage_of(name) >= stages)

    def stage_of(self, parameter: str) -> int:
        """The stage that a parameter of ``net`` belongs to, from 0."""
        return next(i for i, names in enumerate(self.stages) if parameter in names)

    def train(self, mode: bool = True) -> "Backbone":
        """As usual, but batch norm keeps its statistics where it or its stage is frozen."""
        super().train(mode)
        for name, module in self.net.named_modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm) and self._norm_rests(name):
                module.eval()
        return self

    def _norm_rests(self, name: str) -> bool:
        return self.frozen_norm or self.stage_of(f"{name}.weight") < self.frozen_stages
