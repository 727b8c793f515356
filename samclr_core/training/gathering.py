"""One batch that lies on several devices; on one device these change nothing."""

import torch
from torch import Tensor, distributed
from torch.distributed.nn.functional import all_gather


def everyones(part: Tensor) -> Tensor:
    """The parts [N, ...] of all processes, [W x N, ...] in the order of their ranks.

    Gradients flow back to the process that each part came from, so that the loss of the whole
    batch is the same as on one device, and so are the gradients, averaged over the processes.
    """
    if not distributed.is_initialized():
        return part
    return torch.cat(all_gather(part.contiguous()))


def everyones_blocks(block: Tensor) -> Tensor:
    """The joint bool [W x N, W x N] of blocks [N, N]: nothing holds between two processes."""
    if not distributed.is_initialized():
        return block
    blocks = everyones(block.to(torch.uint8)).split(len(block))
    return torch.block_diag(*blocks).bool()
