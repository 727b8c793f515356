"""A region of an image, and all regions of one image."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from pycocotools import mask as coco


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

    rle: dict[str, Any]
    bbox: tuple[int, int, int, int]
    area: int
    predicted_iou: float
    stability_score: float
    point: tuple[float, float]

    def mask(self) -> np.ndarray:
        """The mask as bool [H, W]."""
        return decode_rle(self.rle)

    @classmethod
    def of_mask(
        cls,
        mask: np.ndarray,
        predicted_iou: float = 1.0,
        stability_score: float = 1.0,
        point: tuple[float, float] = (0.0, 0.0),
    ) -> "Region":
        """The region of a bool mask [H, W]."""
        rle = encode_rle(mask)
        x, y, w, h = (int(value) for value in coco.toBbox(rle))
        area = int(coco.area(rle))
        return cls(rle, (x, y, w, h), area, predicted_iou, stability_score, point)


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
        regions = tuple(_region(region) for region in values["regions"])
        return cls(**{**values, "regions": regions})


def encode_rle(mask: np.ndarray) -> dict[str, Any]:
    """A bool mask [H, W] as COCO compressed RLE."""
    rle = coco.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {"size": [int(side) for side in rle["size"]], "counts": rle["counts"].decode("ascii")}


def decode_rle(rle: Mapping[str, Any]) -> np.ndarray:
    """A COCO compressed RLE as bool mask [H, W]."""
    return coco.decode(dict(rle)).astype(bool)


def _region(values: Mapping[str, Any]) -> Region:
    x, y, w, h = values["bbox"]
    return Region(**{**values, "bbox": (x, y, w, h), "point": tuple(values["point"])})
