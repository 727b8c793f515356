"""What every method is: a backbone, what is put on it while it learns, and a loss on views."""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn

from samclr_core.training.backbones import Backbone
from samclr_core.training.config import TrainingConfig


class Outcome(NamedTuple):
    """What a method makes of one batch.

    Attributes:
        loss: scalar, to be differentiated.
        features: of the backbone, [2N, dim], without gradient.
        projections: of the head, [2N, D], without gradient; the first views', then their partners'.
    """

    loss: Tensor
    features: Tensor
    projections: Tensor


class Method(nn.Module):
    """A backbone that learns. Around its forward passes the loop calls, for every step, these:
    :meth:`before_step`, :meth:`after_backward` before the optimizer, and :meth:`after_step`.

    All that a method remembers from step to step is in its ``state_dict``.
    """

    def __init__(self, backbone: Backbone, config: TrainingConfig) -> None:
        super().__init__()
        self.backbone = backbone
        self.config = config

    def forward(self, views: Sequence[Tensor], images: Tensor, related: Tensor) -> Outcome:
        """The loss of a batch of N pairs.

        Args:
            views: two of [N, 3, S, S], and then the local crops, each [N, 3, s, s].
            images: which image each pair is of, int64 [N]; equal numbers are the same image.
            related: pairs that are no negatives of each other, bool [N, N].
        """
        raise NotImplementedError

    def before_step(self, step: int, steps: int) -> None:
        """What follows a schedule is set here: ``step`` of ``steps``, from 0."""

    def after_backward(self, step: int, steps: int) -> None:
        """Gradients may be taken back here."""

    def after_step(self, step: int, steps: int) -> None:
        """Momentum teachers move here."""
