"""Station 3: ``samclr views``."""

from typing import Annotated

import typer

from samclr_core.cli.common import (
    JsonOption,
    SeedOption,
    SettingsOption,
    SourceOption,
    WorkspaceOption,
    existing,
    parsed,
    perform,
)
from samclr_core.jobs import Progress


def views(
    workspace: WorkspaceOption,
    pairs: Annotated[int, typer.Option(min=2, help="How many pairs to draw of each kind.")] = 500,
    seed: SeedOption = 0,
    settings: SettingsOption = None,
    source: SourceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure how often the two views of a pair show the same thing."""

    def work(progress: Progress) -> dict:
        from samclr_core.regions import sources
        from samclr_core.views.config import ViewsConfig
        from samclr_core.views.purity import measure, of_regions

        config, opened = ViewsConfig.of(parsed(settings)), existing(workspace)
        if source:
            whose = sources.named(opened, source)
            purity = of_regions(opened, pairs, seed, progress, config, whose)
        else:
            purity = measure(opened, pairs, seed, progress, config)
        kinds = {"image": purity.image, "region": purity.region}
        return {
            "purity": {kind: round(e.mean, 4) for kind, e in kinds.items()},
            "ci95": {kind: [round(e.low, 4), round(e.high, 4)] for kind, e in kinds.items()},
            "reference": purity.reference,
            "pairs": purity.pairs,
        }

    perform("views", work, as_json)
