"""A real tuning on a few plain scenes, from masks to a model that is chosen by its name."""

import json
import shutil
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from shapes import BOXES, DISCS, scene

from samclr_core.images import catalogue, store
from samclr_core.images.catalogue import ImageRecord
from samclr_core.messages import Cancelled, UserError
from samclr_core.regions import store as region_store
from samclr_core.regions.automatic.segmenter import Segmenter
from samclr_core.regions.batch import segment_workspace
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.region import Region
from samclr_core.regions.review.actions import Reviewer
from samclr_core.regions.sam import tuned
from samclr_core.regions.sam.models import load_model
from samclr_core.regions.sam.weights import pinned
from samclr_core.regions.tuning import examples, report, way
from samclr_core.regions.tuning.config import TuningConfig
from samclr_core.regions.tuning.examples import collect, source, split
from samclr_core.regions.tuning.training import train
from samclr_core.regions.tuning.tune import tune
from samclr_core.workspace import Workspace

SCENES = 4
INNER = 0.75
QUICK = TuningConfig(
    epochs=2,
    prompts_per_image=4,
    images_per_step=1,
    learning_rate=2e-4,
    boxes=0,
    clicks=0,
    tokens=256,
    points_per_side=4,
    test=0.2,
)


def with_parts(seed: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """A plain scene whose things have a bright part each, which SAM may take for the thing."""
    image, masks = scene(seed)
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    middles = [(bx + w // 2, by + h // 2, min(w, h) // 2) for bx, by, w, h in BOXES]
    rng = np.random.default_rng([seed, 1])
    for cx, cy, r in (*DISCS, *middles):
        image[(x - cx) ** 2 + (y - cy) ** 2 < (INNER * r) ** 2] = rng.integers(150, 255, 3)
    return image, masks


def filled(root: Path) -> Workspace:
    """A workspace of scenes, whose label maps say that a thing is one with its part."""
    workspace = Workspace(root)
    for number in range(SCENES):
        pixels, masks = with_parts(number)
        labels = np.zeros(pixels.shape[:2], np.uint8)
        for label, mask in enumerate(masks, start=1):
            labels[mask] = label
        image_id = store.content_id(pixels)
        store.save(workspace, image_id, pixels, lossy=False)
        store.save_label_map(workspace, image_id, labels)
        height, width = labels.shape
        name = f"{number}.png"
        catalogue.put(workspace, ImageRecord(image_id, name, width, height, None, "plain", True))
    return workspace


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    return filled(tmp_path_factory.mktemp("tuning") / "plain")


@contextmanager
def few_are_enough():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(examples, "LEAST_IMAGES", SCENES)
        yield


@pytest.fixture
def one_look(monkeypatch) -> None:
    """Where only the training is asked about, how far to go need not be tried in quarters."""
    monkeypatch.setattr(way, "SHARES", (0.0, 1.0))


@pytest.fixture(scope="module")
def told() -> list[tuple[int, int]]:
    return []


@pytest.fixture(scope="module")
def made(workspace, sam_weights, told) -> report.Report:
    def progress(done: int, total: int, note: str = "") -> None:
        told.append((done, total))

    with few_are_enough():
        return tune(workspace, "第一ライン", source(workspace, "labels"), QUICK, progress=progress)


def test_the_bar_never_goes_back(made, told):
    # Four embeddings, one image judged twice, two epochs of two steps, five looks at one image.
    assert told == [(step, 4 + 1 + 2 * 2 + 5 + 1) for step in range(15)]


def test_the_loss_falls_and_validation_rises(made):
    start, first, second = made.journal
    assert second["iou_loss"] < 0.8 * first["iou_loss"]
    assert max(first["validation"], second["validation"]) > start["validation"]
    assert start["mask_loss"] is None
    assert made.way > 0


def test_no_image_plays_two_parts(made, workspace):
    parts = [*made.train, *made.validation, *made.test]
    assert sorted(parts) == sorted(r.id for r in catalogue.records(workspace))
    assert (len(made.train), len(made.validation), len(made.test)) == (2, 1, 1)


def test_only_the_decoder_changed(made, workspace):
    config = tuned.located(workspace, SegmenterConfig(model=made.name))
    before, after = load_model("mobile_sam", "cpu").state_dict(), load_model(config.model, "cpu")
    changed = {n for n, tensor in after.state_dict().items() if not torch.equal(tensor, before[n])}
    assert {name.split(".")[0] for name in changed} <= {"mask_decoder"}
    assert changed


def test_training_changes_the_decoder_alone_and_is_the_same_twice(workspace, made, one_look):
    with few_are_enough():
        found = collect(workspace, source(workspace, "labels"), SCENES, 0)
    parts = replace(split(found, QUICK), train=tuple(found[-1:]))
    once = QUICK.model_copy(update={"epochs": 1})
    results = []
    for _ in range(2):
        segmenter = Segmenter(pinned(SegmenterConfig()), "cpu")
        frozen = {n: t.clone() for n, t in segmenter.model.state_dict().items()}
        results.append(train(workspace, segmenter, parts, once).journal)
        for name, tensor in segmenter.model.state_dict().items():
            assert name.startswith("mask_decoder.") or torch.equal(tensor, frozen[name])
    assert results[0] == results[1]


def test_what_is_kept_is_an_average_and_training_does_not_see_it(workspace, sam_weights, one_look):
    with few_are_enough():
        found = collect(workspace, source(workspace, "labels"), SCENES, 0)
    parts = split(found, QUICK)
    results = []
    for averaging in (0.0, 0.95):
        config = QUICK.model_copy(update={"epochs": 1, "averaging": averaging})
        results.append(train(workspace, Segmenter(pinned(SegmenterConfig()), "cpu"), parts, config))
    last, average = results
    losses = [(r.journal[1].mask_loss, r.journal[1].iou_loss) for r in results]
    assert losses[0] == losses[1]
    assert any(not torch.equal(last.state[n], average.state[n]) for n in last.state)


def test_the_model_is_chosen_by_its_name_and_its_regions_are_its_own(made, workspace):
    assert tuned.names(workspace) == [made.name]
    one = made.test[:1]
    few = SegmenterConfig(model=made.name, points_per_side=4)
    summary = segment_workspace(workspace, few, one)
    config = region_store.current(workspace)
    assert config is not None
    assert Path(config.model).stem == Path(summary.model).stem == made.name
    assert config.weights != pinned(SegmenterConfig()).weights
    assert region_store.read(workspace, one[0]) is not None


def test_before_and_after_are_kept_with_their_pictures(made, workspace):
    again = report.read(workspace, made.name)
    assert again == made
    json.dumps(again.summary())
    assert set(again.comparisons) == set(report.MEASURES)
    for config in again.segmenters(workspace):
        assert region_store.read(workspace, made.test[0], config) is not None


def test_a_copied_workspace_brings_its_models_along(made, workspace, tmp_path):
    copy = Workspace(tmp_path / "copy")
    for name in ("models", "regions"):
        shutil.copytree(workspace.root / name, copy.root / name)
    away = made.segmenters(workspace)[1].model_copy(
        update={"model": f"/elsewhere/models/{made.name}/{made.name}.safetensors"}
    )
    region_store.choose(copy, away)
    config = region_store.current(copy)
    assert config is not None
    assert Path(config.model).is_relative_to(copy.root)
    assert region_store.read(copy, made.test[0]) is not None


def test_names_that_cannot_be_used(made, workspace):
    for name in ("mobile_sam", made.name):
        with pytest.raises(UserError) as taken:
            tuned.new_path(workspace, name)
        assert taken.value.key == "tuning.name_taken"
    for name in ("", "a/b", "..", "mine.pt"):
        with pytest.raises(UserError) as bad:
            tuned.new_path(workspace, name)
        assert bad.value.key == "tuning.bad_name"


def test_an_unknown_name_gets_one_sentence_that_lists_the_known(made, workspace):
    with pytest.raises(UserError) as unknown:
        segment_workspace(workspace, SegmenterConfig(model="第二ライン"))
    assert unknown.value.key == "regions.unknown_model"
    assert made.name in str(unknown.value)


def test_other_weights_of_the_base_are_not_taken_for_it(made, workspace, tmp_path):
    path = Path(made.segmenters(workspace)[1].model)
    other = tmp_path / "other.safetensors"
    save_file(load_file(path), other, {"base_model": "mobile_sam", "base_sha256": "0" * 64})
    with pytest.raises(UserError) as refused:
        load_model(str(other), "cpu")
    assert refused.value.key == "tuning.other_base"


def test_too_few_images_with_masks(tmp_path):
    workspace = filled(tmp_path / "few")
    with pytest.raises(UserError) as few:
        tune(workspace, "few", source(workspace, "labels"), TuningConfig())
    assert few.value.key == "tuning.too_few_images"
    assert few.value.values["found"] == SCENES
    with pytest.raises(ValidationError):
        TuningConfig(images=5)


def test_stopping_keeps_no_model(workspace, sam_weights):
    def stop(done: int, total: int, note: str = "") -> None:
        raise Cancelled

    with few_are_enough(), pytest.raises(Cancelled):
        tune(workspace, "halted", source(workspace, "labels"), QUICK, progress=stop)
    assert "halted" not in tuned.names(workspace)


def test_reviewed_regions_are_masks_as_well(tmp_path):
    workspace = filled(tmp_path / "reviewed")
    good, bad, unseen = (record.id for record in catalogue.records(workspace)[:3])
    _, masks = scene(0)
    reviewer = Reviewer(workspace, "Sato")
    for image_id, verdict in ((good, "good"), (bad, "bad")):
        for mask in masks:
            reviewer.add(image_id, Region.of_mask(mask))
        reviewer.judge(image_id, verdict)
    reviewer.add(unseen, Region.of_mask(masks[0]))
    find = source(workspace, "reviewed")
    found = {record.id: find(record) for record in catalogue.records(workspace)}
    example = found.pop(good)
    assert example is not None
    assert {mask["counts"] for mask in example.segments} == {
        Region.of_mask(mask).rle["counts"] for mask in masks
    }
    assert example.known.all()
    assert set(found.values()) == {None}


def test_a_truth_nobody_knows(workspace):
    with pytest.raises(UserError) as unknown:
        source(workspace, "guessed")
    assert unknown.value.key == "core.setting_one_of"
