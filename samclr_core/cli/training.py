"""Station 4: ``samclr train`` and ``samclr export``."""

from pathlib import Path
from typing import Annotated

import typer

from samclr_core.cli.common import (
    JsonOption,
    SeedOption,
    SettingsOption,
    SourceOption,
    WorkspaceOption,
    existing,
    or_exit,
    parsed,
    perform,
)
from samclr_core.config import with_changes
from samclr_core.jobs import Progress
from samclr_core.workspace import Workspace


def train(
    workspace: WorkspaceOption,
    loss: Annotated[str, typer.Option(help="simclr, moco or dino.")] = "simclr",
    views: Annotated[str, typer.Option(help="image or region.")] = "region",
    preset: Annotated[str, typer.Option(help="quick, standard or gpu.")] = "quick",
    seed: SeedOption = 0,
    settings: SettingsOption = None,
    source: SourceOption = None,
    resume: Annotated[str | None, typer.Option(help="Go on with this run.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Train an encoder on pairs of views."""
    from samclr_core.regions import sources
    from samclr_core.training import runs
    from samclr_core.training.config import PRESETS

    def prepare() -> tuple[Workspace, runs.Run]:
        opened = existing(workspace)
        if resume:
            return opened, runs.run(opened, resume)
        changes = {"loss": loss, "views.kind": views, "seed": seed} | parsed(settings)
        whose = sources.named(opened, source) if source else None
        return opened, runs.create(opened, with_changes(PRESETS, preset, changes), whose)

    opened, run = or_exit(prepare)

    def work(progress: Progress) -> dict:
        from samclr_core.training.loop import train as train_run

        summary = train_run(opened, run, progress)
        return {
            "run": run.id,
            "steps": summary.steps,
            "seconds": round(summary.seconds, 2),
            "loss": round(summary.loss, 4),
        }

    perform("training", work, as_json, folder=run.folder)


def export(
    workspace: WorkspaceOption,
    run: Annotated[str, typer.Option(help="The run's name.")],
    kind: Annotated[
        str, typer.Option("--format", help="safetensors (for timm), torchscript or onnx.")
    ] = "safetensors",
    out: Annotated[Path | None, typer.Option(help="The file; else in the run's folder.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a run's encoder for use elsewhere."""

    def work(progress: Progress) -> dict:
        from samclr_core.training import runs
        from samclr_core.training.export import export as export_run
        from samclr_core.training.export import timm_name

        found = runs.run(existing(workspace), run)
        path = export_run(found, kind, out)
        size = found.config.views.size
        return {"file": str(path), "timm_model": timm_name(found), "input": [3, size, size]}

    perform("training", work, as_json)
