"""The whole line in one call: from photos to a report, with nothing computed twice."""

from pathlib import Path

from samclr_core.config import with_changes
from samclr_core.decision.report import write_report
from samclr_core.evaluation.evaluate import evaluate
from samclr_core.images.intake import add_paths
from samclr_core.jobs import Progress
from samclr_core.regions.batch import segment_workspace
from samclr_core.regions.config import PRESETS as SEGMENTERS
from samclr_core.training.config import PRESETS as TRAININGS
from samclr_core.training.runs import Run
from samclr_core.training.trained import trained
from samclr_core.views.purity import measure
from samclr_core.workspace import Workspace


def run_line(
    workspace: Workspace,
    scenes: Path,
    probe: Path,
    preset: str,
    seeds: int,
    language: str,
    progress: Progress,
) -> dict:
    """Images, regions, views, both kinds of training for every seed, evaluations, report.

    Args:
        workspace: where it happens; what it has already is used again.
        scenes: photos to learn from.
        probe: labelled folder to evaluate on.
        preset: of the training.
        seeds: trainings of each kind of view, with the seeds 0, 1, ...
        language: of the report.
        progress: told of each part's steps.

    Returns:
        ``report`` (path), ``runs``, ``purity`` and ``accuracy`` by kind of view.

    Raises:
        UserError: as the stations do.
    """
    add_paths(workspace, [scenes], progress=progress)
    segment_workspace(workspace, SEGMENTERS["draft"], progress=progress)
    purity = measure(workspace, progress=progress)
    kinds = ("image", "region")
    configs = {
        kind: [
            with_changes(TRAININGS, preset, {"views.kind": kind, "seed": seed})
            for seed in range(seeds)
        ]
        for kind in kinds
    }
    learned = {
        kind: [trained(workspace, c, progress=progress) for c in configs[kind]] for kind in kinds
    }
    accuracy = {
        kind: [_accuracy(workspace, run, probe, progress) for run in learned[kind]]
        for kind in kinds
    }
    return {
        "report": str(write_report(workspace, language)),
        "runs": {kind: [run.id for run in learned[kind]] for kind in kinds},
        "purity": {"image": round(purity.image.mean, 4), "region": round(purity.region.mean, 4)},
        "accuracy": accuracy,
    }


def _accuracy(workspace: Workspace, run: Run, probe: Path, progress: Progress) -> float:
    evaluation = evaluate(workspace, run, probe, progress)
    return round(evaluation.methods["run"].linear_probe.accuracy, 4)
