"""The whole line in a real browser: two photos in, an accuracy and a report out.

The line is walked in either language. Pictures of the pages go to the test's own folder.
``SAMCLR_SCREENSHOTS=1`` walks it with the whole sample factory instead and writes the pictures of
the README to ``docs/screenshots``, which takes some minutes.
"""

import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from app_photos import photo
from PIL import Image

from samclr_core.images.intake import add_uploads
from samclr_core.messages import LANGUAGES, UserError, core_catalogue
from samclr_core.workspace import REPOSITORY, SAMPLE_DATA, Workspace
from ui.i18n import LANGUAGE_NAMES, catalogue
from ui.shell import NAMES

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from playwright.sync_api import Locator, Page, ViewportSize, expect, sync_playwright  # noqa: E402

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
FOR_README = os.environ.get("SAMCLR_SCREENSHOTS") == "1"
PICTURES = REPOSITORY / "docs" / "screenshots"
SCENES = SAMPLE_DATA / "scenes"
PROBE = SAMPLE_DATA / "probe"
SIZE: ViewportSize = {"width": 1440, "height": 900}
TALLEST = 1900
EPOCHS = 100
PATIENCE = 240_000
SECOND = 1000


@dataclass
class Studio:
    """The app in a browser, in one language."""

    page: Page
    address: str
    pictures: Path
    language: str
    workspace: str = "line-3"

    def t(self, key: str, **values: object) -> str:
        texts = catalogue() if key in catalogue() else core_catalogue()
        return texts[key][self.language].format(**values)

    def with_any_values(self, key: str) -> re.Pattern:
        """The text, whatever stands in the places of its values."""
        text = (catalogue() if key in catalogue() else core_catalogue())[key][self.language]
        # Bold marks are gone when it is shown.
        parts = re.split(r"\{\w+\}", text.replace("**", ""))
        return re.compile(".+".join(map(re.escape, parts)))

    def open(self, station: str) -> None:
        """By its address, as a reload or a colleague's link does."""
        path = "" if station == "images" else station
        query = f"lang={self.language}&workspace={self.workspace}"
        self.page.goto(f"{self.address}/{path}?{query}")
        self.title(station)

    def walk_to(self, station: str) -> None:
        """By the list of pages, as a person does."""
        # One page's name can end like another's.
        name = re.compile(rf"\d\s+{re.escape(self.t(NAMES[station]))}$")
        self.page.get_by_test_id("stSidebarNav").get_by_role("link", name=name).click()
        self.title(station)

    def title(self, station: str) -> None:
        heading = self.page.get_by_role("heading", level=1)
        expect(heading).to_have_text(self.t(f"{station}.title"), timeout=60 * SECOND)

    def button(self, key: str) -> Locator:
        return self.page.get_by_role("button", name=self.with_any_values(key)).first

    def text(self, key: str) -> Locator:
        return self.page.get_by_text(self.with_any_values(key)).first

    def metric(self, key: str) -> Locator:
        metrics = self.page.get_by_test_id("stMetric")
        return metrics.filter(has_text=self.t(key)).get_by_test_id("stMetricValue")

    def sees(self, locator: Locator, patience: int = 60 * SECOND) -> None:
        expect(locator).to_be_visible(timeout=patience)

    def no_error(self) -> None:
        """No stack trace, no red box, no word of the other language, and both in the URL."""
        self.settled()
        for other in set(LANGUAGES) - {self.language}:
            for station in NAMES:
                question = catalogue()[f"{station}.question"][other]
                expect(self.page.get_by_text(question)).to_have_count(0)
        expect(self.page.get_by_test_id("stException")).to_have_count(0)
        expect(self.page.get_by_test_id("stAlertContentError")).to_have_count(0)
        address = self.page.url
        assert f"lang={self.language}" in address
        assert f"workspace={self.workspace}" in address

    def settled(self) -> None:
        """Nothing is being drawn any more, and every picture has arrived."""
        expect(self.page.locator("[data-stale=true]")).to_have_count(0, timeout=60 * SECOND)
        self.page.wait_for_function(
            "Array.from(document.images).every(image => image.complete)", timeout=60 * SECOND
        )

    def picture(self, name: str) -> None:
        """The whole page, made as high as what is on it; Streamlit scrolls inside the window."""
        self.settled()
        height = self.page.get_by_test_id("stMainBlockContainer").evaluate("e => e.scrollHeight")
        tall = min(max(height, SIZE["height"]), TALLEST)
        self.page.set_viewport_size({"width": SIZE["width"], "height": tall})
        self.page.wait_for_timeout(SECOND)
        self.settled()
        shown = Image.open(io.BytesIO(self.page.screenshot()))
        shown.save(self.pictures / f"{name}-{self.language}.webp", quality=80, method=6)
        self.page.set_viewport_size(SIZE)


@pytest.fixture(scope="module")
def weights() -> None:
    from samclr_core.regions.sam.weights import fetch

    try:
        fetch("mobile_sam")
    except UserError as error:
        pytest.skip(f"the weights of MobileSAM cannot be had: {error}")


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The real app on a free port, with a home of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "samclr_core.cli", "app", "--port", str(port)]
    home = os.environ | {"SAMCLR_HOME": str(tmp_path / "home")}
    with open(tmp_path / "server.log", "wb") as log:
        server = subprocess.Popen(command, env=home, stdout=log, stderr=log, start_new_session=True)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_up(address, server)
        yield address
    finally:
        os.killpg(server.pid, 15)
        server.wait(30)


def _wait_until_up(address: str, server: subprocess.Popen) -> None:
    for _ in range(300):
        assert server.poll() is None, "the app ended at its start"
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=2).close()
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the app did not come up")


@pytest.fixture(params=LANGUAGES)
def studio(
    request: pytest.FixtureRequest, weights: None, address: str, tmp_path: Path
) -> Iterator[Studio]:
    if not CHROMIUM:
        pytest.skip("no Chromium: apt-get install chromium, or any other browser of its family")
    pictures = PICTURES if FOR_README else tmp_path / "screenshots"
    pictures.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport=SIZE, device_scale_factor=1)
        page.set_default_timeout(60 * SECOND)
        yield Studio(page, address, pictures, request.param)
        browser.close()


def test_the_whole_line_in_a_browser(studio: Studio, tmp_path: Path) -> None:
    bring_photos_in(studio, tmp_path)
    find_regions(studio)
    look_at_pairs(studio)
    train(studio, tmp_path / "home" / studio.workspace)
    evaluate(studio, tmp_path)
    decide(studio)
    change_language(studio)


def test_the_first_click_after_a_start_counts(studio: Studio, tmp_path: Path) -> None:
    """Also where a link to a later page is the first thing that anybody asks the server for."""
    add_uploads(Workspace(tmp_path / "home" / studio.workspace), [("a.jpg", photo(1))])
    studio.open("regions")
    studio.settled()
    studio.page.wait_for_timeout(SECOND)
    studio.button("regions.start").click()
    studio.sees(studio.button("jobs.stop").or_(studio.text("regions.all")).first)


def bring_photos_in(studio: Studio, folder: Path) -> None:
    scenes = sorted((SCENES / "images").glob("*.jpg"))[:2]
    files = [(path.name, path.read_bytes()) for path in scenes] or [
        (f"photo-{seed}.jpg", photo(seed)) for seed in (1, 2)
    ]
    uploads = folder / "uploads"
    uploads.mkdir()
    for name, content in files:
        (uploads / name).write_bytes(content)
    studio.open("images")
    studio.sees(studio.text("images.none_yet"))
    chooser = studio.page.locator("input[type=file]").first
    chooser.set_input_files([str(path) for path in sorted(uploads.iterdir())])
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
    expect(curves).to_have_count(3, timeout=60 * SECOND)
    reload_in_mid_run(studio)
    kill_and_go_on(studio, max(workspace.glob("runs/*")))
    studio.sees(studio.metric("training.machine_time"), 3 * PATIENCE)
    # Offered to runs that have finished only.
    studio.sees(studio.button("training.train_twin"))
    expect(curves).to_have_count(3)
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
    expect(studio.page.locator(".js-plotly-plot")).to_have_count(3)


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
    if not PROBE.is_dir():
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
    """Two classes that a backbone can tell apart, where the sample data is not there."""
    for number in range(24):
        kind = ("plain", "dark")[number % 2]
        path = folder / kind / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photo(number, (96, 96) if number % 2 else (120, 96)))
    return folder


def use_folder(studio: Studio, folder: Path) -> None:
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


def change_language(studio: Studio) -> None:
    """In the sidebar, and what is on the page stays; a reload and a link keep it."""
    studio.language = next(other for other in LANGUAGES if other != studio.language)
    choices = studio.page.get_by_test_id("stSidebar")
    choices.get_by_role("radio", name=LANGUAGE_NAMES[studio.language]).click()
    studio.title("decision")
    studio.no_error()
    studio.page.reload()
    studio.title("decision")
    for station in NAMES:
        studio.open(station)
        if station not in ("images", "review"):
            studio.sees(studio.page.locator(".js-plotly-plot, [data-testid=stImage] img").first)
        studio.no_error()
