"""The command line, as a person or a script calls it: one JSON object, one sentence, no traces."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from samclr_core.cli import app
from samclr_core.workspace import SAMPLE_DATA

SCENES = sorted((SAMPLE_DATA / "scenes/images").glob("*.jpg"))[:4]
PROBE = SAMPLE_DATA / "probe"
CLASS = ("--class", "machine=machine")


def samclr(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "samclr_core.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture
def result_of(capfd) -> Callable[..., dict]:
    """What a command prints with ``--json``, run in this process: each would import torch anew."""

    def result(*arguments: object) -> dict:
        with pytest.raises(SystemExit) as end:
            app([*map(str, arguments), "--json"])
        said, error = capfd.readouterr()
        assert end.value.code == 0, error
        return json.loads(said)

    return result


@pytest.mark.parametrize(
    "arguments",
    [
        ["regions"],
        ["regions", "-w", "{missing}"],
        ["views", "-w", "{missing}"],
        ["images", "add", "{missing}", "-w", "{empty}"],
        ["images", "crops", "out", "-w", "{empty}", "--class", "1=a", "--test", "b"],
        ["images", "crops", "out", "-w", "{empty}", "--class", "a=b", "--test", "b"],
        ["images", "crops", "out", "-w", "{empty}", *CLASS, "--test", "b", "--boxes", "{missing}"],
        ["regions", "-w", "{empty}"],
        ["regions", "-w", "{empty}", "--preset", "huge"],
        ["regions", "-w", "{empty}", "--set", "points_per_side=0"],
        ["regions", "quality", "-w", "{empty}"],
        ["regions", "quality", "-w", "{missing}", "--by", "folder"],
        ["views", "-w", "{empty}", "--set", "choice=largest"],
        ["views", "-w", "{empty}", "--source", "nothing"],
        ["regions", "perturb", "-w", "{empty}"],
        ["regions", "perturb", "-w", "{empty}", "--kind", "melted"],
        ["regions", "perturb", "-w", "{empty}", "--strength", "1.5"],
        ["regions", "-w", "{empty}", "--model", "nobody's"],
        ["regions", "tune", "-w", "{empty}", "--name", "line"],
        ["regions", "tune", "-w", "{empty}", "--name", "mobile_sam"],
        ["regions", "tune", "-w", "{empty}", "--name", "line", "--images", "3"],
        ["regions", "tune", "-w", "{empty}", "--name", "line", "--truth", "guessed"],
        ["regions", "tune", "-w", "{empty}", "--name", "line", "--coco", "{missing}"],
        ["train", "-w", "{empty}", "--source", "nothing"],
        ["train", "-w", "{empty}"],
        ["train", "-w", "{empty}", "--preset", "huge"],
        ["train", "-w", "{empty}", "--set", "epochs"],
        ["train", "-w", "{empty}", "--set", "epoch=3"],
        ["train", "-w", "{empty}", "--set", "epochs=["],
        ["train", "-w", "{empty}", "--loss", "magic"],
        ["train", "-w", "{empty}", "--resume", "nothing"],
        ["evaluate", "-w", "{empty}", "--run", "nothing"],
        ["robustness", "-w", "{empty}"],
        ["robustness", "-w", "{missing}"],
        ["robustness", "-w", "{empty}", "--kinds", "melted"],
        ["robustness", "-w", "{empty}", "--strengths", "0.2,much"],
        ["report", "-w", "{empty}", "--language", "fr"],
        ["weights", "vit_z"],
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(arguments, tmp_path, capfd):
    (tmp_path / "empty").mkdir()
    places = {"missing": tmp_path / "missing", "empty": tmp_path / "empty"}
    with pytest.raises(SystemExit) as end:
        app([*(argument.format(**places) for argument in arguments), "--json"])
    assert end.value.code == 2
    said, error = capfd.readouterr()
    assert said == ""
    assert len(error.strip().splitlines()) == 1
    assert not (tmp_path / "missing").exists()


def test_a_process_prints_one_object_and_ends_with_the_code(tmp_path):
    done = samclr("images", "add", *SCENES[:1], "-w", tmp_path / "w", "--json")
    assert (done.returncode, json.loads(done.stdout)["added"]) == (0, 1)
    done = samclr("views", "-w", tmp_path / "missing", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_whole_line(tmp_path, sam_weights, result_of):
    workspace = tmp_path / "第一工場"
    (tmp_path / "broken.png").write_bytes(b"no image")
    added = result_of("images", "add", *SCENES, tmp_path / "broken.png", "-w", workspace)
    assert (added["added"], added["duplicates"]) == (4, 0)
    assert [refused["name"] for refused in added["refused"]] == ["broken.png"]

    boxes = ["--boxes", SAMPLE_DATA / "scenes/annotations.json", "--test", SCENES[3].stem]
    crops = result_of("images", "crops", tmp_path / "crops", "-w", workspace, *boxes, *CLASS)
    assert set(crops) == {"train", "test"}
    assert crops["test"] == {"machine": len(list((tmp_path / "crops/test/machine").iterdir()))}

    coarse = ["--preset", "draft", "--set", "points_per_side=8"]
    regions = result_of("regions", "-w", workspace, *coarse)
    assert set(regions) == {"images", "regions", "seconds", "model"}
    assert (regions["images"], regions["model"]) == (4, "mobile_sam")
    assert regions["regions"] > 4

    quality = result_of("regions", "quality", "-w", workspace, "--by", "folder", "--resegment", 1)
    assert (quality["images"], quality["with_truth"], quality["shaken"]) == (4, 0, 1)
    assert quality["figures"]["coverage"]["light"] in {"green", "amber", "red"}
    assert [group["images"] for group in quality["groups"]] == [4]

    views = result_of("views", "-w", workspace, "--pairs", 40, "--set", "min_coverage=0.7")
    assert set(views["purity"]) == {"image", "region"}
    assert views["reference"] == "regions"

    damaged = result_of("regions", "perturb", "-w", workspace, "--kind", "split", "--strength", 1)
    assert damaged["before"] == regions["regions"] < damaged["regions"]
    assert 0.4 < damaged["mean_best_iou"] < 1
    of_damaged = result_of("views", "-w", workspace, "--pairs", 40, "--source", damaged["source"])
    assert of_damaged["purity"]["image"] != of_damaged["purity"]["region"]

    quick = ["--preset", "quick", "--set", "epochs=1", "--set", "batch_size=4"]
    trained = {
        kind: result_of("train", "-w", workspace, "--loss", "simclr", "--views", kind, *quick)
        for kind in ("image", "region")
    }
    assert set(trained["region"]) == {"run", "steps", "seconds", "loss"}
    assert trained["region"]["steps"] == trained["image"]["steps"] > 0

    apart = result_of("train", "-w", workspace, *quick, "--source", damaged["source"])
    assert apart["loss"] != trained["region"]["loss"]

    run = trained["region"]["run"]
    evaluation = result_of("evaluate", "-w", workspace, "--run", run, "--data", PROBE)
    low, high = evaluation["linear_probe"]["ci95"]
    assert 0 <= low < evaluation["linear_probe"]["accuracy"] < high <= 1
    assert set(evaluation["baselines"]) == {"colour", "start", "twin"}
    assert evaluation["baselines"]["twin"]["linear_probe"]["accuracy"] > 0

    studied = result_of(
        *("robustness", "-w", workspace, "--data", PROBE, "--kinds", "split", "--strengths", 1),
        *("--seeds", 1, *quick),
    )
    assert [row["kind"] for row in studied["rows"]] == ["image", "undamaged", "split"]
    # What was trained above is used again.
    assert studied["rows"][1]["accuracy"] == evaluation["linear_probe"]["accuracy"]
    assert studied["rows"][2]["mean_best_iou"] == damaged["mean_best_iou"]
    assert "1 training seeds" in studied["answer"][0]

    for language, word in (("en", "Decision"), ("ja", "判断")):
        report = result_of("report", "-w", workspace, "--language", language)
        page = Path(report["report"]).read_text(encoding="utf-8")
        assert word in page
        assert run in page
        assert 'src="http' not in page


def test_without_json_the_result_is_plain_text(tmp_path):
    done = samclr("images", "add", *SCENES[:1], "-w", tmp_path / "w")
    assert done.stdout.splitlines()[0] == "added: 1"
    assert "1/1" in done.stderr
