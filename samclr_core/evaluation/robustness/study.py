"""The study itself: damage, train, evaluate, point by point; nothing is done twice."""

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from samclr_core.cache import Arrays, digest, remembered
from samclr_core.evaluation import intervals
from samclr_core.evaluation import results as evaluations
from samclr_core.evaluation.evaluate import evaluate, name_of
from samclr_core.evaluation.robustness import results
from samclr_core.evaluation.robustness.config import StudyConfig
from samclr_core.evaluation.robustness.results import Kind, Row, Study
from samclr_core.images import catalogue
from samclr_core.jobs import Progress, silent
from samclr_core.messages import UserError
from samclr_core.progress import part, shared
from samclr_core.regions import sources, store
from samclr_core.regions.config import Perturbation
from samclr_core.regions.perturb.batch import perturb_workspace
from samclr_core.regions.sources import Source
from samclr_core.training.runs import Run
from samclr_core.training.trained import trained
from samclr_core.views import purity
from samclr_core.views.purity import Reference
from samclr_core.workspace import Workspace

# Hundredths of the bar for making and judging the regions.
DAMAGE_SHARE = 10


@dataclass(frozen=True)
class Point:
    """One set of regions of one seed."""

    kind: Kind
    strength: float
    seed: int
    source: Source | None = None
    mean_best_iou: float | None = None
    purity: float = float("nan")
    reference: Reference = "labels"

    @property
    def views(self) -> str:
        return "image" if self.kind == "image" else "region"

    @property
    def title(self) -> str:
        return f"{self.kind} {self.strength:g}" if self.strength else self.kind


@dataclass(frozen=True)
class Trial:
    """A point, its run, and bool [n_test]: whether its linear probe was right."""

    point: Point
    run: Run
    evaluation: evaluations.Evaluation
    correct: np.ndarray


def study(
    workspace: Workspace,
    config: StudyConfig,
    data: Path | None = None,
    progress: Progress = silent,
) -> Study:
    """Train and evaluate on regions of every kind and strength of damage.

    Beside them stand the undamaged regions and image views, each with the same budget and seeds.
    Runs and evaluations that are there are used again, so a study that was stopped goes on where
    it was. The result is kept: see :func:`results.studies`.

    Args:
        workspace: its images and the regions in use.
        config: what is tried.
        data: a labelled folder; None for the workspace's own labelled images.
        progress: told of every step, in hundredths of the whole.

    Raises:
        UserError: there are no regions, a damage leaves none, or as training and evaluation do.
        Cancelled: as ``progress`` asks.
    """
    config = config.normal()
    if sources.current(workspace) is None:
        raise UserError("training.no_regions")
    planned = shared(_points(config), 0, DAMAGE_SHARE, progress, _name)
    points = [_judged(workspace, config, *step) for step in planned]
    trials = [
        _tried(workspace, config, data, *step)
        for step in shared(points, DAMAGE_SHARE, 100, progress, _name)
    ]
    rows = [
        _row(trials, kind, strength)
        for kind, strength in dict.fromkeys((p.kind, p.strength) for p in points)
    ]
    first = trials[0].evaluation
    found = Study(
        name=f"{config.digest()}-{name_of(data)}",
        created=time.time(),
        config=config,
        data_name=first.data_name,
        reference=points[0].reference,
        n_test=first.n_test,
        rows=rows,
        seconds=sum(trial.run.seconds for trial in trials),
    )
    results.save(workspace, found)
    progress(100, 100)
    return found


def _points(config: StudyConfig) -> list[Point]:
    """Everything to be tried; what is compared with comes first, as each run's twin does."""
    conditions: list[tuple[Kind, float]] = [("image", 0.0), ("undamaged", 0.0)]
    conditions += [(kind, strength) for kind in config.kinds for strength in config.strengths]
    return [Point(kind, s, seed) for kind, s in conditions for seed in range(config.seeds)]


def _name(point: Point) -> str:
    return f"{point.title}, seed {point.seed}"


def _judged(workspace: Workspace, config: StudyConfig, point: Point, progress: Progress) -> Point:
    """The point with its regions made, and how good they are."""
    source, iou = sources.current(workspace), None if point.kind == "image" else 1.0
    if point.strength:
        damage = Perturbation.of(
            {"kind": point.kind, "strength": point.strength, "seed": point.seed}
        )
        made = perturb_workspace(workspace, damage, part(progress, 0, 50))
        source, iou = made.source, made.mean_best_iou
    assert source is not None
    share, reference = _purity(workspace, config, point, source, part(progress, 50, 100))
    return replace(point, source=source, mean_best_iou=iou, purity=share, reference=reference)


def _purity(
    workspace: Workspace, config: StudyConfig, point: Point, source: Source, progress: Progress
) -> tuple[float, Reference]:
    """Pair purity of the point's views, and what it was judged by; from the cache."""
    views = config.of_views("region", point.seed).views
    images = [(image.id, image.has_label_map) for image in catalogue.records(workspace)]
    cut = [(i, labelled) for i, labelled in images if store.has(workspace, i, source.segmenter)]

    def measure() -> Arrays:
        found = purity.of_regions(workspace, config.pairs, point.seed, progress, views, source)
        means = {kind: np.array(getattr(found, kind).mean) for kind in ("image", "region")}
        return {**means, "reference": np.array(found.reference)}

    key = digest(source.digest(), views.digest(), config.pairs, point.seed, cut)
    known, _ = remembered(workspace, "purity", key, measure)
    reference: Reference = "labels" if known["reference"] == "labels" else "regions"
    return float(known[point.views]), reference


def _tried(
    workspace: Workspace, config: StudyConfig, data: Path | None, point: Point, progress: Progress
) -> Trial:
    settings = config.of_views(point.views, point.seed)
    run = trained(workspace, settings, point.source, part(progress, 0, 80))
    # Nobody looks at the map of a run on damaged regions, and it takes as long as the rest.
    onward, undamaged = part(progress, 80, 100), not point.strength
    evaluation = evaluate(workspace, run, data, onward, with_map=undamaged)
    path = evaluations.path_of(run, evaluation)
    return Trial(point, run, evaluation, evaluations.correct(path))


def _row(trials: list[Trial], kind: Kind, strength: float) -> Row:
    mine = [t for t in trials if (t.point.kind, t.point.strength) == (kind, strength)]
    ours = np.array([trial.correct for trial in mine])
    whole, image = (
        np.array([trial.correct for trial in trials if trial.point.kind == other])
        for other in ("undamaged", "image")
    )
    ious = [trial.point.mean_best_iou for trial in mine if trial.point.mean_best_iou is not None]
    return Row(
        kind=kind,
        strength=strength,
        mean_best_iou=float(np.mean(ious)) if ious else None,
        purity=float(np.mean([trial.point.purity for trial in mine])),
        accuracy=intervals.accuracy(ours),
        change=intervals.paired_difference(ours, whole),
        gain=intervals.paired_difference(ours, image),
        runs=[trial.run.id for trial in mine],
    )
