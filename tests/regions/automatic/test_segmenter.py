"""Real regions of real weights: plain shapes are found, and as segment-anything finds them."""

import numpy as np
import pytest
import torch
from pycocotools import mask as coco
from segment_anything import SamAutomaticMaskGenerator
from shapes import scene

from samclr_core.messages import Cancelled
from samclr_core.regions import rle
from samclr_core.regions.automatic.segmenter import Embedded, Segmenter
from samclr_core.regions.config import SegmenterConfig

# segment-anything's own thresholds, and no more de-duplication than it has.
AS_STOCK = SegmenterConfig(
    points_per_side=8,
    min_predicted_iou=0.88,
    min_stability=0.95,
    max_mask_iou=1.0,
    max_containment=1.0,
)


@pytest.fixture(scope="module")
def segmenter(sam_weights) -> Segmenter:
    return Segmenter(SegmenterConfig(points_per_side=8), "cpu")


@pytest.fixture(scope="module")
def regions(segmenter):
    return segmenter.segment(scene()[0], "shapes")


def best_ious(wanted: list, regions) -> np.ndarray:
    return np.asarray(coco.iou(wanted, [r.rle for r in regions], [0] * len(regions))).max(axis=1)


def test_every_plain_thing_is_a_region(regions):
    things = [rle.encode(mask) for mask in scene()[1]]
    assert best_ious(things, regions.regions).min() > 0.9


def test_regions_carry_where_they_come_from(segmenter, regions):
    assert regions.image_id == "shapes"
    assert (regions.height, regions.width) == (384, 512)
    assert regions.segmenter == segmenter.config.model_dump()
    assert regions.seconds > 0
    areas = [region.area for region in regions.regions]
    assert areas == sorted(areas, reverse=True)
    prompts = {(32 + 64 * column, 24 + 48 * row) for column in range(8) for row in range(8)}
    for region in regions.regions:
        assert region.point in prompts
        assert region.predicted_iou > segmenter.config.min_predicted_iou
        assert region.stability_score >= segmenter.config.min_stability
    exact = Segmenter(segmenter.config.model_copy(update={"foveated": False}), "cpu")
    everything = exact.segment(scene()[0])
    assert len(everything.regions) + sum(everything.dropped.values()) == 3 * 64
    # Of the short cuts, one is to ask less.
    proposed = len(regions.regions) + sum(regions.dropped.values())
    assert proposed % 3 == 0
    assert proposed < 3 * 64


def test_the_same_image_gives_the_same_regions(segmenter, regions):
    again = segmenter.segment(scene()[0], "shapes")
    assert again.regions == regions.regions


@pytest.fixture(scope="module")
def stock(segmenter) -> list[dict]:
    """What segment-anything's own generator finds."""
    generator = SamAutomaticMaskGenerator(
        segmenter.model, points_per_side=8, output_mode="coco_rle"
    )
    return [mask["segmentation"] for mask in generator.generate(scene(1)[0])]


@pytest.mark.parametrize(("foveated", "iou"), [(False, 0.95), (True, 0.8)])
def test_it_finds_what_segment_anything_finds(stock, foveated, iou):
    assert len(stock) >= 5
    ours = Segmenter(AS_STOCK.model_copy(update={"foveated": foveated}), "cpu")
    found = ours.segment(scene(1)[0]).regions
    assert np.mean(best_ious(stock, found) >= iou) >= 0.85
    assert abs(len(found) - len(stock)) <= 2


@pytest.mark.parametrize("size", [(16, 16), (20, 1500), (1500, 20), (1, 1)])
def test_any_shape_of_image_can_be_cut(segmenter, size):
    image = np.random.default_rng(0).integers(0, 255, (*size, 3), dtype=np.uint8)
    found = segmenter.segment(image)
    for region in found.regions:
        x, y, w, h = region.bbox
        assert 0 <= x < x + w <= size[1]
        assert 0 <= y < y + h <= size[0]
        assert region.rle["size"] == list(size)


def test_a_stop_is_minded_between_prompts(segmenter):
    threads = torch.get_num_threads()
    told = []

    def stop(done: int, total: int, note: str = "") -> None:
        told.append((done, total))
        if len(told) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        segmenter.segment(scene()[0], progress=stop)
    assert len(told) == 2
    assert 0 < told[0][0] < told[1][0] < told[1][1] == told[0][1] <= 64
    assert torch.get_num_threads() == threads
    assert segmenter.segment(scene()[0]).regions, "it can be used again"


def test_images_cut_together_are_as_each_alone(segmenter, regions):
    images = [scene()[0], scene(1)[0][:300]]
    embedded = [Embedded(str(i), image, segmenter.embed(image)) for i, image in enumerate(images)]
    told = []
    found = list(segmenter.segment_all(embedded, lambda *step: told.append(step)))
    assert [one.image_id for one in found] == ["0", "1"]
    assert (found[1].height, found[1].width) == images[1].shape[:2]
    assert found[0].regions == regions.regions
    assert found[1].regions == segmenter.segment(images[1]).regions
    done, total = told[-1]
    assert done == total <= 128
