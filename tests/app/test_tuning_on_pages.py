"""The tuning panel: what it asks for, what it starts, and how it says what came of it."""

import numpy as np
import pytest
from app_pages import opened, shown
from streamlit.testing.v1 import AppTest

from samclr_core import jobs
from samclr_core.images import catalogue
from samclr_core.messages import LANGUAGES, say
from samclr_core.regions import store
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.region import Region, RegionSet
from samclr_core.regions.sam import tuned
from samclr_core.regions.tuning import report
from samclr_core.regions.tuning.config import TuningConfig
from samclr_core.workspace import Workspace
from ui.i18n import catalogue as texts
from ui.i18n import plain

NAME = "第一ライン"


def with_model(workspace: Workspace, gain: float) -> None:
    """A tuned model and its report, as a tuning leaves them, but for the weights."""
    ids = [image.id for image in catalogue.records(workspace)]
    before = SegmenterConfig(points_per_side=12, weights="0" * 12)
    path = workspace.models / NAME / f"{NAME}.safetensors"
    after = before.model_copy(update={"model": str(path), "weights": "1" * 12})
    for config, side in ((before, 80), (after, 120)):
        for image in ids:
            mask = np.zeros((448, 640), bool)
            mask[60 : 60 + side, 60 : 60 + side] = True
            regions = (Region.of_mask(mask),)
            values = RegionSet(image, 448, 640, config.model_dump(), regions, 1.0, {})
            store.write(workspace, config, values)
    figures = {image: dict.fromkeys(report.MEASURES, 0.5) for image in ids}
    later = {image: dict.fromkeys(report.MEASURES, 0.5 + gain) for image in ids}
    made = report.Report(
        name=NAME,
        start="mobile_sam",
        truth="labels",
        settings=TuningConfig().model_dump(),
        train=["gone"] * 6,
        validation=["gone"] * 2,
        test=ids,
        way=0.5,
        journal=[{"epoch": 0, "mask_loss": None, "iou_loss": None, "validation": 0.4}],
        seconds=60.0,
        segmenter_before=before.model_dump(),
        segmenter_after=after.model_dump(),
        before=figures,
        after=later,
    )
    report.write(workspace, made)


def panel(language: str = "en") -> AppTest:
    app = opened("images", language)
    app.session_state["regions-look"] = "tuning"
    return app.switch_page("pages/regions.py").run()


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_masks_it_says_how_many_are_needed(with_regions, language):
    app = panel(language)
    assert not app.exception
    assert texts()["tuning.more_images"][language].format(least=10) in shown(app)
    start = next(b for b in app.button if b.label == texts()["tuning.start"][language])
    assert start.disabled


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("gain", "kind"), [(0.1, "better"), (-0.1, "worse"), (0.0, "unclear")])
def test_the_result_is_a_sentence_and_pictures(with_regions, language, gain, kind):
    with_model(with_regions, gain)
    app = panel(language)
    assert not app.exception
    opening = texts()[f"tuning.regions_{kind}"][language].split("{")[0]
    assert opening in shown(app)
    assert "50%" in shown(app)
    assert f"{0.5 + gain:.0%}" in shown(app)


def test_a_tuned_model_can_be_chosen_for_the_regions(with_regions):
    with_model(with_regions, 0.1)
    app = opened("regions")
    choice = next(box for box in app.selectbox if box.label == texts()["regions.model"]["en"])
    assert NAME in choice.options


def test_a_start_is_the_command_in_a_process_of_its_own(with_regions, monkeypatch):
    begun = []
    monkeypatch.setattr(jobs, "launch", lambda folder, arguments: begun.append(arguments))
    app = panel()
    truth = next(b for b in app.selectbox if b.label == texts()["tuning.truth"]["en"])
    app = truth.select("coco").run()
    path = next(b for b in app.text_input if b.label == texts()["quality.coco_path"]["en"])
    app = path.set_value(' "/data/line.json"').run()
    next(b for b in app.button if b.label == texts()["tuning.start"]["en"]).click().run()
    assert begun[0][:2] == ["regions", "tune"]
    assert begun[0][-2:] == ["--coco", "/data/line.json"]


def test_a_name_that_is_taken_is_said_in_a_sentence(with_regions):
    with_model(with_regions, 0.1)
    app = panel()
    truth = next(b for b in app.selectbox if b.label == texts()["tuning.truth"]["en"])
    app = truth.select("coco").run()
    path = next(b for b in app.text_input if b.label == texts()["quality.coco_path"]["en"])
    app = path.set_value("/data/line.json").run()
    name = next(b for b in app.text_input if b.label == texts()["tuning.name"]["en"])
    app = name.set_value(tuned.names(with_regions)[0]).run()
    app = next(b for b in app.button if b.label == texts()["tuning.start"]["en"]).click().run()
    assert not app.exception
    assert plain(say("tuning.name_taken", name=NAME)) in shown(app)
    assert texts()["tuning.figures"]["en"] in [one.label for one in app.expander]
