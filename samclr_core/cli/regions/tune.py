"""``samclr regions tune``: SAM's decoder learns what the things on these pictures are."""

from pathlib import Path
from typing import Annotated

import typer

from samclr_core.cli.common import (
    JsonOption,
    SeedOption,
    SettingsOption,
    WorkspaceOption,
    existing,
    parsed,
    perform,
)
from samclr_core.jobs import Progress


def tune(
    workspace: WorkspaceOption,
    name: Annotated[str, typer.Option(help="Of the new model.")],
    model: Annotated[
        str, typer.Option(help="Where it starts: a model's name, or the path of a checkpoint.")
    ] = "mobile_sam",
    images: Annotated[int, typer.Option(help="Use at most so many images with masks.")] = 50,
    coco: Annotated[
        Path | None, typer.Option(help="A COCO file of instances, instead of --truth.")
    ] = None,
    truth: Annotated[
        str,
        typer.Option(
            help="labels: the label maps; reviewed: regions of images called good or usable."
        ),
    ] = "labels",
    seed: SeedOption = 0,
    settings: SettingsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tune SAM's mask decoder on images with masks, and keep it as a new model."""

    def work(progress: Progress) -> dict:
        from samclr_core.regions.tuning.config import TuningConfig
        from samclr_core.regions.tuning.examples import source
        from samclr_core.regions.tuning.tune import tune as tune_model

        chosen = {"model": model, "images": images, "seed": seed}
        config = TuningConfig.of(chosen | parsed(settings))
        opened = existing(workspace)
        masks = source(opened, truth, coco)
        told = coco.name if coco else truth
        return tune_model(opened, name, masks, config, told, progress).summary()

    perform("regions", work, as_json)
