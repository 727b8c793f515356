"""Where a run computes, and with how many bits."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn

from samclr_core.device import device_of
from samclr_core.messages import UserError
from samclr_core.training import ranks
from samclr_core.training.config import TrainingConfig


def fabric(config: TrainingConfig) -> Fabric:
    """Lightning Fabric on the device and with the precision of ``config``; of several processes,
    each on a device of its own.

    Raises:
        UserError: a GPU is asked for and there is none.
    """
    if config.device == "cuda" and not torch.cuda.is_available():
        raise UserError("training.no_cuda")
    ranks.meet()
    chosen = Fabric(
        accelerator=device_of(config.device),
        strategy="ddp" if ranks.count() > 1 else "auto",
        devices=ranks.count_here(),
        num_nodes=ranks.count() // ranks.count_here(),
        precision=_precision(config),
    )
    chosen.launch()
    return chosen


def _precision(config: TrainingConfig) -> Any:
    if config.precision == "auto":
        if device_of(config.device) == "cpu":
            return "32-true"
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"
    return {"32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}[config.precision]


def join_norms(method: nn.Module, chosen: Fabric) -> None:
    """Let batch norm see the batches of all GPUs. On CPUs each process keeps its own statistics,
    for torch has no other there."""
    if chosen.world_size > 1 and chosen.device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(method)


def can_fuse(chosen: Fabric) -> bool:
    """Whether the optimizer may run as one kernel; with fp16 it would hide what clipping needs."""
    return chosen.strategy.precision.precision != "16-mixed"


def workers(config: TrainingConfig) -> int:
    """Threads that cut crops ahead."""
    return config.workers or min(8, os.cpu_count() or 1)


@contextmanager
def repeatable(device: torch.device) -> Iterator[None]:
    """On a CPU, the same run gives the same weights; on a GPU, speed comes first."""
    before = torch.are_deterministic_algorithms_enabled()
    filled = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    torch.use_deterministic_algorithms(before or device.type == "cpu", warn_only=True)
    # Filling memory that is about to be written anyway only helps to find bugs.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        torch.use_deterministic_algorithms(before)
        torch.utils.deterministic.fill_uninitialized_memory = filled  # type: ignore[attr-defined]
