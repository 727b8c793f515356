"""What is known about a tuned model: where it is from, and what it is better or worse at.

No torch in here, so that pages stay quick.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from scipy import stats

from samclr_core.estimate import Estimate
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.sam import tuned
from samclr_core.workspace import Workspace

MEASURES = ("point", "point_best", "box", "clicks", "regions", "recall50", "recall75")
"""IoU of the mask trusted most at a point, of the best of the three, at a box, at several clicks;
best IoU of a segment with the automatic regions, and the share of segments over 0.5 and 0.75."""

Verdict = Literal["better", "unclear", "worse"]
Figures = dict[str, dict[str, float]]
"""Per image, by its id: its measures by name."""

FEW = 10


@dataclass(frozen=True)
class Comparison:
    """One measure on the images held out for it, before and after.

    Attributes:
        before: mean over images.
        after: the same of the tuned model.
        difference: after - before, with its 95% interval over images.
    """

    before: float
    after: float
    difference: Estimate

    @property
    def verdict(self) -> Verdict:
        """Whether the whole interval lies on one side of zero."""
        if self.difference.low > 0:
            return "better"
        return "worse" if self.difference.high < 0 else "unclear"


@dataclass(frozen=True)
class Report:
    """A tuned model.

    Attributes:
        name: in its workspace.
        start: the model it was tuned from.
        truth: where the masks came from: ``labels``, ``reviewed``, or a COCO file's name.
        settings: of the tuning.
        train: ids of the images it learned from.
        validation: of those that said when to stop and how far to go.
        test: of those that before and after are measured on.
        way: how far the weights were moved, 0 (not at all) to 1.
        journal: losses and validation score, epoch by epoch.
        seconds: it took.
        segmenter_before: settings that made the automatic regions of the test images before ...
        segmenter_after: ... and after; their regions are in the region store.
        before: the test images' measures before.
        after: and after.
    """

    name: str
    start: str
    truth: str
    settings: dict[str, Any]
    train: list[str]
    validation: list[str]
    test: list[str]
    way: float
    journal: list[dict[str, Any]]
    seconds: float
    segmenter_before: dict[str, Any]
    segmenter_after: dict[str, Any]
    before: Figures
    after: Figures

    @property
    def comparisons(self) -> dict[str, Comparison]:
        """Before and after by measure."""
        return compare(self.before, self.after)

    def segmenters(self, workspace: Workspace) -> tuple[SegmenterConfig, SegmenterConfig]:
        """The settings whose regions show the test images before and after."""
        before, after = (
            SegmenterConfig.of(values) for values in (self.segmenter_before, self.segmenter_after)
        )
        return tuned.at_home(workspace, before), tuned.at_home(workspace, after)

    def summary(self) -> dict[str, Any]:
        """The report in short, as plain values."""
        return {
            "model": self.name,
            "start": self.start,
            "images": {
                "train": len(self.train),
                "validation": len(self.validation),
                "test": len(self.test),
            },
            "epochs": len(self.journal) - 1,
            "way": self.way,
            "seconds": round(self.seconds, 1),
            "figures": {name: _plain(found) for name, found in self.comparisons.items()},
        }


def read(workspace: Workspace, name: str) -> Report:
    """The report of a tuned model.

    Raises:
        UserError: there is none of that name.
    """
    return Report(**tuned.about(workspace, name))


def write(workspace: Workspace, report: Report) -> None:
    """Keep the report; from then on the model can be chosen."""
    tuned.finish(workspace, report.name, asdict(report))


def compare(before: Figures, after: Figures) -> dict[str, Comparison]:
    """Every measure before and after, on the same images."""
    return {
        name: _compared(
            np.array([before[image][name] for image in before]),
            np.array([after[image][name] for image in before]),
        )
        for name in MEASURES
    }


def mean_of(differences: np.ndarray, seed: int = 0) -> Estimate:
    """The mean of one difference per image, float [N], with its 95% interval.

    A percentile bootstrap over images (Efron & Tibshirani 1993, chapter 13); of fewer than ten
    images, which it would make too narrow, Student's t interval. One image says nothing: -1 to 1.
    """
    mean, count = float(differences.mean()), len(differences)
    if count == 1:
        return Estimate(mean, -1.0, 1.0)
    if count < FEW:
        reach = stats.t.ppf(0.975, count - 1) * differences.std(ddof=1) / np.sqrt(count)
        return Estimate(mean, mean - float(reach), mean + float(reach))
    drawn = stats.bootstrap(
        (differences,), np.mean, method="percentile", rng=np.random.default_rng(seed)
    )
    low, high = drawn.confidence_interval
    return Estimate(mean, float(low), float(high))


def _compared(before: np.ndarray, after: np.ndarray) -> Comparison:
    return Comparison(float(before.mean()), float(after.mean()), mean_of(after - before))


def _plain(found: Comparison) -> Mapping[str, Any]:
    return {
        "before": round(found.before, 4),
        "after": round(found.after, 4),
        "ci95": [round(found.difference.low, 4), round(found.difference.high, 4)],
        "verdict": found.verdict,
    }
