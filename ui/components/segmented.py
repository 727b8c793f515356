"""Images with their regions: pictures and figures, each worked out once."""

import numpy as np
import streamlit as st
from PIL import Image

from samclr_core.images.store import load
from samclr_core.regions import store
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.quality.figures import Figures, figures
from samclr_core.regions.region import RegionSet
from samclr_core.workspace import Workspace

PICTURES_KEPT = 300


def regions(workspace: Workspace, image_id: str, config: SegmenterConfig) -> RegionSet:
    """The regions of an image that has some."""
    found = store.read(workspace, image_id, config)
    assert found is not None
    return found


def numbers(workspace: Workspace, image_id: str, config: SegmenterConfig) -> Figures:
    """The figures of an image's regions."""
    return _numbers(str(workspace.root), image_id, config.digest(), workspace, config)


def photo(workspace: Workspace, image_id: str, side: int) -> np.ndarray:
    """The image with its longer side at most ``side`` px, uint8 [H, W, 3]."""
    return _photo(str(workspace.root), image_id, side, workspace)


def overlaid(
    workspace: Workspace, image_id: str, config: SegmenterConfig, side: int, alpha: float
) -> np.ndarray:
    """The image with its regions drawn over it, its longer side at most ``side`` px."""
    digest = config.digest()
    return _overlaid(str(workspace.root), image_id, digest, side, alpha, workspace, config)


def fitted(image: np.ndarray, side: int) -> np.ndarray:
    """The image, uint8 [H, W, 3], made smaller where its longer side exceeds ``side`` px."""
    small = Image.fromarray(image)
    small.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return np.asarray(small)


@st.cache_data(max_entries=10_000, show_spinner=False)
def _numbers(
    root: str, image_id: str, digest: str, _workspace: Workspace, _config: SegmenterConfig
) -> Figures:
    return figures(regions(_workspace, image_id, _config))


@st.cache_data(max_entries=PICTURES_KEPT, show_spinner=False)
def _photo(root: str, image_id: str, side: int, _workspace: Workspace) -> np.ndarray:
    return fitted(load(_workspace, image_id), side)


@st.cache_data(max_entries=PICTURES_KEPT, show_spinner=False)
def _overlaid(
    root: str,
    image_id: str,
    digest: str,
    side: int,
    alpha: float,
    _workspace: Workspace,
    _config: SegmenterConfig,
) -> np.ndarray:
    from samclr_core.regions.overlay import overlay

    drawn = overlay(load(_workspace, image_id), regions(_workspace, image_id, _config), alpha)
    return fitted(drawn, side)
