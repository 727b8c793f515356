"""The real app in a real browser."""

import io
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from samclr_core.messages import LANGUAGES, core_catalogue
from ui.i18n import catalogue
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
SIZE: ViewportSize = {"width": 1440, "height": 900}
TALLEST = 1900
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

    def drawn_anew(self) -> None:
        """What was just done has reached the server, and its drawing is over."""
        self.page.wait_for_timeout(SECOND)
        self.settled()

    def picture(self, name: str) -> None:
        """The whole page, made as high as what is on it; Streamlit scrolls inside the window."""
        self.settled()
        height = self.page.get_by_test_id("stMainBlockContainer").evaluate("e => e.scrollHeight")
        tall = min(max(height, SIZE["height"]), TALLEST)
        self.page.set_viewport_size({"width": SIZE["width"], "height": tall})
        self.drawn_anew()
        shown = Image.open(io.BytesIO(self.page.screenshot()))
        shown.save(self.pictures / f"{name}-{self.language}.webp", quality=80, method=6)
        self.page.set_viewport_size(SIZE)


@contextmanager
def browsing(
    address: str, pictures: Path, language: str, size: ViewportSize = SIZE
) -> Iterator[Studio]:
    """The app at ``address`` in a browser, which must ask nobody else for anything."""
    if not CHROMIUM:
        pytest.skip("no Chromium: apt-get install chromium, or any other browser of its family")
    asked: list[str] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport=size, device_scale_factor=1)
        page.set_default_timeout(60 * SECOND)
        page.on("request", lambda request: asked.append(request.url))
        yield Studio(page, address, pictures, language)
        browser.close()
    assert not [url for url in asked if not url.startswith((address, "data:", "blob:"))]
