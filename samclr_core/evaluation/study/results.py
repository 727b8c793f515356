"""What a study found: kept in its folder as JSON and as a table."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from samclr_core.estimate import Estimate
from samclr_core.evaluation.intervals import LEAST_SEEDS
from samclr_core.evaluation.labels_saved import LabelsNeeded
from samclr_core.evaluation.results import CurvePoint
from samclr_core.evaluation.study.config import PLAIN
from samclr_core.workspace import write_atomic

STUDY, TABLE = "study.json", "table.md"
FURTHER = "Further differences, of the linear probe and of k-NN"
NEEDED = (
    "Labels needed to equal what the other reaches with all, each with a 95 % interval of its own:"
)


class Row(BaseModel):
    """One method on one data set, over all seeds.

    Attributes:
        images: name of the photos it learned from.
        loss: the method; ``colour`` and ``start`` are the baselines that learned nothing.
        views: kind of views; "" for the baselines.
        variant: name of the variant, "" for the plain one.
        data: name of the data set it is judged by.
        accuracy: of the linear probe, over seeds and test images.
        knn: of the nearest neighbours.
        fine_tuned: of the whole network trained on the labels; from random weights, which are the
            ``start`` of runs that were not pretrained, this is supervised learning from scratch.
        curve: of the linear probe on few labels, over seeds, draws and test images; empty where it
            was not asked for.
        gain: accuracy minus that of ``image`` views of the same loss and variant, or, where the
            variant has none, of the plain ones, paired by seed and test image; its interval is
            widened for the number of differences of a data set. None for the plain image views
            and for the baselines.
        knn_gain: the same of the nearest neighbours, with simultaneous intervals of its own.
        labels_needed: by this row, for what those reach with all labels; None where there is no
            gain, or no curve.
        seeds: trainings it rests on.
        seconds: machine time of these.
        runs: their ids, by seed.
    """

    model_config = ConfigDict(frozen=True)

    images: str
    loss: str
    views: str
    variant: str
    data: str
    accuracy: Estimate
    knn: Estimate
    fine_tuned: Estimate | None = None
    curve: list[CurvePoint] = []
    gain: Estimate | None = None
    knn_gain: Estimate | None = None
    labels_needed: LabelsNeeded | None = None
    seeds: int
    seconds: float
    runs: list[str]

    def brief(self) -> dict[str, Any]:
        """The figures as the command line prints them."""
        return {
            "images": self.images,
            "loss": self.loss,
            "views": self.views,
            "variant": self.variant,
            "data": self.data,
            "accuracy": round(self.accuracy.mean, 4),
            "ci95": [round(self.accuracy.low, 4), round(self.accuracy.high, 4)],
            "knn": round(self.knn.mean, 4),
            "fine_tuned": _rounded(self.fine_tuned),
            "curve": [[p.labels, round(p.accuracy, 4)] for p in self.curve],
            "gain": _rounded(self.gain),
            "knn_gain": _rounded(self.knn_gain),
            "labels_needed": self.labels_needed and self.labels_needed.brief(),
            "seeds": self.seeds,
            "seconds": round(self.seconds, 1),
        }


class Difference(BaseModel):
    """Accuracy of one row minus that of another, paired and widened as :attr:`Row.gain` is.

    Attributes:
        images: name of the photos both learned from.
        data: name of the data set both are judged by.
        loss: of both.
        row: name of the one.
        beside: name of the other.
        gain: of the linear probe.
        knn_gain: of the nearest neighbours.
        labels_needed: as :attr:`Row.labels_needed` is.
    """

    model_config = ConfigDict(frozen=True)

    images: str
    data: str
    loss: str
    row: str
    beside: str
    gain: Estimate
    knn_gain: Estimate
    labels_needed: LabelsNeeded | None = None

    @property
    def name(self) -> str:
        """What was subtracted from what."""
        return f"{self.loss}: {self.row}, minus {self.beside}"

    def brief(self) -> dict[str, Any]:
        """The figures as the command line prints them."""
        figures = {
            "gain": _rounded(self.gain),
            "knn_gain": _rounded(self.knn_gain),
            "labels_needed": self.labels_needed and self.labels_needed.brief(),
        }
        return self.model_dump(exclude=set(figures)) | figures


class Study(BaseModel):
    """A study's rows, and what was compared beyond them.

    Attributes:
        n_test: test images, by data set.
        majority: what always naming the most frequent class would give, by data set.
        compared: the number of differences that share each error rate.
    """

    model_config = ConfigDict(frozen=True)

    title: str
    created: float
    config: dict[str, Any]
    n_test: dict[str, int]
    majority: dict[str, float]
    compared: int
    rows: list[Row]
    differences: list[Difference] = []


def save(folder: Path, study: Study) -> None:
    """Write the study and its table into its folder."""
    write_atomic(folder / STUDY, study.model_dump_json(indent=1).encode())
    write_atomic(folder / TABLE, table(study).encode())


def table(study: Study) -> str:
    """The study as markdown, a part for each set of images and data."""
    return f"# {study.title}\n\n" + "\n".join(_part(study, rows) for rows in parts(study))


def parts(study: Study) -> list[list[Row]]:
    """The rows of each set of images and data, which can be compared."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in study.rows:
        found.setdefault((row.images, row.data), []).append(row)
    return list(found.values())


def _part(study: Study, rows: list[Row]) -> str:
    images, data = rows[0].images, rows[0].data
    tuned = any(row.fine_tuned for row in rows)
    title, rule = (" fine-tuned |", " ---: |") if tuned else ("", "")
    return "\n".join(
        [
            f"**{images} → {data}**, {study.n_test[data]} test images; always naming the most"
            f" frequent class would give {100 * study.majority[data]:.1f}",
            "",
            "| method | views | seeds | linear probe | to image views | k-NN | to image views |"
            + title,
            "| --- | --- | ---: | ---: | ---: | ---: | ---: |" + rule,
            *(_line(row, tuned) for row in rows),
            "",
            *_further(differences(study, rows)),
            *_few_labels(rows),
            *_saved(labels(study, rows)),
            reading(study, rows),
            "",
        ]
    )


def differences(study: Study, rows: list[Row]) -> list[Difference]:
    """Those between rows of a part."""
    part = rows[0].images, rows[0].data
    return [one for one in study.differences if (one.images, one.data) == part]


def _further(found: list[Difference]) -> list[str]:
    lines = [f"- {one.name}: {signed(one.gain)}, and {signed(one.knn_gain)}" for one in found]
    return [f"{FURTHER}:", "", *lines, ""] if lines else []


def _few_labels(rows: list[Row]) -> list[str]:
    points = rows[0].curve
    if not points:
        return []
    counts = [str(point.per_class or f"all {point.labels}") for point in points]
    return [
        "The linear probe on so many labels per class:",
        "",
        f"| method | views | {' | '.join(counts)} |",
        f"| --- | --- |{' ---: |' * len(counts)}",
        *(
            f"| {_method(row)} | {row.views} | "
            f"{' | '.join(f'{100 * point.accuracy:.1f}' for point in row.curve)} |"
            for row in rows
        ),
        "",
    ]


def labels(study: Study, rows: list[Row]) -> list[tuple[str, str]]:
    """Of every comparison of a part with curves: what is compared, and the labels it needs."""
    in_rows = [(f"{_named(row)}, to equal image views", row.labels_needed) for row in rows]
    further = [
        (f"{one.loss}: {one.row}, to equal {one.beside}", one.labels_needed)
        for one in differences(study, rows)
    ]
    return [(name, _amount(needed)) for name, needed in in_rows + further if needed]


def _named(row: Row) -> str:
    return f"{row.loss}: {', '.join(filter(None, (row.variant, row.views)))}"


def _amount(needed: LabelsNeeded) -> str:
    more = "more than all"
    low, high = (more if end is None else f"{end:.0f}" for end in (needed.low, needed.high))
    value = f"{needed.labels:.0f} of" if needed.labels is not None else more
    ends = f" ({low} to {high})" if needed.low is not None else ""
    return f"{value} {needed.all}{ends}"


def _saved(found: list[tuple[str, str]]) -> list[str]:
    lines = [f"- {name}: {amount}" for name, amount in found]
    return [NEEDED, "", *lines, ""] if lines else []


def reading(study: Study, rows: list[Row]) -> str:
    """What a reader must know about the intervals."""
    said = [
        f"Intervals are 95 %; those of the {study.compared} differences of the linear probe are"
        " simultaneous, and so are those of k-NN."
    ]
    if min(row.seeds for row in rows) < LEAST_SEEDS:
        said.append(
            f"With fewer than {LEAST_SEEDS} seeds they hold for these trainings only: another seed"
            " may turn a difference round."
        )
    return " ".join(said)


def _method(row: Row) -> str:
    return f"{row.loss}, {row.variant}" if row.variant != PLAIN else row.loss


def _line(row: Row, tuned: bool) -> str:
    cells = (
        _method(row),
        row.views,
        str(row.seeds),
        spread(row.accuracy),
        signed(row.gain),
        f"{100 * row.knn.mean:.1f}",
        signed(row.knn_gain),
        *([spread(row.fine_tuned)] if tuned else []),
    )
    return f"| {' | '.join(cells)} |"


def spread(value: Estimate | None, sign: str = "") -> str:
    """Per cent, with the interval; "" where nothing was measured."""
    if value is None:
        return ""
    mean, low, high = (f"{100 * end:{sign}.1f}" for end in (value.mean, value.low, value.high))
    return f"{mean} ({low} to {high})"


def signed(gain: Estimate | None) -> str:
    """Points, with the interval; "" where nothing was compared."""
    return spread(gain, "+")


def _rounded(value: Estimate | None) -> list[float] | None:
    return None if value is None else [round(end, 4) for end in (value.mean, value.low, value.high)]
