"""Contrastive losses."""

import torch
from torch import Tensor
from torch.nn import functional as F


def nt_xent(z1: Tensor, z2: Tensor, temperature: float) -> Tensor:
    """NT-Xent, the loss of SimCLR (arXiv 2002.05709, equation 1), a scalar.

    Every one of the 2N views has its partner as positive and the other 2N - 2 as negatives.

    Args:
        z1: projections of the first views, [N, D]; any length, they are normalised here.
        z2: projections of the second views, [N, D], in the same order.
        temperature: above 0.
    """
    # Autocast would round the similarities to 16 bits, and exp() would amplify it.
    with torch.autocast(z1.device.type, enabled=False):
        z = F.normalize(torch.cat([z1, z2]).float(), dim=1)
        similarity = z @ z.T / temperature
        similarity.fill_diagonal_(float("-inf"))
        partner = torch.arange(len(z), device=z.device).roll(len(z1))
        return F.cross_entropy(similarity, partner)
