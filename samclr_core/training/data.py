"""Batches of pairs, cut from images that are decoded once.

Every pair has a number, and everything random about it follows from (seed, number): the data
position of a run is just its step, and any batch can be made again at any time, in any thread.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from samclr_core import cache
from samclr_core.images import store as images
from samclr_core.messages import UserError
from samclr_core.regions import sources
from samclr_core.regions.region import RegionSet
from samclr_core.training import difficulty
from samclr_core.training.runs import Run
from samclr_core.views.image_views import ImageViews
from samclr_core.views.pair import ViewPair, ViewSampler
from samclr_core.views.region_views import RegionViews
from samclr_core.views.related import related
from samclr_core.views.sampler import sampler
from samclr_core.workspace import Workspace

ORDER, CROPS, SCHEDULE = 0, 1, 4
"""Streams of random numbers below a run's seed; loop.py has 2 and 3."""


@dataclass(frozen=True)
class Batch:
    """Pairs of one batch.

    Attributes:
        views: uint8 [2, B, 3, S, S]; [0] holds the first views, [1] their partners.
        local_views: the small crops, uint8 [L, B, 3, s, s].
        images: numbers of the images they are of, int64 [B].
        related: pairs that are no negatives of each other, bool [B, B].
        whole_image: how many of the B pairs were cut from the whole image for want of a region.
    """

    views: Tensor
    local_views: Tensor
    images: Tensor
    related: Tensor
    whole_image: int


class Scenes:
    """Images at working resolution, decoded once and then mapped into memory."""

    def __init__(self, workspace: Workspace, max_side: int) -> None:
        self.workspace = workspace
        self.max_side = max_side
        self.folder = workspace.cache / "scenes" / str(max_side)
        self._open = lru_cache(maxsize=8192)(self._opened)

    def prepare(self, image_ids: list[str], told: Callable[[int], None], workers: int) -> None:
        """Decode what has not been decoded yet; ``told`` hears how many are ready."""
        missing = [i for i in image_ids if not self._path(i).exists()]
        with ThreadPoolExecutor(workers) as pool:
            for ready, _ in enumerate(pool.map(self._decode, missing)):
                told(ready + 1)

    def __getitem__(self, image_id: str) -> np.ndarray:
        """The image, uint8 [H, W, 3]."""
        return self._open(image_id)

    def _opened(self, image_id: str) -> np.ndarray:
        return cache.read_one(self._path(image_id), mapped=True)

    def _decode(self, image_id: str) -> None:
        image = Image.fromarray(images.load(self.workspace, image_id))
        image.thumbnail((self.max_side, self.max_side), Image.Resampling.LANCZOS)
        cache.write_one(self._path(image_id), np.asarray(image))

    def _path(self, image_id: str) -> Path:
        return self.folder / f"{image_id}.npy"


class PairBatches:
    """All batches of a run, by number; of several processes, each makes its own part of them."""

    def __init__(
        self, workspace: Workspace, run: Run, workers: int, rank: int = 0, ranks: int = 1
    ) -> None:
        config = run.config
        self.config = config
        self.images = run.images
        self.images_per_batch = _whole_parts(
            min(config.batch_size // config.together, len(self.images)), ranks
        )
        self.batch_size = self.images_per_batch * config.together
        share = self.batch_size // ranks
        self.part = slice(rank * share, (rank + 1) * share)
        self.scenes = Scenes(workspace, config.max_side)
        self.workers = workers
        self._workspace = workspace
        self._run = run
        self._source = run.source
        self._regions = lru_cache(maxsize=2048)(self._read_regions)
        self._order = lru_cache(maxsize=4)(self._permutation)
        self._sample = sampler(config.views)
        self._anywhere = ImageViews(config.views)

    def __len__(self) -> int:
        pairs = self.config.epochs * self.config.pairs_per_image * len(self.images)
        batches = max(1, pairs // self.batch_size)
        return max(1, batches // self.config.accumulate) * self.config.accumulate

    def prepare(self, told: Callable[[int], None]) -> int:
        """Decode the images and look at the regions.

        Returns:
            How many images have no region to cut from; 0 for ``image`` views.

        Raises:
            UserError: an image is gone, or ``region`` views find no region at all.
        """
        try:
            self.scenes.prepare(self.images, told, self.workers)
        except UserError as error:
            raise UserError("training.images_changed") from error
        if not isinstance(self._sample, RegionViews):
            return 0
        without = self._without_regions(self._sample)
        if self.config.difficulty_of:
            figures = difficulty.of_run(
                self._workspace, self._run, self.scenes.__getitem__, self._regions, told
            )
            self._sample = RegionViews(self.config.views, figures)
        return without

    def _without_regions(self, views: RegionViews) -> int:
        sets = [self._regions(image_id) for image_id in self.images]
        found = sum(len(regions.regions) for regions in sets if regions)
        usable = [regions for regions in sets if regions and len(views.eligible(regions).indices)]
        if not found:
            raise UserError("training.no_regions")
        if not usable:
            raise UserError("training.no_eligible_regions", regions=found)
        return len(sets) - len(usable)

    def batch(self, number: int) -> Batch:
        """Batch ``number``: every image in it has ``together`` pairs, side by side."""
        first = number * self.batch_size + self.part.start
        members = np.repeat(self._members(number), self.config.together)[self.part]
        samplers = [self._sampler(first + at) for at in range(len(members))]
        pairs = [
            self._pair(sample, image, first + at)
            for at, (sample, image) in enumerate(zip(samplers, members, strict=True))
        ]
        whole = sum(
            pair.region is None and isinstance(sample, RegionViews)
            for pair, sample in zip(pairs, samplers, strict=True)
        )
        small = self.config.views.local_crops
        return Batch(
            _stacked([[p.view1 for p in pairs], [p.view2 for p in pairs]]),
            _stacked([[p.local_views[at] for p in pairs] for at in range(small)]),
            torch.from_numpy(members),
            torch.from_numpy(self._related(members, pairs)),
            whole,
        )

    def _related(self, members: np.ndarray, pairs: Sequence[ViewPair]) -> np.ndarray:
        """Which pairs are no negatives of each other; all of one image, or as regions say."""
        found = members[:, None] == members
        if self.config.same_image == "excluded":
            return found
        for first in range(0, len(pairs), self.config.together):
            block = slice(first, first + self.config.together)
            regions = self._regions(self.images[members[first]])
            found[block, block] = related(pairs[block], regions)
        return found

    def _sampler(self, number: int) -> ViewSampler:
        """Who cuts pair ``number``; ``region`` views may begin or end with cuts anywhere."""
        start, end = self.config.views.schedule
        if start == end == 1 or not isinstance(self._sample, RegionViews):
            return self._sample
        share = start + (end - start) * number / (len(self) * self.batch_size)
        drawn = np.random.default_rng([self.config.seed, SCHEDULE, number]).random()
        return self._sample if drawn < share else self._anywhere

    def _members(self, number: int) -> np.ndarray:
        count = self.images_per_batch
        cycle, slot = divmod(number, len(self.images) // count)
        return self._order(cycle)[slot * count : (slot + 1) * count]

    def _permutation(self, cycle: int) -> np.ndarray:
        rng = np.random.default_rng([self.config.seed, ORDER, cycle])
        return rng.permutation(len(self.images))

    def _pair(self, sample: ViewSampler, image: int, number: int) -> ViewPair:
        image_id = self.images[image]
        rng = np.random.default_rng([self.config.seed, CROPS, number])
        return sample(self.scenes[image_id], self._regions(image_id), rng)

    def _read_regions(self, image_id: str) -> RegionSet | None:
        if self._source is None:
            return None
        return sources.regions(self._workspace, image_id, self._source)


def _whole_parts(images: int, ranks: int) -> int:
    """So many images of a batch that every process gets as many.

    Raises:
        UserError: there are more processes than images.
    """
    if images < ranks:
        raise UserError("training.more_processes_than_images", images=images, processes=ranks)
    return images - images % ranks


def _stacked(views: list[list[np.ndarray]]) -> Tensor:
    """Views [S, S, 3], kind by kind, as uint8 [kinds, B, 3, S, S]."""
    if not views:
        return torch.empty(0, dtype=torch.uint8)
    flat = [torch.from_numpy(view).permute(2, 0, 1) for kind in views for view in kind]
    return torch.stack(flat).unflatten(0, (len(views), -1))


def ahead(
    make: Callable[[int], Batch], start: int, stop: int, workers: int
) -> Iterator[tuple[int, Batch]]:
    """``(number, make(number))`` in order, made by threads before they are asked for."""
    # A core for each thread: the others are busy with the step.
    pool = ThreadPoolExecutor(workers, "crops", torch.set_num_threads, (1,))
    try:
        waiting = deque(pool.submit(make, n) for n in range(start, min(start + workers + 1, stop)))
        for number in range(start, stop):
            batch = waiting.popleft().result()
            if number + workers + 1 < stop:
                waiting.append(pool.submit(make, number + workers + 1))
            yield number, batch
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
