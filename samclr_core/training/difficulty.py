"""How difficult regions are, as a finished run found them: how unlike two views of one still look.

What is hard to recognise is what is left to learn, so a run may draw such regions more often
(``difficulty_of``). The figures lie in the run's own folder: it goes on with the same ones,
whatever becomes of the run that judged.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from samclr_core import cache
from samclr_core.cache import Arrays
from samclr_core.device import device_of
from samclr_core.regions.region import RegionSet
from samclr_core.training import runs
from samclr_core.training.backbones import Backbone
from samclr_core.training.runs import Run
from samclr_core.views.augment import as_input
from samclr_core.views.region_views import RegionViews
from samclr_core.workspace import Workspace

DRAWS = 2
"""Pairs that a region is judged by."""
CENTER_IMAGES = 128
BATCH = 64
JUDGING = 5
"""Stream of random numbers below a run's seed; data.py and loop.py have the others."""

Images = Callable[[str], np.ndarray]
Regions = Callable[[str], RegionSet | None]


def of_run(
    workspace: Workspace,
    run: Run,
    images: Images,
    regions: Regions,
    told: Callable[[int], None],
) -> Arrays:
    """The difficulty of every region that ``run`` learns from, measured when it is first asked for.

    Args:
        workspace: where the run that judges is, ``run.config.difficulty_of``.
        run: which is about to learn.
        images: gives an image at working resolution, uint8 [H, W, 3].
        regions: gives its regions.
        told: hears how many images are ready.

    Returns:
        By image, float32 [regions]: the mean cosine distance, 0 to 2, of the features of two views
        of a region; nan where no two can be cut.

    Raises:
        UserError: there is no such run, or it has not finished.
    """
    path = run.folder / "difficulty.npz"
    if not path.exists():
        judge = runs.run(workspace, run.config.difficulty_of)
        cache.write(path, _measured(run, judge, images, regions, told))
    return cache.read(path)


@torch.inference_mode()
def _measured(
    run: Run, judge: Run, images: Images, regions: Regions, told: Callable[[int], None]
) -> Arrays:
    as_it_sees = {"kind": "region", "size": judge.config.views.size, "local_crops": 0}
    views = RegionViews(run.config.views.model_copy(update=as_it_sees))
    backbone = runs.load_encoder(judge).to(device_of(run.config.device))

    def looked_at(number: int) -> tuple[np.ndarray, Tensor]:
        image_id = run.images[number]
        rng = np.random.default_rng([run.config.seed, JUDGING, number])
        whose, pairs = _pairs(views, images(image_id), regions(image_id), rng)
        return whose, _features(backbone, pairs)

    count = len(run.images)
    seen = {n: looked_at(n) for n in range(0, count, -(-count // CENTER_IMAGES))}
    # Without their mean, features of a network with ReLUs all point about the same way.
    center = torch.cat([features.flatten(0, 1) for _, features in seen.values()]).mean(0)
    found: Arrays = {}
    for number, image_id in enumerate(run.images):
        whose, features = seen.pop(number) if number in seen else looked_at(number)
        own = regions(image_id)
        found[image_id] = _by_region(whose, features, center, len(own.regions) if own else 0)
        told(number + 1)
    return found


def _pairs(
    views: RegionViews, image: np.ndarray, regions: RegionSet | None, rng: np.random.Generator
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Whose pairs they are, int [n], and the views, uint8 [2, S, S, 3] each."""
    whose: list[int] = []
    pairs: list[np.ndarray] = []
    if regions is None:
        return np.array(whose, int), pairs
    for index in views.eligible(regions).indices.repeat(DRAWS):
        pair = views.pair_in(int(index), image, regions, rng)
        if pair is not None:
            whose.append(index)
            pairs.append(np.stack([pair.view1, pair.view2]))
    return np.array(whose, int), pairs


def _features(backbone: Backbone, pairs: list[np.ndarray]) -> Tensor:
    """Features of pairs, float [n, 2, dim] on the CPU."""
    if not pairs:
        return torch.empty(0, 2, backbone.dim)
    device = next(backbone.parameters()).device
    views = np.concatenate(pairs)
    batches = (as_input(views[at : at + BATCH]) for at in range(0, len(views), BATCH))
    found = [backbone(batch.to(device)).float().cpu() for batch in batches]
    return torch.cat(found).unflatten(0, (-1, 2))


def _by_region(whose: np.ndarray, features: Tensor, center: Tensor, regions: int) -> np.ndarray:
    first, second = (features - center).unbind(1)
    distances = 1 - F.cosine_similarity(first, second).numpy()
    sums = np.bincount(whose, distances, minlength=regions)
    counts = np.bincount(whose, minlength=regions)
    return np.divide(sums, counts, out=np.full(regions, np.nan), where=counts > 0).astype("float32")
