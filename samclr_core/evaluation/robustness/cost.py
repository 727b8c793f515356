"""What a study will take, told by the runs that are there already."""

from dataclasses import dataclass
from itertools import product
from statistics import median

from samclr_core.evaluation import results
from samclr_core.evaluation.robustness.config import StudyConfig
from samclr_core.images import catalogue
from samclr_core.regions import sources
from samclr_core.regions.config import Perturbation
from samclr_core.regions.sources import Source
from samclr_core.training import runs
from samclr_core.training.runs import Run
from samclr_core.workspace import Workspace


@dataclass(frozen=True)
class Cost:
    """What is left of a study.

    Attributes:
        trainings: in all.
        missing: of these, not there yet.
        seconds: machine time of the missing ones with their evaluations; None where no run of this
            backbone and size of views has finished here, so that nobody knows.
    """

    trainings: int
    missing: int
    seconds: float | None


def cost(workspace: Workspace, config: StudyConfig) -> Cost:
    """What ``config`` will take with the images and regions that the workspace has now."""
    config = config.normal()
    images = [image.id for image in catalogue.records(workspace)]
    kept = [*runs.runs(workspace), *runs.damaged_runs(workspace)]
    finished = [run for run in kept if run.finished]
    there = {_key(run.config, run.source) for run in finished if run.images == images}
    wanted = _wanted(config, sources.current(workspace))
    missing = len(wanted - there)
    each = _seconds_each(config, finished, len(images))
    return Cost(len(wanted), missing, None if each is None else each * missing)


def _wanted(config: StudyConfig, source: Source | None) -> set[tuple[str, str]]:
    found = set()
    for seed in range(config.seeds):
        found.add(_key(config.of_views("image", seed), None))
        region = config.of_views("region", seed)
        found.add(_key(region, source))
        for kind, strength in product(config.kinds, config.strengths):
            damage = Perturbation(kind=kind, strength=strength, seed=seed)
            damaged = source.model_copy(update={"perturbation": damage}) if source else None
            # Without regions nothing can be there; the key only has to be one of its own.
            found.add((region.digest(), damaged.digest() if damaged else str(damage)))
    return found


def _key(config, source: Source | None) -> tuple[str, str]:
    return config.digest(), source.digest() if source else ""


def _seconds_each(config: StudyConfig, finished: list[Run], images: int) -> float | None:
    """Of a training and its evaluation, by the pace of runs that are alike."""
    wanted = config.training
    alike = [
        run
        for run in finished
        if run.config.backbone == wanted.backbone
        and run.config.views.size == wanted.views.size
        and run.facts.get("pairs")
    ]
    if not alike:
        return None
    pace = median(run.seconds / run.facts["pairs"] for run in alike)
    measured = [e.seconds for run in alike for e in results.evaluations(run)]
    evaluation = median(s["total"] - s["map"] for s in measured) if measured else 0.0
    return pace * wanted.epochs * wanted.pairs_per_image * images + evaluation
