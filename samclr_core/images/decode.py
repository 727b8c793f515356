"""Turn untrusted bytes into an upright RGB image, or say in one sentence why not."""

import io
import warnings

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from samclr_core.messages import UserError

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP")
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
# MPO is what Pillow calls the JPEG of many phones, with a second picture behind the first.
MPO = "MPO"
# Photographs, for which another high-quality JPEG loses nothing that a person or a model sees.
LOSSY_FORMATS = ("JPEG", MPO, "WEBP")
MIN_SIDE = 16
MAX_SIDE = 20_000
MAX_PIXELS = 120_000_000
# Industrial cameras put 10, 12 or 14 bits into a 16-bit file; the smallest fitting range is theirs.
FULL_SCALES = (255, 1023, 4095, 16383, 65535)


def decode(content: bytes, name: str) -> np.ndarray:
    """The first and only picture in ``content``, upright, without EXIF.

    Palette, CMYK and grey images become RGB, transparency becomes white, and 16-bit images are
    scaled from the smallest camera range (8, 10, 12, 14 or 16 bits) that holds their maximum.

    Args:
        content: the bytes of a PNG, JPEG, BMP, TIFF or WebP file.
        name: what to call the file in a message.

    Returns:
        uint8 [H, W, 3], RGB.

    Raises:
        UserError: empty, not an image, animated, cut off, too large, too small.
    """
    image = _open(content, name)
    _check_header(image, name)
    try:
        image.load()
        upright = ImageOps.exif_transpose(image)
        return np.array(_as_rgb(upright, name, _white_is_zero(image)))
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise UserError("images.truncated", name=name) from error


def is_lossy(content: bytes) -> bool:
    """Whether ``content``, which :func:`decode` has accepted, is in a photographic format."""
    with Image.open(io.BytesIO(content), formats=FORMATS) as image:
        return image.format in LOSSY_FORMATS


def _open(content: bytes, name: str) -> Image.Image:
    if not content:
        raise UserError("images.empty", name=name)
    try:
        with warnings.catch_warnings():
            # Pillow warns above its own limit; ours are checked from the header right after.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise UserError("images.too_many_pixels", name=name, limit=MAX_PIXELS // 10**6) from error
    except UnidentifiedImageError as error:
        raise UserError("images.not_an_image", name=name) from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise UserError("images.truncated", name=name) from error


def _check_header(image: Image.Image, name: str) -> None:
    width, height = image.size
    if max(width, height) > MAX_SIDE:
        raise UserError(
            "images.side_too_long", name=name, width=width, height=height, limit=MAX_SIDE
        )
    if width * height > MAX_PIXELS:
        raise UserError("images.too_many_pixels", name=name, limit=MAX_PIXELS // 10**6)
    if min(width, height) < MIN_SIDE:
        raise UserError("images.too_small", name=name, width=width, height=height, limit=MIN_SIDE)
    if image.format != MPO and getattr(image, "n_frames", 1) > 1:
        raise UserError("images.animated", name=name)


def _as_rgb(image: Image.Image, name: str, white_is_zero: bool) -> Image.Image:
    if image.mode.startswith("I"):
        grey = _to_8_bit(np.asarray(image))
        return Image.fromarray(255 - grey if white_is_zero else grey).convert("RGB")
    if image.mode == "F":
        raise UserError("images.float_pixels", name=name)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def _white_is_zero(image: Image.Image) -> bool:
    """Whether a TIFF counts from white, as X-ray cameras do; Pillow minds it for 8 bits only."""
    tags = getattr(image, "tag_v2", {})
    return tags.get(ExifTags.Base.PhotometricInterpretation) == 0


def _to_8_bit(values: np.ndarray) -> np.ndarray:
    values = np.clip(values, 0, FULL_SCALES[-1])
    full_scale = next(scale for scale in FULL_SCALES if values.max() <= scale)
    return np.round(values * (255.0 / full_scale)).astype(np.uint8)
