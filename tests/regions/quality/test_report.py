"""A workspace's figures: lights, ground truth, groups worst first, and what is kept."""

import json
import math

import numpy as np
import pytest

from samclr_core.images import catalogue
from samclr_core.images import store as images
from samclr_core.images.catalogue import ImageRecord
from samclr_core.messages import LANGUAGES, UserError, say
from samclr_core.regions import rle, store
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.quality import report
from samclr_core.regions.quality.lights import MEASURES, Light, light
from samclr_core.regions.quality.references import CocoFile
from samclr_core.regions.quality.shake import shake_workspace, shaken
from samclr_core.regions.region import Region, RegionSet
from samclr_core.workspace import REPOSITORY, Workspace, write_json

SIZE = (40, 60)
CONFIG = SegmenterConfig(points_per_side=3)
# Share of the image's columns that the one region of each image covers.
COLUMNS = {"line1/早番_a.png": 60, "line1/遅番_b.png": 48, "line2/早番_c.png": 6}


def strip(columns: int) -> np.ndarray:
    mask = np.zeros(SIZE, bool)
    mask[:, :columns] = True
    return mask


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    """Three images with one region each; the first two have a label map of two halves."""
    workspace = Workspace(tmp_path / "poc")
    for number, (name, columns) in enumerate(COLUMNS.items()):
        pixels = np.random.default_rng(number).integers(0, 255, (*SIZE, 3), dtype=np.uint8)
        image_id = images.content_id(pixels)
        images.save(workspace, image_id, pixels, lossy=False)
        label = "ok" if number else None
        truth = number < 2
        catalogue.put(workspace, ImageRecord(image_id, name, 60, 40, label, "poc", truth))
        if truth:
            images.save_label_map(workspace, image_id, strip(30).astype(int))
        regions = (Region.of_mask(strip(columns), 0.9, 0.95),)
        store.write(workspace, CONFIG, RegionSet(image_id, *SIZE, CONFIG.model_dump(), regions))
    store.choose(workspace, CONFIG)
    return workspace


def test_every_light_is_explained_in_every_language():
    for name, measure in MEASURES.items():
        for language in LANGUAGES:
            assert say(f"regions.figure_{name}", language)
            sentence = say(f"regions.light_{name}", language, **measure.limits())
            assert measure.limits()["green"] in sentence
            assert measure.limits()["amber"] in sentence


def test_the_documentation_has_the_limits_in_force():
    text = (REPOSITORY / "docs" / "quality.md").read_text(encoding="utf-8")
    for name, measure in MEASURES.items():
        (row,) = [line for line in text.splitlines() if line.startswith(f"| `{name}` |")]
        limits = measure.limits()
        assert row.endswith(f"| {limits['green']} | {limits['amber']} |"), name


def test_limits_belong_to_the_better_light():
    for name, measure in MEASURES.items():
        for green, amber in zip(measure.green, measure.amber, strict=True):
            assert light(name, green) is Light.GREEN
            if abs(amber) < math.inf:
                outward = math.copysign(1e-6, amber - green)
                assert light(name, amber) is Light.AMBER
                assert light(name, green + outward) is Light.AMBER
                assert light(name, amber + outward) is Light.RED
    assert light("coverage", None) is light("coverage", float("nan")) is Light.NONE


def test_truth_is_there_for_images_with_label_maps(workspace):
    rows = report.measure(workspace)
    assert [row.values["coverage"] for row in rows] == [1.0, 0.8, 0.1]
    # The first region covers both halves; each has 30 of its 60 columns.
    assert rows[0].values["mean_best_iou"] == 0.5
    # The second meets the left half in 30 of 48 columns and the right one in 18 of 60.
    assert rows[1].values["covering"] == pytest.approx((30 / 48 + 18 / 60) / 2)
    assert "covering" not in rows[2].values
    assert report.middle(rows)["coverage"] == 0.8
    assert report.sizes(rows) == [0, 0, 0, 0, 0, 0, 1, 2]
    found = json.loads(json.dumps(report.to_json(rows), allow_nan=False))
    assert (found["images"], found["with_truth"], found["shaken"]) == (3, 2, 0)
    assert found["figures"]["coverage"] == {"median": 0.8, "light": "green"}


def test_figures_are_kept_until_the_truth_changes(workspace, monkeypatch):
    before = report.measure(workspace)
    monkeypatch.setattr(report, "_measured", lambda *_: pytest.fail("made again"))
    assert report.measure(workspace) == before
    monkeypatch.undo()
    images.save_label_map(workspace, before[0].record.id, strip(60).astype(int))
    assert report.measure(workspace)[0].values["mean_best_iou"] == 1.0


def test_groups_come_worst_first_with_their_worst_images(workspace):
    rows = report.measure(workspace)
    by_folder = report.groups(rows, "folder")
    assert [group.name for group in by_folder] == ["poc/line2", "poc/line1"]
    # All figures of the first two are alike but for coverage, which parts equals.
    assert [i.values["coverage"] for i in by_folder[1].images] == [0.8, 1.0]
    assert [group.name for group in report.groups(rows, "早番|遅番")] == ["早番", "遅番"]
    assert [group.name for group in report.groups(rows, r"line(\d)")] == ["2", "1"]
    assert {group.name for group in report.groups(rows, "label")} == {"ok", report.REST}
    assert {group.name for group in report.groups(rows, "line3")} == {report.REST}
    with pytest.raises(UserError, match="regular expression"):
        report.groups(rows, "(")


def test_coco_instances_are_found_by_name(workspace, tmp_path):
    records = catalogue.records(workspace)

    def written(**image) -> object:
        about = {"id": 7, "file_name": "遅番_b.png", "width": 60, "height": 40} | image
        marked = {"id": 1, "image_id": 7, "category_id": 1, "iscrowd": 0, "bbox": [0, 0, 48, 40]}
        marked |= {"area": 1920, "segmentation": rle.encode(strip(48))}
        path = tmp_path / "truth.json"
        categories = [{"id": 1, "name": "thing"}]
        write_json(path, {"images": [about], "annotations": [marked], "categories": categories})
        return path

    rows = report.measure(workspace, truth=CocoFile(written()))
    assert ["covering" in row.values for row in rows] == [False, True, False]
    assert rows[1].values["mean_best_iou"] == 1.0
    with pytest.raises(UserError, match="none of the images"):
        report.measure(workspace, truth=CocoFile(written(file_name="z.png")))
    with pytest.raises(UserError, match="another size"):
        CocoFile(written(width=61)).segments(records[1])
    broken = tmp_path / "broken.json"
    for content in ("[]", "{}", "{", '{"images": [{"id": 1}], "annotations": []}'):
        broken.write_text(content)
        with pytest.raises(UserError, match="not a COCO file"):
            CocoFile(broken)
    with pytest.raises(UserError, match="no file"):
        CocoFile(tmp_path / "nothing.json")


def test_no_regions_are_said(tmp_path):
    for call in (report.measure, lambda w: shake_workspace(w, 1)):
        with pytest.raises(UserError, match="No image has regions"):
            call(Workspace(tmp_path / "empty"))


def test_a_sample_is_shaken_once(workspace, sam_weights):
    told = []
    assert shake_workspace(workspace, 1, progress=lambda *step: told.append(step)) == 1
    # A larger sample has the smaller one in it.
    assert shake_workspace(workspace, 2, progress=lambda *step: told.append(step)) == 1
    assert told[-1][:2] == (2, 2)
    assert shake_workspace(workspace, 2) == 0
    ids = [record.id for record in catalogue.records(workspace)]
    known = {image_id: shaken(workspace, image_id, CONFIG) for image_id in ids}
    checked = [image_id for image_id, shake in known.items() if shake]
    assert len(checked) == 2
    rows = {row.record.id: row for row in report.measure(workspace)}
    assert rows[checked[0]].values["shift_iou"] == known[checked[0]].shift_iou
    assert report.to_json(list(rows.values()))["shaken"] == 2
    images.remove(workspace, checked[:1])
    assert shaken(workspace, checked[0], CONFIG) is None
