"""A pair of views as pictures: where it was cut, the two crops, and what training sees of them."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from samclr_core.palette import COLOURS
from samclr_core.regions.region import RegionSet
from samclr_core.views.config import AugmentConfig, ViewsConfig
from samclr_core.views.crops import region_mask
from samclr_core.views.pair import ViewPair
from samclr_core.views.sampler import sampler

SHOWN_SIDE = 1000
DIMMED = 0.4


@dataclass(frozen=True)
class PairPictures:
    """Pictures of one pair, uint8 RGB: the photo with both boxes, the crops, the crops altered."""

    photo: np.ndarray
    crops: tuple[np.ndarray, np.ndarray]
    altered: tuple[np.ndarray, np.ndarray]
    from_region: bool


def draw(
    image: np.ndarray,
    regions: RegionSet | None,
    config: ViewsConfig,
    augment: AugmentConfig,
    seed: int,
) -> PairPictures:
    """One pair of ``image``, uint8 [H, W, 3]; the same seed gives the same pair."""
    pair = sampler(config)(image, regions, np.random.default_rng(seed))
    return PairPictures(
        photo=_photo(image, regions, pair),
        crops=(pair.view1, pair.view2),
        altered=_altered(pair, augment, seed),
        from_region=pair.region is not None,
    )


def _photo(image: np.ndarray, regions: RegionSet | None, pair: ViewPair) -> np.ndarray:
    height, width = image.shape[:2]
    scale = min(1.0, SHOWN_SIDE / max(height, width))
    shown = Image.fromarray(image).resize(
        (max(1, round(width * scale)), max(1, round(height * scale))), Image.Resampling.LANCZOS
    )
    if regions is not None and pair.region is not None:
        whole = (0, 0, shown.width, shown.height)
        mask = region_mask(regions.regions[pair.region], whole, shown.width, shown.height)
        pixels = np.asarray(shown)
        # What lies outside of the region steps back, so that the region shows.
        grey = pixels.mean(axis=2, keepdims=True) * DIMMED + 255 * (1 - DIMMED) * 0.9
        shown = Image.fromarray(np.where(mask[..., None], pixels, grey).astype(np.uint8))
    _boxes(shown, pair, scale)
    return np.asarray(shown)


def _boxes(shown: Image.Image, pair: ViewPair, scale: float) -> None:
    brush = ImageDraw.Draw(shown)
    width = max(3, round(max(shown.size) / 200))
    font = ImageFont.load_default(size=6 * width)
    for number, box in enumerate((pair.box1, pair.box2), start=1):
        colour = ImageColor.getrgb(COLOURS[f"view{number}"])
        x, y, w, h = (value * scale for value in box)
        brush.rectangle((x, y, x + w - 1, y + h - 1), outline=colour, width=width)
        # The tags stand outside, at opposite corners: small boxes would vanish below them.
        tag = 8 * width
        left, top = (x - tag, y - tag) if number == 1 else (x + w, y + h)
        left, top = min(max(left, 0), shown.width - tag), min(max(top, 0), shown.height - tag)
        brush.rectangle((left, top, left + tag, top + tag), fill=colour)
        centre = (left + tag / 2, top + tag / 2)
        brush.text(centre, str(number), fill="white", font=font, anchor="mm")


def _altered(pair: ViewPair, augment: AugmentConfig, seed: int) -> tuple[np.ndarray, np.ndarray]:
    import torch

    from samclr_core.views.augment import Augmentation

    views = torch.from_numpy(np.stack([pair.view1, pair.view2])).permute(0, 3, 1, 2)
    changed = Augmentation(augment).altered(views, torch.Generator().manual_seed(seed))
    shown = (changed.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).numpy()
    return shown[0], shown[1]
