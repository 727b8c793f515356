"""Reviewed regions as label maps: one PNG per image whose pixels name their region."""

import io
from collections.abc import Iterator
from pathlib import PurePosixPath

import numpy as np
from PIL import Image

from samclr_core.images import catalogue
from samclr_core.images.catalogue import ImageRecord
from samclr_core.images.names import last_part
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.quality.partition import painted
from samclr_core.regions.region import RegionSet
from samclr_core.regions.review.fold import reviewed
from samclr_core.workspace import Workspace

ID_LETTERS = 8


def label_map(region_set: RegionSet) -> np.ndarray:
    """The regions as one map, small ones over large ones.

    Returns:
        uint8 [H, W], or uint16 where there are more than 255 regions: 0 where no region lies, n
        for the n-th region, largest first.
    """
    few = len(region_set.regions) <= np.iinfo(np.uint8).max
    return (painted(region_set) + 1).astype(np.uint8 if few else np.uint16)


def label_maps(
    workspace: Workspace, config: SegmenterConfig | None = None
) -> Iterator[tuple[str, bytes]]:
    """File name and PNG of every image that has regions in use, in the order they came in.

    Args:
        workspace: whose review.
        config: the settings that made the automatic regions; by default the current ones.
    """
    for record in catalogue.records(workspace):
        regions = reviewed(workspace, record.id, config)
        if regions:
            yield file_name(record), _png(label_map(regions))


def file_name(image: ImageRecord) -> str:
    """The image's own name and the start of its id, since folders may share names."""
    stem = PurePosixPath(last_part(image.name)).stem
    return f"{stem}-{image.id[:ID_LETTERS]}.png"


def _png(labels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(labels).save(buffer, "PNG")
    return buffer.getvalue()
