"""How well classes lie apart in the features themselves: a map can look tidy, and prove nothing."""

import numpy as np

from samclr_core.evaluation.projection import normalised

NEIGHBOURS = 10
# All distances between more images would take gigabytes.
MAX_IMAGES = 4_000


def silhouette(values: np.ndarray, labels: np.ndarray) -> float | None:
    """Mean silhouette (Rousseeuw 1987) by cosine distance, -1 to 1; 0 is classes in one heap.

    Args:
        values: features, float [N, dim].
        labels: int [N].

    Returns:
        None where there are not at least two classes, one of them with two images.
    """
    from sklearn.metrics import silhouette_score

    values, labels = values[:MAX_IMAGES], labels[:MAX_IMAGES]
    if not 2 <= len(np.unique(labels)) < len(labels):
        return None
    return float(silhouette_score(values, labels, metric="cosine"))


def neighbour_purity(values: np.ndarray, labels: np.ndarray) -> tuple[float, float] | None:
    """Share of an image's ten nearest others, by cosine, that are of its class; and by chance.

    Args:
        values: features, float [N, dim].
        labels: int [N].

    Returns:
        The share, and what it would be if neighbours were drawn at random; None for fewer than
        two images.
    """
    values, labels = values[:MAX_IMAGES], labels[:MAX_IMAGES]
    count = len(labels)
    if count < 2:
        return None
    unit = normalised(values)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -np.inf)
    near = np.argsort(-similarity, axis=1, kind="stable")[:, : min(NEIGHBOURS, count - 1)]
    share = float((labels[near] == labels[:, None]).mean())
    sizes = np.unique(labels, return_counts=True)[1]
    return share, float((sizes * (sizes - 1)).sum() / (count * (count - 1)))
