"""A workspace's regions damaged, and kept as regions of their own."""

import time
from dataclasses import dataclass

import numpy as np

from samclr_core.images import catalogue
from samclr_core.jobs import Progress, silent
from samclr_core.messages import UserError
from samclr_core.regions import sources, store
from samclr_core.regions.config import Perturbation
from samclr_core.regions.perturb.damage import best_iou, perturbed
from samclr_core.regions.sources import Source
from samclr_core.workspace import Workspace


@dataclass(frozen=True)
class Summary:
    """What a perturbation did.

    Attributes:
        source: names the damaged regions; ``source.digest()`` is what a person calls them.
        images: that have regions.
        before: regions of these images.
        regions: that are left, or were made out of them.
        mean_best_iou: over the regions before, the IoU of the one now most like each, 0 to 1;
            1 is no damage.
        seconds: machine time it took.
    """

    source: Source
    images: int
    before: int
    regions: int
    mean_best_iou: float
    seconds: float


def perturb_workspace(
    workspace: Workspace,
    perturbation: Perturbation,
    progress: Progress = silent,
) -> Summary:
    """Damage the regions in use and keep the result beside them; what is in use stays.

    Only what is missing is made: the regions of a source never change.

    Args:
        workspace: whose regions.
        perturbation: what is done to them.
        progress: told after every image.

    Raises:
        UserError: there are no regions, or nothing is left of them.
        Cancelled: as ``progress`` asks.
    """
    started = time.perf_counter()
    names = {image.id: image.name for image in catalogue.records(workspace)}
    base = sources.current(workspace)
    found = {i: sources.regions(workspace, i, base) for i in names} if base else {}
    cut = {image_id: regions for image_id, regions in found.items() if regions}
    if base is None or not any(regions.regions for regions in cut.values()):
        raise UserError("regions.none_to_perturb")
    source = base.model_copy(update={"perturbation": perturbation})
    sources.keep(workspace, source)
    alike, left = [], 0
    for number, (image_id, before) in enumerate(cut.items()):
        after = store.read(workspace, image_id, source)
        if not after:
            after = perturbed(before, perturbation)
            store.write(workspace, source, after)
        alike.append(best_iou(before, after))
        left += len(after.regions)
        progress(number + 1, len(cut), names[image_id])
    if not left:
        raise UserError(
            "regions.nothing_left", kind=perturbation.kind, strength=perturbation.strength
        )
    every = np.concatenate(alike)
    seconds = time.perf_counter() - started
    return Summary(source, len(cut), len(every), left, float(every.mean()), seconds)
