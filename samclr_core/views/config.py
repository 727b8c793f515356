"""Settings of the views: where the two crops are cut, and how they are altered afterwards."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from samclr_core.config import Config

Kind = Literal["image", "region"]
Choice = Literal["uniform", "area", "sqrt_area", "score", "solidity", "aspect"]
Outside = Literal["keep", "mean", "blur", "noise"]
Fraction = Annotated[float, Field(ge=0, le=1)]
# What a twin's views are.
OTHER_KIND: dict[str, Kind] = {"image": "region", "region": "image"}


def _ascending(value: tuple[float, float]) -> tuple[float, float]:
    if not 0 < value[0] <= value[1]:
        raise PydanticCustomError("not_ascending", "two ascending numbers above 0 are needed")
    return value


Range = Annotated[tuple[float, float], AfterValidator(_ascending)]
Shares = Annotated[tuple[float, Fraction], AfterValidator(_ascending)]


class ViewsConfig(Config):
    """Where the two crops of a positive pair are cut.

    Attributes:
        kind: ``image`` cuts both crops anywhere (SimCLR), ``region`` inside one region (SAMCLR).
        size: side of a view in pixels.
        scale: share of the image's area that an ``image`` crop covers.
        region_scale: share of the region's bounding box that a ``region`` crop covers.
        margin: that box is made wider on each side by this share of its width and height first, so
            that crops show some of the ground around a thing. ``min_coverage`` still asks how much
            of a crop is the region itself: with a margin it has to be lower.
        ratio: width / height of a crop.
        local_crops: small crops that go with each pair (multi-crop, arXiv 2006.09882); for DINO.
        local_size: their side in pixels.
        local_scale: share of the image's area, or of the region's box, that they cover.
        max_upscale: a crop is at least ``size / max_upscale`` pixels wide and high, so that a
            view is never made of a handful of pixels.
        choice: chance of a region: equal, by area, by its square root, by SAM's own score
            (predicted IoU x stability), or by its shape: how convex (``solidity``) or how near to a
            square (``aspect``) it is.
        schedule: share of the pairs that are cut from regions, at the start of a training and at
            its end; the others are cut anywhere. Only for ``region`` views.
        min_area: least area of a region as a share of the image's.
        max_area: greatest area of a region as a share of the image's.
        max_borders: greatest number of image borders (0 to 4) that a region may touch; what
            touches three or four is background.
        max_nested: greatest number of other regions inside a region; None for no limit.
        max_depth: greatest number of other regions around a region; None for no limit.
        min_coverage: least share of a crop's pixels that belong to the region.
        outside: what becomes of a crop's pixels outside the region.
    """

    kind: Kind = "image"
    size: int = Field(default=96, ge=16, le=512)
    scale: Shares = (0.08, 1.0)
    region_scale: Shares = (0.2, 1.0)
    margin: float = Field(default=0.0, ge=0, le=2)
    ratio: Range = (3 / 4, 4 / 3)
    local_crops: int = Field(default=0, ge=0, le=16)
    local_size: int = Field(default=48, ge=16, le=512)
    local_scale: Shares = (0.05, 0.4)
    max_upscale: float = Field(default=4.0, ge=1, le=32)
    choice: Choice = "sqrt_area"
    schedule: tuple[Fraction, Fraction] = (1.0, 1.0)
    min_area: Fraction = 0.002
    max_area: Fraction = 0.5
    max_borders: int = Field(default=2, ge=0, le=4)
    max_nested: int | None = Field(default=None, ge=0)
    max_depth: int | None = Field(default=None, ge=0)
    min_coverage: Fraction = 0.5
    outside: Outside = "keep"

    @field_validator("max_area")
    @classmethod
    def _above_min_area(cls, value: float, info: ValidationInfo) -> float:
        least = info.data.get("min_area", 0.0)
        if value <= least:
            raise PydanticCustomError("not_above", "above {limit}", {"limit": least})
        return value


class AugmentConfig(Config):
    """SimCLR's augmentations (arXiv 2002.05709, appendix A), drawn for every view by itself.

    Attributes:
        flip: chance of a horizontal flip.
        jitter: chance of colour jitter.
        strength: its strength s: brightness, contrast and saturation within 0.8 s, hue 0.2 s.
            The paper's 1.0 would wipe out colour, by which products are often told apart.
        grey: chance of a grey image.
        blur: chance of Gaussian blur.
        sigma: range of the blur's standard deviation in pixels at a 224-pixel view; smaller
            views are blurred less, in proportion.
    """

    flip: Fraction = 0.5
    jitter: Fraction = 0.8
    strength: float = Field(default=0.5, ge=0, le=1)
    grey: Fraction = 0.2
    blur: Fraction = 0.5
    sigma: Range = (0.1, 2.0)
