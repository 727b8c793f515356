"""A region of an image, and all regions of one image."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from pycocotools import mask as coco

from samclr_core.regions import rle
from samclr_core.regions.rle import Box, Rle


@dataclass(frozen=True)
class Region:
    """One segmented region and where it came from.

    Attributes:
        rle: the mask as COCO compressed RLE, ``{"size": [H, W], "counts": str}``.
        bbox: the box around the mask as X, Y, W, H in pixels.
        area: pixels of the mask.
        predicted_iou: the model's own estimate of the mask's quality, about 0 to 1.
        stability_score: IoU of the mask cut at a higher and at a lower logit, 0 to 1.
        point: the prompt it came from, X, Y in pixels.
    """

    rle: Rle
    bbox: Box
    area: int
    predicted_iou: float
    stability_score: float
    point: tuple[float, float]

    def mask(self) -> np.ndarray:
        """The mask as bool [H, W]."""
        return rle.decode(self.rle)

    @classmethod
    def of_mask(
        cls,
        mask: np.ndarray,
        predicted_iou: float = 1.0,
        stability_score: float = 1.0,
        point: tuple[float, float] = (0.0, 0.0),
    ) -> "Region":
        """The region of a bool mask [H, W]."""
        return cls.of_rle(rle.encode(mask), predicted_iou, stability_score, point)

    @classmethod
    def of_rle(
        cls,
        encoded: Rle,
        predicted_iou: float = 1.0,
        stability_score: float = 1.0,
        point: tuple[float, float] = (0.0, 0.0),
    ) -> "Region":
        """The region of a mask as COCO compressed RLE."""
        x, y, w, h = (int(value) for value in coco.toBbox(encoded))
        area = int(coco.area(encoded))
        return cls(encoded, (x, y, w, h), area, predicted_iou, stability_score, point)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Region":
        """The region that ``dataclasses.asdict`` was called on."""
        x, y, w, h = values["bbox"]
        return cls(**{**values, "bbox": (x, y, w, h), "point": tuple(values["point"])})

    @property
    def centre(self) -> tuple[float, float]:
        """X, y of the middle of its box."""
        x, y, w, h = self.bbox
        return x + w / 2, y + h / 2

    @property
    def id(self) -> str:
        """16 hex digits of the mask's SHA-256: the same mask on the same image is one region."""
        text = f"{self.rle['size']}{self.rle['counts']}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class RegionSet:
    """All regions of one image, largest first.

    Attributes:
        image_id: the image they belong to.
        height: of the image, in pixels.
        width: of the image, in pixels.
        segmenter: the settings that made them.
        regions: sorted by area, largest first.
        seconds: machine time it took.
        dropped: how many candidates were dropped, by reason.
    """

    image_id: str
    height: int
    width: int
    segmenter: dict[str, Any]
    regions: tuple[Region, ...]
    seconds: float = 0.0
    dropped: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values that ``json`` can write."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "RegionSet":
        """The set that :meth:`to_json` was called on."""
        regions = tuple(Region.from_json(region) for region in values["regions"])
        return cls(**{**values, "regions": regions})
