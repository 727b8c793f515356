"""Station 1: ``samclr images``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from samclr_core.cli.common import JsonOption, WorkspaceOption, existing, perform
from samclr_core.jobs import Progress
from samclr_core.messages import UserError
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


@app.command("get")
def images_get(
    name: Annotated[str, typer.Argument(help="cifar10, stl10 or imagenette.")],
    folder: Annotated[Path, typer.Argument(help="Where train/ and test/ go.")],
    as_json: JsonOption = False,
) -> None:
    """Download a public data set to judge encoders by."""

    def work(progress: Progress) -> dict:
        from samclr_core.images.public import get

        return get(name, folder, progress)

    perform("images", work, as_json)


@app.command("crops")
def images_crops(
    folder: Annotated[Path, typer.Argument(help="Where train/ and test/ go.")],
    workspace: WorkspaceOption,
    classes: Annotated[list[str], typer.Option("--class", help="A class, as 8=car.")],
    test: Annotated[list[str], typer.Option(help="Names of test images begin with this.")],
    least_side: Annotated[int, typer.Option(help="Of a thing's box, in pixels.")] = 24,
    as_json: JsonOption = False,
) -> None:
    """Cut labelled crops out of photos with label maps: a task to judge encoders by."""

    def work(progress: Progress) -> dict:
        from samclr_core.images.object_crops import write_crops

        wanted = dict(_class(text) for text in classes)
        return write_crops(
            existing(workspace), folder, wanted, test, least_side, progress=progress
        ).counts

    perform("images", work, as_json)


def _class(text: str) -> tuple[int, str]:
    number, equals, name = text.partition("=")
    if not equals or not number.strip().isdigit() or not name.strip():
        raise UserError("images.bad_class", text=text)
    return int(number), name.strip()


def _refusal(refusal: Any) -> dict:
    """The sentence, and what the app needs to say it in another language."""
    error = refusal.error
    values = {name: str(value) for name, value in error.values.items()}
    return {"name": refusal.name, "reason": str(error), "key": error.key, "values": values}
