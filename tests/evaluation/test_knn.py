import numpy as np
import pytest

from samclr_core.evaluation import knn


def test_by_hand():
    bank = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 2.0]])
    labels = np.array([0, 1, 1])
    queries = np.array([[5.0, 1.0], [1.0, 5.0]])
    assert knn.predict(bank, labels, queries, k=1).tolist() == [0, 1]
    # At a high temperature all three vote alike, and class 1 has two of them.
    assert knn.predict(bank, labels, queries, k=3, temperature=1e6).tolist() == [1, 1]
    # At 0.07 the one near neighbour outweighs the two far ones.
    assert knn.predict(bank, labels, queries, k=3).tolist() == [0, 1]


@pytest.mark.parametrize("k", [1, 5, 20, 500])
def test_against_brute_force(k, monkeypatch):
    monkeypatch.setattr(knn, "CHUNK", 7)
    rng = np.random.default_rng(0)
    bank, queries = rng.normal(size=(60, 8)), rng.normal(size=(25, 8))
    labels = rng.integers(0, 4, 60)
    expected = []
    for query in queries:
        similarity = bank @ query / np.linalg.norm(bank, axis=1) / np.linalg.norm(query)
        votes = np.zeros(4)
        for index in np.argsort(-similarity)[:k]:
            votes[labels[index]] += np.exp(similarity[index] / 0.07)
        expected.append(votes.argmax())
    assert knn.predict(bank, labels, queries, k).tolist() == expected


def test_the_length_of_features_does_not_count():
    rng = np.random.default_rng(0)
    bank, queries, labels = rng.normal(size=(30, 4)), rng.normal(size=(9, 4)), np.arange(30) % 3
    scaled = bank * rng.uniform(0.1, 9, (30, 1))
    assert (knn.predict(bank, labels, queries) == knn.predict(scaled, labels, queries)).all()


def test_k_is_never_more_than_the_bank():
    assert knn.clamped(20, 7) == 7
    assert knn.clamped(20, 70) == 20


def test_features_of_nothing_but_zeros_are_survived():
    assert knn.predict(np.zeros((3, 2)), np.array([1, 0, 1]), np.zeros((2, 2))).tolist() == [1, 1]
