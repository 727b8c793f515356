"""Station 2: ``samclr regions``, and ``samclr weights`` before it."""

from pathlib import Path
from typing import Annotated

import typer

from samclr_core.cli.common import JsonOption, SettingsOption, existing, parsed, perform
from samclr_core.cli.regions.perturb import perturb
from samclr_core.cli.regions.quality import quality
from samclr_core.cli.regions.review import app as review
from samclr_core.cli.regions.tune import tune
from samclr_core.config import with_changes
from samclr_core.jobs import Progress

app = typer.Typer()
app.command("perturb")(perturb)
app.command("quality")(quality)
app.add_typer(review, name="review")
app.command("tune")(tune)
ModelOption = Annotated[
    str,
    typer.Option(help="mobile_sam, vit_b, vit_l, vit_h, a tuned model, or a checkpoint's path."),
]


@app.callback(invoke_without_command=True)
def regions(
    context: typer.Context,
    workspace: Annotated[
        Path | None, typer.Option("--workspace", "-w", help="The workspace's folder.")
    ] = None,
    model: ModelOption = "mobile_sam",
    preset: Annotated[str, typer.Option(help="draft, few_large, full or many_small.")] = "full",
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Cut every image into SAM regions; or, with a command, judge and better them."""
    if context.invoked_subcommand:
        return

    def work(progress: Progress) -> dict:
        from samclr_core.regions.batch import segment_workspace
        from samclr_core.regions.config import PRESETS

        config = with_changes(PRESETS, preset, {"model": model} | parsed(settings))
        summary = segment_workspace(existing(workspace), config, progress=progress)
        return {
            "images": summary.images,
            "regions": summary.regions,
            "seconds": round(summary.seconds, 2),
            "model": summary.model,
        }

    perform("regions", work, as_json)


def weights(
    model: Annotated[str, typer.Argument(help="mobile_sam, vit_b, vit_l or vit_h.")] = "mobile_sam",
    as_json: JsonOption = False,
) -> None:
    """Get a SAM model's weights, so that no network is needed later."""

    def work(progress: Progress) -> dict:
        from samclr_core.regions.sam.weights import fetch

        return {"model": model, "weights": str(fetch(model, progress))}

    perform("weights", work, as_json)
