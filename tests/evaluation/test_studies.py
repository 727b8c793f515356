"""The studies that come with the project, as a person runs them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from samclr_core.evaluation.study.config import StudyConfig

ROOT = Path(__file__).parents[2]
STUDIES = sorted((ROOT / "studies").glob("*.yaml"))


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_every_study_is_sound(path: Path) -> None:
    """Whether the data it names is at hand or not."""
    config = StudyConfig.of(yaml.safe_load(path.read_text(encoding="utf-8")))
    for cell in config.cells():
        config.training(cell, 0)


def test_the_smoke_study_runs_from_the_command_line(sam_weights, tmp_path) -> None:
    command = [sys.executable, "-m", "samclr_core.cli", "study", "--json"]
    place = [str(ROOT / "studies" / "smoke.yaml"), "--out", str(tmp_path)]
    done = subprocess.run([*command, *place], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert [(row["loss"], row["views"]) for row in rows] == [
        ("colour", ""),
        ("start", ""),
        *((loss, views) for loss in ("simclr", "moco", "dino") for views in ("image", "region")),
        ("simclr", "region"),
    ]
    for row in rows:
        assert row["data"] == "products"
        assert row["ci95"][0] <= row["accuracy"] <= row["ci95"][1]
    start, colour = rows[1], rows[0]
    assert start["accuracy"] > colour["accuracy"] > 0, "the judging tells features apart"
