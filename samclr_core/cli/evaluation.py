"""Station 5: ``samclr evaluate``, ``samclr robustness`` and ``samclr study``."""

from pathlib import Path
from typing import Annotated

import typer

from samclr_core.cli.common import (
    JsonOption,
    SettingsOption,
    WorkspaceOption,
    existing,
    parsed,
    perform,
)
from samclr_core.config import with_changes
from samclr_core.jobs import Progress

DataOption = Annotated[
    Path | None,
    typer.Option(help="A labelled folder; without it, the workspace's labelled images."),
]


def evaluate(
    workspace: WorkspaceOption,
    run: Annotated[str, typer.Option(help="The run's name.")],
    data: DataOption = None,
    curves: Annotated[
        bool, typer.Option("--curves", help="Also with 1, 2, 5, ... labels per class.")
    ] = False,
    fine_tune: Annotated[
        bool, typer.Option("--fine-tune", help="Also train whole networks on the labels.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure what a run's encoder is worth, beside the baselines."""

    def work(progress: Progress) -> dict:
        from samclr_core.evaluation.evaluate import evaluate as evaluate_run
        from samclr_core.training import runs

        opened = existing(workspace)
        found = runs.run(opened, run)
        return evaluate_run(
            opened, found, data, progress, with_curves=curves, with_fine_tuning=fine_tune
        ).brief()

    perform("evaluation", work, as_json)


def robustness(
    workspace: WorkspaceOption,
    data: DataOption = None,
    kinds: Annotated[
        str, typer.Option(help="Kinds of damage, with commas.")
    ] = "eroded,dilated,merged,split,shifted,dropped",
    strengths: Annotated[str, typer.Option(help="Of each kind, 0 to 1, with commas.")] = "0.2,0.5",
    seeds: Annotated[int, typer.Option(help="Trainings at each point.")] = 3,
    preset: Annotated[str, typer.Option(help="quick, standard or gpu.")] = "quick",
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """How good must the segmentation be? Train on damaged regions, point by point."""

    def work(progress: Progress) -> dict:
        from samclr_core.evaluation.robustness.answer import answer, spoken
        from samclr_core.evaluation.robustness.config import StudyConfig
        from samclr_core.evaluation.robustness.study import study
        from samclr_core.training.config import PRESETS

        asked = {
            "training": with_changes(PRESETS, preset, parsed(settings)).model_dump(),
            "kinds": [kind.strip() for kind in kinds.split(",")],
            "strengths": [strength.strip() for strength in strengths.split(",")],
            "seeds": seeds,
        }
        found = study(existing(workspace), StudyConfig.of(asked), data, progress)
        return {
            "answer": [spoken(note, "en") for note in answer(found)],
            "rows": found.table(),
            "n_test": found.n_test,
            "seconds": round(found.seconds, 2),
        }

    perform("evaluation", work, as_json)


def study(
    file: Annotated[Path, typer.Argument(help="A study as YAML; see the folder studies.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Where workspaces and results go; else workspaces/studies and its name."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Train and judge a whole grid of methods, views and seeds; goes on where it was stopped."""

    def work(progress: Progress) -> dict:
        from samclr_core.evaluation.study import engine, page, results
        from samclr_core.evaluation.study.config import read

        folder = out or Path("workspaces") / "studies" / file.stem
        found = engine.study(folder, read(file), progress)
        return {
            "rows": [row.brief() for row in found.rows],
            "differences": [one.brief() for one in found.differences],
            "table": str(folder / results.TABLE),
            "page": str(folder / page.PAGE),
        }

    perform("evaluation", work, as_json)
