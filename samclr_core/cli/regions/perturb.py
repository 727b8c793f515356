"""``samclr regions perturb``: regions damaged on purpose."""

from typing import Annotated

import typer

from samclr_core.cli.common import JsonOption, SeedOption, WorkspaceOption, existing, perform
from samclr_core.jobs import Progress


def perturb(
    workspace: WorkspaceOption,
    kind: Annotated[
        str, typer.Option(help="eroded, dilated, merged, split, shifted or dropped.")
    ] = "eroded",
    strength: Annotated[
        float,
        typer.Option(
            help="0 to 1. Eroded, dilated, shifted: how far edges move, by the square root of the "
            "region's area. Merged, split, dropped: share of the regions."
        ),
    ] = 0.2,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Damage the regions in use and keep the result beside them, to learn what quality buys."""

    def work(progress: Progress) -> dict:
        from samclr_core.regions.config import Perturbation
        from samclr_core.regions.perturb.batch import perturb_workspace

        wanted = Perturbation.of({"kind": kind, "strength": strength, "seed": seed})
        summary = perturb_workspace(existing(workspace), wanted, progress)
        return {
            "source": summary.source.digest(),
            "images": summary.images,
            "before": summary.before,
            "regions": summary.regions,
            "mean_best_iou": round(summary.mean_best_iou, 4),
            "seconds": round(summary.seconds, 2),
        }

    perform("regions", work, as_json)
