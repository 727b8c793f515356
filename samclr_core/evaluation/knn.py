"""k nearest neighbours on frozen features, as in InstDisc and DINO."""

import numpy as np

K = 20
TEMPERATURE = 0.07
CHUNK = 1024


def clamped(k: int, bank: int) -> int:
    """``k``, or the size of the bank where that is smaller."""
    return min(k, bank)


def predict(
    bank: np.ndarray,
    bank_labels: np.ndarray,
    queries: np.ndarray,
    k: int = K,
    temperature: float = TEMPERATURE,
) -> np.ndarray:
    """The weighted vote of each query's ``k`` nearest features in the bank.

    Similarity is the cosine; a neighbour of similarity s votes with exp(s / temperature) for its
    class (Wu et al. 2018, arXiv 1805.01978, eq. 6; DINO's eval_knn.py). Equal votes go to the
    class with the smaller number.

    Args:
        bank: float [M, dim], features of the train split.
        bank_labels: int [M], classes 0 and up.
        queries: float [N, dim].
        k: neighbours, clamped to M.
        temperature: of the votes' softmax.

    Returns:
        int64 [N], the predicted classes.
    """
    bank, queries = _unit(bank), _unit(queries)
    k = clamped(k, len(bank))
    votes_of = np.eye(int(bank_labels.max()) + 1)[bank_labels]
    predicted = [
        _vote(queries[start : start + CHUNK] @ bank.T, votes_of, k, temperature)
        for start in range(0, len(queries), CHUNK)
    ]
    return np.concatenate(predicted) if predicted else np.empty(0, np.int64)


def _vote(similarity: np.ndarray, votes_of: np.ndarray, k: int, temperature: float) -> np.ndarray:
    nearest = np.argpartition(-similarity, k - 1, axis=1)[:, :k]
    found = np.take_along_axis(similarity, nearest, axis=1).astype(np.float64)
    # The greatest similarity is taken off first: the winner is the same and exp cannot overflow.
    weights = np.exp((found - found.max(axis=1, keepdims=True)) / temperature)
    return np.einsum("nk,nkc->nc", weights, votes_of[nearest]).argmax(axis=1)


def _unit(features: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(features / np.maximum(length, 1e-12), dtype=np.float32)
