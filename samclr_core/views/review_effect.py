"""What a review did to the pairs: purity of region views before and after."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from samclr_core.estimate import Estimate
from samclr_core.jobs import Progress, silent
from samclr_core.messages import UserError
from samclr_core.progress import counted
from samclr_core.regions import sources
from samclr_core.views import purity
from samclr_core.views.config import ViewsConfig
from samclr_core.views.purity import Reference
from samclr_core.workspace import Workspace

SETTING = "review_effect"


@dataclass(frozen=True)
class Effect:
    """Pair purity of ``region`` views on the same images and with the same draws, 0 to 1.

    Attributes:
        before: cut from the automatic regions.
        after: cut from the regions as the reviewers left them.
        difference: after minus before, image by image.
        reference: ``labels`` is ground truth; ``regions`` is the reviewed regions themselves,
            which flatters ``after``.
        pairs: pairs of each.
        images: images they were cut from.
    """

    before: Estimate
    after: Estimate
    difference: Estimate
    reference: Reference
    pairs: int
    images: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def measure(
    workspace: Workspace,
    pairs: int = 500,
    seed: int = 0,
    progress: Progress = silent,
    config: ViewsConfig | None = None,
) -> Effect:
    """Pair purity before and after the review, measured against the same reference.

    The result is kept: see :func:`last_measured`.

    Args:
        workspace: its images, label maps, current regions and review.
        pairs: of each, spread evenly over the images.
        seed: of the crops.
        progress: told after every image, which is looked at twice.
        config: where the crops are cut.

    Raises:
        UserError: there are no images, or none of them has regions.
        Cancelled: as ``progress`` asks.
    """
    config = config or ViewsConfig()
    source = sources.current(workspace)
    image_ids, reference = purity.images_judged(workspace, source)
    assert source is not None
    was = source.automatic
    cut = [i for i in image_ids if sources.regions(workspace, i, was)]
    if not cut:
        raise UserError("views.no_regions")
    columns = []
    for half, regions in enumerate((was, source)):
        told = counted(progress, half * len(cut), 2 * len(cut))
        rows = purity.of_images(
            workspace, cut, regions, source, reference, pairs, seed, told, config
        )
        columns.append(rows[:, 2:4])
    found = _effect(np.hstack(columns), reference, pairs)
    asked = {"regions": purity.regions_in_use(workspace), "views": purity.both_kinds(config)}
    workspace.remember(SETTING, {**asked, **found.to_json()})
    return found


def last_measured(workspace: Workspace, config: ViewsConfig | None = None) -> Effect | None:
    """What :func:`measure` last found with the regions in use and the settings ``config``."""
    values = workspace.setting(SETTING) or {}
    asked = purity.regions_in_use(workspace), purity.both_kinds(config or ViewsConfig())
    if (values.pop("regions", None), values.pop("views", None)) != asked:
        return None
    return Effect(
        before=Estimate(**values.pop("before")),
        after=Estimate(**values.pop("after")),
        difference=Estimate(**values.pop("difference")),
        **values,
    )


def _effect(rows: np.ndarray, reference: Reference, pairs: int) -> Effect:
    def mean(sums: np.ndarray, column: int) -> np.ndarray:
        return sums[..., column] / np.maximum(sums[..., column + 1], 1)

    return Effect(
        before=purity.estimate(rows, lambda sums: mean(sums, 0)),
        after=purity.estimate(rows, lambda sums: mean(sums, 2)),
        difference=purity.estimate(rows, lambda sums: mean(sums, 2) - mean(sums, 0)),
        reference=reference,
        pairs=pairs,
        images=len(rows),
    )
