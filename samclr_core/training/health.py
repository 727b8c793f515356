"""Figures that show a collapse while it happens; all are computed on one batch."""

import torch
from torch import Tensor
from torch.nn import functional as F


def embedding_std(embeddings: Tensor) -> float:
    """Spread of the normalised embeddings [N, D], relative to an even spread on the sphere.

    The standard deviation over the batch, averaged over dimensions, times sqrt(D), as SimSiam
    (arXiv 2011.10566, figure 2) watches it: 1 is an even spread, 0 is collapsed. Features after a
    ReLU share a direction and stay below 1 when healthy; what counts is that it does not fall to 0.
    """
    unit = F.normalize(embeddings.float(), dim=1)
    return float(unit.std(dim=0).mean() * unit.shape[1] ** 0.5)


def effective_rank(embeddings: Tensor) -> float:
    """RankMe (arXiv 2210.02885, equation 1-2): exp of the entropy of the singular values.

    From 1 (all embeddings on a line) to min(N, D) of the embeddings [N, D].
    """
    values = torch.linalg.svdvals(embeddings.float())
    shares = values / values.sum().clamp(min=1e-12) + 1e-7
    return float(torch.exp(-(shares * shares.log()).sum()))


def alignment(z1: Tensor, z2: Tensor) -> float:
    """Mean squared distance of normalised partners (arXiv 2005.10242): 0 is the same point."""
    return float((_unit(z1) - _unit(z2)).square().sum(dim=1).mean())


def uniformity(embeddings: Tensor) -> float:
    """Log of the mean Gaussian potential, t = 2 (arXiv 2005.10242): 0 is collapsed, -4 is even."""
    distances = torch.pdist(_unit(embeddings)).square()
    return float(torch.exp(-2 * distances).mean().log())


def _unit(embeddings: Tensor) -> Tensor:
    return F.normalize(embeddings.float(), dim=1)
