"""``samclr regions review``: everything a reviewer can do, from the command line."""

import json
from pathlib import Path

import pytest
from box_scenes import A, B, C, D, box_workspace, image_id
from typer.testing import CliRunner

from samclr_core.cli import app
from samclr_core.images import catalogue, store
from samclr_core.workspace import Workspace

I0 = image_id(0)


def ran(*arguments: object) -> dict:
    done = CliRunner().invoke(app, ["regions", "review", *map(str, arguments), "--json"])
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def at(tmp_path: Path) -> tuple:
    box_workspace(tmp_path / "w", 2)
    return "-w", tmp_path / "w"


def test_a_review_from_the_command_line(at, tmp_path: Path) -> None:
    said = ran("verdict", "line/0.png", "bad", *at, "--who", "ann", "--comment", "half a hand")
    assert (said["image"], said["kind"], said["text"]) == (I0, "verdict", "bad")
    ran("decide", I0, "drop", D, *at, "--who", "ann")
    ran("decide", I0, "merge", A, B, *at, "--who", "ann")
    shown = ran("show", I0, *at)
    assert [(row["state"], row["origin"]) for row in shown["regions"]] == [
        ("in use", "merged"),
        ("in use", "automatic"),
        ("dropped", "automatic"),
    ]
    assert (shown["verdict"], shown["comments"][0]["text"]) == ("bad", "half a hand")
    found = ran("summary", *at)
    assert (found["reviewed"], found["bad_share"]) == (1, 1.0)
    assert found["changes"]["merged"] == 2
    assert found["recommendation"]["action"] == "review"
    assert ran("undo", *at, "--who", "ann") == {"undone": "merge", "image": I0}
    out = tmp_path / "out"
    written = ran("export", *at, "--coco", out / "a.json", "--label-maps", out / "maps")
    assert written["images"] == len(list((out / "maps").glob("*.png"))) == 2
    box_workspace(tmp_path / "other", 2)
    there = "-w", tmp_path / "other"
    taken = ran("import", out / "a.json", *there, "--who", "ben")
    assert (taken["events"], taken["images"], taken["added"]) == (5, 2, 0)
    assert {row["id"] for row in ran("show", I0, *there)["regions"]} == {A, B, C, D}


def test_a_prompt_adds_a_region(tmp_path: Path, sam_weights) -> None:
    from shapes import DISCS, scene

    image, masks = scene()
    workspace, name = Workspace(tmp_path), store.content_id(image)
    store.save(workspace, name, image, lossy=False)
    sides = image.shape[1::-1]
    catalogue.put(workspace, catalogue.ImageRecord(name, "a.png", *sides, None, "g", False))
    x, y, _ = DISCS[0]
    ran("prompt", "a.png", "-w", tmp_path, "--who", "ann", "--point", f"{x},{y}")
    (row,) = ran("show", "a.png", "-w", tmp_path)["regions"]
    assert row["area"] == pytest.approx(masks[0].sum(), rel=0.05)
    assert row["origin"] == "added"


@pytest.mark.parametrize(
    "arguments",
    [
        ["verdict", "line/0.png", "great", "--who", "ann"],
        ["verdict", "nothing.png", "good", "--who", "ann"],
        ["verdict", "line/0.png", "good", "--who", " "],
        ["decide", "line/0.png", "burn", A, "--who", "ann"],
        ["decide", "line/0.png", "drop", "nothing", "--who", "ann"],
        ["prompt", "line/0.png", "--point", "1;2", "--who", "ann"],
        ["export"],
        ["import", "nothing.json", "--who", "ann"],
    ],
)
def test_a_mistake_is_one_sentence(at, arguments) -> None:
    done = CliRunner().invoke(app, ["regions", "review", *arguments, *map(str, at), "--json"])
    assert done.exit_code == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
