"""A fresh home for workspaces, and pages as a running server shows them."""

import pytest
from streamlit.runtime.pages_manager import PagesManager

from samclr_core import workspace as places


@pytest.fixture(autouse=True)
def as_after_the_first_page(monkeypatch) -> None:
    """Streamlit's test bench acts before every run as a server does that just started."""
    begin = PagesManager.__init__

    def begun(self, *arguments, **options) -> None:
        begin(self, *arguments, **options)
        PagesManager.uses_pages_directory = False

    monkeypatch.setattr(PagesManager, "__init__", begun)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty ``SAMCLR_HOME``."""
    monkeypatch.setenv("SAMCLR_HOME", str(tmp_path / "home"))
    return places.home()
