import io
from pathlib import Path

import numpy as np
from box_scenes import A, box, box_workspace, image_id
from PIL import Image

from samclr_core.regions.region import Region, RegionSet
from samclr_core.regions.review.actions import Reviewer
from samclr_core.regions.review.label_maps import label_map, label_maps


def opened(content: bytes) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(content)))


def test_small_regions_lie_over_large_ones(tmp_path: Path) -> None:
    workspace = box_workspace(tmp_path, 2)
    ann = Reviewer(workspace, "ann")
    ann.drop(image_id(0), [A])
    ann.add(image_id(0), box(32, 2, 5, 4))
    maps = dict(label_maps(workspace))
    assert list(maps) == ["0-00000000.png", "1-00000000.png"]
    labels = opened(maps["0-00000000.png"])
    assert labels.dtype == np.uint8
    assert labels[10, 10] == 0
    # In use, largest first: 600, 400, 100 and the added 20 pixels.
    assert [int((labels == n).sum()) for n in range(1, 5)] == [600 - 20, 400, 100, 20]
    assert labels[3, 33] == 4


def test_more_than_255_regions_take_16_bits(tmp_path: Path) -> None:
    masks = np.zeros((300, 1, 300), bool)
    masks[np.arange(300), 0, np.arange(300)] = True
    regions = RegionSet("a", 1, 300, {}, tuple(map(Region.of_mask, masks)))
    labels = label_map(regions)
    assert labels.dtype == np.uint16
    assert labels[0].tolist() == list(range(1, 301))
    buffer = io.BytesIO()
    Image.fromarray(labels).save(buffer, "PNG")
    assert (opened(buffer.getvalue()) == labels).all()
