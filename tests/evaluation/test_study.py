"""A study: a small real grid, from a YAML file to a table."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import yaml
from PIL import Image

from samclr_core.evaluation import intervals
from samclr_core.evaluation.study import engine, page, results
from samclr_core.evaluation.study.config import Cell, StudyConfig, read
from samclr_core.messages import Cancelled, UserError
from samclr_core.training import runs
from samclr_core.workspace import Workspace

SMALL = {
    "preset": "quick",
    "settings": {
        "backbone": "resnet18",
        "weights": "random",
        "views.size": 32,
        "head_dim": [32, 16],
        "epochs": 1,
        "pairs_per_image": 2,
        "batch_size": 4,
        "device": "cpu",
    },
}

TINY = engine.PRESETS["draft"].model_copy(update={"points_per_side": 4})


def paint(path, colour, rng) -> None:
    """Discs of a colour on grey, which SAM finds and a classifier can tell."""
    y, x = np.mgrid[:96, :128]
    pixels = np.full((96, 128, 3), 110, np.uint8)
    for _ in range(3):
        cx, cy = rng.integers(20, 108), rng.integers(20, 76)
        pixels[(x - cx) ** 2 + (y - cy) ** 2 < 15**2] = colour
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((pixels + rng.normal(0, 6, pixels.shape)).clip(0, 255).astype(np.uint8)).save(
        path
    )


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A study file beside its folders, which it names from where it stands."""
    root, rng = tmp_path_factory.mktemp("study"), np.random.default_rng(0)
    colours = {"red": (200, 40, 40), "blue": (40, 60, 200)}
    for number in range(6):
        paint(root / "photos" / f"{number}.png", list(colours.values())[number % 2], rng)
    for split, count in (("train", 4), ("test", 6)):
        for name, colour in colours.items():
            for number in range(count):
                paint(root / "parts" / split / name / f"{number}.png", colour, rng)
    grid = {
        "title": "Discs",
        "images": {"photos": "photos"},
        "data": {"parts": "parts"},
        "losses": ["simclr", "moco"],
        "seeds": 2,
        "regions": "tiny",
        "curves": True,
        "comparisons": [
            {"row": "grey", "beside": "region"},
            {"row": "other net", "beside": "other net, start"},
        ],
        "variants": {
            "grey": {
                "settings": {"views.outside": "mean"},
                "losses": ["simclr"],
                "views": ["region"],
            },
            "other net": {
                "settings": {"small_stem": True},
                "losses": ["simclr"],
                "views": ["image"],
            },
        },
    } | SMALL
    path = root / "discs.yaml"
    path.write_text(yaml.safe_dump(grid))
    return path


@pytest.fixture(scope="module")
def found(file, sam_weights, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(engine.PRESETS, "tiny", TINY)
        made = engine.study(folder, read(file))
        again = engine.study(folder, read(file))
    return made, again, folder


def test_every_method_stands_beside_its_baselines(found) -> None:
    study, _, _ = found
    assert [(row.loss, row.views, row.variant) for row in study.rows] == [
        ("colour", "", ""),
        ("start", "", ""),
        ("start", "", "other net"),
        ("simclr", "image", ""),
        ("simclr", "region", ""),
        ("moco", "image", ""),
        ("moco", "region", ""),
        ("simclr", "region", "grey"),
        ("simclr", "image", "other net"),
    ]
    assert study.n_test == {"parts": 12}
    assert study.majority == {"parts": 0.5}
    assert all(row.seeds == 2 for row in study.rows)
    assert all(
        0 <= row.accuracy.low <= row.accuracy.mean <= row.accuracy.high <= 1 for row in study.rows
    )
    # Colours tell these classes apart, so that the judging itself is seen to work.
    assert study.rows[0].accuracy.mean == 1.0


def test_differences_are_to_image_views_and_widened_for_their_number(found) -> None:
    study = found[0]
    assert study.compared == 6
    compared = [row for row in study.rows if row.gain]
    assert [(row.loss, row.views, row.variant) for row in compared] == [
        ("simclr", "region", ""),
        ("moco", "region", ""),
        ("simclr", "region", "grey"),
        ("simclr", "image", "other net"),
    ]
    for row in compared:
        plain = row.loss, "image", ""
        image = next(r for r in study.rows if (r.loss, r.views, r.variant) == plain)
        assert row.gain.mean == pytest.approx(row.accuracy.mean - image.accuracy.mean)
        assert row.knn_gain.mean == pytest.approx(row.knn.mean - image.knn.mean)


def test_any_two_rows_can_be_compared(found) -> None:
    """Only SimCLR was tried with the variant, so MoCo has no such difference."""
    study, _, folder = found
    rows = {(row.loss, row.views, row.variant): row.accuracy.mean for row in study.rows}
    expected = {
        ("grey", "region"): rows["simclr", "region", "grey"] - rows["simclr", "region", ""],
        ("other net", "other net, start"): rows["simclr", "image", "other net"]
        - rows["start", "", "other net"],
    }
    found_gains = {(one.row, one.beside): one.gain for one in study.differences}
    assert {key: pytest.approx(gain.mean) for key, gain in found_gains.items()} == expected
    assert all(gain.low <= gain.mean <= gain.high for gain in found_gains.values())
    knn = {(row.loss, row.views, row.variant): row.knn.mean for row in study.rows}
    grey = next(one for one in study.differences if one.row == "grey")
    assert grey.knn_gain.mean == pytest.approx(
        knn["simclr", "region", "grey"] - knn["simclr", "region", ""]
    )
    assert len(grey.brief()["knn_gain"]) == 3
    assert {one.loss for one in study.differences} == {"simclr"}
    assert "- simclr: grey, minus region: " in (folder / results.TABLE).read_text()
    assert "simclr: grey, minus region" in (folder / page.PAGE).read_text(encoding="utf-8")


def test_rows_with_few_labels(found) -> None:
    """Four labels a class: the curve's points are 1, 2 and all, the last of which is the probe."""
    study, _, folder = found
    for row in study.rows:
        assert [point.per_class for point in row.curve] == [1, 2, None]
        assert [point.labels for point in row.curve] == [2, 4, 8]
        assert row.curve[-1].accuracy == pytest.approx(row.accuracy.mean)
        assert all(point.ci95[0] <= point.accuracy <= point.ci95[1] for point in row.curve)
    assert "| method | views | 1 | 2 | all 8 |" in (folder / results.TABLE).read_text()


def test_a_row_says_how_many_labels_it_needs(found) -> None:
    """For what its image views reach with all, as for any further difference."""
    study, _, folder = found
    table = (folder / results.TABLE).read_text()
    html = (folder / page.PAGE).read_text(encoding="utf-8")
    compared = [one for one in (*study.rows, *study.differences) if one.gain]
    assert len(compared) == study.compared
    for one in compared:
        assert one.labels_needed.all == 8
        # Only a row that falls behind may not get there with all.
        assert one.labels_needed.labels or one.gain.mean < 0
        assert len(one.brief()["labels_needed"]) == 3
    assert results.NEEDED in table
    assert results.NEEDED in html
    for name in ("simclr: grey, region, to equal image views", "simclr: grey, to equal region"):
        assert f"- {name}: " in table
        assert f"<li>{name}: " in html


def test_simultaneous_intervals_are_wider() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random((3, 200)) < 0.7, rng.random((3, 200)) < 0.6
    one = intervals.paired_difference(a, b)
    five = intervals.paired_difference(a, b, comparisons=5)
    assert five.low < one.low < one.mean == five.mean < one.high < five.high


def test_nothing_is_trained_twice(found) -> None:
    made, again, folder = found
    assert [row.runs for row in made.rows] == [row.runs for row in again.rows]
    assert len(runs.runs(Workspace(folder / "photos"))) == 6 * 2


def test_a_row_judges_how_difficult_the_regions_of_another_are(
    file, found, tmp_path, monkeypatch
) -> None:
    """With each seed it is the run of that seed, which is there already."""
    made, _, folder = found
    shutil.copytree(folder / "photos", tmp_path / "photos")
    monkeypatch.setitem(engine.PRESETS, "tiny", TINY)
    grid = yaml.safe_load(file.read_text()) | {"losses": ["simclr"], "views": ["region"]}
    variants = {"variants": {"harder": {"judge": "region"}}}
    path = file.with_name("harder.yaml")
    path.write_text(yaml.safe_dump(grid | variants | {"comparisons": [], "curves": False}))
    judges, judged = (row.runs for row in engine.study(tmp_path, read(path)).rows if row.views)
    regions = ("simclr", "region", "")
    assert [judges] == [r.runs for r in made.rows if (r.loss, r.views, r.variant) == regions]
    harder = [runs.run(Workspace(tmp_path / "photos"), name) for name in judged]
    assert [run.config.difficulty_of for run in harder] == judges
    assert [run.config.seed for run in harder] == [0, 1]
    assert all((run.folder / "difficulty.npz").exists() for run in harder)


def test_two_processes_make_a_study_together(file, tmp_path) -> None:
    grid = yaml.safe_load(file.read_text()) | {"losses": ["simclr"], "views": ["image"]}
    path = file.with_name("together.yaml")
    path.write_text(yaml.safe_dump(grid | {"variants": {}, "comparisons": [], "curves": False}))
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    study = ["-m", "samclr_core.cli", "study", str(path), "--out", str(tmp_path), "--json"]
    done = subprocess.run(
        [sys.executable, *torchrun, *study],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert [(row["loss"], row["seeds"]) for row in rows] == [
        ("colour", 2),
        ("start", 2),
        ("simclr", 2),
    ]
    found = runs.runs(Workspace(tmp_path / "photos"))
    assert sorted(run.config.seed for run in found) == [0, 1]
    assert all(run.facts["processes"] == 2 for run in found)


def test_the_table_and_the_figures_say_the_same(found) -> None:
    made, _, folder = found
    table = (folder / results.TABLE).read_text()
    assert "**photos → parts**, 12 test images" in table
    assert "always naming the most frequent class would give 50.0\n" in table
    for row in made.rows:
        assert f"{100 * row.accuracy.mean:.1f}" in table
        assert {"loss", "views", "data", "accuracy", "ci95", "seeds"} <= set(row.brief())
    assert "| simclr, grey | region | 2 |" in table
    compared = [row for row in made.rows if row.knn_gain]
    assert all(f"| {results.signed(row.knn_gain)} |" in table for row in compared)
    assert "With fewer than 3 seeds" in table


def test_the_page_shows_every_row_and_every_training(found) -> None:
    made, _, folder = found
    html = (folder / page.PAGE).read_text(encoding="utf-8")
    assert "http" not in html.replace("http-equiv", "")
    assert html.count("<tr><td>") == len(made.rows) + len(made.differences)
    trainings = len(runs.runs(Workspace(folder / "photos")))
    assert html.count("<polyline") == trainings + len(made.rows)
    for row in made.rows:
        assert f"{100 * row.accuracy.mean:.1f}&thinsp;%" in html
    kept = results.Study.model_validate_json((folder / results.STUDY).read_text())
    assert kept.rows == made.rows or kept.rows == found[1].rows


def test_a_stop_is_minded(file, tmp_path) -> None:
    def stop(done: int, total: int, note: str = "") -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        engine.study(tmp_path, read(file).model_copy(update={"views": ("image",)}), stop)


def test_a_row_is_compared_with_the_image_views_of_its_variant() -> None:
    """Where a variant has another network, plain image views would say what the network does."""
    config = StudyConfig.of(
        {
            "images": {"a": "."},
            "data": {"d": "."},
            "variants": {"both": {}, "one": {"views": ["region"]}},
        }
    )
    found = {cell[2:]: config.reference(cell) for cell in config.cells()}
    assert {key: cell and cell[2:] for key, cell in found.items()} == {
        ("image", ""): None,
        ("region", ""): ("image", ""),
        ("image", "both"): ("image", ""),
        ("region", "both"): ("image", "both"),
        ("region", "one"): ("image", ""),
    }


def test_cells_of_a_grid() -> None:
    config = StudyConfig.of(
        {
            "images": {"a": ".", "b": "."},
            "data": {"d": "."},
            "losses": ["simclr", "dino"],
            "variants": {"v": {"settings": {"epochs": 3}, "views": ["region"]}},
        }
    )
    cells = config.cells()
    assert len(cells) == 2 * 2 * 2 + 2 * 2
    assert cells[0] == Cell("a", "simclr", "image", "")
    assert config.training(cells[0], 4).seed == 4
    assert config.training(Cell("a", "dino", "region", "v"), 0).epochs == 3
    assert config.training(Cell("a", "dino", "region", ""), 0).epochs == 20


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"images": {"photos": "none"}}, "which is not there"),
        ({"settings": {"epoch": 3}}, "epoch"),
        ({"losses": ["simclr", "byol"]}, "byol"),
        ({"seed": 3}, "seed"),
        ({"comparisons": [{"row": "gray", "beside": "region"}]}, "“gray”.*other net"),
        ({"variants": {"harder": {"judge": "start"}}}, "“start”.*image; region\\.$"),
        ({"variants": {"harder": {"judge": "harder, region"}}}, "“harder, region”"),
    ],
)
def test_mistakes_are_said_before_anything_is_trained(file, change, words) -> None:
    wrong = file.with_name("wrong.yaml")
    wrong.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | change))
    with pytest.raises(UserError, match=words):
        read(wrong)


def test_no_study_at_all(tmp_path) -> None:
    for content in (b"a: [", b"just words", b"\xff\xfe\x00"):
        (tmp_path / "bad.yaml").write_bytes(content)
        with pytest.raises(UserError, match="cannot be read"):
            read(tmp_path / "bad.yaml")
    with pytest.raises(UserError, match="cannot be read"):
        read(tmp_path / "none.yaml")


def test_so_many_images_come_from_the_whole_folder(file) -> None:
    photos = file.parent / "photos"
    assert [path.name for path in engine._chosen(photos, 3)] == ["0.png", "2.png", "5.png"]
    assert len(engine._chosen(photos, 100)) == 6
    assert engine._chosen(photos, None) == [photos]
    assert [path.name for path in engine._chosen(photos / "[1-3].png", None)] == [
        "1.png",
        "2.png",
        "3.png",
    ]
    assert [path.name for path in engine._chosen(photos / "*.png", 2)] == ["0.png", "5.png"]


def test_a_folder_without_images(file, tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    config = read(file).model_copy(update={"images": {"photos": tmp_path / "empty"}})
    with pytest.raises(UserError, match="There is no PNG"):
        engine.study(tmp_path / "out", config)
