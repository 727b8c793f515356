"""What comes in is kept once, labelled, and stripped of what nobody asked for."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from samclr_core.images import catalogue, sources, store
from samclr_core.images.intake import add_paths, add_uploads
from samclr_core.messages import Cancelled, UserError
from samclr_core.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "工場")


def png(shade: int, size=(24, 20)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (shade, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def keys(intake) -> dict[str, str]:
    return {refusal.name: refusal.error.key for refusal in intake.refused}


def test_good_files_are_kept_and_bad_ones_refused_one_by_one(workspace):
    uploads = [("正常.png", png(1)), ("空.png", b""), ("b.png", png(2)), ("c.png", png(1))]
    intake = add_uploads(workspace, uploads)
    assert [image.name for image in intake.added] == ["正常.png", "b.png"]
    assert intake.duplicates == ["c.png"]
    assert keys(intake) == {"空.png": "images.empty"}
    assert [image.name for image in catalogue.records(workspace)] == ["正常.png", "b.png"]


def test_what_comes_in_again_is_counted_once(workspace):
    add_uploads(workspace, [("a.png", png(1))])
    again = add_uploads(workspace, [("other name.png", png(1))])
    assert (len(again.added), again.duplicates) == (0, ["other name.png"])
    assert len(catalogue.records(workspace)) == 1


def test_exif_and_gps_do_not_come_in(workspace):
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825)[1] = "N"
    buffer = io.BytesIO()
    Image.effect_noise((64, 48), 50).convert("RGB").save(buffer, "JPEG", exif=exif)
    assert b"SecretCamera" in buffer.getvalue()
    (image,) = add_uploads(workspace, [("a.jpg", buffer.getvalue())]).added
    for path in (store.image_path(workspace, image.id), store.thumbnail(workspace, image.id)):
        assert b"SecretCamera" not in path.read_bytes()
        with Image.open(path) as kept:
            assert not kept.getexif()


def test_pixels_come_back_as_they_were(workspace):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    (image,) = add_uploads(workspace, [("a.png", buffer.getvalue())]).added
    assert (image.width, image.height) == (50, 40)
    assert np.array_equal(store.load(workspace, image.id), pixels)
    assert image.id == store.content_id(pixels)


def test_folder_names_are_labels_where_they_tell_classes_apart(workspace, tmp_path):
    write(tmp_path / "in/train/ok/1.png", png(1))
    write(tmp_path / "in/train/傷/2.png", png(2))
    write(tmp_path / "in/notes.txt", b"not asked for")
    intake = add_paths(workspace, [tmp_path / "in"])
    assert {image.name: image.label for image in intake.added} == {
        "train/ok/1.png": "ok",
        "train/傷/2.png": "傷",
    }
    assert not intake.refused


def test_one_folder_of_photos_is_no_class(workspace, tmp_path):
    write(tmp_path / "in/line 3/1.png", png(1))
    (image,) = add_paths(workspace, [tmp_path / "in"]).added
    assert image.label is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_a_csv_labels_the_images_beside_it_and_those_already_there(workspace, encoding):
    add_uploads(workspace, [("old.png", png(1))])
    table = "filename,label\nnew.png,傷\nold.png,良品\n".encode(encoding)
    add_uploads(workspace, [("new.png", png(2)), ("labels.csv", table)])
    assert {i.name: i.label for i in catalogue.records(workspace)} == {
        "old.png": "良品",
        "new.png": "傷",
    }


def test_a_csv_without_its_columns_is_refused(workspace):
    intake = add_uploads(workspace, [("a.csv", b"file;class\n1;2\n"), ("a.png", png(1))])
    assert keys(intake) == {"a.csv": "images.csv_columns"}
    assert len(intake.added) == 1


def test_zip_paths_that_point_outside_are_not_read(workspace):
    content = zipped({"../evil.png": png(1), "/abs.png": png(2), "ok/good.png": png(3)})
    intake = add_uploads(workspace, [("photos.zip", content)])
    assert [image.name for image in intake.added] == ["ok/good.png"]
    assert set(keys(intake).values()) == {"images.zip_path"}
    assert len(intake.refused) == 2
    assert not list(workspace.root.parent.rglob("evil*"))


def test_a_zip_bomb_is_not_unpacked(workspace):
    content = zipped({"bomb.png": bytes(sources.BOMB_FLOOR_BYTES + 1), "good.png": png(3)})
    intake = add_uploads(workspace, [("photos.zip", content)])
    assert [image.name for image in intake.added] == ["good.png"]
    assert keys(intake) == {"bomb.png": "images.zip_bomb"}


def test_a_zip_that_is_none_or_is_damaged_inside(workspace):
    # Stored, not deflated, so that the damage hits the picture's bytes.
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.png", png(1))
    damaged = buffer.getvalue().replace(b"IDAT", b"XXXX", 1)
    intake = add_uploads(workspace, [("x.zip", b"no zip"), ("y.zip", damaged), ("b.png", png(2))])
    assert keys(intake) == {"x.zip": "images.bad_zip", "a.png": "images.zip_member"}
    assert [image.name for image in intake.added] == ["b.png"]


def test_what_a_computer_puts_into_a_zip_by_itself_is_passed_over(workspace):
    own = ("__MACOSX/line/._a.png", "line/.DS_Store", "line/Thumbs.db", "desktop.ini")
    packed = zipped({"line/a.png": png(1), **dict.fromkeys(own, b"?")})
    intake = add_uploads(workspace, [("x.zip", packed)])
    assert ([image.name for image in intake.added], intake.refused) == (["line/a.png"], [])


def test_names_in_a_zip_of_japanese_windows(workspace):
    placeholder, name = "abcd.png", "写真.png"
    raw = zipped({placeholder: png(1)}).replace(placeholder.encode(), name.encode("cp932"))
    (image,) = add_uploads(workspace, [("写真.zip", raw)]).added
    assert image.name == name


def scene_folder(root: Path, classes: np.ndarray) -> Path:
    write(root / "images/1.png", png(1, size=(4 * 8, 3 * 8)))
    (root / "labels").mkdir()
    Image.fromarray(classes).save(root / "labels/1.png")
    return root


def test_scenes_bring_their_label_maps(workspace, tmp_path):
    classes = np.kron(np.arange(12, dtype=np.uint8).reshape(3, 4), np.ones((8, 8), np.uint8))
    (image,) = add_paths(workspace, [scene_folder(tmp_path / "in", classes)], void=11).added
    assert image.has_label_map
    assert image.label is None
    kept = store.label_map(workspace, image.id)
    assert np.array_equal(kept[:16], classes[:16])
    assert set(np.unique(kept[classes == 11])) == {store.VOID}


def test_a_label_map_of_another_size_is_refused_and_the_image_kept(workspace, tmp_path):
    intake = add_paths(workspace, [scene_folder(tmp_path / "in", np.zeros((5, 5), np.uint8))])
    assert keys(intake) == {"labels/1.png": "images.bad_label_map"}
    (image,) = intake.added
    assert not image.has_label_map


def test_cancelling_keeps_what_came_in_before(workspace):
    def stop_after_two(done, total, note=""):
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        add_uploads(workspace, [(f"{n}.png", png(n)) for n in range(5)], progress=stop_after_two)
    assert len(catalogue.records(workspace)) == 2


def test_removing_leaves_nothing_behind(workspace):
    added = add_uploads(workspace, [("a.png", png(1)), ("b.png", png(2))]).added
    for image in added:
        write(workspace.regions("settings") / f"{image.id}.json", b"{}")
        write(workspace.cache / "scenes" / "64" / f"{image.id}.npy", b"pixels")
    write(workspace.cache / "prepared" / "both.npz", b"pixels of both")
    store.remove(workspace, [added[0].id])
    assert not list(workspace.root.rglob("*.npz"))
    assert len(list(workspace.root.rglob(f"{added[1].id}*"))) == 4
    assert [image.name for image in catalogue.records(workspace)] == ["b.png"]
    assert not list(workspace.root.rglob(f"{added[0].id}*"))
    with pytest.raises(UserError):
        store.load(workspace, added[0].id)


def test_a_path_that_is_not_there(workspace, tmp_path):
    with pytest.raises(UserError, match="no file or folder"):
        add_paths(workspace, [tmp_path / "missing"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError) as error:
        add_paths(workspace, [tmp_path / "empty"])
    assert error.value.key == "images.nothing_in_folder"


def test_a_home_that_nobody_has_is_a_path_that_is_not_there(workspace):
    with pytest.raises(UserError, match="~nobody-here/photos"):
        add_paths(workspace, ["~nobody-here/photos"])
