"""A small world: scenes of striped objects on noise, whose class is the stripes' direction."""

from collections.abc import Sequence

import numpy as np

from samclr_core.images import catalogue, store
from samclr_core.regions import store as region_store
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.region import Region, RegionSet
from samclr_core.workspace import Workspace

CLASSES = 4
SIDE = 40
SEGMENTER = SegmenterConfig()


def striped(kind: int, rng: np.random.Generator) -> np.ndarray:
    """An object of class ``kind`` in any two colours, uint8 [SIDE, SIDE, 3]."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    angle = np.pi * kind / CLASSES + rng.normal(0, 0.08)
    wave = np.sin(
        (rows * np.sin(angle) + columns * np.cos(angle)) * rng.uniform(0.7, 1.0)
        + rng.uniform(0, 2 * np.pi)
    )
    dark, light = rng.uniform(0, 120, 3), rng.uniform(100, 255, 3)
    mix = (wave[:, :, None] + 1) / 2
    pixels = dark * (1 - mix) + light * mix + rng.normal(0, 12, (SIDE, SIDE, 3))
    return pixels.clip(0, 255).astype(np.uint8)


def scene(rng: np.random.Generator) -> tuple[np.ndarray, list[np.ndarray]]:
    """An image, uint8 [96, 144, 3], and the masks of its four objects."""
    image = rng.normal(rng.uniform(60, 200, 3), 20, (96, 144, 3)).clip(0, 255).astype(np.uint8)
    masks = []
    for place in rng.permutation(6)[:4]:
        y, x = 4 + 48 * (place // 3), 4 + 48 * (place % 3)
        image[y : y + SIDE, x : x + SIDE] = striped(int(rng.integers(CLASSES)), rng)
        mask = np.zeros(image.shape[:2], bool)
        mask[y : y + SIDE, x : x + SIDE] = True
        masks.append(mask)
    return image, masks


def fill(workspace: Workspace, scenes: int, regions: bool = True) -> Workspace:
    """Put scenes into the workspace, with their objects as regions."""
    rng = np.random.default_rng(0)
    for number in range(scenes):
        image, masks = scene(rng)
        add(workspace, number, image, masks if regions else None)
    if regions:
        region_store.choose(workspace, SEGMENTER)
    return workspace


def add(
    workspace: Workspace, number: int, image: np.ndarray, masks: Sequence[np.ndarray] | None
) -> None:
    """Put an image into the workspace, with regions of these masks."""
    height, width = image.shape[:2]
    image_id = store.content_id(image)
    store.save(workspace, image_id, image, lossy=False)
    record = catalogue.ImageRecord(image_id, f"{number}.png", width, height, None, "test", False)
    catalogue.put(workspace, record)
    if masks is not None:
        found = tuple(Region.of_mask(mask) for mask in masks)
        region_set = RegionSet(image_id, height, width, SEGMENTER.model_dump(), found)
        region_store.write(workspace, SEGMENTER, region_set)
