"""Region views: both crops inside one SAM region, as SAMCLR cuts them."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from PIL import Image

from samclr_core.regions.region import Region, RegionSet
from samclr_core.regions.rle import Box
from samclr_core.views.boxes import as_box, least_side, random_boxes, scaled_box
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
                    return Cut(as_box(boxes[0]), as_box(boxes[1]), int(index))
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
