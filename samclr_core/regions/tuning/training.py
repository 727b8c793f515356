"""The loop: prompts from true masks, SAM's loss, and a stop when held-out images gain no more."""

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from samclr_core.jobs import Progress, silent
from samclr_core.progress import counted
from samclr_core.regions.automatic.geometry import Frame
from samclr_core.regions.automatic.segmenter import Segmenter
from samclr_core.regions.rle import decode
from samclr_core.regions.sam.embeddings import embedding
from samclr_core.regions.tuning import way
from samclr_core.regions.tuning.config import TuningConfig
from samclr_core.regions.tuning.decoder import TrainableDecoder
from samclr_core.regions.tuning.examples import Example, Split
from samclr_core.regions.tuning.losses import Loss, prompt_loss
from samclr_core.regions.tuning.prompts import KINDS, Kind, draw
from samclr_core.regions.tuning.scores import point_score
from samclr_core.regions.tuning.target import targets
from samclr_core.regions.tuning.way import State
from samclr_core.workspace import Workspace


@dataclass(frozen=True)
class Epoch:
    """One round through the training images.

    Attributes:
        epoch: from 1; 0 is before the first.
        mask_loss: 20 focal + dice, mean over prompts; None before the first.
        iou_loss: squared error of the predicted IoU; None before the first.
        validation: mean IoU of the mask SAM trusts most, at one point per segment, with the average
            of the last steps' weights.
    """

    epoch: int
    mask_loss: float | None
    iou_loss: float | None
    validation: float


@dataclass(frozen=True)
class Tuned:
    """What came of it.

    Attributes:
        state: the mask decoder's weights.
        way: how far they lie from the start (0) to the best epoch's (1).
        journal: epoch by epoch.
    """

    state: State
    way: float
    journal: tuple[Epoch, ...]


def train(
    workspace: Workspace,
    segmenter: Segmenter,
    parts: Split,
    config: TuningConfig,
    progress: Progress = silent,
) -> Tuned:
    """Tune the mask decoder of ``segmenter``'s model; the model itself has the result afterwards.

    In the end the weights are moved back towards the start as far as the validation images like
    it (:mod:`.way`).

    Args:
        workspace: holds the images and the cache of embeddings.
        segmenter: whose model is tuned.
        parts: ``train`` is learned from, ``validation`` decides when to stop and how far to go.
        config: the settings.
        progress: called with steps done, of :func:`steps`, and the epoch.

    Raises:
        Cancelled: the person asked to stop.
    """
    loop = _Loop(workspace, segmenter, parts, config)
    start = best = loop.weights()
    journal = [Epoch(0, None, None, loop.validated())]
    for number in range(1, config.epochs + 1):
        losses = loop.epoch(number, progress)
        journal.append(Epoch(number, *losses, loop.validated()))
        # The start does not compete: points alone cannot tell what automatic regions gain.
        leader = max(journal[1:], key=lambda epoch: epoch.validation).epoch
        best = loop.weights() if leader == number else best
        if number - leader >= config.patience:
            break
    far = counted(progress, _optimizer_steps(parts, config), steps(parts, config))
    gone = way.go(workspace, segmenter, start, best, parts.validation, config.seed, far)
    state = copy.deepcopy(segmenter.model.mask_decoder.state_dict())
    return Tuned(state, gone, tuple(journal))


def steps(parts: Split, config: TuningConfig) -> int:
    """How many steps a training reports at most: the optimizer's, and looks at how far to go."""
    return _optimizer_steps(parts, config) + way.looks(parts.validation)


def _optimizer_steps(parts: Split, config: TuningConfig) -> int:
    return config.epochs * math.ceil(len(parts.train) / config.images_per_step)


class _Loop:
    def __init__(
        self, workspace: Workspace, segmenter: Segmenter, parts: Split, config: TuningConfig
    ) -> None:
        self.workspace, self.segmenter, self.parts = workspace, segmenter, parts
        self.config = config
        self.model = segmenter.model
        self.decoder = TrainableDecoder(self.model)
        self.rng = np.random.default_rng([config.seed, 1])
        for parameter in self.model.parameters():
            parameter.requires_grad_(False)
        self.parameters = list(self.model.mask_decoder.parameters())
        for parameter in self.parameters:
            parameter.requires_grad_(True)
        self.optimizer = torch.optim.AdamW(
            self.parameters, lr=config.learning_rate, weight_decay=config.weight_decay
        )
        # Steps on one image each are noisy: few held-out images would pick a lucky epoch.
        self.average = AveragedModel(self.model.mask_decoder, avg_fn=self._averaged)

    def _averaged(self, average: Tensor, new: Tensor, steps: Tensor | int) -> Tensor:
        """A moving average that forgets faster at first, while the weights go far."""
        decay = min(self.config.averaging, (1 + int(steps)) / (10 + int(steps)))
        return torch.lerp(average, new, 1 - decay)

    def weights(self) -> State:
        """The average of the last steps' weights."""
        return copy.deepcopy(self.average.module.state_dict())

    def validated(self) -> float:
        """The score of these weights, by which epochs are compared."""
        trained, examples = self.model.mask_decoder, self.parts.validation
        self.model.mask_decoder = self.average.module
        score = point_score(self.workspace, self.segmenter, examples, self.config.seed)
        self.model.mask_decoder = trained
        return score

    def epoch(self, number: int, progress: Progress) -> tuple[float, float]:
        """One round; the means of the two parts of the loss."""
        found, batches = [], list(self._batches(self.parts.train))
        total = _optimizer_steps(self.parts, self.config)
        for step, batch in enumerate(batches, start=(number - 1) * len(batches)):
            progress(step, steps(self.parts, self.config), f"{number}/{self.config.epochs}")
            self._set_rate(step, total)
            found += self._step(batch)
        return float(np.mean([f[0] for f in found])), float(np.mean([f[1] for f in found]))

    def _batches(self, examples: Sequence[Example]) -> Iterator[list[Example]]:
        order = self.rng.permutation(len(examples))
        for first in range(0, len(order), self.config.images_per_step):
            yield [examples[i] for i in order[first : first + self.config.images_per_step]]

    def _set_rate(self, step: int, total: int) -> None:
        rising = max(1, round(self.config.warmup * total))
        falling = (step - rising) / max(1, total - rising)
        share = (step + 1) / rising if step < rising else (1 + np.cos(np.pi * falling)) / 2
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.learning_rate * float(share)

    def _step(self, batch: Sequence[Example]) -> list[tuple[float, float]]:
        self.optimizer.zero_grad()
        losses = []
        for example in batch:
            loss = self._loss(example)
            (loss.total / len(batch)).backward()
            losses.append((loss.mask.item(), loss.iou.item()))
        torch.nn.utils.clip_grad_norm_(self.parameters, self.config.max_grad_norm)
        self.optimizer.step()
        self.average.update_parameters(self.model.mask_decoder)
        return losses

    def _loss(self, example: Example) -> Loss:
        drawn = self.rng.permutation(len(example.segments))[: self.config.prompts_per_image]
        masks = [decode(example.segments[i]) for i in drawn]
        prompts = draw(self._kind(), masks, self.rng)
        wanted = targets(masks, example.known, self.config.tokens, self.rng)
        device = self.model.device
        sparse = prompts.encoded(self.model, Frame(*masks[0].shape))
        image = embedding(self.workspace, example.image_id, self.segmenter).to(device)
        places = None if wanted.places is None else wanted.places.to(device)
        logits, iou = self.decoder(image, sparse, places)
        answers = prompts.answers
        return prompt_loss(
            logits[:, answers].flatten(2),
            iou[:, answers],
            wanted.masks.to(device),
            wanted.weights.to(device),
        )

    def _kind(self) -> Kind:
        boxes, clicks = self.config.boxes, self.config.clicks
        shares = np.array([max(0.0, 1 - boxes - clicks), boxes, clicks])
        return KINDS[self.rng.choice(len(KINDS), p=shares / shares.sum())]
