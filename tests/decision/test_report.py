"""The report is one file that opens anywhere, says what was found, and runs nothing."""

from html.parser import HTMLParser

import numpy as np
import pytest
from made_up import answers, evaluated, three_photos

from samclr_core import cache
from samclr_core.decision.report import write_report
from samclr_core.evaluation import results
from samclr_core.images import catalogue
from samclr_core.messages import UserError, say
from samclr_core.regions import store
from samclr_core.regions.config import PRESETS
from samclr_core.regions.region import Region, RegionSet

NASTY = "<script>alert('x')<&\"{{ 7 * 7 }}.png"


class Reader(HTMLParser):
    """Which tags there are, what they load, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loaded: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.loaded += [v for k, v in attrs if k in ("src", "href", "xlink:href", "srcset", "data")]
        assert not any(k.startswith("on") for k, _ in attrs)
        if tag not in ("meta", "img", "circle", "line", "polyline", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag) -> None:
        if tag not in ("circle", "line", "polyline"):
            assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        self.text += data


def read(path) -> Reader:
    reader = Reader(path.read_text(encoding="utf-8"))
    assert not reader.open, "every tag is closed"
    return reader


@pytest.fixture
def workspace(tmp_path):
    """Photos with a name that tries to be markup, their regions, a run, its twin and a map."""
    made = three_photos(tmp_path, NASTY)
    config = PRESETS["draft"]
    for image in catalogue.records(made):
        region = Region.of_mask(np.eye(32, dtype=bool))
        store.write(made, config, RegionSet(image.id, 32, 32, config.model_dump(), (region,), 1.5))
    baselines = {"start": answers(0.5), "colour": answers(0.4)}
    for kind, accuracy in (("region", 0.9), ("image", 0.6)):
        run = evaluated(made, kind, run=answers(accuracy), **baselines)
        add_map(results.path_of(run, results.evaluations(run)[0]))
    return made


def add_map(path) -> None:
    columns = {name: np.array([NASTY, "b"]) for name in results.POINT_ARRAYS}
    columns |= dict.fromkeys(("x", "y", "pca_x", "pca_y"), np.array([0.0, 1.0]))
    cache.write(path.with_suffix(".npz"), cache.read(path.with_suffix(".npz")) | columns)


def test_nothing_is_loaded_and_nothing_runs(workspace):
    reader = read(write_report(workspace))
    assert "script" not in reader.tags
    assert reader.loaded, "the pictures are in it"
    assert all(address.startswith("data:image/jpeg;base64,") for address in reader.loaded)


def test_names_are_shown_as_they_are(workspace):
    reader = read(write_report(workspace))
    assert "0" + NASTY in reader.text, "a photo's name"
    assert NASTY in reader.text, "a class"
    assert "49" not in reader.text.split("alert")[1][:20], "no template is run in a name"


@pytest.mark.parametrize("language", ["en", "ja"])
def test_it_says_the_verdict_and_the_figures(workspace, language):
    path = write_report(workspace, language)
    assert path.name.endswith(f"-{language}.html")
    text = read(path).text
    for part in ("images", "regions", "views", "training", "evaluation", "decision", "cost"):
        assert say(f"decision.{part}", language) in text
    for figure in ("90.0", "60.0", "50.0", "40.0"):
        assert figure in text
    better = say("decision.region_better", language, data="probe", low="{}", high="{}")
    assert better.split("{}")[0] in text
    assert "1.5" in text, "seconds per image"
    assert "points_per_side: 12" in text, "the settings, to repeat it"


def test_an_empty_workspace_still_has_a_report(tmp_path):
    from samclr_core.workspace import Workspace

    text = read(write_report(Workspace(tmp_path / "empty"))).text
    for sentence in ("nothing_evaluated", "no_regions", "no_views", "no_runs"):
        assert say(f"decision.{sentence}") in text


def test_an_unknown_language_is_said(workspace):
    with pytest.raises(UserError, match="en, ja"):
        write_report(workspace, "fr")
