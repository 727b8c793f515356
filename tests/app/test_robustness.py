"""The robustness study on the evaluation page."""

import pytest
from app_photos import photo
from streamlit.testing.v1 import AppTest

from samclr_core import jobs
from samclr_core.estimate import Estimate
from samclr_core.evaluation.robustness import results
from samclr_core.evaluation.robustness.config import StudyConfig
from samclr_core.evaluation.robustness.results import Row, Study
from samclr_core.images.intake import add_uploads
from samclr_core.messages import LANGUAGES, say
from samclr_core.regions import store
from samclr_core.regions.config import SegmenterConfig
from samclr_core.training import runs
from samclr_core.training.config import PRESETS
from samclr_core.workspace import REPOSITORY, SAMPLE_DATA, Workspace, named_workspace, write_json
from ui.i18n import catalogue as texts


def row(kind, strength, iou, accuracy, change):
    return Row(
        kind=kind,
        strength=strength,
        mean_best_iou=iou,
        purity=0.6,
        accuracy=Estimate(accuracy, accuracy - 0.05, accuracy + 0.05),
        change=Estimate(change, change - 0.02, change + 0.02),
        gain=Estimate(0.1, 0.05, 0.15),
        runs=["a", "b", "c"],
    )


def study() -> Study:
    return Study(
        name="made-up",
        created=1.7e9,
        config=StudyConfig(training=PRESETS["quick"], kinds=("eroded", "split")),
        data_name="部品_1",
        reference="labels",
        n_test=70,
        rows=[
            row("image", 0.0, None, 0.5, -0.1),
            row("undamaged", 0.0, 1.0, 0.6, 0.0),
            row("eroded", 0.2, 0.4, 0.52, -0.08),
            row("eroded", 0.5, 0.1, 0.5, -0.1),
            row("split", 0.2, 0.9, 0.6, 0.0),
            row("split", 0.5, 0.75, 0.59, -0.01),
        ],
        seconds=90.0,
    )


@pytest.fixture
def workspace(home) -> Workspace:
    """Two photos and a finished run."""
    found = named_workspace("runs")
    add_uploads(found, [("a.jpg", photo(1)), ("b.jpg", photo(2))])
    run = runs.create(found, PRESETS["quick"])
    run.encoder_path.touch()
    write_json(run.folder / "end.json", {"state": "finished", "error": None})
    return found


def opened(language: str) -> AppTest:
    app = AppTest.from_file(str(REPOSITORY / "app.py"), default_timeout=60)
    app.query_params["lang"] = language
    app.query_params["workspace"] = "runs"
    app.run()
    app.switch_page("pages/evaluation.py").run()
    assert not app.exception
    assert not app.error
    return app


def shown(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.info)
    return "\n".join(str(element.value) for kind in kinds for element in kind).replace("\\", "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_study_is_an_answer_a_curve_and_a_table(workspace, language):
    results.save(workspace, study())
    app = opened(language)
    text = shown(app)
    eroded = say("robustness.eroded", language)
    values = {"iou": "0.75", "most": "3.0", "at": "0.40", "kind": eroded, "strength": 0.2}
    assert say("robustness.loss_from", language, **values, low="6.0", high="10.0") in text
    assert say("robustness.floor_never", language, iou="0.10") in text
    assert len(app.get("plotly_chart")) == 1
    table = app.dataframe[0].value
    assert list(table[texts()["robustness.regions"][language]])[2] == eroded
    assert list(table[texts()["robustness.iou"][language]]) == [
        "–", "1.00", "0.40", "0.10", "0.90", "0.75",
    ]  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_study_or_regions_it_says_what_to_do(workspace, language):
    text = shown(opened(language))
    assert texts()["robustness.none_yet"][language] in text
    assert texts()["robustness.needs_regions"][language] in text


def test_a_study_starts_at_a_click_and_says_how_long_it_takes(workspace, monkeypatch):
    store.choose(workspace, SegmenterConfig())
    launched: list[list[str]] = []
    monkeypatch.setattr(jobs, "launch", lambda folder, arguments: launched.append(arguments))
    assert "41 of 42 trainings" in shown(opened("en"))
    (run,) = runs.runs(workspace)
    write_json(run.folder / "facts.json", {"pairs": 160})
    run.metrics_path.write_text('{"step": 1, "seconds": 3.0}\n')
    app = opened("en")
    # 41 trainings of 20 x 4 pairs of 2 images, 3 s each.
    assert "about 2 min" in shown(app)
    (button,) = [b for b in app.button if b.label == texts()["robustness.start"]["en"]]
    button.click().run()
    assert not app.exception
    assert launched == [
        [
            *("robustness", "-w", str(workspace.root), "--preset", "quick"),
            *("--kinds", "eroded,dilated,merged,split,shifted,dropped"),
            *("--strengths", "0.2,0.5", "--seeds", "3", "--data", str(SAMPLE_DATA / "probe")),
        ]
    ]
