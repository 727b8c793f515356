"""Two gloo processes on the CPU learn as one process does, and one of them speaks for both."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
import torch
from striped_scenes import fill

from samclr_core.jobs import State
from samclr_core.messages import Cancelled, UserError
from samclr_core.training import ranks, runs
from samclr_core.training.config import TrainingConfig
from samclr_core.training.data import PairBatches
from samclr_core.training.loop import train
from samclr_core.workspace import Workspace

T = TypeVar("T")
TWO = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
CLI = ["-m", "samclr_core.cli"]
SMALL = {"small_stem": True, "head_dim": (32, 16), "views": {"size": 32, "kind": "region"}}


def python(*arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=False,
    )


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """Of the joined batch in one process, and of its halves in two."""
    script = Path(__file__).parent / "joined_batch.py"
    found = []
    for name, launcher in (("one.pt", []), ("two.pt", TWO)):
        path = tmp_path_factory.mktemp("joined") / name
        done = python(*launcher, script, path)
        assert done.returncode == 0, done.stderr
        found.append(torch.load(path, weights_only=True))
    return found


@pytest.mark.parametrize("loss", ["simclr", "moco", "dino"])
def test_two_processes_give_the_loss_and_gradients_of_the_joined_batch(
    outcomes: list[dict], loss: str
) -> None:
    one, two = (found[loss] for found in outcomes)
    assert one.keys() == two.keys()
    assert sum(name.startswith("backbone") for name in one) > 40
    for name, value in one.items():
        if name in ("queue", "queue_images"):
            # The parts of a batch stand in another order in the queue.
            value, two[name] = value.sort(dim=0).values, two[name].sort(dim=0).values
        torch.testing.assert_close(two[name], value, atol=1e-5, rtol=1e-3, msg=name)


def test_the_parts_of_a_batch_are_the_batch(workspace: Workspace) -> None:
    config = TrainingConfig.of(SMALL | {"batch_size": 8, "together": 2, "same_image": "kept"})
    run = runs.create(workspace, config)
    everything = PairBatches(workspace, run, 1)
    everything.prepare(lambda ready: None)
    whole = everything.batch(3)
    parts = [PairBatches(workspace, run, 1, rank, 2).batch(3) for rank in range(2)]
    assert torch.equal(torch.cat([part.views for part in parts], dim=1), whole.views)
    assert torch.equal(torch.cat([part.images for part in parts]), whole.images)
    blocks = torch.block_diag(*(part.related for part in parts)).bool()
    assert torch.equal(blocks, whole.related)


def test_a_batch_is_rounded_down_to_whole_parts(workspace: Workspace) -> None:
    run = runs.create(workspace, TrainingConfig.of(SMALL | {"batch_size": 8}))
    assert PairBatches(workspace, run, 1, 0, 3).batch_size == 6
    with pytest.raises(UserError, match="9 processes"):
        PairBatches(workspace, run, 1, 0, 9)


def training(workspace: Workspace, epochs: int) -> list[str]:
    """The arguments of a small training."""
    settings = {
        "small_stem": "true",
        "head_dim": "[32, 16]",
        "views.size": 32,
        "batch_size": 8,
        "epochs": epochs,
        "log_steps": 1,
    }
    changes = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    return [*CLI, "train", "-w", str(workspace.root), "--preset", "standard", *changes, "--json"]


def test_torchrun_trains_one_run(tmp_path: Path) -> None:
    workspace = fill(Workspace(tmp_path / "w"), 8)
    done = python(*TWO, *training(workspace, epochs=6))
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    (run,) = runs.runs(workspace)
    assert result["run"] == run.id
    assert run.facts["processes"] == 2
    lines = run.metrics()
    assert [line["step"] for line in lines] == list(range(1, result["steps"] + 1))
    assert np.mean([line["loss"] for line in lines[-3:]]) < lines[0]["loss"]
    runs.load_encoder(run)


def test_a_stop_stops_all_and_one_process_goes_on(tmp_path: Path) -> None:
    workspace = fill(Workspace(tmp_path / "w"), 8)
    command = [sys.executable, *TWO, *training(workspace, epochs=100_000)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as both:
        run = waited_for(lambda: next(iter(runs.runs(workspace)), None))
        waited_for(run.metrics)
        run.job.stop()
        both.communicate(timeout=60)
    assert run.state is State.STOPPED
    stopped_at = run.metrics()[-1]["step"]
    step = torch.load(run.checkpoint_path, weights_only=True)["position"]["step"]
    assert step == stopped_at

    monitor = Monitor(stop_after=3)
    with pytest.raises(Cancelled):
        train(workspace, run, monitor)
    assert [line["step"] for line in run.metrics()][-2:] == [stopped_at + 2, stopped_at + 3]


class Monitor:
    """Asks to stop after so many steps."""

    def __init__(self, stop_after: int) -> None:
        self.left = stop_after

    def __call__(self, done: int, total: int, note: str = "") -> None:
        self.left -= done > 0
        if not self.left:
            raise Cancelled


def waited_for(found: Callable[[], T], seconds: float = 120) -> T:
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)
    return value


def test_a_mistake_ends_all_processes(tmp_path: Path) -> None:
    workspace = fill(Workspace(tmp_path / "w"), 4)
    done = python(*TWO, *CLI, "train", "-w", workspace.root, "--set", "epochs=no")
    assert done.returncode != 0
    assert "epochs" in done.stderr


def test_alone_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(done: int, total: int, note: str = "") -> None:
        raise Cancelled

    assert ranks.agreeing(stop) is stop
    ranks.announce(None)
    assert not torch.distributed.is_initialized()
