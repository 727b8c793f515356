import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from samclr_core.evaluation import probe


def blobs(count, distance, seed=0, dim=16, classes=3):
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    centres = np.eye(classes, dim) * distance
    return (centres[labels] + rng.normal(size=(count, dim))).astype(np.float32), labels


def test_separable_classes_are_told_apart_and_noise_is_not():
    for distance, low, high in ((20, 0.99, 1.0), (0, 0.1, 0.55)):
        train, labels = blobs(120, distance)
        test, truth = blobs(120, distance, seed=1)
        accuracy = np.mean(probe.linear_probe(train, labels, test).predicted == truth)
        assert low <= accuracy <= high


def test_it_is_scikit_learns_pipeline_at_the_chosen_strength():
    train, labels = blobs(90, 2)
    test, _ = blobs(60, 2, seed=1)
    ours = probe.linear_probe(train, labels, test)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=ours.strength, max_iter=2000))
    assert (ours.predicted == model.fit(train, labels).predict(test)).mean() > 0.97


def test_the_strength_is_chosen_inside_train():
    train, labels = blobs(90, 2)
    first = probe.linear_probe(train, labels, blobs(60, 2, seed=1)[0])
    second = probe.linear_probe(train, labels, blobs(60, 9, seed=2)[0] * 100)
    assert first.scores == second.scores
    assert first.strength == second.strength
    best = max(first.scores.values())
    assert first.strength == min(c for c, score in first.scores.items() if score == best)


def test_noise_asks_for_more_regularisation_than_signal():
    rng = np.random.default_rng(0)
    labels = np.arange(80) % 2
    signal = labels[:, None] * 0.8 + rng.normal(size=(80, 1))
    noisy = np.hstack([signal, rng.normal(size=(80, 300))]).astype(np.float32)
    scores = probe.choose(noisy, labels)
    assert max(scores, key=scores.get) < max(probe.STRENGTHS)


def test_the_units_of_a_feature_do_not_count():
    train, labels = blobs(90, 2)
    test, _ = blobs(60, 2, seed=1)
    units = np.logspace(-3, 3, 16, dtype=np.float32)
    ours = probe.linear_probe(train, labels, test).predicted
    assert (probe.linear_probe(train * units, labels, test * units).predicted == ours).mean() > 0.97


def test_the_same_data_give_the_same_probe():
    train, labels = blobs(60, 1)
    first, second = (probe.linear_probe(train, labels, train) for _ in range(2))
    assert (first.predicted == second.predicted).all()
    assert first.scores == second.scores


def test_a_large_train_split_is_thinned_for_the_choice_only(monkeypatch):
    monkeypatch.setattr(probe, "CHOICE_IMAGES", 30)
    _, labels = blobs(90, 2)
    part = probe._choice_part(labels, seed=0)
    assert np.bincount(labels[part]).tolist() == [10, 10, 10]


@pytest.mark.parametrize("labels", [[0, 1], [0, 0, 0, 1], [0, 1, 2, 2]])
def test_too_little_to_choose_from_takes_the_default(labels):
    labels = np.array(labels)
    train = np.eye(len(labels), 4, dtype=np.float32)
    result = probe.linear_probe(train, labels, train)
    assert result.scores == {}
    assert result.strength == probe.DEFAULT_STRENGTH
    assert set(result.predicted) <= set(labels)


def test_confusion_has_the_truth_in_rows():
    matrix = probe.confusion(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), 3)
    assert matrix.tolist() == [[1, 1, 0], [0, 2, 0], [0, 0, 0]]
    assert probe.per_class_accuracy(matrix) == [0.5, 1.0, None]
