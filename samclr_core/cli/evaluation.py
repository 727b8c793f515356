"""Station 5: ``samclr evaluate``."""

from pathlib import Path
from typing import Annotated

import typer

from samclr_core.cli.common import JsonOption, WorkspaceOption, existing, perform
from samclr_core.jobs import Progress


def evaluate(
    workspace: WorkspaceOption,
    run: Annotated[str, typer.Option(help="The run's name.")],
    data: Annotated[
        Path | None,
        typer.Option(help="A labelled folder; without it, the workspace's labelled images."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure what a run's encoder is worth, beside the baselines."""

    def work(progress: Progress) -> dict:
        from samclr_core.evaluation.evaluate import evaluate as evaluate_run
        from samclr_core.training import runs

        opened = existing(workspace)
        return evaluate_run(opened, runs.run(opened, run), data, progress).brief()

    perform("evaluation", work, as_json)
