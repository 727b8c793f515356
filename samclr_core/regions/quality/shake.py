"""Are the same regions found when the picture is shifted or lit a little differently?

No truth is needed for that: a region that comes and goes with three per cent of the frame or with
a cloud is none that a model should learn from.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field
from scipy.optimize import linear_sum_assignment

from samclr_core.config import Config
from samclr_core.images import catalogue
from samclr_core.images.catalogue import ImageRecord
from samclr_core.images.store import load
from samclr_core.jobs import Progress, silent
from samclr_core.messages import UserError
from samclr_core.progress import standing
from samclr_core.regions import store
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.region import RegionSet
from samclr_core.regions.rle import Rle, decode_window, encode, ious
from samclr_core.workspace import Workspace, read_json, write_json

if TYPE_CHECKING:
    from samclr_core.regions.automatic.segmenter import Segmenter


class ShakeConfig(Config):
    """How the picture is changed.

    Attributes:
        shift: the left and the upper edge are cut off by this fraction of the shorter side.
        brightness: all pixels are multiplied by this.
    """

    shift: float = Field(default=0.03, gt=0, lt=0.5)
    brightness: float = Field(default=0.8, gt=0, le=4)


@dataclass(frozen=True)
class Shake:
    """How well the regions of an image are found again, mean IoU over its regions, 0 to 1.

    Attributes:
        shift_iou: in the shifted picture; regions that lie in the edge cut off do not count.
        brightness_iou: in the darker or brighter one.
    """

    shift_iou: float
    brightness_iou: float


def shake(
    segmenter: "Segmenter",
    image: np.ndarray,
    regions: RegionSet,
    config: ShakeConfig,
    progress: Progress = silent,
) -> Shake:
    """Segment the changed pictures of ``image``, uint8 [H, W, 3], and look for its ``regions``."""
    cut = max(1, round(config.shift * min(image.shape[:2])))
    shifted = segmenter.segment(np.ascontiguousarray(image[cut:, cut:]), progress=progress)
    bright = (image * config.brightness).clip(0, 255).round().astype(np.uint8)
    relit = segmenter.segment(bright, progress=progress)
    return Shake(
        found_again(_without_edge(regions, cut), [r.rle for r in shifted.regions]),
        found_again([r.rle for r in regions.regions], [r.rle for r in relit.regions]),
    )


def found_again(before: Sequence[Rle], after: Sequence[Rle]) -> float:
    """Mean IoU of the masks with those they are matched to, one to one for the greatest sum.

    A mask without a partner counts 0; nan where there is none before.
    """
    if not before:
        return float("nan")
    overlaps = ious(before, after)
    return float(overlaps[linear_sum_assignment(overlaps, maximize=True)].sum() / len(before))


def _without_edge(regions: RegionSet, cut: int) -> list[Rle]:
    window = (cut, cut, regions.width - cut, regions.height - cut)
    masks = (decode_window(region.rle, window) for region in regions.regions)
    return [encode(mask) for mask in masks if mask.any()]


def shake_workspace(
    workspace: Workspace,
    count: int,
    config: ShakeConfig | None = None,
    progress: Progress = silent,
) -> int:
    """Shake a draw of ``count`` of the images with regions; what is known is kept.

    Returns:
        How many images were shaken by this call; the others were in the cache.

    Raises:
        UserError: no image has regions yet, or the weights cannot be had.
        Cancelled: as ``progress`` asks.
    """
    config = config or ShakeConfig()
    segmentation, chosen = _sample(workspace, count)
    missing = [r for r in chosen if shaken(workspace, r.id, segmentation, config) is None]
    done = len(chosen) - len(missing)
    progress(done, len(chosen))
    if not missing:
        return 0
    from samclr_core.regions.automatic.segmenter import Segmenter

    segmenter = Segmenter(segmentation, progress=progress)
    for number, record in enumerate(missing, start=done):
        inside = standing(progress, number, len(chosen), record.name)
        regions = store.read(workspace, record.id, segmentation)
        assert regions is not None
        found = shake(segmenter, load(workspace, record.id), regions, config, inside)
        write_json(_file(workspace, record.id, segmentation, config), asdict(found))
        progress(number + 1, len(chosen), record.name)
    return len(missing)


def _sample(workspace: Workspace, count: int) -> tuple[SegmenterConfig, list[ImageRecord]]:
    """The settings in use, and a draw of images with regions by them; more include fewer."""
    segmentation = store.current(workspace)
    records = catalogue.records(workspace)
    cut = [r for r in records if segmentation and store.has(workspace, r.id, segmentation)]
    if not segmentation or not cut:
        raise UserError("regions.no_regions")
    drawn = np.random.default_rng(0).permutation(len(cut))[:count]
    return segmentation, [cut[place] for place in sorted(drawn)]


def shaken(
    workspace: Workspace,
    image_id: str,
    segmentation: SegmenterConfig,
    config: ShakeConfig | None = None,
) -> Shake | None:
    """What :func:`shake_workspace` found for an image, or None where it was not shaken yet."""
    values = read_json(_file(workspace, image_id, segmentation, config or ShakeConfig()))
    return Shake(**values) if values else None


def _file(
    workspace: Workspace, image_id: str, segmentation: SegmenterConfig, config: ShakeConfig
) -> Path:
    folder = workspace.cache / "shake" / f"{segmentation.digest()}-{config.digest()}"
    return folder / f"{image_id}.json"
