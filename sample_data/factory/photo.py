"""What a camera adds to a clean rendering: soft lens, vignette, colour cast and sensor noise."""

import numpy as np
from PIL import Image, ImageFilter

MEAN_LEVEL, GAMMA_LIMITS = 0.35, (0.66, 1.0)  # what the camera's exposure aims at, and how far
SOFTNESS = (0.0, 0.6)  # radius of the blur in pixels
VIGNETTE = (0.05, 0.25)  # share of the light that the corners lose
CAST = 0.03
READ_NOISE, GRAINY_NOISE, GRAINY_SHARE = (0.8, 2.6), (4.0, 6.0), 0.15  # in grey levels
SHOT_NOISE = (0.02, 0.09)


def photograph(rendering: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return the rendering as a camera with drawn faults would deliver it."""
    soft = rendering.filter(ImageFilter.GaussianBlur(rng.uniform(*SOFTNESS)))
    pixels = _expose(np.asarray(soft, np.float32))
    height, width = pixels.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    falloff = 1 - rng.uniform(*VIGNETTE) * (x**2 + y**2) / 2
    pixels = pixels * falloff[..., None] * rng.uniform(1 - CAST, 1 + CAST, 3)
    read = rng.uniform(*(GRAINY_NOISE if rng.random() < GRAINY_SHARE else READ_NOISE))
    spread = np.sqrt(read**2 + rng.uniform(*SHOT_NOISE) * np.clip(pixels, 0, None))
    pixels = pixels + rng.normal(size=pixels.shape) * spread
    return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))


def _expose(pixels: np.ndarray) -> np.ndarray:
    """Lift a dark picture towards a middle level, as a camera's automatic exposure does."""
    share = np.clip(pixels / 255, 1e-4, 1)
    gamma = np.clip(np.log(MEAN_LEVEL) / np.log(share.mean()), *GAMMA_LIMITS)
    return 255 * share**gamma
