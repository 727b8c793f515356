"""Station 1: ``samclr images``."""

from typing import Annotated, Any

import typer

from samclr_core.cli.common import JsonOption, WorkspaceOption, perform
from samclr_core.jobs import Progress
from samclr_core.workspace import Workspace

app = typer.Typer(help="What do we have, and may we use it?", no_args_is_help=True)


@app.command("add")
def images_add(
    paths: Annotated[list[str], typer.Argument(help="Files, zips or folders.")],
    workspace: WorkspaceOption,
    void: Annotated[int | None, typer.Option(help="Class id without ground truth.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Take in photos, with labels from folder names or a CSV, and label maps."""

    def work(progress: Progress) -> dict:
        from samclr_core.images.intake import add_paths

        intake = add_paths(Workspace(workspace), paths, void, progress)
        return {
            "added": len(intake.added),
            "duplicates": len(intake.duplicates),
            "refused": [_refusal(refusal) for refusal in intake.refused],
        }

    perform("images", work, as_json)


def _refusal(refusal: Any) -> dict:
    """The sentence, and what the app needs to say it in another language."""
    error = refusal.error
    values = {name: str(value) for name, value in error.values.items()}
    return {"name": refusal.name, "reason": str(error), "key": error.key, "values": values}
