import pytest
from safetensors.torch import load_file
from striped_scenes import fill

from samclr_core.config import with_changes
from samclr_core.jobs import State
from samclr_core.messages import Cancelled
from samclr_core.regions.config import Perturbation
from samclr_core.regions.perturb.batch import perturb_workspace
from samclr_core.training import runs
from samclr_core.training.config import TrainingConfig
from samclr_core.training.trained import trained
from samclr_core.workspace import Workspace

TINY = TrainingConfig.of(
    {
        "views": {"kind": "region", "size": 16},
        "small_stem": True,
        "epochs": 1,
        "pairs_per_image": 2,
        "batch_size": 6,
        "head_dim": (16, 8),
        "workers": 1,
    }
)


def test_nothing_is_learned_twice(workspace: Workspace) -> None:
    run = trained(workspace, TINY)
    assert run.state is State.FINISHED
    assert trained(workspace, TINY).id == run.id
    other_seed = with_changes({"base": TINY}, "base", {"seed": 1})
    assert trained(workspace, other_seed).id != run.id
    fill(workspace, 13)
    assert trained(workspace, TINY).id != run.id


def test_other_regions_give_another_encoder(workspace: Workspace) -> None:
    damaged = perturb_workspace(workspace, Perturbation(kind="shifted", strength=0.5)).source
    run, apart = trained(workspace, TINY), trained(workspace, TINY, damaged)
    assert trained(workspace, TINY, damaged).id == apart.id
    assert trained(workspace, TINY).id == run.id
    weights = [load_file(r.encoder_path)["net.conv1.weight"] for r in (run, apart)]
    assert not weights[0].equal(weights[1])


def test_what_was_stopped_goes_on(workspace: Workspace) -> None:
    def stop(done: int, total: int, note: str = "") -> None:
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        trained(workspace, TINY, progress=stop)
    (stopped,) = runs.runs(workspace)
    assert stopped.state is State.STOPPED
    steps: list[int] = []
    run = trained(workspace, TINY, progress=lambda done, total, note="": steps.append(done))
    assert run.id == stopped.id
    assert max(step for step in steps if step) == 4
    assert min(step for step in steps if step) == 3


def test_a_run_at_work_is_left_alone(workspace: Workspace, monkeypatch) -> None:
    busy = runs.create(workspace, TINY)
    monkeypatch.setattr(
        runs.Run,
        "state",
        property(lambda run: State.RUNNING if run.id == busy.id else run.job.state),
    )
    assert trained(workspace, TINY).id != busy.id
