"""MoCo v2 (arXiv 1911.05722, 2003.04297): negatives from a queue of a momentum encoder's keys."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from samclr_core.training.backbones import Backbone
from samclr_core.training.config import TrainingConfig
from samclr_core.training.gathering import everyones
from samclr_core.training.losses import info_nce
from samclr_core.training.methods.method import Method, Outcome
from samclr_core.training.methods.simclr import projection_head
from samclr_core.training.methods.teacher import Teacher, momentum

NOBODY = -1
"""The image of the random keys that a queue begins with."""


class MoCo(Method):
    """Both views are queries and, for each other, keys.

    Keys of an image are no negatives of its own pairs: the data sets of a POC are often smaller
    than the queue, which then holds every image several times.
    """

    queue: Tensor
    queue_images: Tensor
    place: Tensor

    def __init__(self, backbone: Backbone, config: TrainingConfig) -> None:
        super().__init__(backbone, config)
        out = config.head_dim[1]
        self.head = projection_head(backbone.dim, *config.head_dim)
        self.teacher = Teacher(nn.Sequential(self.backbone, self.head))
        self.register_buffer("queue", F.normalize(torch.randn(config.moco.queue, out), dim=1))
        self.register_buffer("queue_images", torch.full((config.moco.queue,), NOBODY))
        self.register_buffer("place", torch.zeros((), dtype=torch.int64))

    def forward(self, views: Sequence[Tensor], images: Tensor, related: Tensor) -> Outcome:
        both = torch.cat(list(views))
        features = self.backbone(both)
        queries = self.head(features)
        keys = F.normalize(self.teacher(both).float(), dim=1)
        of_image = images.repeat(2)
        own = of_image[:, None] == self.queue_images
        # The queue changes below, and backward still needs it as it was.
        loss = info_nce(
            queries,
            keys.roll(len(images), dims=0),
            self.queue.clone(),
            self.config.temperature,
            own,
        )
        if self.training:
            self._enqueue(everyones(keys), everyones(of_image))
        return Outcome(loss, features.detach(), queries.detach())

    def after_step(self, step: int, steps: int) -> None:
        student = nn.Sequential(self.backbone, self.head)
        self.teacher.follow(student, momentum(self.config.moco.momentum, steps))

    @torch.no_grad()
    def _enqueue(self, keys: Tensor, images: Tensor) -> None:
        """Put the keys in the oldest ones' places."""
        keys, images = keys[-len(self.queue) :], images[-len(self.queue) :]
        places = (self.place + torch.arange(len(keys), device=keys.device)) % len(self.queue)
        self.queue[places] = keys
        self.queue_images[places] = images
        self.place.add_(len(keys)).remainder_(len(self.queue))
