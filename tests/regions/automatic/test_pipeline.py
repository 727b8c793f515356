"""A folder of images: each with its own embedding, in order, one ahead and no more."""

import pytest
import torch
from shapes import scene

from samclr_core.messages import UserError
from samclr_core.regions.automatic import pipeline
from samclr_core.regions.automatic.segmenter import Segmenter
from samclr_core.regions.config import SegmenterConfig

IMAGES = {str(seed): scene(seed)[0][: 300 + 20 * seed] for seed in range(3)}


@pytest.fixture(scope="module")
def segmenter(sam_weights) -> Segmenter:
    return Segmenter(SegmenterConfig(points_per_side=2), "cpu")


def test_every_image_comes_in_order_with_its_embedding(monkeypatch, segmenter):
    monkeypatch.setitem(pipeline.IMAGES_PER_BATCH, "cpu", 2)
    batches = list(pipeline.embedded(segmenter, IMAGES.__getitem__, list(IMAGES)))
    assert [len(batch) for batch in batches] == [2, 1]
    found = [one for batch in batches for one in batch]
    assert [one.image_id for one in found] == list(IMAGES)
    for one in found:
        assert one.image is IMAGES[one.image_id]
        torch.testing.assert_close(one.embedding, segmenter.embed(one.image), atol=1e-4, rtol=0)


def test_the_encoder_is_one_image_ahead_of_the_consumer(segmenter):
    loaded = []

    def load(image_id: str):
        loaded.append(image_id)
        return IMAGES[image_id]

    for number, _ in enumerate(pipeline.embedded(segmenter, load, list(IMAGES)), start=1):
        assert number <= len(loaded) <= number + 1
    assert loaded == list(IMAGES)


def test_no_images_are_no_work(segmenter):
    assert list(pipeline.embedded(segmenter, IMAGES.__getitem__, [])) == []


def test_what_was_ready_comes_before_an_image_that_cannot_be_had(segmenter):
    def load(image_id: str):
        if image_id == "1":
            raise UserError("images.unknown_id", id=image_id)
        return IMAGES[image_id]

    coming = pipeline.embedded(segmenter, load, list(IMAGES))
    assert [one.image_id for one in next(coming)] == ["0"]
    with pytest.raises(UserError, match="no image"):
        next(coming)


def test_regions_from_a_given_embedding_are_the_same(segmenter):
    image = IMAGES["1"]
    given = segmenter.segment(image, embedding=segmenter.embed(image))
    assert given.regions == segmenter.segment(image).regions
