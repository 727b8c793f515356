"""What a manager signs off: how far the review is, what it found, and what follows from it."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np

from samclr_core.images import catalogue
from samclr_core.messages import say
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.review.actions import VERDICTS
from samclr_core.regions.review.changes import Changes, changes
from samclr_core.regions.review.fold import Review, reviews
from samclr_core.workspace import Workspace

# The limits of the recommendation, all of them.
LEAST_REVIEWED = 20
"""Images (or all, where there are fewer): with fewer, one picture more or less turns the shares."""
MOST_BAD = 0.2
"""Share of bad images beyond which people would repair by hand what settings should do."""
FEW_BAD = 0.05
LEAST_GOOD = 0.7
"""Share of good images from which the regions can be used as they are."""
LEAST_KAPPA = 0.4
"""Below, agreement is only fair (Landis and Koch 1977), so the shares depend on who was asked."""
WORST = 10


@dataclass(frozen=True)
class Agreement:
    """How far two reviewers agree on the images that both judged.

    Attributes:
        reviewers: the two who have most images in common.
        images: that both judged.
        same: share of these with the same verdict, 0 to 1.
        kappa: Cohen's kappa, -1 to 1; None where it is undefined, as when both said one word only.
    """

    reviewers: tuple[str, str]
    images: int
    same: float
    kappa: float | None


@dataclass(frozen=True)
class Worst:
    """One of the worst images: by verdict, then by the share of regions that were not kept, then
    by the model's own estimate of the rest.

    Attributes:
        image_id: the image.
        name: its file.
        verdict: the one that counts.
        who: said so.
        lost: share of its automatic regions that were dropped, merged or corrected, 0 to 1.
        predicted_iou: mean over the regions in use; nan where there are none.
    """

    image_id: str
    name: str
    verdict: str
    who: str
    lost: float
    predicted_iou: float


@dataclass(frozen=True)
class Recommendation:
    """What to do next.

    Attributes:
        action: ``go``, ``correct`` (go after corrections), ``tune`` (stop and tune), ``agree``
            (the reviewers must agree first) or ``review`` (too few images to say).
        values: what the sentence's places are filled with.
    """

    action: str
    values: dict[str, object]

    def text(self, language: str = "en") -> str:
        """What to do and why, in one or two sentences."""
        return say(f"review.{self.action}", language, **self.values)


@dataclass(frozen=True)
class Summary:
    """The review of a workspace in figures.

    Attributes:
        images: in the workspace.
        reviewed: of these, with a verdict on the regions in use.
        verdicts: images by verdict; the newest verdict on an image counts.
        reviewers: everybody who gave a verdict, busiest first.
        agreement: of two reviewers; None where no image was judged by two.
        changes: what was changed, in images that somebody said something about.
        worst: at most ten.
        recommendation: what follows.
    """

    images: int
    reviewed: int
    verdicts: dict[str, int]
    reviewers: tuple[str, ...]
    agreement: Agreement | None
    changes: Changes
    worst: tuple[Worst, ...]
    recommendation: Recommendation

    def share(self, verdict: str) -> float:
        """Share of the reviewed images with ``verdict``; nan before the first."""
        return self.verdicts[verdict] / self.reviewed if self.reviewed else math.nan

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values, with the recommendation in words."""
        reason = {"reason": self.recommendation.text()}
        shares = {f"{v}_share": _rounded(self.share(v)) for v in VERDICTS}
        values = asdict(self)
        for row in values["worst"]:
            row["predicted_iou"] = _rounded(row["predicted_iou"])
        values["recommendation"] = {"action": self.recommendation.action, **reason}
        return values | {"reviewed_share": _rounded(self.reviewed / max(self.images, 1)), **shares}


def summarise(workspace: Workspace, config: SegmenterConfig | None = None) -> Summary:
    """The summary of all verdicts on the regions that ``config`` made.

    Args:
        workspace: whose review.
        config: by default the settings in use.
    """
    names = {image.id: image.name for image in catalogue.records(workspace)}
    looked_at = reviews(workspace, config)
    judged = [review for review in looked_at if review.verdict]
    counts = Counter(review.verdict.text for review in judged if review.verdict)
    busy = Counter(who for review in judged for who in review.verdicts)
    verdicts = {verdict: counts[verdict] for verdict in VERDICTS}
    agreed = agreement(judged)
    return Summary(
        images=len(names),
        reviewed=len(judged),
        verdicts=verdicts,
        reviewers=tuple(who for who, _ in busy.most_common()),
        agreement=agreed,
        changes=changes(looked_at),
        worst=_worst(judged, names),
        recommendation=recommend(len(names), verdicts, agreed),
    )


def agreement(judged: Sequence[Review]) -> Agreement | None:
    """The agreement of the two reviewers who have most images in common."""
    shared = Counter(pair for r in judged for pair in combinations(sorted(r.verdicts), 2))
    if not shared:
        return None
    (one, other), count = shared.most_common(1)[0]
    both = [r.verdicts for r in judged if one in r.verdicts and other in r.verdicts]
    first, second = ([said[who].text for said in both] for who in (one, other))
    same = sum(a == b for a, b in zip(first, second, strict=True)) / count
    return Agreement((one, other), count, same, _kappa(first, second))


def _kappa(first: Sequence[str], second: Sequence[str]) -> float | None:
    # Chance agreement is then 1, and kappa 0 / 0.
    if len({*first, *second}) < 2:
        return None
    from sklearn.metrics import cohen_kappa_score

    return float(cohen_kappa_score(first, second))


def recommend(images: int, verdicts: dict[str, int], agreed: Agreement | None) -> Recommendation:
    """What to do next, by the limits at the head of this file."""
    reviewed = sum(verdicts.values())
    least = min(LEAST_REVIEWED, images)
    if reviewed < max(least, 1):
        return Recommendation("review", {"reviewed": reviewed, "least": max(least, 1)})
    good, bad = verdicts["good"] / reviewed, verdicts["bad"] / reviewed
    shares = {"good": f"{good:.0%}", "bad": f"{bad:.0%}", "reviewed": reviewed}
    limits = {"least": f"{LEAST_GOOD:.0%}", "few": f"{FEW_BAD:.0%}"}
    if agreed and agreed.kappa is not None and agreed.kappa < LEAST_KAPPA:
        one, other = agreed.reviewers
        values = {"kappa": f"{agreed.kappa:.2f}", "least": LEAST_KAPPA, "images": agreed.images}
        return Recommendation("agree", values | {"one": one, "other": other})
    if bad > MOST_BAD:
        return Recommendation("tune", shares | {"most": f"{MOST_BAD:.0%}"})
    go = bad <= FEW_BAD and good >= LEAST_GOOD
    return Recommendation("go" if go else "correct", shares | limits)


def _worst(judged: Sequence[Review], names: dict[str, str]) -> tuple[Worst, ...]:
    rows = [_row(review, names[review.image_id]) for review in judged]
    rows.sort(key=lambda r: (-VERDICTS.index(r.verdict), -r.lost, np.nan_to_num(r.predicted_iou)))
    return tuple(rows[:WORST])


def _row(review: Review, name: str) -> Worst:
    assert review.verdict
    before = len(review.before.regions)
    untouched = sum(item.origin == "automatic" for item in review.kept)
    ious = [item.region.predicted_iou for item in review.kept]
    return Worst(
        image_id=review.image_id,
        name=name,
        verdict=review.verdict.text,
        who=review.verdict.who,
        lost=1 - untouched / before if before else 0.0,
        predicted_iou=float(np.mean(ious)) if ious else math.nan,
    )


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)
