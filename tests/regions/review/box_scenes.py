"""A workspace whose images have boxes as automatic regions."""

from pathlib import Path

import numpy as np

from samclr_core.images import catalogue
from samclr_core.regions import store
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.region import Region, RegionSet
from samclr_core.workspace import Workspace

HEIGHT, WIDTH = 40, 60
CONFIG = SegmenterConfig(points_per_side=4)
OTHER = SegmenterConfig(points_per_side=5)
BOXES = ((0, 0, 30, 20), (30, 0, 30, 20), (0, 20, 20, 20), (40, 30, 10, 10))
"""X, Y, W, H: 600, 600, 400 and 100 pixels that do not overlap."""


def box(x: int, y: int, w: int, h: int) -> Region:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[y : y + h, x : x + w] = True
    return Region.of_mask(mask, 0.9, 0.95, (x + w / 2, y + h / 2))


REGIONS = tuple(box(*sides) for sides in BOXES)
A, B, C, D = (region.id for region in REGIONS)


def cut(workspace: Workspace, image_id: str, config: SegmenterConfig, regions=REGIONS) -> None:
    found = RegionSet(image_id, HEIGHT, WIDTH, config.model_dump(), tuple(regions))
    store.write(workspace, config, found)


def image_id(number: int) -> str:
    return f"{number:032x}"


def box_workspace(folder: Path, images: int = 1) -> Workspace:
    workspace = Workspace(folder)
    for number in range(images):
        name, size = f"line/{number}.png", (WIDTH, HEIGHT)
        catalogue.put(
            workspace,
            catalogue.ImageRecord(image_id(number), name, *size, None, "line", False),
        )
        cut(workspace, image_id(number), CONFIG)
    store.choose(workspace, CONFIG)
    return workspace
