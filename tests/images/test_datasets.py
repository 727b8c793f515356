"""Labelled folders are read in the layouts the field uses."""

import pytest

from samclr_core.images.datasets import read_labelled_folder
from samclr_core.messages import UserError


def make(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_class_folders(tmp_path):
    make(tmp_path, "ok/1.png", "ng/2.JPG", "readme.txt")
    found = read_labelled_folder(tmp_path)
    assert [(i.name, i.label, i.split) for i in found] == [
        ("ng/2.JPG", "ng", None),
        ("ok/1.png", "ok", None),
    ]
    assert found[0].path == tmp_path / "ng/2.JPG"
    assert found[0].source == "ng"


def test_official_splits(tmp_path):
    make(tmp_path, "train/ok/1.png", "train/ng/2.png", "val/ok/3.png", "val/ng/4.png")
    assert [(i.label, i.split) for i in read_labelled_folder(tmp_path)] == [
        ("ng", "train"),
        ("ok", "train"),
        ("ng", "test"),
        ("ok", "test"),
    ]


def test_a_csv_is_the_list(tmp_path):
    make(tmp_path, "a.png", "b.png", "unlisted.png")
    text = "filename,label,split,source\na.png,ok,train,写真 7\nb.png,傷,test,\n"
    (tmp_path / "labels.csv").write_text(text, encoding="utf-8")
    assert [(i.name, i.label, i.split, i.source) for i in read_labelled_folder(tmp_path)] == [
        ("a.png", "ok", "train", "写真 7"),
        ("b.png", "傷", "test", "."),
    ]


def test_what_has_no_classes_is_refused(tmp_path):
    make(tmp_path, "photos/1.png", "photos/2.png")
    with pytest.raises(UserError) as error:
        read_labelled_folder(tmp_path)
    assert error.value.key == "images.no_classes"
    with pytest.raises(UserError) as error:
        read_labelled_folder(tmp_path / "missing")
    assert error.value.key == "images.no_such_folder"
