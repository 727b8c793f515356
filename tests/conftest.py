"""What tests of several stations share."""

from pathlib import Path

import pytest

from samclr_core.messages import UserError
from samclr_core.regions.sam import weights


@pytest.fixture(scope="session")
def sam_weights() -> Path:
    """MobileSAM's weights, from the cache or fetched; skips where they cannot be had."""
    try:
        return weights.fetch("mobile_sam")
    except UserError as error:
        pytest.skip(f"SAM's weights cannot be had here: {error}")
