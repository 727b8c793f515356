"""Nothing is learned twice: a run that is there already is taken, or gone on with."""

from samclr_core import jobs
from samclr_core.images import catalogue
from samclr_core.jobs import Progress, State, silent
from samclr_core.regions.sources import Source
from samclr_core.training import runs
from samclr_core.training.config import TrainingConfig
from samclr_core.training.loop import train
from samclr_core.training.runs import Run
from samclr_core.workspace import Workspace


def trained(
    workspace: Workspace,
    config: TrainingConfig,
    source: Source | None = None,
    progress: Progress = silent,
) -> Run:
    """The finished run of ``config`` on all images the workspace has now.

    Args:
        workspace: where it lives.
        config: its settings.
        source: whose regions ``region`` views are cut from; by default those in use.
        progress: told of the steps, where there are any left.

    Raises:
        UserError: as :func:`samclr_core.training.runs.create` and ``train`` do.
        Cancelled: as ``progress`` asks; the next call goes on from there.
    """
    run = _alike(workspace, config, source) or runs.create(workspace, config, source)
    if not run.finished:
        with jobs.at_work(run.folder, progress) as step:
            train(workspace, run, step)
    return run


def _alike(workspace: Workspace, config: TrainingConfig, source: Source | None) -> Run | None:
    """A run of the same settings, images and regions that is not at work; finished ones first."""
    images = [image.id for image in catalogue.records(workspace)]
    used = runs.source_for(workspace, config, source)
    damaged = used is not None and used.perturbation is not None
    kept = runs.damaged_runs(workspace) if damaged else runs.runs(workspace)
    alike = [
        run for run in kept if run.config == config and run.source == used and run.images == images
    ]
    alike.sort(key=lambda run: not run.finished)
    return next((run for run in alike if run.state is not State.RUNNING), None)
