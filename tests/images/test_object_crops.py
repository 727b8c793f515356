"""Crops of the things that label maps or boxes show, in the folders of a classification task."""

import json

import numpy as np
import pytest
from PIL import Image

from samclr_core.images import catalogue, store
from samclr_core.images.boxes import Boxes
from samclr_core.images.catalogue import ImageRecord
from samclr_core.images.datasets import read_labelled_folder
from samclr_core.images.object_crops import write_crops
from samclr_core.messages import UserError
from samclr_core.workspace import Workspace

CLASSES = {"1": "car", "3": "sign"}


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
    write_crops(workspace, tmp_path / "out", {"3": "sign"}, test=["b_"], context=0.2)
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


def _voc(folder, name: str, *things: str) -> None:
    """A file as labelImg writes it; each thing as ``NAME xmin ymin xmax ymax``."""
    objects = ""
    for thing in things:
        kind, *sides = thing.split()
        box = "".join(
            f"<{tag}>{side}</{tag}>"
            for tag, side in zip(("xmin", "ymin", "xmax", "ymax"), sides, strict=True)
        )
        objects += f"<object><name>{kind}</name><bndbox>{box}</bndbox></object>"
    folder.mkdir(exist_ok=True)
    text = f"<annotation><filename>x.png</filename>{objects}</annotation>"
    (folder / f"{name}.xml").write_text(text)


def test_boxes_of_pascal_voc_are_cut_from_their_first_to_their_last_pixel(workspace, tmp_path):
    # In VOC the first pixel is 1: the sign's rows are 6 to 35, its columns 61 to 90.
    _voc(tmp_path / "voc", "a_1", "board 61 6 90 35", "dirt 1 1 9 9", "lamp 1 1 80 80")
    _voc(tmp_path / "voc", "b_1", "sign 71 41 100 70")
    boxes = Boxes(tmp_path / "voc")
    classes = {"board": "sign", "sign": "sign", "dirt": "dirt"}
    found = write_crops(workspace, tmp_path / "out", classes, ["b_"], boxes, context=0)
    assert found.counts == {"train": {"sign": 1, "dirt": 0}, "test": {"sign": 1, "dirt": 0}}
    for path in (tmp_path / "out").glob("*/sign/*.png"):
        assert np.array(Image.open(path)).tolist() == np.full((30, 30, 3), 180).tolist()


def test_boxes_of_a_coco_file_count_as_far_as_they_lie_in_the_image(workspace, tmp_path) -> None:
    def one(number: int, image: int, bbox: list[float], **more) -> dict:
        return {"id": number, "image_id": image, "category_id": 7, "bbox": bbox, **more}

    content = {
        "images": [
            {"id": 1, "file_name": "frames/a_1.jpg", "width": 160, "height": 100},
            {"id": 2, "file_name": "frames/b_1.jpg", "width": 160, "height": 100},
        ],
        "annotations": [
            one(1, 1, [100.2, 49.8, 50, 30]),
            one(2, 1, [0, 0, 90, 90], iscrowd=1),
            one(3, 2, [120, 40, 60, 90]),
            one(4, 2, [150, 40, 60, 90]),
        ],
        "categories": [{"id": 7, "name": "vehicle"}],
    }
    (tmp_path / "boxes.json").write_text(json.dumps(content))
    boxes = Boxes(tmp_path / "boxes.json")
    found = write_crops(workspace, tmp_path / "out", {"vehicle": "car"}, ["b_"], boxes, context=0)
    assert found.counts == {"train": {"car": 1}, "test": {"car": 1}}
    (train,) = (tmp_path / "out/train/car").glob("*.png")
    # The square around 50 x 30 pixels.
    assert (np.array(Image.open(train))[10:40] == 60).all()


def test_photos_of_one_name_in_two_folders_keep_their_own_boxes(workspace, tmp_path) -> None:
    images = [
        {"id": number, "file_name": f"{line}\\1.jpg", "width": 160, "height": 100}
        for number, line in enumerate(("a", "b"))
    ]
    things = [
        {"id": number, "image_id": number, "category_id": number, "bbox": [0, 0, 40, 40]}
        for number in range(2)
    ]
    names = [{"id": number, "name": name} for number, name in enumerate(("car", "sign"))]
    content = {"images": images, "annotations": things, "categories": names}
    (tmp_path / "boxes.json").write_text(json.dumps(content))
    boxes = Boxes(tmp_path / "boxes.json")
    first, second = (
        [
            name
            for name, _ in boxes.of(ImageRecord("i", f"{line}/1.png", 160, 100, None, "g", False))
        ]
        for line in ("a", "b")
    )
    assert (first, second) == (["car"], ["sign"])
    # Whose they are cannot be told: none, rather than another's.
    assert boxes.of(ImageRecord("i", "c/1.png", 160, 100, None, "g", False)) == []


def test_boxes_that_cannot_be_read_are_named(tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/a.xml").write_text("<annotation><object>")
    _voc(tmp_path / "blank", "a", "car 1 1 x 9")
    (tmp_path / "no.json").write_text("[]")
    for name, told in (
        ("empty", "empty"), ("broken", "a.xml"), ("blank", "a.xml"),
        ("no.json", "no.json"), ("missing.json", "missing.json"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=told):
            Boxes(tmp_path / name)
