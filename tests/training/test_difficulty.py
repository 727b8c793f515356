import shutil

import numpy as np
import pytest
from safetensors.torch import load_file
from striped_scenes import SEGMENTER, add

from samclr_core.config import with_changes
from samclr_core.messages import UserError
from samclr_core.regions import store as region_store
from samclr_core.training import runs
from samclr_core.training.config import TrainingConfig
from samclr_core.training.data import PairBatches
from samclr_core.training.loop import train
from samclr_core.training.runs import Run
from samclr_core.views.config import ViewsConfig
from samclr_core.workspace import Workspace

TINY = {
    "tiny": TrainingConfig(
        batch_size=4,
        epochs=1,
        pairs_per_image=1,
        head_dim=(32, 16),
        device="cpu",
        views=ViewsConfig(size=32, max_upscale=2, choice="uniform", max_area=0.9),
    )
}
FLAT, MIXED = 0, 1


@pytest.fixture
def two_things(tmp_path) -> Workspace:
    """Images of a flat grey thing, and of one that is noise here and stripes there."""
    workspace, rng = Workspace(tmp_path / "two"), np.random.default_rng(0)
    masks = np.zeros((2, 96, 160), bool)
    masks[FLAT, 8:88, 4:76] = masks[MIXED, 8:88, 84:156] = True
    for number in range(4):
        image = np.full((96, 160, 3), 128, np.uint8)
        image[8:88, 84:120] = rng.integers(0, 256, (80, 36, 3))
        image[8:88, 120:156] = 255 * (np.arange(80)[:, None, None] // 8 % 2)
        image[0, 0] = number
        add(workspace, number, image, list(masks))
    region_store.choose(workspace, SEGMENTER)
    return workspace


def create(workspace: Workspace, **changes) -> Run:
    named = {key.replace("__", "."): value for key, value in changes.items()}
    return runs.create(workspace, with_changes(TINY, "tiny", named))


def learned(workspace: Workspace, **changes) -> Run:
    run = create(workspace, **changes)
    train(workspace, run)
    return run


def draws(workspace: Workspace, run: Run) -> np.ndarray:
    """How often each region was drawn in the 400 pairs of a run, [2]."""
    batches = PairBatches(workspace, run, workers=1)
    batches.prepare(lambda ready: None)
    counts = np.zeros(2, int)
    for number in range(400):
        image_id = run.images[number % 4]
        cut = batches._sample.cut(
            160, 96, batches._regions(image_id), np.random.default_rng(number)
        )
        counts[cut.region] += 1
    return counts


def test_what_looks_unlike_itself_is_drawn_more_often(two_things: Workspace) -> None:
    judge = learned(two_things)
    plain = create(two_things, views__kind="region")
    told: list[int] = []
    harder = create(two_things, views__kind="region", difficulty_of=judge.id)
    PairBatches(two_things, harder, workers=1).prepare(told.append)
    assert told[-4:] == [1, 2, 3, 4]
    with np.load(harder.folder / "difficulty.npz") as found:
        figures = np.stack([found[image_id] for image_id in harder.images])
    assert figures.shape == (4, 2)
    assert np.abs(figures[:, FLAT]).max() < 0.01 < 0.1 < figures[:, MIXED].min()
    assert figures.max() <= 2
    assert 150 < draws(two_things, plain)[FLAT] < 250
    assert draws(two_things, harder)[FLAT] < 0.15 * 400


def test_a_run_keeps_its_figures_when_the_judge_is_gone(two_things: Workspace) -> None:
    judge = learned(two_things)
    one = learned(two_things, views__kind="region", difficulty_of=judge.id, epochs=2)
    again = create(two_things, views__kind="region", difficulty_of=judge.id, epochs=2)
    shutil.copy(one.folder / "difficulty.npz", again.folder)
    shutil.rmtree(judge.folder)
    train(two_things, again)
    first, second = load_file(one.encoder_path), load_file(again.encoder_path)
    assert all((first[name] == second[name]).all() for name in first)


def test_only_a_finished_run_can_judge(two_things: Workspace) -> None:
    with pytest.raises(UserError, match="no-such-run"):
        create(two_things, views__kind="region", difficulty_of="no-such-run")
    unfinished = create(two_things)
    with pytest.raises(UserError, match=unfinished.id):
        create(two_things, views__kind="region", difficulty_of=unfinished.id)


def test_image_views_have_no_use_for_it_and_stay_a_twin(two_things: Workspace) -> None:
    judge = learned(two_things)
    harder = learned(two_things, views__kind="region", difficulty_of=judge.id)
    assert not (judge.folder / "difficulty.npz").exists()
    twin = harder.twin(two_things)
    assert twin is not None
    assert twin.id == judge.id
