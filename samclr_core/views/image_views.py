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
        return self.views(image, cut)

    def views(self, image: np.ndarray, cut: Cut) -> ViewPair:
        """The crops of ``image`` at the boxes of ``cut``, as they are."""
        large = [crop(image, box, self.config.size) for box in (cut.box1, cut.box2)]
        small = tuple(crop(image, box, self.config.local_size) for box in cut.local_boxes)
        return ViewPair(**vars(cut), view1=large[0], view2=large[1], local_views=small)

    def cut(
        self, width: int, height: int, regions: RegionSet | None, rng: np.random.Generator
    ) -> Cut:
        config = self.config
        boxes = random_boxes(
            width, height, config.scale, config.ratio, rng, least_side(config), count=2
        )
        small = random_boxes(
            width,
            height,
            config.local_scale,
            config.ratio,
            rng,
            least_side(config, config.local_size),
            count=config.local_crops,
        )
        locals_ = tuple(as_box(box) for box in small)
        return Cut(as_box(boxes[0]), as_box(boxes[1]), None, local_boxes=locals_)
