"""Data sets of scenes in their official folders: photos find their label maps, void is void."""

import json
import re

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from samclr_core.images import store
from samclr_core.images.intake import add_paths
from samclr_core.messages import UserError
from samclr_core.workspace import Workspace

CLASSES = (np.arange(16 * 20) % 48).astype(np.uint8).reshape(16, 20)


def photo(path, seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (16, 20, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def label_map(path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        Image.fromarray(CLASSES).save(path)
        return
    people = np.empty((1, 2), object)
    for number, segments in enumerate((CLASSES, np.zeros_like(CLASSES))):
        people[0, number] = {"Segmentation": segments.astype(np.uint16)}
    savemat(path, {"groundTruth": people})


OFFICIAL = {
    "cityscapes": (
        "leftImg8bit/train/aachen/aachen_000000_000019_leftImg8bit.png",
        "gtFine/train/aachen/aachen_000000_000019_gtFine_labelIds.png",
        {0, 1, 2, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 29, 30},
    ),
    "ade20k": (
        "ADEChallengeData2016/images/training/ADE_train_00000001.jpg",
        "ADEChallengeData2016/annotations/training/ADE_train_00000001.png",
        {0},
    ),
    "camvid": ("CamVid/train/0001TP_006690.png", "CamVid/trainannot/0001TP_006690.png", {11}),
    "bsds500": (
        "BSDS500/data/images/val/101085.jpg",
        "BSDS500/data/groundTruth/val/101085.mat",
        set(),
    ),
    "scenes": ("images/line 1/7.jpg", "labels/line 1/7.png", set()),
}


@pytest.mark.parametrize("name", OFFICIAL)
def test_a_photo_finds_its_label_map(tmp_path, name: str) -> None:
    image, labels, void = OFFICIAL[name]
    photo(tmp_path / "in" / image)
    first = tmp_path / "in" / image
    photo(first.with_name(re.sub("[07]", "8", first.name)), seed=1)
    label_map(tmp_path / "in" / labels)
    # What else lies there: pictures of the labels for people, and files of no interest.
    if name == "cityscapes":
        photo(tmp_path / "in" / labels.replace("labelIds", "color"), seed=2)
    (tmp_path / "in" / "README.txt").write_text("read me")
    workspace = Workspace(tmp_path / "w")
    intake = add_paths(workspace, [tmp_path / "in"])
    assert not intake.refused
    with_map = {record.name: record for record in intake.added}
    assert len(with_map) == 2
    assert with_map[image].has_label_map
    assert sum(record.has_label_map for record in intake.added) == 1
    found = store.label_map(workspace, with_map[image].id)
    expected = np.where(np.isin(CLASSES, list(void)), store.VOID, CLASSES)
    np.testing.assert_array_equal(found, expected)


def coco(path, **more) -> None:
    """Boxes as polygons: a table of 10 x 8 px, a cup of 4 x 4 on it, and a crowd in the corner."""

    def box(category: int, x: int, y: int, w: int, h: int) -> dict:
        corners = [x, y, x + w, y, x + w, y + h, x, y + h]
        return {"category_id": category, "area": w * h, "segmentation": [corners], "iscrowd": 0}

    crowd = {"size": [16, 20], "counts": [0, 3, 13 + 16 * 19]}
    marked = [
        box(90, 6, 6, 4, 4),
        box(67, 4, 4, 10, 8),
        {"category_id": 1, "area": 3, "segmentation": crowd, "iscrowd": 1},
    ]
    content = {
        "images": [{"id": 9, "file_name": "000000000009.jpg", "width": 20, "height": 16}],
        "annotations": [one | {"id": n, "image_id": 9} for n, one in enumerate(marked, start=1)],
        "categories": [{"id": n, "name": str(n)} for n in (1, 67, 90)],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content | more))


def test_photos_of_coco_find_their_instances(tmp_path) -> None:
    folder = tmp_path / "in"
    photo(folder / "train2017" / "000000000009.jpg")
    photo(folder / "train2017" / "000000000025.jpg", seed=1)
    coco(folder / "annotations" / "instances_train2017.json")
    workspace = Workspace(tmp_path / "w")
    intake = add_paths(workspace, [folder])
    assert not intake.refused
    records = {record.name: record for record in intake.added}
    # Without an entry in the file, nobody knows what is on a photo.
    assert not records["train2017/000000000025.jpg"].has_label_map
    found = store.label_map(workspace, records["train2017/000000000009.jpg"].id)
    expected = np.full((16, 20), store.VOID)
    expected[4:12, 4:14] = 67
    expected[6:10, 6:10] = 90
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("more", [{"annotations": []}, {"images": [{"id": 9}]}, {"images": 3}])
def test_a_broken_coco_file_costs_no_photo(tmp_path, more) -> None:
    photo(tmp_path / "in" / "val2017" / "000000000009.jpg")
    coco(tmp_path / "in" / "annotations" / "instances_val2017.json", **more)
    intake = add_paths(Workspace(tmp_path / "w"), [tmp_path / "in"])
    assert [refusal.error.key for refusal in intake.refused] == ["images.bad_label_map"]
    assert len(intake.added) == 1


def test_json_beside_photos_is_nobodys_business_and_alone_it_is_no_photo(tmp_path) -> None:
    photo(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "a.json").write_text("{}")
    intake = add_paths(Workspace(tmp_path / "w"), [tmp_path / "in"])
    assert len(intake.added) == 1
    assert not intake.refused
    (tmp_path / "in" / "a.png").unlink()
    with pytest.raises(UserError, match="There is no PNG"):
        add_paths(Workspace(tmp_path / "w"), [tmp_path / "in"])
    alone = add_paths(Workspace(tmp_path / "w"), [tmp_path / "in" / "a.json"])
    assert [refusal.name for refusal in alone.refused] == ["a.json"]


def test_a_void_of_ones_own_goes_with_the_layouts(tmp_path) -> None:
    image, labels, _ = OFFICIAL["ade20k"]
    photo(tmp_path / "in" / image)
    label_map(tmp_path / "in" / labels)
    workspace = Workspace(tmp_path / "w")
    (record,) = add_paths(workspace, [tmp_path / "in"], void=3).added
    found = store.label_map(workspace, record.id)
    assert set(np.unique(CLASSES[found == store.VOID])) == {0, 3}


def test_a_broken_label_map_is_refused_and_its_photo_kept(tmp_path) -> None:
    image, labels, _ = OFFICIAL["bsds500"]
    photo(tmp_path / "in" / image)
    (tmp_path / "in" / labels).parent.mkdir(parents=True)
    (tmp_path / "in" / labels).write_bytes(b"no matlab")
    intake = add_paths(Workspace(tmp_path / "w"), [tmp_path / "in"])
    assert [refusal.error.key for refusal in intake.refused] == ["images.bad_label_map"]
    assert not intake.added[0].has_label_map


def test_matlab_files_beside_photos_are_nobodys_business(tmp_path) -> None:
    photo(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "a.mat").write_bytes(b"measurements")
    intake = add_paths(Workspace(tmp_path / "w"), [tmp_path / "in"])
    assert len(intake.added) == 1
    assert not intake.refused
