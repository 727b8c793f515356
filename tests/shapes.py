"""Plain things on a plain ground, whose masks are known."""

import numpy as np

SIZE = (384, 512)
DISCS = ((110, 120, 60), (300, 90, 45), (400, 260, 80))
BOXES = ((60, 240, 120, 90), (230, 220, 70, 110))


def scene(seed: int = 0) -> tuple[np.ndarray, list[np.ndarray]]:
    """An image, uint8 [384, 512, 3], and the masks of its five things."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    discs = [(x - cx) ** 2 + (y - cy) ** 2 < r * r for cx, cy, r in DISCS]
    boxes = [(x >= bx) & (x < bx + w) & (y >= by) & (y < by + h) for bx, by, w, h in BOXES]
    image = np.full((*SIZE, 3), 175.0)
    for mask in (*discs, *boxes):
        image[mask] = rng.integers(20, 120, 3)
    image += rng.normal(0, 3, image.shape)
    return image.clip(0, 255).astype(np.uint8), [*discs, *boxes]
