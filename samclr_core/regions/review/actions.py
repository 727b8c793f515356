"""What a reviewer can do: each call is one event in the log, about the regions in use.

``config`` is always the settings whose regions were looked at; by default the current ones.
"""

from collections.abc import Sequence

from pycocotools import mask as coco

from samclr_core.images import catalogue
from samclr_core.messages import UserError
from samclr_core.regions import store
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.region import Region
from samclr_core.regions.review import events as log
from samclr_core.regions.review.events import Event, Kind
from samclr_core.regions.review.fold import Review, review
from samclr_core.regions.rle import text
from samclr_core.workspace import Workspace

VERDICTS = ("good", "usable", "bad")
COMMENT_LETTERS = 2000


class Reviewer:
    """One person at work on one workspace's regions."""

    def __init__(
        self, workspace: Workspace, who: str, config: SegmenterConfig | None = None
    ) -> None:
        """Begin as ``who``.

        Raises:
            UserError: the name is empty or too long.
        """
        self.workspace = workspace
        self.who = log.checked_name(who)
        self.config = config or store.current(workspace)

    def judge(self, image_id: str, verdict: str) -> Event:
        """Say that the image's regions are ``good``, ``usable`` or ``bad``.

        Raises:
            UserError: it is another word, or the workspace has no such image.
        """
        if verdict not in VERDICTS:
            raise UserError("review.unknown_verdict", value=verdict, known=", ".join(VERDICTS))
        return self._say(image_id, "verdict", words=verdict)

    def comment(self, image_id: str, words: str) -> Event:
        """Say something about the image in words.

        Raises:
            UserError: there are no words or too many, or the workspace has no such image.
        """
        if not 0 < len(words.strip()) <= COMMENT_LETTERS:
            raise UserError("review.bad_comment", most=COMMENT_LETTERS)
        return self._say(image_id, "comment", words=words.strip())

    def keep(self, image_id: str, regions: Sequence[str]) -> Event:
        """Say that regions are right; dropped ones come back.

        Raises:
            UserError: the image has no region of one of these ids.
        """
        self._items(image_id, regions)
        return self._say(image_id, "keep", regions)

    def drop(self, image_id: str, regions: Sequence[str]) -> Event:
        """Take regions out; they stay in the log, and can be kept again.

        Raises:
            UserError: the image has no region of one of these ids.
        """
        self._items(image_id, regions)
        return self._say(image_id, "drop", regions)

    def merge(self, image_id: str, regions: Sequence[str]) -> Event:
        """Make one region of several.

        Raises:
            UserError: fewer than two, or the image has no region of one of these ids.
        """
        parts = self._items(image_id, list(dict.fromkeys(regions)))
        if len(parts) < 2:
            raise UserError("review.merge_needs_two")
        return self._say(image_id, "merge", regions, merged(parts))

    def add(self, image_id: str, region: Region) -> Event:
        """Add a region that the segmenter did not find.

        Raises:
            UserError: the workspace has no such image.
        """
        return self._say(image_id, "add", region=region)

    def correct(self, image_id: str, old: str, region: Region) -> Event:
        """Put ``region`` in the place of the one of id ``old``.

        Raises:
            UserError: the image has no region of that id.
        """
        self._items(image_id, [old])
        return self._say(image_id, "correct", [old], region)

    def undo(self, image_id: str | None = None) -> Event | None:
        """Take back the last thing this person said, of one image or of all; returns what."""
        return log.undo(self.workspace, self.who, image_id)

    def review(self, image_id: str) -> Review:
        """The image as it is now."""
        return review(self.workspace, image_id, self.config)

    def _items(self, image_id: str, regions: Sequence[str]) -> list[Region]:
        now = self.review(image_id)
        known = {item.id: item.region for item in (*now.kept, *now.dropped)}
        if missing := next((name for name in regions if name not in known), None):
            raise UserError("review.unknown_region", id=missing)
        return [known[name] for name in regions]

    def _say(
        self,
        image_id: str,
        kind: Kind,
        regions: Sequence[str] = (),
        region: Region | None = None,
        words: str = "",
    ) -> Event:
        catalogue.record(self.workspace, image_id)
        digest = self.config.digest() if self.config else ""
        said = Event(image_id, kind, self.who, digest, tuple(regions), region, words)
        return log.append(self.workspace, [said])[0]


def merged(parts: Sequence[Region]) -> Region:
    """One region of several; as sure as its least sure part, prompted like its largest."""
    return Region.of_rle(
        text(coco.merge([part.rle for part in parts])),
        min(part.predicted_iou for part in parts),
        min(part.stability_score for part in parts),
        max(parts, key=lambda part: part.area).point,
    )
