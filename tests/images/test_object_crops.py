"""Crops of the things in label maps, in the folders of a classification task."""

import numpy as np
import pytest
from PIL import Image

from samclr_core.images import catalogue, store
from samclr_core.images.catalogue import ImageRecord
from samclr_core.images.datasets import read_labelled_folder
from samclr_core.images.object_crops import write_crops
from samclr_core.messages import UserError
from samclr_core.workspace import Workspace

CLASSES = {1: "car", 3: "sign"}


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    """Two frames: two cars and a sign in the first, a car that is cut off in the second."""
    workspace = Workspace(tmp_path / "w")
    first, second = np.zeros((2, 100, 160), np.uint8)
    first[20:60, 10:40] = first[50:80, 100:150] = 1
    first[5:35, 60:90] = 3
    first[90:95, 60:65] = 1  # too small
    second[40:100, 120:160] = 1
    second[10:50, 10:60] = 2  # of no interest
    second[40:70, 70:100] = 3
    for name, labels in (("a_1.png", first), ("b_1.png", second)):
        pixels = np.repeat(labels[:, :, None] * 60, 3, axis=2)
        image_id = store.content_id(pixels)
        store.save(workspace, image_id, pixels, lossy=False)
        store.save_label_map(workspace, image_id, labels)
        catalogue.put(workspace, ImageRecord(image_id, name, 160, 100, None, "g", True))
    return workspace


def test_each_piece_is_a_square_crop_in_its_split_and_class(workspace, tmp_path) -> None:
    found = write_crops(workspace, tmp_path / "out", CLASSES, test=["b_"], context=0.2)
    assert found.counts == {"train": {"car": 2, "sign": 1}, "test": {"car": 1, "sign": 1}}
    sizes = {
        path.relative_to(tmp_path / "out").parts[:2]: Image.open(path).size
        for path in (tmp_path / "out").rglob("*.png")
    }
    # 40 x 30 becomes 48 x 48, and what lies beyond the image is left out.
    assert sizes["train", "sign"] == (36, 36)
    assert sizes["test", "car"] == (56, 66)
    read = read_labelled_folder(tmp_path / "out")
    assert {(sample.split, sample.label) for sample in read} == set(sizes)


def test_the_thing_is_in_the_middle_of_its_crop(workspace, tmp_path) -> None:
    write_crops(workspace, tmp_path / "out", {3: "sign"}, test=["b_"], context=0.2)
    crop = np.array(Image.open(next((tmp_path / "out/test/sign").glob("*.png"))))[:, :, 0]
    inside = np.argwhere(crop == 180)
    assert crop.shape == (36, 36)
    assert inside.min(axis=0).tolist() == [3, 3]
    assert inside.max(axis=0).tolist() == [32, 32]


def test_without_label_maps_or_a_test_split_nothing_is_made(workspace, tmp_path) -> None:
    with pytest.raises(UserError, match="label map"):
        write_crops(Workspace(tmp_path / "empty"), tmp_path / "out", CLASSES, test=[])
    with pytest.raises(UserError, match="“test”"):
        write_crops(workspace, tmp_path / "out", CLASSES, test=["none"])
