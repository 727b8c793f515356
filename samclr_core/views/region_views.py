"""Region views: both crops inside one SAM region, as SAMCLR cuts them."""

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
from PIL import Image

from samclr_core.regions.region import Region, RegionSet
from samclr_core.regions.rle import Box
from samclr_core.views.boxes import as_box, least_side, random_boxes, scaled_box, widened_box
from samclr_core.views.config import ViewsConfig
from samclr_core.views.crops import coverage, crop, region_mask
from samclr_core.views.image_views import ImageViews
from samclr_core.views.outside import filled
from samclr_core.views.pair import Cut, ViewPair
from samclr_core.views.region_choice import Eligible, eligible

# Regions tried before an image is cut as a whole, and boxes tried in each for either crop.
REGION_DRAWS = 4
BOX_DRAWS = 12


class RegionViews:
    """Both crops inside one region: SAMCLR (arXiv 2310.14736), as we read it.

    A region is drawn among those that pass the limits, and both crops inside its bounding box (or
    that and a margin around it), so that at least ``min_coverage`` of each crop belongs to the
    region. A region in which no such crop is found gives way to the next one drawn. Where no region
    will do, the image is cut as :class:`ImageViews` does and ``region`` is None: every image keeps
    its share of the budget, and whoever asks can count these pairs.
    """

    def __init__(
        self, config: ViewsConfig, difficulty: Mapping[str, np.ndarray] | None = None
    ) -> None:
        """``difficulty``: by image id, that of each region, [regions], 0 to 2 or nan; it multiplies
        the chance of each. Without it, all are alike."""
        self.config = config
        self._difficulty = difficulty or {}
        self._whole = ImageViews(config)
        self._eligible: Callable[[_Keyed], Eligible] = lru_cache(maxsize=4096)(self._choose)

    def __call__(
        self, image: np.ndarray, regions: RegionSet | None, rng: np.random.Generator
    ) -> ViewPair:
        height, width = image.shape[:2]
        cut = self.cut(width, height, regions, rng)
        if cut.region is None or regions is None:
            return self._whole.views(image, cut)
        return self._views(image, regions.regions[cut.region], cut, rng)

    def pair_in(
        self, index: int, image: np.ndarray, regions: RegionSet, rng: np.random.Generator
    ) -> ViewPair | None:
        """A pair of the region ``index``, or None where too little of two crops would show it."""
        height, width = image.shape[:2]
        cut = self._cut_in(index, width, height, regions, rng)
        return self._views(image, regions.regions[index], cut, rng) if cut else None

    def _views(
        self, image: np.ndarray, region: Region, cut: Cut, rng: np.random.Generator
    ) -> ViewPair:
        config = self.config
        large = [self._view(image, region, b, config.size, rng) for b in (cut.box1, cut.box2)]
        small = [self._view(image, region, b, config.local_size, rng) for b in cut.local_boxes]
        return ViewPair(**vars(cut), view1=large[0], view2=large[1], local_views=tuple(small))

    def cut(
        self, width: int, height: int, regions: RegionSet | None, rng: np.random.Generator
    ) -> Cut:
        if regions is not None:
            for index in self.eligible(regions).draw(REGION_DRAWS, rng):
                cut = self._cut_in(int(index), width, height, regions, rng)
                if cut is not None:
                    return cut
        return self._whole.cut(width, height, None, rng)

    def _cut_in(
        self, index: int, width: int, height: int, regions: RegionSet, rng: np.random.Generator
    ) -> Cut | None:
        boxes = self._boxes(regions.regions[index], width, height, rng)
        if boxes is None:
            return None
        first, second, *small = (as_box(box) for box in boxes)
        return Cut(first, second, index, local_boxes=tuple(small))

    def eligible(self, regions: RegionSet) -> Eligible:
        """The regions that pass the limits, worked out once per region set."""
        return self._eligible(_Keyed(regions))

    def _choose(self, keyed: "_Keyed") -> Eligible:
        difficulty = self._difficulty.get(keyed.regions.image_id)
        return eligible(keyed.regions, self.config, difficulty)

    def _boxes(
        self, region: Region, width: int, height: int, rng: np.random.Generator
    ) -> np.ndarray | None:
        """Boxes in the region, int [2 + local crops, 4], or None where too few cover enough."""
        config = self.config
        frame = scaled_box(region.bbox, region.rle["size"], width, height)
        if min(frame[2:]) < least_side(config):
            return None
        frame = widened_box(frame, config.margin, width, height)
        mask = region_mask(region, frame, width, height)
        large = self._covered(mask, config.region_scale, config.size, 2, rng)
        small = self._covered(mask, config.local_scale, config.local_size, config.local_crops, rng)
        if len(large) < 2 or len(small) < config.local_crops:
            return None
        return np.concatenate([large, small]) + np.array((frame[0], frame[1], 0, 0))

    def _covered(
        self,
        mask: np.ndarray,
        scale: tuple[float, float],
        size: int,
        count: int,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """At most ``count`` boxes in a mask's frame that cover enough of it, int [n, 4]."""
        config, (height, width) = self.config, mask.shape
        least = least_side(config, size)
        boxes = random_boxes(width, height, scale, config.ratio, rng, least, count * BOX_DRAWS)
        return boxes[coverage(mask, boxes) >= config.min_coverage][:count]

    def _view(
        self, image: np.ndarray, region: Region, box: Box, size: int, rng: np.random.Generator
    ) -> np.ndarray:
        view = crop(image, box, size)
        if self.config.outside == "keep":
            return view
        height, width = image.shape[:2]
        mask = Image.fromarray(region_mask(region, box, width, height)).resize(
            (size, size), Image.Resampling.NEAREST
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
