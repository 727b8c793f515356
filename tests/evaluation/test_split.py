import numpy as np
import pytest

from samclr_core.evaluation.split import split
from samclr_core.messages import UserError

IDS = [f"{number:032x}" for number in range(10)]


def test_the_data_sets_own_split_is_used():
    found = split(["a", "b", "a", "b"], ["train", "train", "test", "test"], IDS[:4])
    assert found.official
    assert found.train.tolist() == [0, 1]
    assert found.test.tolist() == [2, 3]


def test_without_one_each_class_is_halved():
    names = ["a"] * 5 + ["b"] * 2 + ["c"] * 3
    found = split(names, [None] * 10, IDS)
    assert not found.official
    assert sorted([*found.train, *found.test]) == list(range(10))
    assert np.bincount(found.labels[found.test]).tolist() == [2, 1, 1]


def test_the_halves_follow_the_content_not_the_order():
    names = ["a", "b"] * 5
    order = np.random.default_rng(0).permutation(10)
    here = split(names, [None] * 10, IDS)
    there = split([names[i] for i in order], [None] * 10, [IDS[i] for i in order])
    assert [IDS[i] for i in here.test] == [IDS[order[i]] for i in there.test]


def test_half_a_split_is_none():
    assert not split(["a", "b", "a", "b"], ["train"] * 4, IDS[:4]).official


def test_classes_without_train_or_test_are_dropped():
    names = ["a", "b", "c", "a", "b", "d"]
    found = split(names, ["train"] * 3 + ["test"] * 3, IDS[:6])
    assert found.classes == ["a", "b"]
    assert found.dropped == ["c", "d"]
    assert found.labels.tolist() == [0, 1, -1, 0, 1, -1]


def test_images_outside_the_official_split_are_in_neither():
    found = split(["a", "b", "a", "b", "a"], ["train", "train", "test", "test", None], IDS[:5])
    assert found.labels.tolist() == [0, 1, 0, 1, -1]


@pytest.mark.parametrize("names", [["a", "a"], ["a", "b"], ["a", "a", "b"]])
def test_fewer_than_two_classes_are_refused(names):
    with pytest.raises(UserError) as error:
        split(names, [None] * len(names), IDS[: len(names)])
    assert error.value.key == "evaluation.too_few_classes"
