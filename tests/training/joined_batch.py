"""Loss and gradients of one batch, by every method: alone, or as a part of it under torchrun.

python joined_batch.py FILE
python -m torch.distributed.run --standalone --nproc-per-node 2 joined_batch.py FILE
"""

import sys

import torch
from torch import distributed, nn

from samclr_core.training import backbones, devices, ranks
from samclr_core.training.config import TrainingConfig
from samclr_core.training.methods import METHODS

PAIRS, SIDE = 8, 32
SETTINGS = {
    "small_stem": True,
    "head_dim": (32, 16),
    "views": {"size": SIDE},
    "moco": {"queue": 4 * PAIRS},
    "dino": {"prototypes": 64},
}


def main(path: str) -> None:
    found = {loss: outcome(loss) for loss in METHODS}
    if ranks.rank() == ranks.FIRST:
        torch.save(found, path)
        ranks.announce(None)
    else:
        assert ranks.heard() is None
    assert not distributed.is_initialized(), "a group that is left to the end can abort its process"


def outcome(loss: str) -> dict[str, torch.Tensor]:
    config = TrainingConfig.of({"loss": loss, "device": "cpu"} | SETTINGS)
    torch.manual_seed(0)
    method = METHODS[config.loss](backbones.start(config), config)
    fabric = devices.fabric(config)
    module, _ = fabric.setup(method, torch.optim.AdamW(method.parameters()))
    for part in module.train().modules():
        # On CPUs batch norm is every process's own.
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            part.eval()

    torch.manual_seed(1)
    views = torch.randn(2, PAIRS, 3, SIDE, SIDE)
    images = torch.arange(PAIRS) // 2
    related = images[:, None] == images
    share = PAIRS // ranks.count()
    mine = slice(ranks.rank() * share, (ranks.rank() + 1) * share)
    found = module(list(views[:, mine]), images[mine], related[mine, mine])
    fabric.backward(found.loss)
    gradients = {name: p.grad for name, p in method.named_parameters() if p.grad is not None}
    own = {name: b.clone() for name, b in method.named_buffers() if "backbone" not in name}
    return {"loss": fabric.all_reduce(found.loss.detach())} | gradients | own


if __name__ == "__main__":
    main(sys.argv[1])
