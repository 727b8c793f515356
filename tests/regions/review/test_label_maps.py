import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from box_scenes import HEIGHT, REGIONS, WIDTH, A, B, C, D, box, box_workspace, image_id
from PIL import Image

from samclr_core.images import catalogue
from samclr_core.images.catalogue import ImageRecord
from samclr_core.messages import UserError
from samclr_core.regions.region import Region, RegionSet
from samclr_core.regions.review import events as log
from samclr_core.regions.review.actions import Reviewer
from samclr_core.regions.review.files import from_path, from_uploads
from samclr_core.regions.review.fold import reviewed
from samclr_core.regions.review.incoming import Imported, take_in
from samclr_core.regions.review.label_maps import label_map, label_maps
from samclr_core.workspace import Workspace

I0, I1 = image_id(0), image_id(1)
INSIDE_A = box(4, 4, 6, 5)


def png(pixels: np.ndarray, mode: str | None = None) -> bytes:
    buffer = io.BytesIO()
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(buffer, "PNG")
    return buffer.getvalue()


def took_in(workspace: Workspace, *uploads: tuple[str, bytes]) -> Imported:
    return take_in(workspace, from_uploads(workspace, uploads), "ben")


def ids(workspace: Workspace, image: str) -> set[str]:
    return {region.id for region in reviewed(workspace, image).regions}


def opened(content: bytes) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(content)))


def test_small_regions_lie_over_large_ones(tmp_path: Path) -> None:
    workspace = box_workspace(tmp_path, 2)
    ann = Reviewer(workspace, "ann")
    ann.drop(image_id(0), [A])
    ann.add(image_id(0), box(32, 2, 5, 4))
    maps = dict(label_maps(workspace))
    assert list(maps) == ["0-00000000.png", "1-00000000.png"]
    labels = opened(maps["0-00000000.png"])
    assert labels.dtype == np.uint8
    assert labels[10, 10] == 0
    # In use, largest first: 600, 400, 100 and the added 20 pixels.
    assert [int((labels == n).sum()) for n in range(1, 5)] == [600 - 20, 400, 100, 20]
    assert labels[3, 33] == 4


def test_more_than_255_regions_take_16_bits(tmp_path: Path) -> None:
    masks = np.zeros((300, 1, 300), bool)
    masks[np.arange(300), 0, np.arange(300)] = True
    regions = RegionSet("a", 1, 300, {}, tuple(map(Region.of_mask, masks)))
    labels = label_map(regions)
    assert labels.dtype == np.uint16
    assert labels[0].tolist() == list(range(1, 301))
    buffer = io.BytesIO()
    Image.fromarray(labels).save(buffer, "PNG")
    assert (opened(buffer.getvalue()) == labels).all()


def test_maps_of_ours_change_nothing_also_where_regions_lie_inside_others(tmp_path: Path) -> None:
    workspace = box_workspace(tmp_path, 2)
    ann = Reviewer(workspace, "ann")
    ann.add(I0, INSIDE_A)
    ann.drop(I0, [D])
    before = ids(workspace, I0)
    said = len(log.everything(workspace))
    done = took_in(workspace, *label_maps(workspace))
    assert (done.images, done.known, done.added, done.corrected, done.kept) == (2, 8, 0, 0, 0)
    assert ids(workspace, I0) == before
    assert len(log.everything(workspace)) == said


def test_an_edited_map_adds_and_corrects(tmp_path: Path) -> None:
    workspace = box_workspace(tmp_path, 2)
    Reviewer(workspace, "ann").add(I0, INSIDE_A)
    name, content = next(label_maps(workspace))
    labels = opened(content)
    below_c = labels == labels[25, 5]
    labels[20:22][below_c[20:22]] = 0
    labels[25:30, 45:55] = 77
    done = took_in(workspace, (name, png(labels)))
    assert (done.known, done.added, done.corrected) == (4, 1, 1)
    smaller_c, new = box(0, 22, 20, 18), box(45, 25, 10, 5)
    assert ids(workspace, I0) == {A, B, D, INSIDE_A.id, smaller_c.id, new.id}
    assert ids(workspace, I1) == {A, B, C, D}
    events = log.events(workspace, I0)
    assert [(e.kind, e.who) for e in events[1:]] == [("correct", "ben"), ("add", "ben")]


def test_a_hidden_part_stays_where_its_cover_does_only(tmp_path: Path) -> None:
    workspace = box_workspace(tmp_path)
    Reviewer(workspace, "ann").add(I0, INSIDE_A)
    name, content = next(label_maps(workspace))
    labels = opened(content)
    labels[labels == labels[5, 5]] = 0
    took_in(workspace, (name, png(labels)))
    holed = Region.of_mask(REGIONS[0].mask() & ~INSIDE_A.mask())
    assert ids(workspace, I0) == {B, C, D, INSIDE_A.id, holed.id}


def test_maps_of_others_are_found_by_the_images_name(tmp_path: Path) -> None:
    workspace = box_workspace(tmp_path, 2)
    catalogue.put(workspace, ImageRecord("f" * 32, "new/c.jpg", WIDTH, HEIGHT, None, "l", False))
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[:10], labels[10:20], labels[20:25] = 3, 9, 255
    done = took_in(workspace, ("c.png", png(labels, "P")), ("elsewhere.png", png(labels)))
    assert (done.images, done.unknown, done.added) == (1, ("elsewhere.png",), 2)
    found = reviewed(workspace, "f" * 32).regions
    assert [region.bbox for region in found] == [(0, 0, 60, 10), (0, 10, 60, 10)]
    assert found[1].point == (30, 15)
    # In 16 bits, 255 is a number as any other.
    assert took_in(workspace, ("c.png", png(labels.astype(np.uint16)))).added == 1


def test_one_undo_takes_back_all_that_a_file_changed_and_no_more(tmp_path: Path) -> None:
    workspace = box_workspace(tmp_path, 2)
    ann = Reviewer(workspace, "ann")
    ann.drop(I0, [D])
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[4:9, 4:10], labels[30:35, 5:15], labels[22:26, 50:55] = 1, 2, 3
    maps = [(name, png(labels)) for name in ("0.png", "1.png")]
    assert take_in(workspace, from_uploads(workspace, maps), "ann").added == 6
    assert ann.undo().kind == "add"
    assert ids(workspace, I0) == {A, B, C}
    assert ids(workspace, I1) == {A, B, C, D}
    assert ann.undo().kind == "drop"
    assert ann.undo() is None


def test_maps_come_as_a_folder_or_a_zip(tmp_path: Path) -> None:
    workspace, other = box_workspace(tmp_path / "w", 2), box_workspace(tmp_path / "other", 2)
    Reviewer(workspace, "ann").add(I0, INSIDE_A)
    folder, packed = tmp_path / "maps", tmp_path / "maps.zip"
    folder.mkdir()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in label_maps(workspace):
            (folder / name).write_bytes(content)
            archive.writestr(f"maps/{name}", content)
    assert take_in(other, from_path(other, folder), "ben").added == 1
    assert INSIDE_A.id in ids(other, I0)
    assert take_in(other, from_path(other, packed), "ben").known == 9


def photo() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH), np.uint8)


ONES = png(np.ones((HEIGHT, WIDTH), np.uint8))


@pytest.mark.parametrize(
    ("uploads", "key"),
    [
        ([("0.png", b"\x89PNG")], "review.no_label_map"),
        ([("0.png", png(np.zeros((HEIGHT, WIDTH, 3), np.uint8)))], "review.no_label_map"),
        ([("0.png", png(photo()))], "review.no_label_map"),
        ([("0.png", png(np.ones((HEIGHT, WIDTH + 1), np.uint8)))], "review.coco_size"),
        ([("z.png", ONES)], "review.coco_no_match"),
        ([("0.png", b""), ("a.json", b"{}")], "review.import_what"),
        ([("a.json", b"{}"), ("b.json", b"{}")], "review.import_what"),
        ([("a.zip", b"PK")], "images.bad_zip"),
        ([("0.png", ONES), ("1.png", b"")], "review.no_label_map"),
        ([("0.png", ONES), ("0-00000000.png", ONES)], "review.two_label_maps"),
    ],
)
def test_what_cannot_be_taken_in_is_one_sentence(tmp_path: Path, uploads, key) -> None:
    workspace = box_workspace(tmp_path, 2)
    with pytest.raises(UserError) as error:
        took_in(workspace, *uploads)
    assert error.value.key == key
    assert error.value.text("en")
    assert error.value.text("ja")
    assert log.everything(workspace) == []
