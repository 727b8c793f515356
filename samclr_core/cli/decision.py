"""Station 6: ``samclr report``, and ``samclr demo``, which walks the whole line."""

from typing import Annotated

import typer

from samclr_core.cli.common import JsonOption, LanguageOption, WorkspaceOption, existing, perform
from samclr_core.jobs import Progress
from samclr_core.workspace import SAMPLE_DATA, Workspace


def report(
    workspace: WorkspaceOption,
    language: LanguageOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Write the whole POC into one self-contained HTML file."""

    def work(progress: Progress) -> dict:
        from samclr_core.decision.report import write_report

        return {"report": str(write_report(existing(workspace), language))}

    perform("decision", work, as_json)


def demo(
    workspace: WorkspaceOption,
    preset: Annotated[str, typer.Option(help="quick, standard or gpu.")] = "quick",
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each kind of view.")] = 1,
    language: LanguageOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Run the whole line on the sample data: region views beside image views."""

    def work(progress: Progress) -> dict:
        from samclr_core.decision.line import run_line

        scenes, probe = SAMPLE_DATA / "scenes", SAMPLE_DATA / "probe"
        opened = Workspace(workspace)
        return run_line(opened, scenes, probe, preset, seeds, language, progress)

    perform("demo", work, as_json)
