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
    classes: Annotated[list[str], typer.Option("--class", help="A class, as 8=car or van=car.")],
    test: Annotated[list[str], typer.Option(help="Names of test images begin with this.")],
    boxes: Annotated[
        Path | None, typer.Option(help="Pascal VOC's folder or a COCO file, not label maps.")
    ] = None,
    least_side: Annotated[int, typer.Option(help="Of a thing's box, in pixels.")] = 24,
    as_json: JsonOption = False,
) -> None:
    """Cut labelled crops out of photos with label maps or boxes: a task to judge encoders by."""

    def work(progress: Progress) -> dict:
        from samclr_core.images.boxes import Boxes
        from samclr_core.images.object_crops import write_crops

        wanted = dict(_class(text, boxes is not None) for text in classes)
        drawn = Boxes(boxes) if boxes else None
        return write_crops(
            existing(workspace), folder, wanted, test, drawn, least_side, progress=progress
        ).counts

    perform("images", work, as_json)


def _class(text: str, named: bool) -> tuple[str, str]:
    """What a class is called there, a number unless it is ``named``, and here."""
    there, _, here = (part.strip() for part in text.partition("="))
    if not here or not there or not (named or there.isdecimal()):
        raise UserError("images.bad_class", text=text)
    return there if named else str(int(there)), here


def _refusal(refusal: Any) -> dict:
    """The sentence, and what the app needs to say it in another language."""
    error = refusal.error
    values = {name: str(value) for name, value in error.values.items()}
    return {"name": refusal.name, "reason": str(error), "key": error.key, "values": values}
