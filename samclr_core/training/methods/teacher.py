"""The momentum teacher of MoCo and DINO: a copy that follows its student slowly."""

import copy
import math

import torch
from torch import Tensor, nn


class Teacher(nn.Module):
    """A copy of a network that no optimizer touches.

    Its batch norm sees the batch as the student's does. MoCo shuffles the keys among GPUs, so that
    a pair cannot be told by its batch's statistics; on one device all share the same ones.
    """

    def __init__(self, student: nn.Module) -> None:
        super().__init__()
        self.net = copy.deepcopy(student).requires_grad_(False)

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        return self.net(images)

    @torch.no_grad()
    def follow(self, student: nn.Module, momentum: float) -> None:
        """Move to ``momentum`` x its own weights + the rest of the student's."""
        for own, theirs in zip(self.net.parameters(), student.parameters(), strict=True):
            own.lerp_(theirs, 1 - momentum)


def momentum(chosen: float | None, steps: int) -> float:
    """What a teacher keeps of itself at every step: ``chosen``, or what suits a run of ``steps``.

    By default 1 - 10 / steps, within 0.9 to 0.999, so that it lags a tenth of the run behind. The
    0.99 to 0.999 of the papers, which train for a hundred thousand steps, would leave it where it
    started in the few hundred of a POC.
    """
    return chosen if chosen is not None else min(0.999, max(0.9, 1 - 10 / steps))


def rising(step: int, steps: int, start: float) -> float:
    """From ``start`` at step 0 to 1 at the last step, along a cosine, as BYOL and DINO do."""
    done = step / max(1, steps - 1)
    return 1 - (1 - start) * (1 + math.cos(math.pi * done)) / 2
