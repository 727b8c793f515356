import json
from pathlib import Path

import numpy as np
import pytest
from box_scenes import CONFIG, REGIONS, A, B, C, D, box, box_workspace, image_id
from pycocotools.coco import COCO

from samclr_core.messages import UserError
from samclr_core.regions import store
from samclr_core.regions.review import coco
from samclr_core.regions.review import events as log
from samclr_core.regions.review.actions import Reviewer
from samclr_core.regions.review.changes import changes
from samclr_core.regions.review.fold import review, reviewed, reviews
from samclr_core.regions.review.incoming import Imported, take_in
from samclr_core.workspace import Workspace

I0, I1 = image_id(0), image_id(1)
ADDED = box(22, 22, 16, 16)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = box_workspace(tmp_path / "w", 2)
    ann, ben = Reviewer(workspace, "ann"), Reviewer(workspace, "弁")
    ann.drop(I0, [D])
    ben.merge(I0, [A, B])
    ann.add(I0, ADDED)
    ann.judge(I0, "usable")
    ben.judge(I0, "bad")
    ben.comment(I0, "手が欠けている")
    ann.judge(I1, "good")
    ann.undo()
    return workspace


def through_pycocotools(workspace: Workspace, folder: Path) -> tuple[COCO, bytes]:
    path = folder / "export.json"
    path.write_text(json.dumps(coco.dataset(workspace)), encoding="utf-8")
    loaded = COCO(str(path))
    return loaded, json.dumps(loaded.dataset).encode()


def test_pycocotools_reads_the_same_masks(workspace: Workspace, tmp_path: Path) -> None:
    loaded, _ = through_pycocotools(workspace, tmp_path)
    image = next(i for i in loaded.loadImgs(loaded.getImgIds()) if i["samclr_id"] == I0)
    assert (image["file_name"], image["verdict"]) == ("line/0.png", "bad")
    assert [(v["who"], v["text"]) for v in image["verdicts"]] == [("ann", "usable"), ("弁", "bad")]
    assert image["comments"][0]["text"] == "手が欠けている"
    found = loaded.loadAnns(loaded.getAnnIds(imgIds=image["id"]))
    in_use = reviewed(workspace, I0).regions
    assert len(found) == len(in_use) == 3
    for annotation, region in zip(found, in_use, strict=True):
        assert (loaded.annToMask(annotation).astype(bool) == region.mask()).all()
        assert annotation["area"] == region.area == loaded.annToMask(annotation).sum()
        assert annotation["predicted_iou"] == region.predicted_iou
        assert annotation["stability_score"] == region.stability_score
        assert annotation["point"] == list(region.point)
    origins = {(a["origin"], a["decision"], a["who"]) for a in found}
    assert origins == {
        ("merged", "merge", "弁"),
        ("added", "add", "ann"),
        ("automatic", None, None),
    }
    assert all(a["when"].endswith("+00:00") for a in found if a["who"])


def test_a_round_trip_into_another_workspace_loses_nothing(workspace, tmp_path: Path) -> None:
    _, content = through_pycocotools(workspace, tmp_path)
    other = box_workspace(tmp_path / "other", 2)
    done = took_in(other, content, "carol")
    assert (done.images, done.unknown, done.events, done.known) == (2, (), 8, 7)
    assert done.kept == done.corrected == done.added == 0
    said, again = log.events(workspace), log.events(other)
    assert [event.to_json() for event in again] == [event.to_json() for event in said]
    assert reviewed(other, I0) == reviewed(workspace, I0)
    assert changes(reviews(other)) == changes(reviews(workspace))
    assert Reviewer(other, "弁").undo().text == "手が欠けている"
    # The same file once more changes nothing.
    assert took_in(other, content, "carol").events == 0
    assert reviewed(other, I0) == reviewed(workspace, I0)


def took_in(workspace: Workspace, content: bytes, who: str) -> Imported:
    return take_in(workspace, coco.read(workspace, content), who)


def foreign(*annotations: dict, name: str = "0.png", **image) -> bytes:
    images = [{"id": 7, "file_name": name, "width": 60, "height": 40, **image}]
    listed = [{"id": n, "image_id": 7, "category_id": 3, **a} for n, a in enumerate(annotations)]
    return json.dumps({"images": images, "annotations": listed}).encode()


def test_regions_of_others_are_added_or_correct_ours(tmp_path: Path) -> None:
    workspace = box_workspace(tmp_path)
    Reviewer(workspace, "ann").drop(I0, [D])
    polygon = [22, 22, 38, 22, 38, 38, 22, 38]
    runs = [*[38, 2] * 5, 40 * 60 - 5 * 40]
    nearly_c = box(0, 20, 19, 20)
    content = foreign(
        {"segmentation": [polygon]},
        {"segmentation": {"size": [40, 60], "counts": runs}},
        {"segmentation": nearly_c.rle, "predicted_iou": 0.7},
        {"segmentation": REGIONS[0].rle},
        {"segmentation": REGIONS[3].rle},
    )
    done = took_in(workspace, content, "cvat")
    assert (done.added, done.corrected, done.known, done.kept) == (2, 1, 1, 1)
    found = {item.id: item for item in review(workspace, I0).kept}
    assert {A, B, D, ADDED.id, nearly_c.id} < set(found)
    assert C not in found
    assert found[ADDED.id].event.who == "cvat"
    assert found[nearly_c.id].region.predicted_iou == 0.7
    uncompressed = next(i.region for i in found.values() if i.region.area == 10)
    assert uncompressed.mask()[38:, :5].all()
    assert reviewed(workspace, I0) is not None


def test_images_are_found_by_the_last_part_of_their_name_where_it_is_unique(tmp_path) -> None:
    workspace = box_workspace(tmp_path, 2)
    content = foreign({"segmentation": ADDED.rle}, name="C:\\export\\1.png")
    assert took_in(workspace, content, "cvat").added == 1
    assert ADDED.id in {region.id for region in reviewed(workspace, I1).regions}
    assert reviewed(workspace, I0) == store.read(workspace, I0)


BEYOND = {"size": [40, 60], "counts": [0, 40 * 60 + 1000]}
NEGATIVE = {"size": [40, 60], "counts": [2500, -100]}
OTHER_SIZE = {"size": [60, 40], "counts": [0, 2400]}


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"\x00\x01", "review.coco_no_json"),
        (b"[1, 2]", "review.coco_part"),
        (b'{"images": []}', "review.coco_part"),
        (b'{"images": [], "annotations": []}', "review.coco_no_match"),
        (foreign(name="elsewhere.png"), "review.coco_no_match"),
        (foreign(width=61), "review.coco_size"),
        (foreign({"image_id": 9, "segmentation": []}), "review.coco_lost"),
        (foreign({"segmentation": "x"}), "review.coco_part"),
        (foreign({"segmentation": [[1, 2, 3]]}), "review.coco_mask"),
        (foreign({"segmentation": [[1, 2, 3, 4]]}), "review.coco_mask"),
        (foreign({"segmentation": []}), "review.coco_mask"),
        (foreign({"segmentation": BEYOND}), "review.coco_mask"),
        (foreign({"segmentation": NEGATIVE}), "review.coco_mask"),
        (foreign({"segmentation": OTHER_SIZE}), "review.coco_mask"),
        (foreign({"segmentation": {"size": [40, 60], "counts": "oPo`0"}}), "review.coco_mask"),
        (foreign({"segmentation": {"size": [40, 60], "counts": "\u3042"}}), "review.coco_mask"),
    ],
)
def test_a_file_that_cannot_be_taken_in_is_one_sentence(tmp_path: Path, content, key) -> None:
    workspace = box_workspace(tmp_path)
    with pytest.raises(UserError) as error:
        took_in(workspace, content, "ann")
    assert error.value.key == key
    assert error.value.text("en")
    assert error.value.text("ja")
    assert log.everything(workspace) == []


def test_a_broken_region_takes_nothing_in(tmp_path: Path) -> None:
    workspace = box_workspace(tmp_path)
    content = foreign({"segmentation": ADDED.rle}, {"segmentation": BEYOND})
    with pytest.raises(UserError):
        took_in(workspace, content, "ann")
    assert reviewed(workspace, I0, CONFIG) == store.read(workspace, I0)
    assert np.array_equal(reviewed(workspace, I0).regions[0].mask(), REGIONS[0].mask())
