"""Regions for a whole workspace: only what is missing is computed."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from samclr_core.images import catalogue
from samclr_core.images.store import load
from samclr_core.jobs import Progress, silent
from samclr_core.messages import UserError
from samclr_core.regions import store
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.region import RegionSet
from samclr_core.regions.sam.tuned import located
from samclr_core.regions.sam.weights import pinned
from samclr_core.workspace import Workspace


@dataclass(frozen=True)
class Summary:
    """What a segmentation came to.

    Attributes:
        images: with regions now.
        regions: of these images.
        seconds: this call took.
        model: the model's name or path.
        computed: images segmented by this call; the others were in the cache.
    """

    images: int
    regions: int
    seconds: float
    model: str
    computed: int


def segment_workspace(
    workspace: Workspace,
    config: SegmenterConfig,
    image_ids: Sequence[str] | None = None,
    progress: Progress = silent,
) -> Summary:
    """Make the regions of a workspace's images that ``config`` has not made yet.

    Each image's regions are kept as soon as they are there, so that a stop loses one image at
    most. The settings become the workspace's current ones with the first image that has regions
    by them, so that a model that cannot be had takes nothing away.

    Args:
        workspace: whose images.
        config: the segmenter's settings.
        image_ids: which images; all by default.
        progress: called with images done, images in all and the file's name; also inside an image.

    Raises:
        UserError: there are no images, one is unknown, or the weights cannot be had.
        Cancelled: the person asked to stop.
    """
    started = time.perf_counter()
    names = {image.id: image.name for image in catalogue.records(workspace)}
    wanted = list(image_ids) if image_ids is not None else list(names)
    if not wanted:
        raise UserError("regions.no_images")
    config = pinned(located(workspace, config), progress)
    missing = [i for i in wanted if not store.has(workspace, i, config)]
    if len(missing) < len(wanted):
        store.choose(workspace, config)
    _segment(workspace, config, missing, names, len(wanted), progress)
    found = [store.read(workspace, image_id, config) for image_id in wanted]
    return Summary(
        images=len(wanted),
        regions=sum(len(regions.regions) for regions in found if regions),
        seconds=time.perf_counter() - started,
        model=config.model,
        computed=len(missing),
    )


def segment_one(
    workspace: Workspace, config: SegmenterConfig, image_id: str, progress: Progress = silent
) -> RegionSet:
    """The regions of one image, for a look at what ``config`` does; the settings in use stay.

    They are kept: where ``config`` comes into use later, this image is done already.

    Args:
        workspace: whose image.
        config: the segmenter's settings.
        image_id: which image.
        progress: called with prompts done and prompts in all.

    Raises:
        UserError: the image is unknown, or the weights cannot be had.
        Cancelled: the person asked to stop.
    """
    config = pinned(located(workspace, config), progress)
    known = store.read(workspace, image_id, config)
    if known:
        return known
    from samclr_core.regions.automatic.segmenter import Segmenter

    segmenter = Segmenter(config, progress=progress)
    regions = segmenter.segment(load(workspace, image_id), image_id, progress)
    store.write(workspace, config, regions)
    return regions


def _segment(
    workspace: Workspace,
    config: SegmenterConfig,
    missing: Sequence[str],
    names: dict[str, str],
    of_all: int,
    progress: Progress,
) -> None:
    finished = of_all - len(missing)
    progress(finished, of_all)
    if not missing:
        return
    from samclr_core.regions.automatic.pipeline import embedded
    from samclr_core.regions.automatic.segmenter import Segmenter

    segmenter = Segmenter(config, progress=progress)
    waiting = [names.get(image_id, image_id) for image_id in missing]

    def inside(done: int, total: int, note: str = "") -> None:
        progress(finished, of_all, waiting[0])

    for images in embedded(segmenter, partial(load, workspace), missing):
        for regions in segmenter.segment_all(images, inside):
            store.write(workspace, config, regions)
            if finished == 0:
                store.choose(workspace, config)
            finished += 1
            progress(finished, of_all, waiting.pop(0))
