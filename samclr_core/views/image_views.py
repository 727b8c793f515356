"""Image views: both crops anywhere in the image, as SimCLR cuts them."""

import numpy as np

from samclr_core.regions.region import RegionSet
from samclr_core.views.boxes import as_box, least_side, random_boxes
from samclr_core.views.config import ViewsConfig
from samclr_core.views.crops import crop
from samclr_core.views.pair import Cut, ViewPair


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
        return Cut(as_box(boxes[0]), as_box(boxes[1]), None)
