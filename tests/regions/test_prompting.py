import numpy as np
import pytest
from PIL import Image
from segment_anything import SamPredictor
from shapes import BOXES, DISCS, SIZE, scene

from samclr_core.images import catalogue, store
from samclr_core.messages import UserError
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.prompting import Prompter
from samclr_core.workspace import Workspace


@pytest.fixture(scope="module")
def prompter(sam_weights) -> Prompter:
    return Prompter(SegmenterConfig(), "cpu")


@pytest.fixture(scope="module")
def embedded(prompter):
    return prompter.segmenter.embed(scene()[0])


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return (a & b).sum() / (a | b).sum()


@pytest.mark.parametrize("number", range(len(DISCS)))
def test_a_click_on_a_thing_gives_the_thing(prompter, embedded, number):
    x, y, _ = DISCS[number]
    found = prompter.region(embedded, SIZE, [(x, y)])
    assert iou(found.mask(), scene()[1][number]) > 0.9
    assert found.point == (x, y)
    assert 0.8 < found.predicted_iou < 1.2
    assert 0.9 < found.stability_score <= 1


@pytest.mark.parametrize("turned", [False, True])
def test_a_box_around_a_thing_gives_the_thing(prompter, embedded, turned):
    x, y, w, h = BOXES[0]
    corners = (x - 4, y - 4, x + w + 4, y + h + 4)
    box = (corners[2], corners[3], corners[0], corners[1]) if turned else corners
    found = prompter.region(embedded, SIZE, box=box)
    assert iou(found.mask(), scene()[1][len(DISCS)]) > 0.9
    assert found.point == (x + w / 2, y + h / 2)


def test_two_clicks_join_and_a_click_outside_takes_away(prompter, embedded):
    (x1, y1, _), (x2, y2, _) = DISCS[:2]
    both = prompter.region(embedded, SIZE, [(x1, y1), (x2, y2)])
    masks = scene()[1]
    assert all(both.mask()[mask].mean() > 0.9 for mask in masks[:2])
    one = prompter.region(embedded, SIZE, [(x1, y1), (x2, y2)], [1, 0])
    assert one.mask()[masks[1]].mean() < 0.1
    assert iou(one.mask(), masks[0]) > 0.9


@pytest.mark.parametrize(
    "prompts",
    [
        {},
        {"points": [(5, 5)], "labels": [0]},
        {"points": [(-1, 5)]},
        {"points": [(5, SIZE[0])]},
        {"points": [(5, 5)], "labels": [1, 1]},
        {"box": (10, 10, 10, 40)},
        {"box": (SIZE[1] + 5, 10, SIZE[1] + 50, 40)},
    ],
)
def test_prompts_that_say_nothing_are_one_sentence(prompter, embedded, prompts):
    with pytest.raises(UserError) as error:
        prompter.region(embedded, SIZE, **prompts)
    assert error.value.key == "review.no_prompt"


def test_a_kept_embedding_gives_the_same_region(prompter, embedded, tmp_path, monkeypatch):
    workspace, image = Workspace(tmp_path), scene()[0]
    image_id = store.content_id(image)
    store.save(workspace, image_id, image, lossy=False)
    catalogue.put(
        workspace, catalogue.ImageRecord(image_id, "a.png", SIZE[1], SIZE[0], None, "g", False)
    )
    first = prompter.embed(workspace, image_id)
    monkeypatch.setattr(prompter.segmenter, "embed", lambda image: pytest.fail("embedded again"))
    again = prompter.embed(workspace, image_id)
    assert (first == again).all()
    x, y, _ = DISCS[0]
    kept, fresh = (prompter.region(e, SIZE, [(x, y)]) for e in (again, embedded))
    assert iou(kept.mask(), fresh.mask()) > 0.99
    store.remove(workspace, [image_id])
    assert not list(workspace.cache.rglob(f"{image_id}*"))


@pytest.mark.parametrize("size", [(300, 520), (1500, 1000)])
def test_the_masks_are_those_of_sams_own_predictor(prompter, size):
    image = np.array(Image.fromarray(scene()[0]).resize(size[::-1]))
    predictor = SamPredictor(prompter.model)
    predictor.set_image(image)
    scale = np.array([size[1] / SIZE[1], size[0] / SIZE[0]])
    click, corners = (
        scale * DISCS[0][:2],
        np.array([*(scale * BOXES[0][:2]), *(scale * (180, 330))]),
    )
    asked = (
        ({"points": [tuple(click)]}, {"point_coords": click[None], "point_labels": np.ones(1)}),
        ({"box": tuple(corners)}, {"box": corners, "multimask_output": False}),
    )
    for ours, theirs in asked:
        found = prompter.region(predictor.features, size, **ours)
        masks, scores, _ = predictor.predict(**theirs)
        assert iou(found.mask(), masks[scores.argmax()]) > 0.999
        assert found.predicted_iou == pytest.approx(scores.max(), abs=1e-3)
