"""What becomes of a crop's pixels outside the region."""

import numpy as np
from PIL import Image, ImageFilter

from samclr_core.views.config import Outside

# ImageNet's mean colour: zero once a view is normalised.
MEAN_COLOUR = (124, 116, 104)
BLUR_SHARE = 0.08


def filled(
    view: np.ndarray, mask: np.ndarray, outside: Outside, rng: np.random.Generator
) -> np.ndarray:
    """A view, uint8 [S, S, 3], with its pixels outside the mask, bool [S, S], replaced.

    ``mean`` is ImageNet's mean colour, ``blur`` the view blurred by 8% of its side, ``noise``
    independent uniform pixels, ``keep`` the view as it is.
    """
    if outside == "keep":
        return view
    return np.where(mask[:, :, None], view, _replacement(view, outside, rng))


def _replacement(view: np.ndarray, outside: Outside, rng: np.random.Generator) -> np.ndarray:
    if outside == "mean":
        return np.broadcast_to(np.array(MEAN_COLOUR, np.uint8), view.shape)
    if outside == "noise":
        return rng.integers(0, 256, view.shape, dtype=np.uint8)
    radius = BLUR_SHARE * view.shape[0]
    return np.asarray(Image.fromarray(view).filter(ImageFilter.GaussianBlur(radius)))
