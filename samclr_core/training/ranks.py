"""Several processes, as ``torchrun`` starts them, learn one run together.

The first one does what it was told to, as if it were alone; the others wait for the runs that it
announces and train along (:mod:`samclr_core.training.follower`). No torch before it is needed, so
that the command line stays quick.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from samclr_core.jobs import Progress
from samclr_core.messages import Cancelled

# The first one may cut regions or evaluate for hours between two runs.
PATIENCE = timedelta(days=7)
FIRST = 0


class Announced(NamedTuple):
    """A run that all processes are to train."""

    workspace: Path
    run: Path


def rank() -> int:
    """The number of this process, from 0."""
    return int(os.environ.get("RANK", FIRST))


def count() -> int:
    """How many processes there are."""
    return int(os.environ.get("WORLD_SIZE", 1))


def count_here() -> int:
    """How many of them are on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", count()))


def meet() -> None:
    """Wait until all processes are there; nothing to do for one that is alone."""
    import torch
    from torch import distributed

    if count() > 1 and not distributed.is_initialized():
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        distributed.init_process_group(backend, timeout=PATIENCE)


def announce(what: Announced | None) -> None:
    """Tell the others what to train, or by None that they may go; only the first one can."""
    if count() > 1 and rank() == FIRST:
        _shared(what)


def heard() -> Announced | None:
    """What the first one announces next."""
    return _shared(None)


def _shared(what: Announced | None) -> Announced | None:
    import torch
    from torch import distributed

    meet()
    box = [what]
    distributed.broadcast_object_list(box, src=FIRST, device=torch.device("cpu"))
    if box[0] is None:
        # Left to the end of the process, its threads now and then abort it (seen with gloo).
        distributed.destroy_process_group()
    return box[0]


def agreeing(progress: Progress) -> Progress:
    """``progress``, where a stop that one process hears of stops all of them at the same step."""
    if count() == 1:
        return progress

    def told(done: int, total: int, note: str = "") -> None:
        stopped = False
        try:
            progress(done, total, note)
        except Cancelled:
            stopped = True
        if _anyone(stopped):
            raise Cancelled

    return told


def _anyone(says: bool) -> bool:
    """Whether any process says so; through the CPU, so that no GPU has to wait."""
    import torch
    from torch import distributed

    flag = torch.tensor(int(says))
    distributed.all_reduce(flag, op=distributed.ReduceOp.MAX)
    return bool(flag)
