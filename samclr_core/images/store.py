"""The pictures themselves: images, thumbnails and label maps on disk, named by their content."""

import hashlib
import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from samclr_core.images import catalogue
from samclr_core.messages import UserError
from samclr_core.workspace import Workspace, write_atomic

VOID = 255
THUMBNAIL_SIDE = 320
JPEG_QUALITY = 95


def content_id(pixels: np.ndarray) -> str:
    """32 hex digits of the SHA-256 over the shape and the pixels, uint8 [H, W, 3]."""
    digest = hashlib.sha256(str(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()[:32]


def save(workspace: Workspace, image_id: str, pixels: np.ndarray, lossy: bool) -> None:
    """Keep the image, uint8 [H, W, 3], and its thumbnail.

    Photographs that came in a lossy format are kept as JPEG of quality 95 without chroma
    subsampling, all others as PNG: a 24-megapixel PNG of a photo would be ten times the size.
    """
    image = Image.fromarray(pixels)
    if lossy:
        content = _encoded(image, "JPEG", quality=JPEG_QUALITY, subsampling=0)
        write_atomic(workspace.images / f"{image_id}.jpg", content)
    else:
        content = _encoded(image, "PNG", compress_level=1)
        write_atomic(workspace.images / f"{image_id}.png", content)
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), reducing_gap=2.0)
    write_atomic(workspace.thumbnails / f"{image_id}.jpg", _encoded(image, "JPEG", quality=85))


def image_path(workspace: Workspace, image_id: str) -> Path:
    """The file of an image.

    Raises:
        UserError: the workspace has no such image.
    """
    for suffix in (".jpg", ".png"):
        path = workspace.images / f"{image_id}{suffix}"
        if path.exists():
            return path
    raise UserError("images.unknown_id", id=image_id)


def load(workspace: Workspace, image_id: str) -> np.ndarray:
    """The image as uint8 [H, W, 3], RGB.

    Raises:
        UserError: the workspace has no such image.
    """
    with Image.open(image_path(workspace, image_id)) as image:
        return np.array(image.convert("RGB"))


def thumbnail(workspace: Workspace, image_id: str) -> Path:
    """A JPEG whose longer side is at most 320 px."""
    return workspace.thumbnails / f"{image_id}.jpg"


def save_label_map(workspace: Workspace, image_id: str, classes: np.ndarray) -> None:
    """Keep ground truth per pixel, uint8 [H, W] of class ids, 255 where there is none."""
    content = _encoded(Image.fromarray(classes.astype(np.uint8)), "PNG")
    write_atomic(workspace.label_maps / f"{image_id}.png", content)


def label_map(workspace: Workspace, image_id: str) -> np.ndarray | None:
    """Ground truth per pixel, uint8 [H, W] of class ids with 255 for void, or None."""
    path = workspace.label_maps / f"{image_id}.png"
    if not path.exists():
        return None
    with Image.open(path) as image:
        return np.array(image)


def remove(workspace: Workspace, image_ids: Iterable[str]) -> None:
    """Delete the images, with everything that any station made of them; see ``forget``."""
    image_ids = list(image_ids)
    catalogue.drop(workspace, image_ids)
    workspace.forget(image_ids)


def _encoded(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
