"""Do the regions end where things end?"""

import numpy as np
from scipy import ndimage

# Of the image's diagonal, as in the BSDS benchmark (Martin, Fowlkes & Malik 2004, PAMI 26(5)).
TOLERANCE = 0.0075


def boundary_f(pieces: np.ndarray, truth: np.ndarray, tolerance: float = TOLERANCE) -> float:
    """Harmonic mean of the boundaries' precision and recall, 0 to 1.

    A boundary pixel is right where the other map has one within ``tolerance``. BSDS assigns the
    pixels one to one; here several may meet the same one, which is simpler and a little kinder.
    Boundaries in places where the truth marks nothing are not judged.

    Args:
        pieces: int [H, W], a partition.
        truth: int [H, W]: 1 and up are segments, 0 is ground, -1 is not known.
        tolerance: as a fraction of the diagonal.
    """
    distance = tolerance * float(np.hypot(*truth.shape))
    found, true = _edges(pieces), _edges(truth)
    near_true = _near(true, distance)
    judged = found & (near_true | (truth > 0))
    if not judged.any() and not true.any():
        return 1.0
    precision = _share(near_true, judged)
    recall = _share(_near(found, distance), true)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _edges(labels: np.ndarray) -> np.ndarray:
    """Pixels whose right or lower neighbour is another piece, bool [H, W]; void has no edge."""
    edges = np.zeros(labels.shape, bool)
    for here, there in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        one, other = labels[here], labels[there]
        edges[here] |= (one != other) & (one >= 0) & (other >= 0)
    return edges


def _near(edges: np.ndarray, distance: float) -> np.ndarray:
    if not edges.any():
        return np.zeros(edges.shape, bool)
    return ndimage.distance_transform_edt(~edges) <= distance


def _share(right: np.ndarray, judged: np.ndarray) -> float:
    return float(right[judged].mean()) if judged.any() else 0.0
