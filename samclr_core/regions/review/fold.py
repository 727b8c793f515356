"""What a review makes of an image's regions: the log folded over the automatic ones.

A decision about a region holds where that very mask is (its id is a hash of it), whichever
settings made it; one about a mask that is not there waits until it is there again. A mask that a
person made stays with the image; new settings that find the same thing by themselves do not get it
twice. Verdicts on the image and comments belong to the settings whose regions were looked at.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from samclr_core.images import catalogue
from samclr_core.regions import store
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.region import Region, RegionSet
from samclr_core.regions.review import events as log
from samclr_core.regions.review.events import Event
from samclr_core.regions.rle import ious
from samclr_core.workspace import Workspace

Origin = Literal["automatic", "added", "corrected", "merged"]
ORIGINS: dict[str, Origin] = {"add": "added", "correct": "corrected", "merge": "merged"}
SAME_THING_IOU = 0.8
"""Masks that overlap more are the same thing, as for ``SegmenterConfig.max_mask_iou``."""


@dataclass(frozen=True)
class Reviewed:
    """A region and what people said about it.

    Attributes:
        region: the mask.
        origin: who made it: the segmenter, or a person, and how.
        event: the last decision about it; None where nobody decided.
    """

    region: Region
    origin: Origin = "automatic"
    event: Event | None = None

    @property
    def id(self) -> str:
        return self.region.id


@dataclass(frozen=True)
class Review:
    """All that was said about one image.

    Attributes:
        image_id: the image.
        before: the automatic regions; empty where the image was not segmented.
        kept: the regions in use, largest first.
        dropped: those that a person took out, largest first.
        replaced: automatic regions that went into a merged or a corrected one, by id.
        verdicts: the newest verdict of each reviewer, oldest first.
        comments: in the order of time.
        waiting: decisions about masks that these settings did not make.
    """

    image_id: str
    before: RegionSet
    kept: tuple[Reviewed, ...]
    dropped: tuple[Reviewed, ...]
    replaced: dict[str, Origin]
    verdicts: dict[str, Event]
    comments: tuple[Event, ...]
    waiting: int

    @property
    def verdict(self) -> Event | None:
        """The newest verdict, which is the one that counts; None before the first."""
        return next(reversed(self.verdicts.values()), None)

    @property
    def trusted(self) -> bool:
        """Whether the regions were called good or usable."""
        return self.verdict is not None and self.verdict.text != "bad"

    @property
    def regions(self) -> RegionSet:
        """The regions in use."""
        return replace(self.before, regions=tuple(item.region for item in self.kept))


def reviewed(
    workspace: Workspace,
    image_id: str,
    config: SegmenterConfig | None = None,
    until: int | None = None,
) -> RegionSet | None:
    """The regions of an image that are in use: automatic ones as the reviewers left them.

    Args:
        workspace: where they are.
        image_id: the image.
        config: the settings that made them; by default the workspace's current ones.
        until: as the log was when its last number was this one; by default as it is now.

    Returns:
        Largest first, like :func:`samclr_core.regions.store.read`; None where the image was not
        segmented and nobody added a region.
    """
    config = config or store.current(workspace)
    found = store.read(workspace, image_id, config) if config else None
    said = log.events(workspace, image_id, until)
    if not said or not (found or any(event.region for event in said)):
        return found
    return _folded(workspace, image_id, config, found, said).regions


def review(workspace: Workspace, image_id: str, config: SegmenterConfig | None = None) -> Review:
    """All that was said about an image, with its regions in use and those that were dropped.

    Raises:
        UserError: the workspace has no such image.
    """
    config = config or store.current(workspace)
    found = store.read(workspace, image_id, config) if config else None
    return _folded(workspace, image_id, config, found, log.events(workspace, image_id))


def reviews(workspace: Workspace, config: SegmenterConfig | None = None) -> list[Review]:
    """The images that somebody said something about, in the order they came in."""
    config = config or store.current(workspace)
    said = defaultdict(list)
    for event in log.events(workspace):
        said[event.image_id].append(event)
    return [
        _folded(workspace, i, config, store.read(workspace, i, config) if config else None, said[i])
        for i in (image.id for image in catalogue.records(workspace))
        if i in said
    ]


def _folded(
    workspace: Workspace,
    image_id: str,
    config: SegmenterConfig | None,
    found: RegionSet | None,
    said: Sequence[Event],
) -> Review:
    before = found or _nothing(workspace, image_id, config)
    digest = config.digest() if config else ""
    fold = _Fold(before.regions, digest)
    for event in said:
        fold.take(event)
    here = [event for event in said if event.segmenter == digest]
    verdicts = {event.who: event for event in here if event.kind == "verdict"}
    return Review(
        image_id=image_id,
        before=before,
        kept=_largest_first(fold.kept, before),
        dropped=_largest_first(fold.dropped, before),
        replaced=fold.replaced,
        verdicts=dict(sorted(verdicts.items(), key=lambda item: item[1].when)),
        comments=tuple(event for event in here if event.kind == "comment"),
        waiting=fold.waiting,
    )


class _Fold:
    """The state of one image's regions, event by event."""

    def __init__(self, automatic: Sequence[Region], digest: str) -> None:
        self.digest = digest
        self.kept = {region.id: Reviewed(region) for region in automatic}
        self.dropped: dict[str, Reviewed] = {}
        self.replaced: dict[str, Origin] = {}
        self.waiting = 0

    def take(self, event: Event) -> None:
        if event.kind == "keep":
            self._move(event, self.dropped, self.kept)
        elif event.kind == "drop":
            self._move(event, self.kept, self.dropped)
        elif event.region:
            self._make(event, event.region, ORIGINS[event.kind])

    def _move(self, event: Event, source: dict[str, Reviewed], goal: dict[str, Reviewed]) -> None:
        for name in event.regions:
            item = source.pop(name, None) or goal.get(name)
            if item:
                goal[name] = replace(item, event=event)
            else:
                self.waiting += name not in self.replaced

    def _make(self, event: Event, region: Region, origin: Origin) -> None:
        here = [name for name in event.regions if name in self.kept or name in self.dropped]
        if not here and event.segmenter != self.digest and self._found_already(region):
            return
        for name in here:
            item = self.kept.pop(name, None) or self.dropped.pop(name)
            if item.origin == "automatic":
                self.replaced[name] = origin
        self.dropped.pop(region.id, None)
        self.kept[region.id] = Reviewed(region, origin, event)

    def _found_already(self, region: Region) -> bool:
        others = [item.region.rle for item in self.kept.values()]
        return bool((ious([region.rle], others) > SAME_THING_IOU).any())


def _nothing(workspace: Workspace, image_id: str, config: SegmenterConfig | None) -> RegionSet:
    image = catalogue.record(workspace, image_id)
    settings = config.model_dump() if config else {}
    return RegionSet(image_id, image.height, image.width, settings, ())


def _largest_first(items: dict[str, Reviewed], before: RegionSet) -> tuple[Reviewed, ...]:
    # Among equals the automatic order, so that a decision about one does not move the others.
    place = {region.id: number for number, region in enumerate(before.regions)}
    return tuple(
        sorted(items.values(), key=lambda i: (-i.region.area, place.get(i.id, len(place))))
    )
