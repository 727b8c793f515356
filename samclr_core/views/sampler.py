"""Positive pairs: two crops of one image (SimCLR) or of one region (SAMCLR)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from PIL import Image

from samclr_core.regions.region import Region, RegionSet
from samclr_core.views.boxes import random_boxes
from samclr_core.views.config import ViewsConfig
from samclr_core.views.eligible import Eligible, eligible
from samclr_core.views.outside import filled
from samclr_core.views.rle import Box, window

# Regions tried before an image is cut as a whole, and boxes tried in each for either crop.
REGION_DRAWS = 4
BOX_DRAWS = 12


@dataclass(frozen=True)
class Cut:
    """Where the two crops lie, in pixels of the image, and the region they lie in.

    ``region`` is an index into the :class:`RegionSet`; None where the whole image was cut.
    """

    box1: Box
    box2: Box
    region: int | None


@dataclass(frozen=True)
class ViewPair(Cut):
    """Two crops, uint8 [size, size, 3] RGB, before augmentation, and where they were cut."""

    view1: np.ndarray
    view2: np.ndarray


class ViewSampler(Protocol):
    """Cuts pairs; the same ``rng`` state gives the same pair."""

    def __call__(
        self, image: np.ndarray, regions: RegionSet | None, rng: np.random.Generator
    ) -> ViewPair:
        """A pair of the image, uint8 [H, W, 3]; ``regions`` may be of a larger original."""
        ...

    def cut(
        self, width: int, height: int, regions: RegionSet | None, rng: np.random.Generator
    ) -> Cut:
        """Only where the pair of an image of that size would be cut."""
        ...


class ImageViews:
    """Both crops anywhere in the image: SimCLR's random resized crop (arXiv 2002.05709)."""

    def __init__(self, config: ViewsConfig) -> None:
        self.config = config

    def __call__(
        self, image: np.ndarray, regions: RegionSet | None, rng: np.random.Generator
    ) -> ViewPair:
        cut = self.cut(image.shape[1], image.shape[0], regions, rng)
        size = self.config.size
        return ViewPair(
            cut.box1, cut.box2, None, crop(image, cut.box1, size), crop(image, cut.box2, size)
        )

    def cut(
        self, width: int, height: int, regions: RegionSet | None, rng: np.random.Generator
    ) -> Cut:
        config = self.config
        boxes = random_boxes(
            width, height, config.scale, config.ratio, rng, least_side(config), count=2
        )
        return Cut(_box(boxes[0]), _box(boxes[1]), None)


class RegionViews:
    """Both crops inside one region: SAMCLR (arXiv 2310.14736), as we read it.

    A region is drawn among those that pass the limits, and both crops inside its bounding box,
    so that at least ``min_coverage`` of each crop belongs to the region. A region in which no
    such crop is found gives way to the next one drawn. Where no region will do, the image is
    cut as :class:`ImageViews` does and ``region`` is None: every image keeps its share of the
    budget, and whoever asks can count these pairs.
    """

    def __init__(self, config: ViewsConfig) -> None:
        self.config = config
        self._whole = ImageViews(config)
        self._eligible: Callable[[_Keyed], Eligible] = lru_cache(maxsize=4096)(self._choose)

    def __call__(
        self, image: np.ndarray, regions: RegionSet | None, rng: np.random.Generator
    ) -> ViewPair:
        height, width = image.shape[:2]
        cut = self.cut(width, height, regions, rng)
        if cut.region is None or regions is None:
            views = [crop(image, box, self.config.size) for box in (cut.box1, cut.box2)]
        else:
            region = regions.regions[cut.region]
            views = [self._view(image, region, box, rng) for box in (cut.box1, cut.box2)]
        return ViewPair(cut.box1, cut.box2, cut.region, *views)

    def cut(
        self, width: int, height: int, regions: RegionSet | None, rng: np.random.Generator
    ) -> Cut:
        if regions is not None:
            for index in self.eligible(regions).draw(REGION_DRAWS, rng):
                boxes = self._boxes(regions.regions[index], width, height, rng)
                if boxes is not None:
                    return Cut(_box(boxes[0]), _box(boxes[1]), int(index))
        return self._whole.cut(width, height, None, rng)

    def eligible(self, regions: RegionSet) -> Eligible:
        """The regions that pass the limits, worked out once per region set."""
        return self._eligible(_Keyed(regions))

    def _choose(self, keyed: "_Keyed") -> Eligible:
        return eligible(keyed.regions, self.config)

    def _boxes(
        self, region: Region, width: int, height: int, rng: np.random.Generator
    ) -> np.ndarray | None:
        """Two boxes in the region, int [2, 4], or None where too few cover enough of it."""
        config = self.config
        frame = scaled_box(region.bbox, region.rle["size"], width, height)
        least = least_side(config)
        if min(frame[2:]) < least:
            return None
        boxes = random_boxes(
            frame[2], frame[3], config.region_scale, config.ratio, rng, least, 2 * BOX_DRAWS
        )
        mask = region_mask(region, frame, width, height)
        enough = coverage(mask, boxes) >= config.min_coverage
        found = boxes[enough][:2]
        return np.add(found, (frame[0], frame[1], 0, 0)) if len(found) == 2 else None

    def _view(
        self, image: np.ndarray, region: Region, box: Box, rng: np.random.Generator
    ) -> np.ndarray:
        view = crop(image, box, self.config.size)
        if self.config.outside == "keep":
            return view
        height, width = image.shape[:2]
        mask = Image.fromarray(region_mask(region, box, width, height)).resize(
            (self.config.size, self.config.size), Image.Resampling.NEAREST
        )
        return filled(view, np.asarray(mask), self.config.outside, rng)


class _Keyed:
    """A region set under a key that is quick to compare: its image, segmenter and count."""

    def __init__(self, regions: RegionSet) -> None:
        self.regions = regions
        settings = tuple(sorted((k, str(v)) for k, v in regions.segmenter.items()))
        first = regions.regions[0].rle["counts"] if regions.regions else ""
        self._key = (regions.image_id, settings, len(regions.regions), first)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Keyed) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


def sampler(config: ViewsConfig) -> ViewSampler:
    """The sampler of ``config.kind``."""
    return RegionViews(config) if config.kind == "region" else ImageViews(config)


def least_side(config: ViewsConfig) -> int:
    """Shortest side of a crop in pixels."""
    return max(1, round(config.size / config.max_upscale))


def crop(image: np.ndarray, box: Box, size: int) -> np.ndarray:
    """The box of the image, uint8 [size, size, 3], resized as torchvision does (antialiased)."""
    x, y, w, h = box
    pixels = Image.fromarray(np.ascontiguousarray(image[y : y + h, x : x + w]))
    return np.asarray(pixels.resize((size, size), Image.Resampling.BILINEAR))


def scaled_box(box: Box, size: tuple[int, int] | list[int], width: int, height: int) -> Box:
    """A box of an original of ``size`` (H, W) in pixels of its copy of ``width`` x ``height``."""
    if (height, width) == tuple(size):
        return box
    across, down = width / size[1], height / size[0]
    x, y = min(int(box[0] * across), width - 1), min(int(box[1] * down), height - 1)
    right = min(width, max(x + 1, round((box[0] + box[2]) * across)))
    bottom = min(height, max(y + 1, round((box[1] + box[3]) * down)))
    return x, y, right - x, bottom - y


def region_mask(region: Region, box: Box, width: int, height: int) -> np.ndarray:
    """The region's mask in a box of an image of ``width`` x ``height`` px, bool [h, w].

    The image may be a smaller copy of the one that was segmented.
    """
    size = region.rle["size"]
    if (height, width) == tuple(size):
        return window(region.rle, box)
    x, y, w, h = box
    columns = np.minimum(((np.arange(x, x + w) + 0.5) * size[1] / width).astype(int), size[1] - 1)
    rows = np.minimum(((np.arange(y, y + h) + 0.5) * size[0] / height).astype(int), size[0] - 1)
    left, top = int(columns[0]), int(rows[0])
    original = (left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1)
    return window(region.rle, original)[np.ix_(rows - top, columns - left)]


def coverage(mask: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Share of each box, int [n, 4] XYWH, that the mask, bool [h, w], covers: float [n]."""
    sums = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), np.int64)
    np.cumsum(np.cumsum(mask, axis=0, dtype=np.int64), axis=1, out=sums[1:, 1:])
    x, y, w, h = boxes.T
    inside = sums[y + h, x + w] - sums[y, x + w] - sums[y + h, x] + sums[y, x]
    return inside / (w * h)


def _box(values: np.ndarray) -> Box:
    x, y, w, h = (int(value) for value in values)
    return x, y, w, h
