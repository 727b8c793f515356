"""A positive pair: two crops of one image or of one region, and who cuts them."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from samclr_core.regions.region import RegionSet
from samclr_core.regions.rle import Box


@dataclass(frozen=True)
class Cut:
    """Where the two crops lie, in pixels of the image, and the region they lie in.

    ``region`` is an index into the :class:`RegionSet`; None where the whole image was cut.
    ``local_boxes`` are those of the small crops that go with the pair, where there are any.
    """

    box1: Box
    box2: Box
    region: int | None
    local_boxes: tuple[Box, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True)
class ViewPair(Cut):
    """Two crops, uint8 [size, size, 3] RGB, before augmentation, and where they were cut.

    ``local_views`` are the small ones, uint8 [local_size, local_size, 3] each.
    """

    view1: np.ndarray
    view2: np.ndarray
    local_views: tuple[np.ndarray, ...] = field(default=(), kw_only=True)


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
