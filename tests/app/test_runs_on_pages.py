"""What the pages say of work in each state, read from made-up folders."""

import json
import socket

import numpy as np
import pytest
from app_photos import photo
from streamlit.testing.v1 import AppTest

from samclr_core import jobs
from samclr_core.images import catalogue
from samclr_core.images.intake import add_uploads
from samclr_core.messages import LANGUAGES
from samclr_core.regions import store
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.region import Region, RegionSet
from samclr_core.training import runs
from samclr_core.training.config import TrainingConfig
from samclr_core.views.purity import measure
from samclr_core.workspace import REPOSITORY, Workspace, named_workspace, write_json
from ui import charts
from ui.i18n import catalogue as texts

METRICS = {
    "step": 30,
    "epoch": 1.0,
    "loss": 1.5,
    "lr": 1e-3,
    "grad_norm": 1.0,
    "seconds": 12.0,
    "images_per_second": 50.0,
    "eta": 65.0,
    "embedding_std": 0.8,
    "effective_rank": 7.5,
}


@pytest.fixture
def workspace(home) -> Workspace:
    found = named_workspace("runs")
    add_uploads(found, [("a.jpg", photo(1)), ("b.jpg", photo(2))])
    return found


def a_run(workspace: Workspace, **changes: object) -> runs.Run:
    run = runs.create(workspace, TrainingConfig())
    run.metrics_path.write_text(json.dumps(METRICS | changes) + "\n", encoding="utf-8")
    return run


def died(run: runs.Run) -> None:
    """As after kill -9: it said that it began, and nothing since."""
    identity = {"pid": 2**22 + 1, "started": 0.0, "host": socket.gethostname()}
    write_json(run.folder / "process.json", identity)


def opened(page: str, language: str) -> AppTest:
    app = AppTest.from_file(str(REPOSITORY / "app.py"), default_timeout=60)
    app.query_params["lang"] = language
    app.query_params["workspace"] = "runs"
    app.run()
    return app.switch_page(f"pages/{page}.py").run()


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_interrupted_run_says_so_and_can_go_on(workspace, language):
    died(a_run(workspace))
    app = opened("training", language)
    assert not app.exception
    expected = texts()["jobs.interrupted_help"][language]
    title = texts()["training.job"][language]
    assert app.warning[0].value == expected.format(title=title)
    assert texts()["training.resume"][language] in labels(app)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_failed_run_shows_its_sentence_in_the_language_in_use(workspace, language):
    run = a_run(workspace)
    error = {"key": "training.diverged", "values": {"step": 7, "lr": 0.1}}
    write_json(run.folder / "end.json", {"state": "failed", "error": error})
    app = opened("training", language)
    word = {"en": "unstable", "ja": "不安定"}[language]
    assert word in app.error[0].value


def test_a_finished_run_offers_its_twin_and_shows_no_log(workspace):
    run = a_run(workspace)
    write_json(run.folder / "end.json", {"state": "finished", "error": None})
    app = opened("training", "en")
    assert texts()["training.train_twin"]["en"] in labels(app)
    assert texts()["training.resume"]["en"] not in labels(app)


@pytest.fixture
def launched(monkeypatch) -> list[list[str]]:
    """What the pages start, instead of starting it."""
    commands: list[list[str]] = []
    monkeypatch.setattr(jobs, "launch", lambda folder, arguments: commands.append(arguments))
    return commands


def press(app: AppTest, key: str) -> AppTest:
    (button,) = [b for b in app.button if b.label == texts()[key]["en"]]
    return button.click().run()


def test_a_run_that_was_cut_off_goes_on_at_a_click(workspace, launched):
    cut_off = a_run(workspace)
    died(cut_off)
    app = press(opened("training", "en"), "training.resume")
    assert not app.exception
    assert not app.error
    assert launched == [["train", "-w", str(workspace.root), "--resume", cut_off.id]]


def test_the_twin_is_trained_and_shown_at_a_click(workspace, launched):
    run = a_run(workspace)
    write_json(run.folder / "end.json", {"state": "finished", "error": None})
    store.choose(workspace, SegmenterConfig())
    app = press(opened("training", "en"), "training.train_twin")
    assert not app.exception
    assert not app.error
    twin = runs.runs(workspace)[0]
    assert {run.config.views.kind, twin.config.views.kind} == {"image", "region"}
    assert launched == [["train", "-w", str(workspace.root), "--resume", twin.id]]
    assert app.session_state["training-run"] == twin.id


def test_a_collapse_gets_advice(workspace):
    run = a_run(workspace, embedding_std=0.01)
    write_json(run.folder / "end.json", {"state": "finished", "error": None})
    assert texts()["training.collapse"]["en"] in [w.value for w in opened("training", "en").warning]


def test_figures_that_are_no_numbers_become_a_dash(workspace):
    run = a_run(workspace, loss=None, embedding_std=None, effective_rank=None)
    write_json(run.folder / "end.json", {"state": "finished", "error": None})
    app = opened("training", "en")
    assert not app.exception
    assert not app.error
    assert "–" in [metric.value for metric in app.metric]


def test_a_run_without_an_encoder_is_not_offered_for_evaluation(workspace):
    a_run(workspace)
    app = opened("evaluation", "en")
    assert texts()["evaluation.no_runs"]["en"] in [text.value for text in app.markdown]


def test_names_in_charts_are_text_and_no_tags():
    figure = charts.scatter([(0, 0)], ["<b>bold</b>"], ["x"], ["id-1"])
    assert figure.data[0].name == "&lt;b&gt;bold&lt;/b&gt;"
    assert figure.data[0].customdata[0][0] == "id-1"


def test_a_kind_of_views_has_one_colour_everywhere():
    assert len(set(charts.COLOURS.values())) == len(charts.COLOURS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_pair_purity_stands_beside_the_curves(workspace, language):
    found = cut_by_hand(workspace)
    run = a_run(workspace)
    said = texts()["training.purity_not_measured"][language]
    assert said in captions(opened("training", language))
    measured = measure(workspace, pairs=8, config=run.config.views)
    assert found == measured.images
    shown = texts()["training.purity_regions"][language].format(
        own=f"{measured.image.mean:.0%}",
        views=texts()["common.region_views"][language],
        other=f"{measured.region.mean:.0%}",
    )
    assert shown in captions(opened("training", language))


def captions(app: AppTest) -> list[str]:
    assert not app.exception
    return [caption.value for caption in app.caption]


def cut_by_hand(workspace: Workspace) -> int:
    """Two halves as regions of every image; returns how many images there are."""
    segmenter = SegmenterConfig()
    images = catalogue.records(workspace)
    for image in images:
        left = np.zeros((image.height, image.width), bool)
        left[:, : image.width // 2] = True
        halves = (Region.of_mask(left), Region.of_mask(~left))
        region_set = RegionSet(image.id, image.height, image.width, segmenter.model_dump(), halves)
        store.write(workspace, segmenter, region_set)
    store.choose(workspace, segmenter)
    return len(images)


def test_a_finished_run_may_say_which_regions_are_difficult(workspace, launched):
    judge = a_run(workspace)
    judge.encoder_path.touch()
    store.choose(workspace, SegmenterConfig())
    app = opened("training", "en")
    (choice,) = [s for s in app.selectbox if s.label == texts()["training.harder"]["en"]]
    assert choice.value == ""
    choice.select(judge.id).run()
    start = texts()["training.start"]["en"].format(images=2)
    (button,) = [b for b in app.button if b.label == start]
    button.click().run()
    assert not app.exception
    run = runs.runs(workspace)[0]
    assert (run.config.difficulty_of, run.config.views.kind) == (judge.id, "region")
    assert launched == [["train", "-w", str(workspace.root), "--resume", run.id]]
