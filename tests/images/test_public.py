"""Public data sets, by torchvision's own download from a server on this machine."""

import functools
import hashlib
import http.server
import io
import pickle
import tarfile
import threading

import numpy as np
import pytest
from PIL import Image
from torchvision import datasets

from samclr_core.images import public
from samclr_core.images.datasets import read_labelled_folder
from samclr_core.messages import UserError

RNG = np.random.default_rng(0)


def archive(path, files: dict[str, bytes]) -> str:
    """A tar of the files; its MD5."""
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return md5(path.read_bytes())


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


@pytest.fixture
def served(tmp_path):
    """A folder that a server on this machine gives out, and its address."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(_Quiet, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args) -> None:
        pass


@pytest.fixture
def cifar10(served, monkeypatch):
    """CIFAR-10's layout with three pictures: two to learn from, one to test on."""
    folder, address = served
    pixels = RNG.integers(0, 255, (3, 3072), dtype=np.uint8)
    batches = {
        "data_batch_1": {"data": pixels[:2], "labels": [1, 0]},
        "test_batch": {"data": pixels[2:], "labels": [1]},
        "batches.meta": {"label_names": ["airplane", "automobile"]},
    }
    files = {name: pickle.dumps(batch) for name, batch in batches.items()}
    tgz = folder / "cifar-10-python.tar.gz"
    digest = archive(tgz, {f"cifar-10-batches-py/{n}": c for n, c in files.items()})
    for name, value in {
        "url": f"{address}/{tgz.name}",
        "tgz_md5": digest,
        "train_list": [["data_batch_1", md5(files["data_batch_1"])]],
        "test_list": [["test_batch", md5(files["test_batch"])]],
        "meta": datasets.CIFAR10.meta | {"md5": md5(files["batches.meta"])},
    }.items():
        monkeypatch.setattr(datasets.CIFAR10, name, value)
    monkeypatch.setitem(public.SIZES, "cifar10", 3)
    return pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), tgz


def test_cifar10_becomes_a_labelled_folder(cifar10, tmp_path) -> None:
    pixels, _ = cifar10
    told = []
    found = public.get("cifar10", tmp_path / "out", lambda *step: told.append(step))
    assert found == {"train": 2, "test": 1}
    assert told == [(0, 3, "automobile"), (1, 3, "airplane"), (2, 3, "automobile")]
    images = read_labelled_folder(tmp_path / "out")
    assert [(image.split, image.label) for image in images] == [
        ("test", "automobile"),
        ("train", "airplane"),
        ("train", "automobile"),
    ]
    for image, number in zip(images, (2, 1, 0), strict=True):
        np.testing.assert_array_equal(np.array(Image.open(image.path)), pixels[number])


def test_nothing_is_downloaded_or_written_twice(cifar10, tmp_path) -> None:
    _, tgz = cifar10
    public.get("cifar10", tmp_path / "out")
    tgz.unlink()
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.png")}
    assert public.get("cifar10", tmp_path / "out") == {"train": 2, "test": 1}
    assert {path: path.stat().st_mtime_ns for path in files} == files


def test_another_file_than_the_published_one_is_refused(cifar10, tmp_path) -> None:
    _, tgz = cifar10
    tgz.write_bytes(b"not what was published")
    with pytest.raises(UserError, match="could not be downloaded") as refused:
        public.get("cifar10", tmp_path / "out")
    assert "out.download" in refused.value.text("ja")
    assert not list(tmp_path.rglob("*.png"))


def test_no_network_is_one_sentence(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(datasets.CIFAR10, "url", "http://127.0.0.1:9/none.tar.gz")
    with pytest.raises(UserError, match="could not be downloaded"):
        public.get("cifar10", tmp_path / "out")


def test_stl10(served, tmp_path, monkeypatch) -> None:
    folder, address = served
    pixels = RNG.integers(0, 255, (3, 3, 96, 96), dtype=np.uint8)
    files = {
        "train_X.bin": pixels[:2].tobytes(),
        "train_y.bin": bytes([1, 2]),
        "unlabeled_X.bin": b"",
        "test_X.bin": pixels[2:].tobytes(),
        "test_y.bin": bytes([2]),
        "class_names.txt": b"airplane\nbird\n",
        "fold_indices.txt": b"",
    }
    digest = archive(folder / "stl10.tar.gz", {f"stl10_binary/{n}": c for n, c in files.items()})
    monkeypatch.setattr(datasets.STL10, "url", f"{address}/stl10.tar.gz")
    monkeypatch.setattr(datasets.STL10, "filename", "stl10.tar.gz")
    monkeypatch.setattr(datasets.STL10, "tgz_md5", digest)
    names = {
        "train_list": ("train_X.bin", "train_y.bin", "unlabeled_X.bin"),
        "test_list": ("test_X.bin", "test_y.bin"),
    }
    for name, parts in names.items():
        monkeypatch.setattr(datasets.STL10, name, [[part, md5(files[part])] for part in parts])
    monkeypatch.setitem(public.SIZES, "stl10", 3)
    assert public.get("stl10", tmp_path / "out") == {"train": 2, "test": 1}
    bird = np.array(Image.open(tmp_path / "out/test/bird/000001.png"))
    # The file goes down the columns.
    np.testing.assert_array_equal(bird, pixels[2].transpose(2, 1, 0))


def test_imagenette_and_an_archive_that_was_unpacked_in_part(served, tmp_path, monkeypatch) -> None:
    folder, address = served
    files = {}
    for split, wnid in (("train", "n01440764"), ("train", "n03888257"), ("val", "n03888257")):
        buffer = io.BytesIO()
        Image.fromarray(RNG.integers(0, 255, (12, 16, 3), dtype=np.uint8)).save(buffer, "JPEG")
        files[f"imagenette2-160/{split}/{wnid}/1.jpeg"] = buffer.getvalue()
    digest = archive(folder / "imagenette2-160.tgz", files)
    url = f"{address}/imagenette2-160.tgz"
    monkeypatch.setitem(datasets.Imagenette._ARCHIVES, "160px", (url, digest))
    monkeypatch.setitem(public.SIZES, "imagenette", 3)
    assert public.get("imagenette", tmp_path / "out") == {"train": 2, "test": 1}
    assert (tmp_path / "out/train/tench/000001.png").exists()
    monkeypatch.setitem(public.SIZES, "imagenette", 4)
    with pytest.raises(UserError, match="3 of 4"):
        public.get("imagenette", tmp_path / "out")


def test_what_must_be_fetched_by_hand_is_said_with_its_folder() -> None:
    with pytest.raises(UserError, match=r"www\.cityscapes-dataset\.com.*leftImg8bit"):
        public.get("cityscapes", None)
    with pytest.raises(UserError, match="cifar10, stl10, imagenette, cityscapes"):
        public.get("mnist", None)
