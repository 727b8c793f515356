"""Regions and remarks that come in from a file, and what they change here."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from samclr_core.images.catalogue import ImageRecord
from samclr_core.messages import UserError
from samclr_core.regions import rle, store
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.region import Region
from samclr_core.regions.review import events as log
from samclr_core.regions.review.events import Event, Kind
from samclr_core.regions.review.fold import SAME_THING_IOU, Review, Reviewed, review
from samclr_core.workspace import Workspace


@dataclass(frozen=True)
class Incoming:
    """What a file says of this workspace's images.

    Attributes:
        images: how many of its images are here.
        unknown: names of those that are not.
        masks: regions by image id.
        events: the log that came along, about images that are here.
    """

    images: int
    unknown: tuple[str, ...]
    masks: Mapping[str, Sequence[Region]]
    events: Sequence[Event] = ()


@dataclass(frozen=True)
class Imported:
    """What came of a file.

    Attributes:
        images: of the file that are in this workspace.
        unknown: names of those that are not.
        events: that came with a file of ours and were new.
        known: regions that were in use already.
        kept: that had been dropped, and are in use again.
        corrected: that took the place of one that looks much the same.
        added: that were not there.
    """

    images: int
    unknown: tuple[str, ...]
    events: int
    known: int
    kept: int
    corrected: int
    added: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def take_in(
    workspace: Workspace, incoming: Incoming, who: str, config: SegmenterConfig | None = None
) -> Imported:
    """Make what a file says part of the review.

    A mask that is in use is left alone; one that is much like a region in use takes its place;
    others are added. Nothing is dropped.

    Args:
        workspace: that has the images.
        incoming: what was read.
        who: answers for regions that come without a log.
        config: the settings whose regions they are compared with; by default the current ones.

    Raises:
        UserError: ``who`` is no name.
    """
    who, config = log.checked_name(who), config or store.current(workspace)
    came = log.append(workspace, incoming.events)
    made = [
        event
        for image_id, masks in incoming.masks.items()
        for event in _differences(review(workspace, image_id, config), masks, who, config)
    ]
    moment = log.now()
    # One undo takes back all of it.
    log.append(workspace, [replace(event, when=moment) for event in made])
    kinds = Counter(event.kind for event in made)
    return Imported(
        images=incoming.images,
        unknown=incoming.unknown,
        events=len(came),
        known=sum(map(len, incoming.masks.values())) - len(made),
        kept=kinds["keep"],
        corrected=kinds["correct"],
        added=kinds["add"],
    )


def refuse_strangers(found: int, names: Sequence[str]) -> None:
    """Raise where none of the images a file names was found here.

    Raises:
        UserError: ``found`` is 0.
    """
    if not found:
        first = names[0] if names else "-"
        raise UserError("review.coco_no_match", count=len(names), name=first)


def refuse_other_size(name: str, width: int, height: int, record: ImageRecord) -> None:
    """Raise where a file's image is of another size than ours.

    Raises:
        UserError: so it is.
    """
    if (width, height) != (record.width, record.height):
        raise UserError(
            "review.coco_size",
            name=name,
            theirs=f"{width} x {height}",
            ours=f"{record.width} x {record.height}",
        )


def _differences(
    now: Review, masks: Sequence[Region], who: str, config: SegmenterConfig | None
) -> list[Event]:
    """What must be said so that ``masks`` are in use."""
    kept, dropped = ({item.id for item in items} for items in (now.kept, now.dropped))
    digest = config.digest() if config else ""
    said = []
    for region in masks:
        if region.id in dropped:
            said.append(Event(now.image_id, "keep", who, digest, (region.id,)))
        elif region.id not in kept:
            alike = _alike(region, now.kept)
            kind: Kind = "correct" if alike else "add"
            said.append(Event(now.image_id, kind, who, digest, alike, region))
    return said


def _alike(region: Region, kept: Sequence[Reviewed]) -> tuple[str, ...]:
    """The id of the region in use that is the same thing, if there is one."""
    if not kept:
        return ()
    overlaps = rle.ious([region.rle], [item.region.rle for item in kept])[0]
    best = int(overlaps.argmax())
    return (kept[best].id,) if overlaps[best] > SAME_THING_IOU else ()
