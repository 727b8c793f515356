"""The training loop: read it from top to bottom."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from samclr_core.jobs import Progress, silent
from samclr_core.messages import Cancelled, UserError
from samclr_core.training import backbones, checkpoint, devices, ranks
from samclr_core.training.backbones import Backbone
from samclr_core.training.config import TrainingConfig
from samclr_core.training.data import Batch, PairBatches, ahead
from samclr_core.training.journal import Journal, Unwritten, health_of
from samclr_core.training.methods import METHODS, Method, Outcome
from samclr_core.training.runs import Run
from samclr_core.views.augment import Augmentation, seeded
from samclr_core.workspace import Workspace

FEW_PAIRS = 32
IN_BACKBONE = "backbone.net."
AUGMENT, STEP = 2, 3
"""Streams of random numbers below a run's seed; data.py has the others."""
LOCAL = 1
"""And below a batch's augmentation: that of its small crops."""


@dataclass(frozen=True)
class TrainingSummary:
    """How a run ended: steps of the optimizer, seconds over all resumes, and the last loss."""

    run: str
    steps: int
    seconds: float
    loss: float


def train(workspace: Workspace, run: Run, progress: Progress = silent) -> TrainingSummary:
    """Let ``run`` learn until its budget is spent, from its checkpoint where it has one.

    On a CPU, a run that was stopped or killed and resumed ends with the very weights of one that
    was not, if torch has as many threads as before. Under ``torchrun`` every process takes its
    part of each batch, and the first one writes.

    Args:
        workspace: the run's images and regions.
        run: made by :func:`samclr_core.training.runs.create`.
        progress: told after every step: steps done, steps in all.

    Raises:
        UserError: no regions, weights that cannot be had, or a loss that is no number.
        Cancelled: as ``progress`` asks; a checkpoint was written.
    """
    if run.finished:
        return _summary(run)
    config = run.config
    fabric = devices.fabric(config)
    pairs = PairBatches(
        workspace, run, devices.workers(config), fabric.global_rank, fabric.world_size
    )
    steps = len(pairs) // config.accumulate
    without_regions = pairs.prepare(lambda ready: progress(0, steps, ""))
    ranks.announce(ranks.Announced(workspace.root, run.folder))
    progress = ranks.agreeing(progress)

    with devices.repeatable(fabric.device):
        torch.manual_seed(config.seed)
        method = METHODS[config.loss](backbones.start(config), config)
        method.to(memory_format=torch.channels_last)
        devices.join_norms(method, fabric)
        # AdamW: LARS pays off from batches of thousands only, and SGD's best rate differs more
        # between random and pretrained starts.
        optimizer: Any = torch.optim.AdamW(
            _parameter_groups(method, config), fused=devices.can_fuse(fabric)
        )
        module, optimizer = fabric.setup(method, optimizer)
        position = checkpoint.restore(run, method, optimizer, fabric)
        journal = Journal(run, position.step) if fabric.is_global_zero else Unwritten()
        _describe(journal, config, fabric, pairs, steps, without_regions)
        augment = Augmentation(config.augment)
        # The first process draws the numbers of one that is alone.
        mine = (fabric.global_rank,) if fabric.global_rank else ()
        watch = _Watch(position.step, position.seconds)
        module.train()

        try:
            for step, batches in _grouped(pairs, position.step, config.accumulate):
                torch.manual_seed(_step_seed(config.seed, step))
                method.before_step(step, steps)
                rate = learning_rate(step, steps, config)
                for group in optimizer.param_groups:
                    group["lr"] = rate * group["share"]

                for part, batch in enumerate(batches):
                    seed = config.seed, AUGMENT, step, part, *mine
                    views = _augmented(augment, batch, fabric, seed)
                    images, related = fabric.to_device((batch.images, batch.related))
                    outcome: Outcome = module(views, images, related)
                    fabric.backward(outcome.loss / config.accumulate)
                method.after_backward(step, steps)
                norm = fabric.clip_gradients(
                    module, optimizer, max_norm=config.clip, error_if_nonfinite=False
                )
                loss = _mean_of_all(fabric, outcome.loss.detach())
                optimizer.step()
                optimizer.zero_grad()
                method.after_step(step, steps)

                position.step, position.seconds = step + 1, watch.seconds
                last = position.step == steps
                if position.step % config.log_steps == 0 or position.step == 1 or last:
                    _refuse_divergence(loss, position.step, config)
                    journal.metrics(
                        step=position.step,
                        epoch=_epoch(position.step, steps, config),
                        loss=float(loss),
                        lr=rate,
                        grad_norm=float(norm if norm is not None else math.nan),
                        seconds=round(watch.seconds, 3),
                        whole_image=_in_all(fabric, sum(b.whole_image for b in batches)),
                        **watch.pace(
                            position.step, steps, 2 * pairs.batch_size * config.accumulate
                        ),
                        **health_of(outcome),
                    )
                if not last and watch.checkpoint_due(config.checkpoint_seconds):
                    _refuse_divergence(loss, position.step, config)
                    checkpoint.save(run, position, method, optimizer, fabric)
                    watch.checkpointed()
                progress(position.step, steps, "")
        except Cancelled:
            checkpoint.save(run, position, method, optimizer, fabric)
            raise

    checkpoint.save_encoder(run, method, fabric)
    return _summary(run)


def _summary(run: Run) -> TrainingSummary:
    last = run.metrics()[-1]
    return TrainingSummary(run.id, last["step"], last["seconds"], last["loss"])


def learning_rate(step: int, steps: int, config: TrainingConfig) -> float:
    """Linear warm-up, then a cosine to zero: the rate of step ``step`` of ``steps``, from 0."""
    warm = round(config.warmup * steps)
    if step < warm:
        return config.lr * (step + 1) / warm
    return config.lr * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def _grouped(pairs: PairBatches, start: int, accumulate: int) -> Iterator[tuple[int, list[Batch]]]:
    """Every step from ``start`` on with its batches."""
    group: list[Batch] = []
    for number, batch in ahead(pairs.batch, start * accumulate, len(pairs), pairs.workers):
        group.append(batch)
        if len(group) == accumulate:
            yield number // accumulate, group
            group = []


def _augmented(
    augment: Augmentation, batch: Batch, fabric: Any, seed: tuple[int, ...]
) -> list[torch.Tensor]:
    """Both views of a batch and its small crops on the device, each float [B, 3, S, S]."""
    found: list[torch.Tensor] = []
    for views, own_seed in ((batch.views, seed), (batch.local_views, (*seed, LOCAL))):
        if len(views):
            altered = augment(fabric.to_device(views).flatten(0, 1), seeded(*own_seed))
            found += altered.contiguous(memory_format=torch.channels_last).chunk(len(views))
    return found


def _step_seed(seed: int, step: int) -> int:
    return seeded(seed, STEP, step).initial_seed()


def _parameter_groups(method: Method, config: TrainingConfig) -> list[dict[str, Any]]:
    """The head and each stage of the backbone at their own rates; no weight decay of biases and
    norms."""
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, parameter in method.named_parameters():
        # Neither teachers nor frozen stages learn.
        if parameter.requires_grad:
            key = _rate_share(name, method.backbone, config), parameter.ndim > 1
            groups.setdefault(key, []).append(parameter)
    return [
        {
            "params": parameters,
            "share": share,
            "weight_decay": config.weight_decay if decays else 0.0,
        }
        for (share, decays), parameters in groups.items()
    ]


def _rate_share(name: str, backbone: Backbone, config: TrainingConfig) -> float:
    """What share of the learning rate a method's parameter has."""
    if not name.startswith(IN_BACKBONE):
        return 1.0
    stage = backbone.stage_of(name.removeprefix(IN_BACKBONE))
    return config.backbone_lr_share * config.layer_decay ** (len(backbone.stages) - 1 - stage)


def _describe(
    journal: Journal,
    config: TrainingConfig,
    fabric: Any,
    pairs: PairBatches,
    steps: int,
    without_regions: int,
) -> None:
    """Write down what was found, and warn where the run will suffer from it."""
    used = pairs.batch_size
    if len(pairs.images) * config.together < config.batch_size:
        journal.note("training.batch_clamped", wanted=config.batch_size, used=used)
    if used < FEW_PAIRS:
        journal.note("training.small_batch", used=used)
    if without_regions:
        total = len(pairs.images)
        journal.note("training.images_without_regions", without=without_regions, images=total)
    if config.difficulty_of and config.views.kind == "region":
        journal.note("training.harder_regions", judge=config.difficulty_of)
    facts = {
        "device": str(fabric.device),
        "precision": str(fabric.strategy.precision.precision),
        "processes": fabric.world_size,
        "steps": steps,
        "batch_size": used,
        "pairs": len(pairs) * used,
        "images": len(pairs.images),
        "images_without_regions": without_regions,
    }
    journal.facts(**facts)
    journal.log(" ".join(f"{key}={value}" for key, value in facts.items()))


def _epoch(step: int, steps: int, config: TrainingConfig) -> float:
    return round(step / steps * config.epochs, 4)


def _mean_of_all(fabric: Any, loss: torch.Tensor) -> torch.Tensor:
    """The loss, averaged over the processes."""
    return fabric.all_reduce(loss)


def _in_all(fabric: Any, count: int) -> int:
    """A count summed over the processes."""
    return int(fabric.all_reduce(torch.tensor(count), reduce_op="sum"))


def _refuse_divergence(loss: torch.Tensor, step: int, config: TrainingConfig) -> None:
    if not math.isfinite(float(loss)):
        raise UserError("training.diverged", step=step, lr=config.lr)


class _Watch:
    """Seconds of the run, its pace, and when the next checkpoint is due."""

    def __init__(self, step: int, seconds: float) -> None:
        now = time.monotonic()
        self._zero = now - seconds
        self._start, self._start_step = now, step
        self._lap, self._lap_step = now, step
        self._saved = now

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._zero

    def pace(self, step: int, steps: int, images_per_step: int) -> dict[str, float]:
        """Images per second since the last call, and seconds to the end at the mean pace."""
        now = time.monotonic()
        images = (step - self._lap_step) * images_per_step
        lap, self._lap, self._lap_step = max(now - self._lap, 1e-9), now, step
        per_step = (now - self._start) / (step - self._start_step)
        return {"images_per_second": images / lap, "eta": per_step * (steps - step)}

    def checkpoint_due(self, every: float) -> bool:
        return time.monotonic() - self._saved >= every

    def checkpointed(self) -> None:
        self._saved = time.monotonic()
