from pathlib import Path

import pytest
from striped_scenes import fill

from samclr_core.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Twelve scenes with regions."""
    return fill(Workspace(tmp_path / "w"), 12)
