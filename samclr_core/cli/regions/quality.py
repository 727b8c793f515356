"""``samclr regions quality``: how good are the regions?"""

from pathlib import Path
from typing import Annotated

import typer

from samclr_core.cli.common import JsonOption, WorkspaceOption, existing, perform
from samclr_core.jobs import Progress


def quality(
    workspace: WorkspaceOption,
    by: Annotated[
        str | None,
        typer.Option(help="Groups, worst first: folder, label, or a regex on the images' names."),
    ] = None,
    resegment: Annotated[
        int, typer.Option(min=0, help="Segment so many images again, shifted and in other light.")
    ] = 0,
    coco: Annotated[
        Path | None, typer.Option(help="A COCO file of instances; else label maps are the truth.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Judge the regions: figures with a green, amber or red light."""

    def work(progress: Progress) -> dict:
        from samclr_core.regions.quality import report
        from samclr_core.regions.quality.references import CocoFile
        from samclr_core.regions.quality.shake import shake_workspace

        opened = existing(workspace)
        truth = CocoFile(coco) if coco else None
        if resegment:
            shake_workspace(opened, resegment, progress=progress)
        return report.to_json(report.measure(opened, truth=truth, progress=progress), by)

    perform("regions", work, as_json)
