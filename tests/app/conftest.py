"""A fresh home for workspaces, and pages as a running server shows them."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from app_photos import SHAPES, box_region, photo
from streamlit.runtime.pages_manager import PagesManager

from samclr_core import workspace as places
from samclr_core.images import catalogue
from samclr_core.images.intake import add_uploads
from samclr_core.messages import UserError
from samclr_core.regions import store
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.region import RegionSet
from samclr_core.workspace import Workspace, named_workspace


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


@pytest.fixture
def with_images(home) -> Workspace:
    workspace = named_workspace("試験_1")
    add_uploads(workspace, [("写真_1*.jpg", photo(1)), ("[b](c).jpg", photo(2))])
    return workspace


@pytest.fixture
def with_regions(with_images) -> Workspace:
    config = SegmenterConfig(points_per_side=4)
    store.choose(with_images, config)
    for image in catalogue.records(with_images):
        regions = tuple(box_region(*shape) for shape in SHAPES)
        found = RegionSet(image.id, 448, 640, config.model_dump(), regions, 1.5, {"unstable": 3})
        store.write(with_images, config, found)
    return with_images


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
