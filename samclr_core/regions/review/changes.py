"""What a review changed, counted."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from samclr_core.regions.review.fold import Review


@dataclass(frozen=True)
class Changes:
    """Regions of the images that somebody looked at, before and after.

    ``before`` is ``kept`` + ``dropped`` + ``merged`` + ``corrected``; ``after`` is ``kept`` +
    ``added`` + one for each merged or corrected region that was made of these.

    Attributes:
        images: that somebody said something about.
        before: automatic regions.
        kept: of these, as they were.
        dropped: of these, taken out.
        merged: of these, now part of another region.
        corrected: of these, with another outline now.
        added: regions that people added.
        after: regions in use.
        waiting: decisions about masks that the settings in use did not make.
    """

    images: int
    before: int
    kept: int
    dropped: int
    merged: int
    corrected: int
    added: int
    after: int
    waiting: int

    def to_json(self) -> dict[str, int]:
        return asdict(self)


def changes(reviews: Iterable[Review]) -> Changes:
    """What was changed in these images."""
    reviews = list(reviews)
    kept = [item.origin for review in reviews for item in review.kept]
    dropped = [item.origin for review in reviews for item in review.dropped]
    replaced = [origin for review in reviews for origin in review.replaced.values()]
    return Changes(
        images=len(reviews),
        before=sum(len(review.before.regions) for review in reviews),
        kept=kept.count("automatic"),
        dropped=dropped.count("automatic"),
        merged=replaced.count("merged"),
        corrected=replaced.count("corrected"),
        added=kept.count("added"),
        after=len(kept),
        waiting=sum(review.waiting for review in reviews),
    )
