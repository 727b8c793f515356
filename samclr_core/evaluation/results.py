"""What an evaluation found: kept in the run's folder, read by pages and the report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from samclr_core.cache import read
from samclr_core.estimate import Estimate
from samclr_core.evaluation import intervals
from samclr_core.evaluation.labels_saved import LabelsNeeded, labels_needed
from samclr_core.messages import say
from samclr_core.training.runs import Run
from samclr_core.workspace import write_atomic

METHODS = ("run", "colour", "start", "twin")
BASELINES = METHODS[1:]
Head = Literal["linear_probe", "knn", "fine_tuned"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Note(_Frozen):
    """Something to know about an evaluation, to be said in any language."""

    key: str
    values: dict[str, str | int | float] = {}

    def text(self, language: str = "en") -> str:
        return say(self.key, language, **self.values)


class Score(_Frozen):
    """A share of the test images, with its Wilson interval (95%)."""

    accuracy: float
    ci95: tuple[float, float]


class ProbeScore(Score):
    """The linear probe's.

    Attributes:
        C: inverse strength of regularisation, chosen inside the train split.
        C_scores: the C values tried, with their accuracy in cross-validation.
        per_class: share of each class that was found.
        confusion: counts, a row for each true class and a column for each predicted one.
    """

    C: float
    C_scores: dict[str, float]
    per_class: dict[str, float | None]
    confusion: list[list[int]]

    @property
    def balanced_accuracy(self) -> float:
        """Mean over classes: what counts where defects are rare."""
        return float(np.mean([share for share in self.per_class.values() if share is not None]))


class NeighbourScore(Score):
    """The k-NN's; ``k`` is what was left of 20 after clamping to the train split."""

    k: int


class Method(_Frozen):
    """One kind of features.

    Attributes:
        features: what they are: ``colour_statistics_54``, or a backbone with its weights.
        run: the run they come from; None where it is none.
        dim: how many.
        embedding_std: spread of the normalised features: about 1 is healthy, 0 is collapsed.
        silhouette: of the test images' classes in the features, -1 to 1; None where it was not, or
            cannot be, worked out.
        neighbour_purity: share of a test image's ten nearest that are of its class, and the share
            by chance.
        seconds: of ``features``, ``linear_probe`` and ``knn``, as first measured; what was found
            in the cache took that long when it was made.
    """

    features: str
    run: str | None
    dim: int
    linear_probe: ProbeScore
    knn: NeighbourScore
    embedding_std: float
    silhouette: float | None = None
    neighbour_purity: tuple[float, float] | None = None
    seconds: dict[str, float]


class CurvePoint(_Frozen):
    """A point of the curve over labels.

    Attributes:
        per_class: labels per class, fewer where a class has fewer; None is the whole train split.
        labels: in all.
        accuracy: of the linear probe, mean over draws.
        ci95: its interval over draws and test images.
    """

    per_class: int | None
    labels: int
    accuracy: float
    ci95: tuple[float, float]


class Evaluation(_Frozen):
    """What the features of a run are worth on one set of labelled images.

    Attributes:
        run: the run's id.
        name: of the files, made of the data's: ``<name>.json`` and ``<name>.npz``.
        data: the folder; None is the workspace's own labelled images.
        data_name: what to call the data.
        created: seconds since 1970.
        size: side in pixels at which the images were seen.
        split: ``official`` is the data set's own, ``half`` a seeded half of every class.
        test_digest: equal for two evaluations of the same test images with the same labels.
        train_per_class: train images of each class, in the order of ``classes``.
        majority: share of the most frequent class of the test split, what guessing would give.
        views: kind of the run's views; the twin has the other kind.
        twin: id of the twin, the run that differs in the kind of views only; None: there is none.
        methods: ``run``, ``colour``, ``start``, and ``twin`` where there is one.
        curves: accuracy over labels of each method; empty where it was not asked for.
        labels_needed: by the run, for what ``twin`` and ``start`` reach with all labels; empty
            where there are no curves.
        fine_tuned: of the whole network trained on the train split (:mod:`.fine_tuning`), from
            ``run``, ``twin``, a pretrained ``start``, and from ``scratch``; empty where it was not
            asked for.
        seconds: of ``images`` (decoding), ``map``, and ``total``: what this evaluation itself took.
        notes: what a reader must know.
    """

    run: str
    name: str
    data: str | None
    data_name: str
    created: float
    size: int
    split: Literal["official", "half"]
    test_digest: str
    n_train: int
    n_test: int
    classes: list[str]
    train_per_class: list[int]
    test_per_class: list[int]
    majority: float
    views: str
    twin: str | None
    methods: dict[str, Method]
    curves: dict[str, list[CurvePoint]] = {}
    labels_needed: dict[str, LabelsNeeded] = {}
    fine_tuned: dict[str, Score] = {}
    seconds: dict[str, float]
    notes: list[Note]

    def brief(self) -> dict[str, Any]:
        """The figures alone, as the command line prints them."""
        return _brief(self.methods["run"]) | {
            "baselines": {
                name: _brief(self.methods[name]) if name in self.methods else None
                for name in BASELINES
            },
            "classes": len(self.classes),
            "n_train": self.n_train,
            "n_test": self.n_test,
            "curves": {
                name: [[p.labels, round(p.accuracy, 4), *_rounded(p.ci95)] for p in points]
                for name, points in self.curves.items()
            },
            "labels_needed": {name: n.brief() for name, n in self.labels_needed.items()},
            "fine_tuned": {name: _figures(score) for name, score in self.fine_tuned.items()},
            "notes": [note.text() for note in self.notes],
        }


def _rounded(ends: tuple[float, float]) -> list[float]:
    return [round(end, 4) for end in ends]


def _brief(method: Method) -> dict[str, Any]:
    scores: Mapping[str, Score] = {"linear_probe": method.linear_probe, "knn": method.knn}
    return {head: _figures(score) for head, score in scores.items()}


def _figures(score: Score) -> dict[str, Any]:
    return {"accuracy": round(score.accuracy, 4), "ci95": _rounded(score.ci95)}


POINT_ARRAYS = (
    "ids", "names", "labels", "split", "predicted", "x", "y", "pca_x", "pca_y", "sources", "paths",
    "image_ids",
)  # fmt: skip


@dataclass(frozen=True)
class Point:
    """An image on the map.

    Attributes:
        id: content id, stable: the same picture has the same id in every map.
        name: its path within the data set.
        label: its class.
        split: ``train`` or ``test``; None for a class too small to be in both.
        predicted: the linear probe's answer; None outside the test split.
        correct: whether that is right; None outside the test split.
        x: place on the map.
        y: place on the map.
        pca_x: first principal component.
        pca_y: second principal component.
        source: the photo it was cut from, or the folder, zip or upload it came with.
        path: a file that shows it.
        image_id: its id in the workspace; None for a file of a folder.
    """

    id: str
    name: str
    label: str
    split: str | None
    predicted: str | None
    correct: bool | None
    x: float
    y: float
    pca_x: float
    pca_y: float
    source: str
    path: Path
    image_id: str | None


def folder(run: Run) -> Path:
    return run.folder / "evaluation"


def path_of(run: Run, evaluation: Evaluation) -> Path:
    """The JSON file of an evaluation; its arrays lie beside it as .npz."""
    return folder(run) / f"{evaluation.name}.json"


def save(path: Path, evaluation: Evaluation) -> None:
    write_atomic(path, evaluation.model_dump_json(indent=1).encode())


def load(path: Path) -> Evaluation:
    return Evaluation.model_validate_json(path.read_text(encoding="utf-8"))


def evaluations(run: Run) -> list[Evaluation]:
    """The evaluations of ``run``, newest first; files of another make are passed over."""
    found = []
    for path in folder(run).glob("*.json"):
        try:
            found.append(load(path))
        except ValidationError:
            continue
    return sorted(found, key=lambda evaluation: evaluation.created, reverse=True)


def points(path: Path) -> list[Point]:
    """The map of the evaluation in ``path`` (its .json), one point per image shown."""
    arrays = read(path.with_suffix(".npz"))
    if not set(POINT_ARRAYS) <= set(arrays):
        # Of an older make.
        return []
    columns = [arrays[name].tolist() for name in POINT_ARRAYS]
    rows = [dict(zip(POINT_ARRAYS, row, strict=True)) for row in zip(*columns, strict=True)]
    return [_point(row) for row in rows if np.isfinite(row["x"])]


def _point(row: Mapping[str, Any]) -> Point:
    predicted = row["predicted"] or None
    return Point(
        id=row["ids"],
        name=row["names"],
        label=row["labels"],
        split=row["split"] or None,
        predicted=predicted,
        correct=None if predicted is None else predicted == row["labels"],
        x=row["x"],
        y=row["y"],
        pca_x=row["pca_x"],
        pca_y=row["pca_y"],
        source=row["sources"],
        path=Path(row["paths"]),
        image_id=row["image_ids"] or None,
    )


def correct(path: Path, method: str = "run", head: Head = "linear_probe") -> np.ndarray:
    """bool [n_test]: was the method right on each test image? Ordered by content id."""
    name = f"correct_{method}_{head}"
    return read(path.with_suffix(".npz"), name)[name]


def correct_with_few_labels(path: Path, method: str, point: int) -> np.ndarray:
    """bool [draws, n_test]: the same at a point of the method's curve, for every draw of labels."""
    name = f"curve_{method}_{point}"
    return read(path.with_suffix(".npz"), name)[name]


Side = Sequence[tuple[Path, str]]
"""One of two that are compared: for each seed an evaluation's .json and a method in it."""


def labels_saved(a: Side, b: Side) -> LabelsNeeded | None:
    """What ``a`` needs for what ``b`` reaches with all labels, as :func:`difference` pairs them.

    None where an evaluation of ``a`` has no curve, or another one than the others.
    """
    curves = [load(path).curves.get(method, []) for path, method in a]
    amounts = {tuple(point.labels for point in points) for points in curves}
    if len(amounts) != 1 or amounts == {()}:
        return None
    labels = amounts.pop()
    ours = [
        np.array([correct_with_few_labels(path, method, at) for path, method in a])
        for at in range(len(labels))
    ]
    theirs = np.array([correct(path, method) for path, method in b])
    return labels_needed(labels, ours, theirs)


def difference(
    a: Side,
    b: Side,
    head: Head = "linear_probe",
    draws: int = 10_000,
    comparisons: int = 1,
) -> Estimate:
    """How much more accurate ``a`` is than ``b``, seed by seed on the same test images.

    Args:
        a: such as ``[(path, "run")]``.
        b: in the same order of seeds; ``(path, "twin")`` compares a run with its twin.
        head: which of the two predictors.
        draws: bootstrap samples; see :func:`intervals.paired_difference`.
        comparisons: how many such differences are read side by side; see there, too.

    Raises:
        ValueError: they were not judged by the same test images.
    """
    if len({load(path).test_digest for path, _ in [*a, *b]}) != 1:
        raise ValueError("the evaluations have different test images")
    ours, theirs = (
        np.array([correct(path, method, head) for path, method in side]) for side in (a, b)
    )
    return intervals.paired_difference(ours, theirs, draws, comparisons=comparisons)
