"""The losses, each a function of tensors; who makes these is in `methods`."""

import torch
from torch import Tensor
from torch.nn import functional as F


def nt_xent(z1: Tensor, z2: Tensor, temperature: float, related: Tensor | None = None) -> Tensor:
    """NT-Xent, the loss of SimCLR (arXiv 2002.05709, equation 1), a scalar.

    Every one of the 2N views has its partner as positive and the other 2N - 2 as negatives.

    Args:
        z1: projections of the first views, [N, D]; any length, they are normalised here.
        z2: projections of the second views, [N, D], in the same order.
        temperature: above 0.
        related: pairs that are no negatives of each other, bool [N, N], symmetric; none by default.
    """
    # Autocast would round the similarities to 16 bits, and exp() would amplify it.
    with torch.autocast(z1.device.type, enabled=False):
        z = F.normalize(torch.cat([z1, z2]).float(), dim=1)
        similarity = z @ z.T / temperature
        similarity.fill_diagonal_(float("-inf"))
        partner = torch.arange(len(z), device=z.device).roll(len(z1))
        if related is not None:
            apart = related.repeat(2, 2).scatter(1, partner[:, None], False)
            similarity = similarity.masked_fill(apart, float("-inf"))
        return F.cross_entropy(similarity, partner)


def info_nce(
    queries: Tensor, keys: Tensor, negatives: Tensor, temperature: float, excluded: Tensor
) -> Tensor:
    """InfoNCE with a queue of negatives, the loss of MoCo (arXiv 1911.05722, equation 1), a scalar.

    Args:
        queries: [N, D]; any length, they are normalised here.
        keys: each query's positive, [N, D], of length 1.
        negatives: [K, D], of length 1.
        temperature: above 0.
        excluded: which negatives do not count for a query, bool [N, K].
    """
    with torch.autocast(queries.device.type, enabled=False):
        queries = F.normalize(queries.float(), dim=1)
        positive = (queries * keys).sum(dim=1, keepdim=True)
        others = (queries @ negatives.T).masked_fill(excluded, float("-inf"))
        logits = torch.cat([positive, others], dim=1) / temperature
        return F.cross_entropy(logits, logits.new_zeros(len(logits), dtype=torch.int64))


def dino(
    student: Tensor,
    teacher: Tensor,
    center: Tensor,
    student_temperature: float,
    teacher_temperature: float,
) -> Tensor:
    """DINO's loss (arXiv 2104.14294, equation 1 and algorithm 1), a scalar.

    The mean cross-entropy of the student's answers to every view under the teacher's to every
    other view, centered and sharpened.

    Args:
        student: answers [V, N, K]; the first T views are the teacher's.
        teacher: answers [T, N, K], T < V or T = V = 2, without gradient.
        center: moving average of the teacher's answers, [K].
        student_temperature: above 0.
        teacher_temperature: above 0.
    """
    with torch.autocast(student.device.type, enabled=False):
        wanted = F.softmax((teacher.float() - center) / teacher_temperature, dim=-1)
        found = F.log_softmax(student.float() / student_temperature, dim=-1)
        terms = -torch.einsum("tnk,vnk->tv", wanted, found) / student.shape[1]
        same = torch.eye(*terms.shape, dtype=torch.bool, device=terms.device)
        return terms[~same].mean()
