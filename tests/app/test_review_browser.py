"""A reviewer in a real browser: keys, a click for SAM, undo, and the files to take along."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from app_browser import Locator, Studio, ViewportSize, browsing, expect
from app_photos import SHAPES, box_region, photo
from pycocotools.coco import COCO

from samclr_core.images import catalogue
from samclr_core.images.intake import add_uploads
from samclr_core.regions import store
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.region import RegionSet
from samclr_core.regions.review import events as log
from samclr_core.regions.review.fold import review
from samclr_core.workspace import Workspace

PHOTOS = 4
PROJECTOR: ViewportSize = {"width": 1280, "height": 720}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace, config = Workspace(tmp_path / "home" / "line-3"), SegmenterConfig(points_per_side=4)
    add_uploads(workspace, [(f"photo-{n}.jpg", photo(n)) for n in range(PHOTOS)])
    for image in catalogue.records(workspace):
        regions = tuple(box_region(*shape) for shape in SHAPES)
        found = RegionSet(image.id, 448, 640, config.model_dump(), regions)
        store.write(workspace, config, found)
    store.choose(workspace, config)
    return workspace


@pytest.fixture
def studio(weights: None, address: str, workspace: Workspace, tmp_path) -> Iterator[Studio]:
    with browsing(address, tmp_path, "ja", PROJECTOR) as studio:
        yield studio


def picture(studio: Studio) -> Locator:
    return studio.page.locator(".stage img")


def press(studio: Studio, key: str) -> None:
    """A key, until the picture has changed."""
    before = picture(studio).get_attribute("src") or ""
    studio.page.keyboard.press(key)
    expect(picture(studio)).not_to_have_attribute("src", before)


def click(studio: Studio, x: float, y: float) -> None:
    """At a place of the photo, in its own pixels."""
    box = picture(studio).bounding_box()
    assert box
    studio.page.mouse.click(box["x"] + x * box["width"] / 640, box["y"] + y * box["height"] / 448)


def test_a_review_with_the_keyboard(studio: Studio, workspace: Workspace, tmp_path: Path) -> None:
    ids = [image.id for image in catalogue.records(workspace)]
    studio.open("review")
    name = studio.page.get_by_label(studio.t("review.who"))
    name.fill("佐藤")
    name.press("Enter")
    studio.sees(picture(studio))
    studio.settled()
    assert "reviewer=" in studio.page.url

    for key in "121":
        press(studio, key)
    assert [event.text for event in log.events(workspace)] == ["good", "usable", "good"]

    press(studio, "Control+z")
    press(studio, "ArrowLeft")
    press(studio, "ArrowDown")
    press(studio, "d")
    largest = max(SHAPES, key=lambda shape: shape[2] * shape[3])
    (gone,) = review(workspace, ids[1]).dropped
    assert gone.id == box_region(*largest).id
    press(studio, "u")
    assert not review(workspace, ids[1]).dropped

    ask_sam(studio, workspace, ids[1])
    exported(studio, workspace, tmp_path)


def ask_sam(studio: Studio, workspace: Workspace, image_id: str) -> None:
    studio.page.get_by_role("radio", name=studio.t("review.mode_prompt")).click()
    studio.settled()
    x, y, w, h = SHAPES[3]
    click(studio, x + w / 2, y + h / 2)
    accept = studio.button("review.add")
    studio.sees(accept)
    press(studio, "Enter")
    expect(accept).to_have_count(0)
    added = [item for item in review(workspace, image_id).kept if item.origin == "added"]
    assert [item.event.who for item in added if item.event] == ["佐藤"]
    assert added[0].region.area == pytest.approx(w * h, rel=0.2)


def exported(studio: Studio, workspace: Workspace, folder: Path) -> None:
    studio.page.get_by_role("radio", name=studio.t("review.files")).click()
    with studio.page.expect_download() as download:
        studio.button("review.export_coco").click()
    path = folder / "export.json"
    download.value.save_as(path)
    loaded = COCO(str(path))
    assert len(loaded.getAnnIds()) == PHOTOS * len(SHAPES) + 1
    said = json.loads(path.read_text(encoding="utf-8"))["samclr"]["events"]
    assert len(said) == len(log.everything(workspace))
    studio.no_error()
