"""Settings, messages and paths: what every station stands on."""

import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest
from pydantic import Field

from samclr_core.config import Config
from samclr_core.messages import LANGUAGES, UserError, say
from samclr_core.workspace import Workspace, named_workspace, workspace_names, write_atomic

HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled"), Path("/proc/self/smaps_rollup")


class Paint(Config):
    colour: Literal["red", "blue"] = "red"
    coats: int = Field(default=2, ge=1, lt=9)
    thickness: float = Field(default=0.1, gt=0, le=2)
    primer: bool = True


def test_settings_are_frozen_and_hashed_by_value():
    assert Paint().digest() == Paint(colour="red", coats=2).digest()
    assert Paint().digest() != Paint(coats=3).digest()
    with pytest.raises(Exception, match="frozen"):
        Paint().coats = 5


@pytest.mark.parametrize(
    ("values", "key", "named"),
    [
        ({"color": "red"}, "core.unknown_setting", "color"),
        ({"colour": "green"}, "core.setting_one_of", "'red', 'blue'"),
        ({"coats": "many"}, "core.setting_whole_number", "many"),
        ({"coats": 0}, "core.setting_at_least", "1"),
        ({"coats": 9}, "core.setting_below", "9"),
        ({"thickness": -0.5}, "core.setting_above", "-0.5"),
        ({"thickness": "thin"}, "core.setting_number", "thin"),
        ({"thickness": 3}, "core.setting_at_most", "2"),
        ({"primer": "yes, please"}, "core.bad_setting", "yes, please"),
    ],
)
def test_a_wrong_setting_is_named(values, key, named):
    with pytest.raises(UserError) as error:
        Paint.of(values)
    assert error.value.key == key
    assert all(named in error.value.text(language) for language in LANGUAGES)


def test_a_sentence_of_the_core_in_two_languages():
    assert say("images.empty", "en", name="x").startswith("x is empty")
    assert say("images.empty", "ja", name="x").startswith("x は空")


def test_workspaces_live_in_home(tmp_path, monkeypatch):
    monkeypatch.setenv("SAMCLR_HOME", str(tmp_path / "home"))
    assert workspace_names() == []
    named_workspace("第二工場").remember("regions", {"model": "x"})
    assert workspace_names() == ["第二工場"]
    assert named_workspace("第二工場").setting("regions") == {"model": "x"}
    assert named_workspace("第二工場").setting("nothing") is None


@pytest.mark.parametrize("name", ["", "../up", "a/b", "..", " ", "x" * 81, "a\nb"])
def test_names_that_are_no_folder_are_refused(name, tmp_path, monkeypatch):
    monkeypatch.setenv("SAMCLR_HOME", str(tmp_path))
    with pytest.raises(UserError) as error:
        named_workspace(name)
    assert error.value.key == "core.bad_workspace_name"


def test_a_file_cannot_be_a_workspace(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError) as error:
        Workspace(tmp_path / "file")
    assert error.value.key == "core.workspace_unusable"


def test_a_write_that_fails_leaves_the_old_content(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    write_atomic(path, b"old")
    with pytest.raises(TypeError):
        write_atomic(path, "not bytes")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_large_tensors_lie_in_huge_pages():
    """Where the kernel has them: without, it takes much of the time that SAM needs."""
    switch, counts = HUGE_PAGES
    if not (switch.exists() and counts.exists()) or "[never]" in switch.read_text(encoding="utf-8"):
        pytest.skip("this system has no huge pages, or does not count them")
    code = (
        "import samclr_core, torch; kept = torch.ones(64 << 20);"
        "print(open('/proc/self/smaps_rollup').read().split('AnonHugePages:')[1].split()[0])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 0
