"""A fresh home for workspaces."""

import pytest

from samclr_core import workspace as places


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty ``SAMCLR_HOME``."""
    monkeypatch.setenv("SAMCLR_HOME", str(tmp_path / "home"))
    return places.home()
