"""``samclr regions review``: what people say about the regions."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from samclr_core.cli.common import JsonOption, SeedOption, WorkspaceOption, existing, perform
from samclr_core.jobs import Progress
from samclr_core.messages import UserError
from samclr_core.workspace import Workspace, write_atomic

if TYPE_CHECKING:
    from samclr_core.images.catalogue import ImageRecord
    from samclr_core.regions.review.events import Event

app = typer.Typer(help="Verdicts and corrections by people.", no_args_is_help=True)

ImageArgument = Annotated[str, typer.Argument(help="The image's name or id.")]
WhoOption = Annotated[str, typer.Option(help="The reviewer's name.")]


@app.command()
def summary(workspace: WorkspaceOption, as_json: JsonOption = False) -> None:
    """How far the review is, what it found, and what to do next."""

    def work(progress: Progress) -> dict:
        from samclr_core.regions.review.summary import summarise

        return summarise(existing(workspace)).to_json()

    perform("review", work, as_json)


@app.command()
def verdict(
    image: ImageArgument,
    value: Annotated[str, typer.Argument(help="good, usable or bad.")],
    workspace: WorkspaceOption,
    who: WhoOption,
    comment: Annotated[str | None, typer.Option(help="In words.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Say how good the regions of an image are."""

    def work(progress: Progress) -> dict:
        from samclr_core.regions.review.actions import Reviewer

        opened = existing(workspace)
        record, reviewer = _image(opened, image), Reviewer(opened, who)
        said = reviewer.judge(record.id, value)
        if comment is not None:
            reviewer.comment(record.id, comment)
        return _told(record, said)

    perform("review", work, as_json)


@app.command()
def show(image: ImageArgument, workspace: WorkspaceOption, as_json: JsonOption = False) -> None:
    """The regions of an image, with their ids and what was said about them."""

    def work(progress: Progress) -> dict:
        from samclr_core.regions.review.fold import review

        opened = existing(workspace)
        now = review(opened, _image(opened, image).id)
        return {
            "image": now.image_id,
            "verdict": now.verdict.text if now.verdict else None,
            "comments": [{"who": e.who, "when": e.when, "text": e.text} for e in now.comments],
            "regions": [
                {
                    "id": item.id,
                    "state": "dropped" if item in now.dropped else "in use",
                    "origin": item.origin,
                    "who": item.event.who if item.event else None,
                    "area": item.region.area,
                    "bbox": list(item.region.bbox),
                }
                for item in (*now.kept, *now.dropped)
            ],
        }

    perform("review", work, as_json)


@app.command()
def decide(
    image: ImageArgument,
    decision: Annotated[str, typer.Argument(help="keep, drop or merge.")],
    regions: Annotated[list[str], typer.Argument(help="Ids of regions, see “show”.")],
    workspace: WorkspaceOption,
    who: WhoOption,
    as_json: JsonOption = False,
) -> None:
    """Keep or drop regions, or make one of several."""

    def work(progress: Progress) -> dict:
        from samclr_core.regions.review.actions import Reviewer

        opened = existing(workspace)
        reviewer = Reviewer(opened, who)
        known = {"keep": reviewer.keep, "drop": reviewer.drop, "merge": reviewer.merge}
        if decision not in known:
            raise UserError("review.unknown_verdict", value=decision, known=", ".join(known))
        record = _image(opened, image)
        return _told(record, known[decision](record.id, regions))

    perform("review", work, as_json)


@app.command()
def prompt(
    image: ImageArgument,
    workspace: WorkspaceOption,
    who: WhoOption,
    point: Annotated[list[str] | None, typer.Option(help="A click on the thing: X,Y.")] = None,
    outside: Annotated[list[str] | None, typer.Option(help="A click beside it: X,Y.")] = None,
    box: Annotated[str | None, typer.Option(help="Around the thing: X,Y,X,Y.")] = None,
    replace: Annotated[str | None, typer.Option(help="Put it in this region's place.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Add or correct a region by SAM's prompts, in pixels of the image."""

    def work(progress: Progress) -> dict:
        from samclr_core.regions.config import SegmenterConfig
        from samclr_core.regions.prompting import Prompter
        from samclr_core.regions.review.actions import Reviewer

        opened = existing(workspace)
        record, reviewer = _image(opened, image), Reviewer(opened, who)
        on, beside = ([_numbers(text, 2) for text in texts or ()] for texts in (point, outside))
        corners = _numbers(box, 4) if box else None
        prompter = Prompter(reviewer.config or SegmenterConfig(), progress=progress)
        found = prompter.region(
            prompter.embed(opened, record.id),
            (record.height, record.width),
            [*on, *beside],
            [1] * len(on) + [0] * len(beside),
            corners,
        )
        said = (
            reviewer.correct(record.id, replace, found)
            if replace
            else reviewer.add(record.id, found)
        )
        return _told(record, said) | {"region": found.id, "predicted_iou": found.predicted_iou}

    perform("review", work, as_json)


@app.command()
def undo(workspace: WorkspaceOption, who: WhoOption, as_json: JsonOption = False) -> None:
    """Take back the last thing a reviewer said."""

    def work(progress: Progress) -> dict:
        from samclr_core.regions.review.events import undo as take_back

        taken = take_back(existing(workspace), who)
        return {"undone": taken.kind if taken else None, "image": taken.image_id if taken else None}

    perform("review", work, as_json)


@app.command()
def effect(
    workspace: WorkspaceOption,
    pairs: Annotated[int, typer.Option(min=2, help="How many pairs to draw.")] = 500,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """What the review did to the pairs: purity before and after."""

    def work(progress: Progress) -> dict:
        from samclr_core.views.config import ViewsConfig
        from samclr_core.views.review_effect import measure

        opened = existing(workspace)
        config = ViewsConfig.of(opened.setting("views") or {})
        return measure(opened, pairs, seed, progress, config).to_json()

    perform("review", work, as_json)


@app.command("export")
def export_(
    workspace: WorkspaceOption,
    coco: Annotated[Path | None, typer.Option(help="COCO instances JSON to write.")] = None,
    label_maps: Annotated[Path | None, typer.Option(help="Folder for PNG label maps.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Write the regions in use, and who said what, for other tools."""

    def work(progress: Progress) -> dict:
        from samclr_core.regions.review import coco as files
        from samclr_core.regions.review.label_maps import label_maps as maps

        opened = existing(workspace)
        if not coco and not label_maps:
            raise UserError("review.export_what")
        done: dict[str, object] = {}
        if coco:
            write_atomic(coco, files.encoded(opened))
            done["coco"] = str(coco)
        if label_maps:
            found = [_written(label_maps / name, content) for name, content in maps(opened)]
            done |= {"label_maps": str(label_maps), "images": len(found)}
        return done

    perform("review", work, as_json)


@app.command("import")
def import_(
    file: Annotated[
        Path,
        typer.Argument(help="COCO instances JSON, or PNG label maps: one, a zip or a folder."),
    ],
    workspace: WorkspaceOption,
    who: WhoOption,
    as_json: JsonOption = False,
) -> None:
    """Take in somebody's review, or somebody's regions."""

    def work(progress: Progress) -> dict:
        from samclr_core.regions.review import files
        from samclr_core.regions.review.incoming import take_in

        opened = existing(workspace)
        return take_in(opened, files.from_path(opened, file), who).to_json()

    perform("review", work, as_json)


def _image(workspace: Workspace, asked: str) -> "ImageRecord":
    from samclr_core.images import catalogue

    images = catalogue.records(workspace)
    return next((i for i in images if i.name == asked), None) or catalogue.record(workspace, asked)


def _told(record: "ImageRecord", event: "Event") -> dict:
    return {"image": record.id, "name": record.name, "kind": event.kind, "who": event.who} | {
        "when": event.when,
        "text": event.text,
    }


def _numbers(text: str, count: int) -> tuple:
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != count:
        raise UserError("review.bad_numbers", text=text, count=count)
    return numbers


def _written(path: Path, content: bytes) -> Path:
    write_atomic(path, content)
    return path
