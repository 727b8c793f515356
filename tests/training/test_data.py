import threading
import time
from itertools import islice

import numpy as np
import pytest
import torch
from striped_scenes import SEGMENTER, fill

from samclr_core.config import with_changes
from samclr_core.images import catalogue, store
from samclr_core.messages import UserError
from samclr_core.regions import store as region_store
from samclr_core.regions.region import RegionSet
from samclr_core.regions.review.actions import Reviewer
from samclr_core.training import runs
from samclr_core.training.config import TrainingConfig
from samclr_core.training.data import Batch, PairBatches, Scenes, ahead
from samclr_core.views.region_views import RegionViews
from samclr_core.workspace import Workspace

BASE = {"base": TrainingConfig(batch_size=5, epochs=3, pairs_per_image=2)}
SMALL = {"views.size": 24, "views.max_upscale": 2}


def batches(workspace: Workspace, **changes) -> PairBatches:
    config = with_changes(
        BASE, "base", SMALL | {k.replace("__", "."): v for k, v in changes.items()}
    )
    made = PairBatches(workspace, runs.create(workspace, config), workers=2)
    made.prepare(lambda ready: None)
    return made


def test_twins_see_the_same_number_of_pairs_of_the_same_images(workspace: Workspace) -> None:
    image, region = batches(workspace), batches(workspace, views__kind="region")
    assert len(image) == len(region) == 3 * 2 * 12 // 5
    for number in range(len(image)):
        assert image._members(number).tolist() == region._members(number).tolist()


def test_no_image_is_twice_in_a_batch_and_all_have_their_turn(workspace: Workspace) -> None:
    made = batches(workspace, epochs=20)
    seen = np.zeros(12, int)
    for number in range(len(made)):
        members = made._members(number)
        assert len(set(members)) == len(members) == 5
        seen[members] += 1
    assert seen.min() > 0.6 * seen.mean()


def test_a_batch_is_never_larger_than_the_images(workspace: Workspace) -> None:
    made = batches(workspace, batch_size=500)
    assert made.batch_size == 12
    assert made.batch(0).views.shape == (2, 12, 3, 24, 24)
    assert made.batch(0).views.dtype == torch.uint8


def test_small_crops_go_with_their_pairs_and_change_nothing_else(workspace: Workspace) -> None:
    for kind in ("image", "region"):
        changes = {"views__local_crops": 3, "views__local_size": 16, "loss": "dino"}
        with_small = batches(workspace, views__kind=kind, **changes).batch(0)
        plain = batches(workspace, views__kind=kind).batch(0)
        assert plain.local_views.shape == (0,)
        assert with_small.local_views.shape == (3, 5, 3, 16, 16)
        assert with_small.local_views.float().std() > 10
        assert torch.equal(with_small.images, plain.images)
        if kind == "image":
            assert torch.equal(with_small.views, plain.views)


def test_a_batch_says_which_images_it_is_of(workspace: Workspace) -> None:
    made = batches(workspace)
    assert made.batch(1).images.tolist() == made._members(1).tolist()


def test_pairs_of_one_image_may_stand_together(workspace: Workspace) -> None:
    made = batches(workspace, together=2, batch_size=6, views__kind="region")
    assert (made.images_per_batch, made.batch_size, len(made)) == (3, 6, 3 * 2 * 12 // 6)
    for number in range(len(made)):
        images = made.batch(number).images
        assert images[::2].tolist() == images[1::2].tolist() == made._members(number).tolist()
        assert len(set(images.tolist())) == 3
    odd = batches(workspace, together=2, batch_size=5)
    assert odd.batch_size == 4
    small = batches(workspace, together=3, batch_size=500)
    assert small.batch_size == 36
    with pytest.raises(UserError, match="together"):
        batches(workspace, together=3, batch_size=5)


def test_pairs_of_one_image_are_negatives_where_their_regions_are_apart(workspace) -> None:
    """The four objects of a scene lie apart: pairs are related where they are of one object."""
    settings = {"together": 4, "batch_size": 8, "views__kind": "region"}
    excluded = batches(workspace, **settings).batch(0)
    kept = batches(workspace, same_image="kept", **settings).batch(0)
    assert torch.equal(excluded.views, kept.views)
    same = excluded.images[:, None] == excluded.images
    assert torch.equal(excluded.related, same)
    assert torch.equal(kept.related, kept.related.T)
    assert kept.related.diagonal().all()
    assert not kept.related[~same].any()
    assert 0 < (same & ~kept.related).sum() < same.sum() - 8


def test_region_views_may_begin_as_image_views(workspace: Workspace) -> None:
    rising = batches(workspace, views__kind="region", views__schedule=(0.0, 1.0), epochs=20)
    plain = batches(workspace, views__kind="region", epochs=20)
    anywhere = batches(workspace, views__kind="image", epochs=20)
    numbers = range(len(plain) * plain.batch_size)
    regions = np.array([isinstance(rising._sampler(n), RegionViews) for n in numbers])
    thirds = [third.mean() for third in np.array_split(regions, 3)]
    assert thirds == pytest.approx([1 / 6, 1 / 2, 5 / 6], abs=0.12)
    for number in (0, 40, len(plain) - 1):
        batch = rising.batch(number)
        assert batch.whole_image == 0, "nothing was wanting"
        for at in range(plain.batch_size):
            of_region = regions[number * plain.batch_size + at]
            source = plain if of_region else anywhere
            assert torch.equal(batch.views[:, at], source.batch(number).views[:, at])


def test_any_batch_can_be_made_at_any_time(workspace: Workspace) -> None:
    made, again = batches(workspace, views__kind="region"), batches(workspace, views__kind="region")
    last_first = {n: again.batch(n).views for n in (7, 3, 0)}
    for number, batch in ahead(made.batch, 0, 8, workers=3):
        if number in last_first:
            assert torch.equal(batch.views, last_first[number])
    assert not torch.equal(made.batch(0).views, made.batch(12).views)
    other_seed = batches(workspace, views__kind="region", seed=1)
    assert not torch.equal(made.batch(0).views, other_seed.batch(0).views)


def test_accumulated_batches_make_whole_steps(workspace: Workspace) -> None:
    assert len(batches(workspace, accumulate=4)) == 12


def test_images_are_decoded_once_and_bounded(workspace: Workspace, monkeypatch) -> None:
    made = batches(workspace, max_side=72)
    assert made.scenes[made.images[0]].shape == (48, 72, 3)
    monkeypatch.setattr(store, "load", lambda *_: pytest.fail("decoded again"))
    again = batches(workspace, max_side=72)
    np.testing.assert_array_equal(made.scenes[made.images[3]], again.scenes[made.images[3]])


def test_an_image_within_the_bound_is_kept_as_it_is(workspace: Workspace) -> None:
    image_id = runs.create(workspace, TrainingConfig()).images[0]
    scenes = Scenes(workspace, 1024)
    scenes.prepare([image_id], lambda ready: None, 1)
    np.testing.assert_array_equal(scenes[image_id], store.load(workspace, image_id))


def test_images_without_regions_are_counted_and_cut_whole(workspace: Workspace) -> None:
    run_config = with_changes(BASE, "base", SMALL | {"views.kind": "region", "batch_size": 12})
    run = runs.create(workspace, run_config)
    for image_id in run.images[:3]:
        none = RegionSet(image_id, 96, 144, SEGMENTER.model_dump(), ())
        region_store.write(workspace, SEGMENTER, none)
    made = PairBatches(workspace, run, workers=1)
    assert made.prepare(lambda ready: None) == 3
    assert made.batch(0).whole_image == 3


def test_a_run_learns_from_the_regions_as_they_were_when_it_was_made(workspace: Workspace) -> None:
    ann = Reviewer(workspace, "ann")
    image_id = catalogue.records(workspace)[0].id
    ids = [region.id for region in region_store.read(workspace, image_id).regions]
    ann.drop(image_id, ids[:3])
    run_config = with_changes(BASE, "base", SMALL | {"views.kind": "region", "batch_size": 12})
    run = runs.create(workspace, run_config)
    first = PairBatches(workspace, run, workers=1)
    assert first.prepare(lambda ready: None) == 0
    batch = [first.batch(number).views for number in range(3)]
    assert [r.id for r in first._regions(image_id).regions] == ids[3:]
    # What is said after a run was made does not change a resumed one, but the next.
    ann.drop(image_id, ids[3:])
    again = PairBatches(workspace, runs.Run(run.folder), workers=1)
    assert again.prepare(lambda ready: None) == 0
    for number, views in enumerate(batch):
        assert torch.equal(again.batch(number).views, views)
    later = PairBatches(workspace, runs.create(workspace, run_config), workers=1)
    assert later.prepare(lambda ready: None) == 1


def test_region_views_without_usable_regions_are_refused(workspace: Workspace) -> None:
    with pytest.raises(UserError, match="None of the 48 regions"):
        batches(workspace, views__kind="region", views__max_area=0.003)
    for image_id in runs.create(workspace, TrainingConfig()).images:
        none = RegionSet(image_id, 96, 144, SEGMENTER.model_dump(), ())
        region_store.write(workspace, SEGMENTER, none)
    with pytest.raises(UserError, match="regions step"):
        batches(workspace, views__kind="region")


def test_a_removed_image_is_said(workspace: Workspace) -> None:
    run = runs.create(workspace, TrainingConfig())
    store.remove(workspace, run.images[:1])
    with pytest.raises(UserError, match="no longer"):
        PairBatches(workspace, run, 1).prepare(lambda ready: None)


def numbered(number: int) -> Batch:
    """A batch that can be told by its number."""
    nothing = torch.empty(0)
    return Batch(torch.tensor(number), nothing, nothing, nothing, 0)


def test_ahead_keeps_the_order_runs_ahead_and_passes_errors_on() -> None:
    made = []

    def make(number: int) -> Batch:
        time.sleep(0.002 * (number % 3))
        if number == 9:
            raise ValueError("nine")
        made.append(number)
        return numbered(number)

    stream = ahead(make, 2, 20, workers=3)
    assert [(n, int(batch.views)) for n, batch in islice(stream, 7)] == [
        (n, n) for n in range(2, 9)
    ]
    with pytest.raises(ValueError, match="nine"):
        next(stream)
    assert max(made) > 9


def test_ahead_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    stream = ahead(numbered, 0, 1000, workers=4)
    next(stream)
    stream.close()
    assert threading.active_count() == before


def test_fill_gives_scenes_that_differ(workspace: Workspace) -> None:
    assert len(set(runs.create(fill(workspace, 12), TrainingConfig()).images)) == 12
