import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from striped_scenes import CLASSES, fill, striped

from samclr_core import jobs
from samclr_core.config import with_changes
from samclr_core.messages import Cancelled, UserError
from samclr_core.training import backbones, loop, runs
from samclr_core.training.config import TrainingConfig
from samclr_core.training.methods import METHODS
from samclr_core.training.runs import Run
from samclr_core.views.augment import normalised
from samclr_core.workspace import Workspace

TINY = {"tiny": TrainingConfig(batch_size=6, epochs=2, pairs_per_image=2, log_steps=1)}
SMALL = {"views.size": 32, "views.max_upscale": 2, "device": "cpu"}
STEPS = 2 * 2 * 12 // 6


def create(workspace: Workspace, **changes) -> Run:
    named = {key.replace("__", "."): value for key, value in changes.items()}
    values = SMALL | {"head_dim": [32, 16], "views.kind": "region"} | named
    return runs.create(workspace, with_changes(TINY, "tiny", values))


def same_weights(one: Run, other: Run) -> bool:
    first, second = load_file(one.encoder_path), load_file(other.encoder_path)
    return all(torch.equal(first[name], second[name]) for name in first | second)


def stop_at(step: int):
    def progress(done: int, total: int, note: str = "") -> None:
        if done == step:
            raise Cancelled

    return progress


def test_a_run_leaves_what_its_folder_promises(workspace: Workspace) -> None:
    run = create(workspace)
    told: list[tuple[int, int]] = []
    summary = loop.train(workspace, run, lambda done, total, note="": told.append((done, total)))
    assert (summary.run, summary.steps) == (run.id, STEPS)
    assert told[-1] == (STEPS, STEPS)
    metrics = run.metrics()
    assert [line["step"] for line in metrics] == list(range(1, STEPS + 1))
    assert metrics[-1]["loss"] == summary.loss
    assert metrics[-1]["epoch"] == 2
    assert metrics[-1]["eta"] == 0
    assert 0 < summary.seconds == run.seconds == metrics[-1]["seconds"]
    wanted = {"lr", "images_per_second", "embedding_std", "effective_rank"}
    wanted |= {"alignment", "uniformity", "grad_norm", "whole_image"}
    assert wanted <= set(metrics[0])
    assert all(math.isfinite(line[name]) for line in metrics for name in wanted)
    assert run.facts["device"] == "cpu"
    assert run.facts["pairs"] == STEPS * 6
    assert [note["key"] for note in run.facts["notes"]] == ["training.small_batch"]
    assert "batch of 6 pairs" in run.job.log
    trained, start = runs.load_encoder(run), runs.start_encoder(run)
    assert not trained.training
    assert not torch.equal(trained.net.conv1.weight, start.net.conv1.weight)


def test_the_same_settings_give_the_same_weights_and_another_seed_others(workspace) -> None:
    one, again, other = create(workspace), create(workspace), create(workspace, seed=1)
    for run in (one, again, other):
        torch.manual_seed(int(time.time_ns()) % 1000)  # nothing outside the run may matter
        loop.train(workspace, run)
    assert same_weights(one, again)
    assert not same_weights(one, other)


MULTI_CROP = {"views__local_crops": 2, "views__local_size": 16}


@pytest.mark.parametrize(
    ("loss", "kind", "more"),
    [
        ("simclr", "image", {}),
        ("simclr", "region", {}),
        ("moco", "region", {"moco__queue": 16}),
        ("dino", "image", {}),
        ("dino", "region", MULTI_CROP),
    ],
)
def test_a_stopped_run_goes_on_to_the_same_weights(workspace, loss, kind, more) -> None:
    changes = {"loss": loss, "views__kind": kind, "accumulate": 2} | more
    whole = create(workspace, **changes)
    loop.train(workspace, whole)
    stopped = create(workspace, **changes)
    for step in (1, 3):
        with pytest.raises(Cancelled):
            loop.train(workspace, stopped, stop_at(step))
    assert not stopped.encoder_path.exists()
    assert stopped.metrics()[-1]["step"] == 3
    summary = loop.train(workspace, stopped)
    assert same_weights(whole, stopped)
    assert not stopped.checkpoint_path.exists()
    assert [line["step"] for line in stopped.metrics()] == list(range(1, STEPS // 2 + 1))
    assert [line["loss"] for line in stopped.metrics()] == [x["loss"] for x in whole.metrics()]
    seconds = [line["seconds"] for line in stopped.metrics()]
    assert seconds == sorted(seconds)
    assert loop.train(workspace, stopped) == summary  # finished: nothing left to do


CHILD = """
import sys
from samclr_core import jobs
from samclr_core.training import backbones, loop, runs
from samclr_core.workspace import Workspace
workspace = Workspace(sys.argv[1])
run = runs.run(workspace, sys.argv[2])
with jobs.at_work(run.folder) as progress:
    loop.train(workspace, run, progress)
"""


def test_a_killed_run_is_seen_as_interrupted_and_ends_with_the_same_weights(workspace) -> None:
    whole, killed = (create(workspace, checkpoint_seconds=0, epochs=4) for _ in range(2))
    loop.train(workspace, whole)
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(workspace.root), killed.id])
    deadline = time.monotonic() + 120
    while len(killed.metrics()) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert killed.state is jobs.State.INTERRUPTED
    assert killed.checkpoint_path.exists()
    assert not killed.encoder_path.exists()
    with jobs.at_work(killed.folder) as progress:
        loop.train(workspace, killed, progress)
    assert killed.state is jobs.State.FINISHED
    assert [x["step"] for x in killed.metrics()] == [x["step"] for x in whole.metrics()]
    assert same_weights(whole, killed)


def test_metrics_after_the_checkpoint_are_not_told_twice(workspace: Workspace) -> None:
    """Killed between two checkpoints: what came after the last one is computed again."""
    run = create(workspace)
    with pytest.raises(Cancelled):
        loop.train(workspace, run, stop_at(3))
    with open(run.metrics_path, "a") as file:
        file.write('{"step": 4, "seconds": 9.0, "loss": 0.0}\n{"step": 5, "lo')
    loop.train(workspace, run)
    assert [line["step"] for line in run.metrics()] == list(range(1, STEPS + 1))


def test_a_batch_larger_than_the_images_is_clamped_with_a_note(workspace: Workspace) -> None:
    run = create(workspace, batch_size=64)
    loop.train(workspace, run)
    assert run.facts["batch_size"] == 12
    assert run.facts["notes"][0] == {
        "key": "training.batch_clamped",
        "values": {"wanted": 64, "used": 12},
    }


def test_a_loss_that_is_no_number_ends_the_run_with_a_sentence(workspace: Workspace) -> None:
    run = create(workspace, lr=10, clip=1e30, warmup=0, temperature=1e-38)
    with pytest.raises(UserError, match="unstable at step"):
        loop.train(workspace, run)
    assert not run.encoder_path.exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_said(workspace: Workspace) -> None:
    with pytest.raises(UserError, match="CUDA"):
        loop.train(workspace, create(workspace, device="cuda"))


def test_bf16_trains_too(workspace: Workspace) -> None:
    run = create(workspace, precision="bf16", epochs=1)
    assert math.isfinite(loop.train(workspace, run).loss)
    assert run.facts["precision"] == "bf16-mixed"


def test_a_frozen_backbone_stays_as_it_started(workspace: Workspace) -> None:
    run = create(workspace, backbone_lr=0, norm="frozen", epochs=1)
    loop.train(workspace, run)
    trained, start = (e.state_dict() for e in (runs.load_encoder(run), runs.start_encoder(run)))
    assert all(torch.equal(trained[name], start[name]) for name in start)


def test_earlier_stages_learn_more_slowly_and_frozen_ones_not_at_all(workspace: Workspace) -> None:
    run = create(workspace, layer_decay=0.5, freeze_stages=1, backbone_lr=0.4)
    backbone = backbones.start(run.config)
    method = METHODS["moco"](backbone, run.config)
    groups = loop._parameter_groups(method, run.config)
    share = {id(p): group["share"] for group in groups for p in group["params"]}
    named = dict(method.named_parameters())
    assert "teacher.net.0.net.conv1.weight" in named
    found = {
        name: share.get(id(named[name]))
        for name in (
            "backbone.net.conv1.weight",
            "backbone.net.layer1.0.conv1.weight",
            "backbone.net.layer4.0.conv1.weight",
            "head.0.weight",
            "teacher.net.0.net.conv1.weight",
        )
    }
    assert list(found.values()) == [None, pytest.approx(0.4 / 8), pytest.approx(0.4), 1.0, None]
    loop.train(workspace, run)
    trained, start = (e.net for e in (runs.load_encoder(run), runs.start_encoder(run)))
    assert torch.equal(trained.conv1.weight, start.conv1.weight)
    assert torch.equal(trained.bn1.running_mean, start.bn1.running_mean)
    assert not torch.equal(trained.layer1[0].conv1.weight, start.layer1[0].conv1.weight)


def test_learning_rate_rises_then_falls_to_zero() -> None:
    config = TrainingConfig(lr=2.0, warmup=0.1)
    rates = [loop.learning_rate(step, 100, config) for step in range(100)]
    assert rates[0] == pytest.approx(0.2)
    assert max(rates) == rates[9] == rates[10] == 2.0
    assert rates[55] == pytest.approx(1.0)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 0.001
    assert loop.learning_rate(0, 1, config) == 2.0


def knn_accuracy(run_encoder, objects: np.ndarray, labels: np.ndarray) -> float:
    """Leave-half-out 5-NN by cosine."""
    images = torch.from_numpy(objects).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        features = torch.nn.functional.normalize(run_encoder(normalised(images)), dim=1)
    half = len(labels) // 2
    nearest = (features[half:] @ features[:half].T).topk(5).indices
    votes = torch.nn.functional.one_hot(torch.from_numpy(labels)[:half][nearest], CLASSES).sum(1)
    return (votes.argmax(1) == torch.from_numpy(labels)[half:]).float().mean().item()


# A teacher needs time to learn from its student. DINO's seeds end far apart at this size (see
# docs/architecture.md): this one shows that it can learn, not that it always does.
@pytest.mark.parametrize(("loss", "epochs"), [("simclr", 10), ("moco", 20), ("dino", 20)])
def test_training_beats_its_random_start_on_a_probe(tmp_path: Path, loss, epochs) -> None:
    """Objects of any colour, told apart by the direction of their stripes."""
    workspace = fill(Workspace(tmp_path / "w"), 48)
    changes = {"batch_size": 48, "epochs": epochs, "pairs_per_image": 4, "log_steps": 20}
    # A flip would turn one direction into another.
    changes |= {"loss": loss, "lr": 1e-3, "seed": 1}
    run = create(workspace, **changes, augment__strength=1.0, augment__flip=0.0, head_dim=[128, 64])
    loop.train(workspace, run)
    rng = np.random.default_rng(99)
    labels = rng.integers(0, CLASSES, 400)
    objects = np.stack([striped(int(label), rng)[4:36, 4:36] for label in labels])
    start = knn_accuracy(runs.start_encoder(run), objects, labels)
    trained = knn_accuracy(runs.load_encoder(run), objects, labels)
    assert trained > start + 0.07, (start, trained)
