"""What a run needs to go on: weights, optimizer, gradient scaler, step and seconds.

The learning rate, the random numbers and the data position all follow from the step and the
seed, so that the step is all that has to be kept of them.
"""

from dataclasses import dataclass
from typing import Any

import torch
from lightning_fabric import Fabric
from safetensors.torch import save as serialised

from samclr_core.training.methods import Method
from samclr_core.training.runs import Run
from samclr_core.workspace import whole, write_atomic


@dataclass
class Position:
    """How far a run is: steps done, and seconds it took, over all times it was resumed."""

    step: int = 0
    seconds: float = 0.0


def save(run: Run, position: Position, method: Method, optimizer: Any, fabric: Fabric) -> None:
    """Write checkpoint.pt, so that a crash leaves either the old or the new one.

    Of several processes, which all hold the same, the first one writes.
    """
    if not fabric.is_global_zero:
        return
    state = {
        "position": vars(position),
        "method": method.state_dict(),
        "optimizer": optimizer.state_dict(),
        "precision": fabric.strategy.precision.state_dict(),
    }
    with whole(run.checkpoint_path) as part:
        torch.save(state, part)


def restore(run: Run, method: Method, optimizer: Any, fabric: Fabric) -> Position:
    """Go back to the last checkpoint, or to the start where there is none."""
    if not run.checkpoint_path.exists():
        return Position()
    state = torch.load(run.checkpoint_path, map_location="cpu", weights_only=True)
    method.load_state_dict(state["method"])
    optimizer.load_state_dict(state["optimizer"])
    fabric.strategy.precision.load_state_dict(state["precision"])
    return Position(**state["position"])


def save_encoder(run: Run, method: Method, fabric: Fabric) -> None:
    """Write encoder.safetensors, the backbone alone; what the run needed to go on is removed.

    Of several processes the first one writes, and the others wait until it is there.
    """
    if fabric.is_global_zero:
        write_encoder(run, method)
        run.checkpoint_path.unlink(missing_ok=True)
    fabric.barrier()


def write_encoder(run: Run, method: Method) -> None:
    """Write encoder.safetensors alone, whole or not at all."""
    state = {k: v.detach().cpu().contiguous() for k, v in method.backbone.state_dict().items()}
    metadata = {"backbone": run.config.backbone, "run": run.id}
    write_atomic(run.encoder_path, serialised(state, metadata=metadata))
