"""What takes longer and is asked for, on the evaluation page: few labels, whole networks."""

import json

import numpy as np
import pytest
from app_pages import opened, shown
from app_photos import photo

from samclr_core import jobs
from samclr_core.cache import write
from samclr_core.evaluation import results
from samclr_core.evaluation.labels_saved import LabelsNeeded
from samclr_core.evaluation.results import (
    CurvePoint,
    Evaluation,
    Method,
    NeighbourScore,
    ProbeScore,
    Score,
)
from samclr_core.images.intake import add_uploads
from samclr_core.messages import LANGUAGES
from samclr_core.training import runs
from samclr_core.training.config import PRESETS
from samclr_core.training.runs import Run
from samclr_core.workspace import Workspace, named_workspace, write_json
from ui.i18n import catalogue as texts


def method(accuracy: float) -> Method:
    ends = (accuracy - 0.1, accuracy + 0.1)
    probe = ProbeScore(
        accuracy=accuracy,
        ci95=ends,
        C=0.1,
        C_scores={},
        per_class={"a": accuracy, "b": accuracy},
        confusion=[[1, 1], [1, 1]],
    )
    near = NeighbourScore(accuracy=accuracy, ci95=ends, k=5)
    return Method(
        features="f", run=None, dim=4, linear_probe=probe, knn=near, embedding_std=1, seconds={}
    )


def curve(*accuracies: float) -> list[CurvePoint]:
    labels = (2, 20, 200)
    return [
        CurvePoint(per_class=None, labels=n, accuracy=a, ci95=(a - 0.05, a + 0.05))
        for n, a in zip(labels, accuracies, strict=True)
    ]


def save(
    run: Run,
    curves: dict[str, list[CurvePoint]],
    fine_tuned: dict[str, Score] | None = None,
    needed: dict[str, LabelsNeeded] | None = None,
) -> None:
    """An evaluation in the run's folder, without a map."""
    evaluation = Evaluation(
        run=run.id, name="parts", data=None, data_name="parts", created=1.7e9, size=32,
        split="half", test_digest="", n_train=200, n_test=200, classes=["a", "b"],
        train_per_class=[100, 100], test_per_class=[100, 100], majority=0.5, views="region",
        twin=None, methods={"run": method(0.8), "colour": method(0.5), "start": method(0.7)},
        curves=curves, labels_needed=needed or {}, fine_tuned=fine_tuned or {}, seconds={},
        notes=[],
    )  # fmt: skip
    path = results.path_of(run, evaluation)
    results.save(path, evaluation)
    texts_, numbers = np.array(["p"]), np.array([np.nan])
    arrays = {
        name: numbers if name.endswith(("x", "y")) else texts_ for name in results.POINT_ARRAYS
    }
    write(path.with_suffix(".npz"), arrays)


@pytest.fixture
def workspace(home) -> Workspace:
    """Two photos and a finished run."""
    found = named_workspace("試験_1")
    add_uploads(found, [("a.jpg", photo(1)), ("b.jpg", photo(2))])
    run = runs.create(found, PRESETS["quick"])
    run.encoder_path.touch()
    write_json(run.folder / "end.json", {"state": "finished", "error": None})
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_curve_says_how_many_labels_are_saved(workspace, language):
    save(
        runs.runs(workspace)[0],
        {
            "run": curve(0.5, 0.7, 0.8),
            "twin": curve(0.4, 0.5, 0.6),
            "start": curve(0.4, 0.6, 0.9),
        },
        needed={
            "twin": LabelsNeeded(6.3, 2.4, None, 200),
            "start": LabelsNeeded(None, 180.0, None, 200),
        },
    )
    app = opened("evaluation", language)
    assert not app.exception
    text = shown(app)
    assert texts()["evaluation.labels"][language] in [s.value for s in app.subheader]
    saved = texts()["evaluation.labels_saved"][language]
    more = texts()["evaluation.labels_more"][language].format(all=200)
    names = {
        "run": texts()["evaluation.trained_region"][language],
        "other": texts()["evaluation.trained_image"][language],
    }
    assert saved.format(**names, accuracy="60.0%", needed=6, low="2", high=more, all=200) in text
    missed = texts()["evaluation.labels_not_reached"][language]
    names["other"] = texts()["evaluation.start"][language]
    assert missed.format(**names, accuracy="90.0%", all=200) in text


def test_without_curves_there_is_none(workspace):
    save(runs.runs(workspace)[0], {})
    app = opened("evaluation", "en")
    assert not app.exception
    assert texts()["evaluation.labels"]["en"] not in [s.value for s in app.subheader]


@pytest.mark.parametrize("language", LANGUAGES)
def test_fine_tuned_networks_stand_beside_each_other(workspace, language):
    scores = {"run": Score(accuracy=0.91, ci95=(0.87, 0.94))}
    scores["scratch"] = Score(accuracy=0.62, ci95=(0.55, 0.68))
    save(runs.runs(workspace)[0], {}, scores)
    app = opened("evaluation", language)
    assert not app.exception
    assert texts()["evaluation.fine_tuned"][language] in [s.value for s in app.subheader]
    charts = [chart.proto.spec for chart in app.get("plotly_chart")]
    scratch = texts()["evaluation.scratch"][language]
    assert any(scratch in json.loads(spec)["data"][0]["y"] for spec in charts)


@pytest.mark.parametrize(("switch", "option"), [(0, "--curves"), (1, "--fine-tune")])
def test_what_takes_long_is_asked_for_by_a_switch(workspace, monkeypatch, switch, option):
    launched: list[list[str]] = []
    monkeypatch.setattr(jobs, "launch", lambda folder, arguments: launched.append(arguments))
    app = opened("evaluation", "en")
    app.toggle[switch].set_value(True).run()
    wanted = texts()["evaluation.evaluate"]["en"]
    next(button for button in app.button if button.label == wanted).click().run()
    extras = {"--curves", "--fine-tune"} & set(launched[0])
    assert extras == {option}
