"""Photos that the tests of the app make themselves: plain things, easy to cut into regions."""

import io

import numpy as np
from PIL import Image, ImageDraw

from samclr_core.regions.region import Region

SHAPES = ((60, 80, 120, 110), (230, 60, 120, 150), (120, 230, 160, 90), (420, 200, 110, 140))


def photo(seed: int, side: tuple[int, int] = (640, 448)) -> bytes:
    """A picture of plain things on a plain ground, as JPEG: easy to cut into regions."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", side, tuple(int(v) for v in rng.integers(150, 210, 3)))
    brush = ImageDraw.Draw(image)
    for x, y, w, h in SHAPES:
        dx, dy = rng.integers(-30, 30, 2)
        colour = tuple(int(v) for v in rng.integers(20, 230, 3))
        brush.rounded_rectangle((x + dx, y + dy, x + w + dx, y + h + dy), 18, fill=colour)
    noisy = np.asarray(image, float) + rng.normal(0, 3, (side[1], side[0], 3))
    buffer = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def box_region(x: int, y: int, w: int, h: int) -> Region:
    """A region of a photo that is a box."""
    mask = np.zeros((448, 640), bool)
    mask[y : y + h, x : x + w] = True
    return Region.of_mask(mask, predicted_iou=0.9, stability_score=0.95)
