"""DINO (arXiv 2104.14294): a student agrees with its momentum teacher on soft prototypes.

The teacher sees the two large crops, the student the small ones as well. Centering keeps one
prototype from taking all, sharpening (a low temperature) keeps the teacher from saying nothing.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from samclr_core.training.backbones import Backbone
from samclr_core.training.config import TrainingConfig
from samclr_core.training.gathering import everyones
from samclr_core.training.losses import dino
from samclr_core.training.methods.method import Method, Outcome
from samclr_core.training.methods.teacher import Teacher, momentum, rising


class DINO(Method):
    """Needs no negatives, and so no large batch."""

    center: Tensor

    def __init__(self, backbone: Backbone, config: TrainingConfig) -> None:
        super().__init__(backbone, config)
        settings = config.dino
        self.head = DINOHead(
            backbone.dim, *config.head_dim, settings.prototypes, settings.batch_norm
        )
        self.teacher = Teacher(nn.Sequential(self.backbone, self.head))
        self.register_buffer("center", torch.zeros(config.dino.prototypes))
        self.teacher_temperature = config.dino.teacher_temperature[0]

    def forward(self, views: Sequence[Tensor], images: Tensor, related: Tensor) -> Outcome:
        count = len(images)
        large, small = torch.cat(list(views[:2])), list(views[2:])
        features = self.backbone(large)
        points = self.head.points(features)
        student = self.head.answers(points)
        if small:
            student = torch.cat([student, self.head(self.backbone(torch.cat(small)))])
        teacher = self.teacher(large).unflatten(0, (2, count))
        loss = dino(
            student.unflatten(0, (len(views), count)),
            teacher,
            self.center,
            self.config.dino.student_temperature,
            self.teacher_temperature,
        )
        if self.training:
            mean = everyones(teacher.float().flatten(0, 1)).mean(dim=0)
            self.center.lerp_(mean, 1 - self.config.dino.center_momentum)
        return Outcome(loss, features.detach(), points.detach())

    def before_step(self, step: int, steps: int) -> None:
        first, last = self.config.dino.teacher_temperature
        share = min(1.0, step / max(1.0, self.config.dino.warmup * steps))
        self.teacher_temperature = first + (last - first) * share

    def after_backward(self, step: int, steps: int) -> None:
        # Prototypes that move before the features mean anything lead to a collapse.
        if step < self.config.dino.freeze * steps:
            self.head.prototypes.grad = None

    def after_step(self, step: int, steps: int) -> None:
        student = nn.Sequential(self.backbone, self.head)
        start = momentum(self.config.dino.momentum, steps)
        self.teacher.follow(student, rising(step, steps, start))


class DINOHead(nn.Module):
    """Three layers to a point on a sphere, then its cosine with each prototype."""

    def __init__(
        self, dim: int, hidden: int, bottleneck: int, prototypes: int, batch_norm: bool
    ) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *_layer(dim, hidden, batch_norm),
            *_layer(hidden, hidden, batch_norm),
            nn.Linear(hidden, bottleneck),
        )
        for layer in self.layers:
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=0.02)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
        self.prototypes = nn.Parameter(torch.empty(prototypes, bottleneck))
        nn.init.kaiming_uniform_(self.prototypes, a=5**0.5)

    def forward(self, features: Tensor) -> Tensor:
        """Answers [N, K] to features [N, dim]."""
        return self.answers(self.points(features))

    def points(self, features: Tensor) -> Tensor:
        """Points on the sphere, [N, bottleneck]."""
        return F.normalize(self.layers(features), dim=1)

    def answers(self, points: Tensor) -> Tensor:
        """Cosines with the prototypes, [N, K]."""
        return F.linear(points, F.normalize(self.prototypes, dim=1))


def _layer(dim: int, out: int, batch_norm: bool) -> list[nn.Module]:
    norm = [nn.BatchNorm1d(out)] if batch_norm else []
    return [nn.Linear(dim, out, bias=not batch_norm), *norm, nn.GELU()]
