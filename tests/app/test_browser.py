"""The whole line in a real browser: two photos in, an accuracy and a report out.

The line is walked in either language. Pictures of the pages go to the test's own folder.
``SAMCLR_SCREENSHOTS=1`` walks it with the whole sample factory instead and writes the pictures of
the README to ``docs/screenshots``, which takes some minutes.
"""

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from app_browser import SECOND, Locator, Studio, browsing, expect
from app_photos import photo

from samclr_core.images.intake import add_uploads
from samclr_core.messages import LANGUAGES
from samclr_core.workspace import REPOSITORY, SAMPLE_DATA, Workspace
from ui.i18n import LANGUAGE_NAMES
from ui.shell import NAMES

FOR_README = os.environ.get("SAMCLR_SCREENSHOTS") == "1"
PICTURES = REPOSITORY / "docs" / "screenshots"
SCENES = SAMPLE_DATA / "scenes"
EPOCHS = 30
CURVES = 4
PATIENCE = 240_000


@pytest.fixture(params=LANGUAGES)
def studio(
    request: pytest.FixtureRequest, weights: None, address: str, tmp_path: Path
) -> Iterator[Studio]:
    pictures = PICTURES if FOR_README else tmp_path / "screenshots"
    pictures.mkdir(parents=True, exist_ok=True)
    with browsing(address, pictures, request.param) as studio:
        yield studio


def test_the_whole_line_in_a_browser(studio: Studio, tmp_path: Path) -> None:
    bring_photos_in(studio)
    find_regions(studio)
    look_at_review(studio)
    look_at_pairs(studio)
    train(studio, tmp_path / "home" / studio.workspace)
    evaluate(studio, tmp_path)
    decide(studio)
    keep_choices(studio)
    change_language(studio)


def test_the_first_click_after_a_start_counts(studio: Studio, tmp_path: Path) -> None:
    """Also where a link to a later page is the first thing that anybody asks the server for."""
    add_uploads(Workspace(tmp_path / "home" / studio.workspace), [("a.jpg", photo(1))])
    studio.open("regions")
    studio.settled()
    studio.page.wait_for_timeout(SECOND)
    studio.button("regions.start").click()
    studio.sees(studio.button("jobs.stop").or_(studio.text("regions.all")).first)


def bring_photos_in(studio: Studio) -> None:
    scenes = sorted((SCENES / "images").glob("*.jpg"))[:2]
    studio.open("images")
    studio.sees(studio.text("images.none_yet"))
    chooser = studio.page.locator("input[type=file]").first
    chooser.set_input_files([str(path) for path in scenes])
    expect(studio.page.get_by_test_id("stFileChipName")).to_have_count(2)
    expect(studio.page.get_by_test_id("stFileChipIconSpinner")).to_have_count(0)
    studio.settled()
    studio.page.wait_for_timeout(SECOND)
    studio.button("images.add").click()
    studio.sees(studio.page.get_by_text(studio.t("images.outcome", added=2, duplicates=0)))
    expect(studio.metric("images.count")).to_have_text("2")
    if FOR_README:
        studio.page.get_by_role("tab", name=studio.t("images.tab_sample")).click()
        studio.button("images.add_sample").click()
        expect(studio.metric("images.count")).not_to_have_text("2", timeout=PATIENCE)
    thumbnails = studio.page.get_by_test_id("stImage").locator("img")
    studio.sees(thumbnails.first)
    studio.no_error()
    studio.picture("1-images")


def find_regions(studio: Studio) -> None:
    studio.walk_to("regions")
    studio.button("regions.start").click()
    studio.sees(studio.text("regions.all"), 10 * PATIENCE if FOR_README else PATIENCE)
    count = int(studio.metric("regions.per_image").inner_text())
    assert count >= 2, "things on a plain ground give regions"
    # The photo and its regions, and a card for every image.
    expect(studio.page.get_by_test_id("stImage").locator("img").nth(3)).to_be_visible()
    studio.no_error()
    studio.picture("2-regions")


def look_at_review(studio: Studio) -> None:
    """The first photo, ready for a verdict; test_review_browser.py gives some."""
    studio.walk_to("review")
    name = studio.page.get_by_label(studio.t("review.who"))
    name.fill("M. Sato")
    name.press("Enter")
    studio.sees(studio.page.locator(".stage img"))
    studio.no_error()
    studio.picture("2-review")


def look_at_pairs(studio: Studio) -> None:
    studio.walk_to("views")
    pictures = studio.page.get_by_test_id("stImage").locator("img")
    expect(pictures).to_have_count(10, timeout=60 * SECOND)
    before = pictures.first.get_attribute("src")
    studio.button("views.new_draw").click()
    expect(pictures.first).not_to_have_attribute("src", before or "")
    studio.button("views.measure").click()
    studio.sees(studio.page.locator(".js-plotly-plot").first, PATIENCE)
    studio.sees(studio.text("views.basis"))
    studio.no_error()
    studio.picture("3-views")


def train(studio: Studio, workspace: Path) -> None:
    studio.walk_to("training")
    if not FOR_README:
        studio.page.get_by_text(studio.t("training.details"), exact=True).click()
        epochs = studio.page.get_by_label(studio.t("training.epochs"))
        epochs.fill(str(EPOCHS))
        epochs.press("Enter")
        studio.settled()
    studio.button("training.start").click()
    studio.sees(studio.metric("training.time_left"), PATIENCE)
    curves = studio.page.locator(".js-plotly-plot")
    expect(curves).to_have_count(CURVES, timeout=60 * SECOND)
    reload_in_mid_run(studio)
    kill_and_go_on(studio, max(workspace.glob("runs/*")))
    studio.sees(studio.metric("training.machine_time"), 3 * PATIENCE)
    # Offered to runs that have finished only.
    studio.sees(studio.button("training.train_twin"))
    expect(curves).to_have_count(CURVES)
    studio.no_error()
    if FOR_README:
        studio.button("training.train_twin").click()
        studio.sees(studio.metric("training.time_left"), PATIENCE)
        studio.page.wait_for_timeout(20 * SECOND)
    studio.picture("4-training")
    if FOR_README:
        studio.sees(studio.metric("training.machine_time"), 3 * PATIENCE)


def reload_in_mid_run(studio: Studio) -> None:
    """Everything is read from the run's folder, so a reload shows it again, and further on."""
    studio.page.reload()
    studio.title("training")
    studio.sees(studio.metric("training.loss"))
    running = studio.metric("training.time_left").or_(studio.metric("training.machine_time"))
    studio.sees(running.first)
    expect(studio.page.locator(".js-plotly-plot")).to_have_count(CURVES)


def kill_and_go_on(studio: Studio, run: Path) -> None:
    """kill -9 is seen within 15 seconds, and a click lets the run go on."""
    os.kill(json.loads((run / "process.json").read_bytes())["pid"], signal.SIGKILL)
    interrupted = studio.t("jobs.interrupted_help", title=studio.t("training.job"))
    studio.sees(studio.page.get_by_text(interrupted), 15 * SECOND)
    studio.button("training.resume").click()
    studio.sees(studio.metric("training.time_left"), PATIENCE)
    studio.no_error()


def evaluate(studio: Studio, folder: Path) -> None:
    studio.walk_to("evaluation")
    if studio.language == "ja" and not FOR_README:
        # The sample factory in one walk, photos of one's own in the other.
        use_folder(studio, labelled_folder(folder / "labelled"))
    studio.button("evaluation.evaluate").click()
    studio.sees(studio.page.get_by_role("heading", name=studio.t("evaluation.map")), PATIENCE)
    # Accuracy beside the baselines, the map, the confusion matrix.
    expect(studio.page.locator(".js-plotly-plot")).to_have_count(3, timeout=60 * SECOND)
    bars = studio.page.locator(".js-plotly-plot").first
    expect(bars.get_by_text(re.compile(r"\d+\.\d%")).first).to_be_visible()
    studio.no_error()
    studio.picture("5-evaluation")
    pick_on_the_map(studio)


def labelled_folder(folder: Path) -> Path:
    """Two classes of twelve photos."""
    for number in range(24):
        kind = ("plain", "dark")[number % 2]
        path = folder / kind / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photo(number, (96, 96) if number % 2 else (120, 96)))
    return folder


def use_folder(studio: Studio, folder: Path) -> None:
    choose(studio, "evaluation.data", "evaluation.data_folder")
    path = studio.page.get_by_role("textbox", name=studio.t("evaluation.folder"))
    path.fill(str(folder))
    path.press("Enter")
    studio.settled()


def pick_on_the_map(studio: Studio) -> None:
    """A lasso around the whole map shows the thumbnails of its points."""
    canvas = studio.page.locator(".js-plotly-plot").nth(1)
    canvas.scroll_into_view_if_needed()
    box = canvas.locator(".nsewdrag").first.bounding_box()
    assert box
    left, top = box["x"] + 4, box["y"] + 4
    right, bottom = box["x"] + box["width"] - 4, box["y"] + box["height"] - 4
    mouse = studio.page.mouse
    mouse.move(left, top)
    mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top)):
        mouse.move(x, y, steps=6)
    mouse.up()
    studio.sees(studio.page.get_by_test_id("stImage").locator("img").first)
    studio.no_error()
    if not FOR_README:
        studio.picture("5-evaluation-lasso")


def decide(studio: Studio) -> None:
    studio.walk_to("decision")
    studio.sees(studio.page.locator(".js-plotly-plot").first)
    studio.button("decision.build").click()
    with studio.page.expect_download() as download:
        studio.button("decision.download").click(timeout=60 * SECOND)
    html = Path(download.value.path()).read_text(encoding="utf-8")
    assert "<html" in html
    assert "http://" not in html.replace("http://www.w3.org", "")
    studio.no_error()
    studio.picture("6-decision")


def keep_choices(studio: Studio) -> None:
    """What somebody is about to start stays chosen, under its name in the other language."""
    studio.walk_to("views")
    studio.page.get_by_text(studio.t("views.settings"), exact=True).click()
    choose(studio, "views.outside", "views.outside_blur")
    studio.walk_to("training")
    studio.page.get_by_role("radio", name=studio.t("training.kind_image")).click()
    studio.page.get_by_text(studio.t("training.details"), exact=True).click()
    expect(combobox(studio, "training.harder")).to_have_count(0)
    choose(studio, "training.weights", "training.random")
    for _ in LANGUAGES:
        switch_language(studio, "training")
        kind = studio.page.get_by_role("radio", name=studio.t("training.kind_image"))
        expect(kind).to_be_checked()
        studio.page.get_by_text(studio.t("training.details"), exact=True).click()
        expect(combobox(studio, "training.weights")).to_have_value(studio.t("training.random"))
        studio.no_error()
    switch_language(studio, "training")
    studio.walk_to("views")
    studio.page.get_by_text(studio.t("views.settings"), exact=True).click()
    expect(combobox(studio, "views.outside")).to_have_value(studio.t("views.outside_blur"))
    switch_language(studio, "views")
    studio.page.get_by_text(studio.t("views.settings"), exact=True).click()
    expect(combobox(studio, "views.outside")).to_have_value(studio.t("views.outside_blur"))
    studio.no_error()
    studio.walk_to("decision")


def combobox(studio: Studio, key: str) -> Locator:
    return studio.page.get_by_role("combobox", name=re.compile(studio.t(key)))


def choose(studio: Studio, key: str, option: str) -> None:
    # A list that just opened is closed by the drawing that an earlier click asked for.
    studio.drawn_anew()
    combobox(studio, key).click()
    studio.page.get_by_role("option", name=studio.t(option)).click()
    studio.drawn_anew()


def switch_language(studio: Studio, station: str) -> None:
    studio.language = next(other for other in LANGUAGES if other != studio.language)
    choices = studio.page.get_by_test_id("stSidebar")
    choices.get_by_role("radio", name=LANGUAGE_NAMES[studio.language]).click()
    studio.title(station)


def change_language(studio: Studio) -> None:
    """In the sidebar, and what is on the page stays; a reload and a link keep it."""
    switch_language(studio, "decision")
    studio.no_error()
    studio.page.reload()
    studio.title("decision")
    for station in NAMES:
        studio.open(station)
        if station not in ("images", "review"):
            studio.sees(studio.page.locator(".js-plotly-plot, [data-testid=stImage] img").first)
        studio.no_error()
