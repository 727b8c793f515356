"""A run's encoder, read again by those it is for."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
import timm
import torch
from safetensors import safe_open
from typer.testing import CliRunner

from samclr_core.cli import app
from samclr_core.config import with_changes
from samclr_core.messages import UserError
from samclr_core.training import checkpoint, export, runs
from samclr_core.training.backbones import start
from samclr_core.training.config import TrainingConfig
from samclr_core.training.methods import METHODS
from samclr_core.training.runs import Run
from samclr_core.views.augment import MEAN, STD

BACKBONES = ("resnet18", "efficientnet_lite0", "vit_tiny", "sam_tinyvit")


def finished(workspace, backbone: str, **changes) -> Run:
    """A run whose encoder is its start: what is exported need not have learned anything."""
    values = {"backbone": backbone, "views.size": 48, "seed": 3} | changes
    run = runs.create(workspace, with_changes({"t": TrainingConfig()}, "t", values))
    checkpoint.write_encoder(run, METHODS["simclr"](start(run.config), run.config))
    return run


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.randn(5, 3, 48, 48, generator=torch.Generator().manual_seed(1))


def features(run: Run, images: torch.Tensor) -> np.ndarray:
    with torch.no_grad():
        return runs.load_encoder(run)(images).numpy()


@pytest.mark.parametrize("backbone", BACKBONES)
def test_onnx_runs_in_its_own_runtime(workspace, images, backbone) -> None:
    run = finished(workspace, backbone)
    path = export.export(run, "onnx")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {export.INPUT: images.numpy()})
    wanted = features(run, images)
    np.testing.assert_allclose(found, wanted, atol=1e-3 * np.abs(wanted).max())
    props = {p.key: p.value for p in onnx.load(path).metadata_props}
    assert (props["backbone"], props["size"], props["run"]) == (backbone, "48", run.id)


@pytest.mark.filterwarnings("ignore:`torch.jit")
@pytest.mark.parametrize("backbone", BACKBONES)
def test_torchscript_needs_none_of_our_code(workspace, images, backbone) -> None:
    run = finished(workspace, backbone)
    extra = {"samclr.json": ""}
    loaded = torch.jit.load(str(export.export(run, "torchscript")), _extra_files=extra)
    wanted = features(run, images)
    np.testing.assert_allclose(
        loaded(images).detach().numpy(), wanted, atol=1e-3 * np.abs(wanted).max()
    )
    assert json.loads(extra["samclr.json"])["run"] == run.id


@pytest.mark.parametrize("backbone", ["resnet18", "efficientnet_lite0", "vit_tiny"])
def test_timm_loads_the_weights_by_the_name_in_the_file(workspace, images, backbone) -> None:
    run = finished(workspace, backbone)
    path = export.export(run, "safetensors")
    with safe_open(path, "pt") as file:
        name = file.metadata()["timm_model"]
    any_size = {"dynamic_img_size": True} if backbone == "vit_tiny" else {}
    model = timm.create_model(name, num_classes=0, checkpoint_path=str(path), **any_size).eval()
    config = model.pretrained_cfg
    # Each sees the same pixels as it is used to.
    pixels = images * torch.tensor(STD)[:, None, None] + torch.tensor(MEAN)[:, None, None]
    mean, std = (torch.tensor(config[part])[:, None, None] for part in ("mean", "std"))
    if backbone == "resnet18":
        mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
    with torch.no_grad():
        found = model((pixels - mean) / std).numpy()
    wanted = features(run, images)
    np.testing.assert_allclose(found, wanted, atol=1e-3 * np.abs(wanted).max())


def test_what_timm_does_not_know_has_no_name(workspace) -> None:
    assert export.timm_name(finished(workspace, "sam_tinyvit")) is None
    assert export.timm_name(finished(workspace, "resnet18", small_stem=True)) is None
    assert export.timm_name(finished(workspace, "timm/mobilenetv3_small_050")) == (
        "mobilenetv3_small_050"
    )


def test_mistakes_are_one_sentence(workspace, monkeypatch) -> None:
    run = finished(workspace, "resnet18")
    with pytest.raises(UserError, match="safetensors, torchscript, onnx"):
        export.export(run, "coreml")
    monkeypatch.setattr(export, "TOLERANCE", -1.0)
    with pytest.raises(UserError, match="differ from the encoder"):
        export.export(run, "torchscript")
    assert not list((run.folder / "export").iterdir()), "nothing wrong is left behind"
    unfinished = runs.create(workspace, run.config)
    with pytest.raises(UserError, match="no trained encoder"):
        export.export(unfinished, "onnx")


def test_from_the_command_line(workspace, tmp_path) -> None:
    run, path = finished(workspace, "resnet18"), tmp_path / "out" / "line1.onnx"
    arguments = ["export", "-w", str(workspace.root), "--run", run.id, "--format", "onnx"]
    done = CliRunner().invoke(app, [*arguments, "--out", str(path), "--json"])
    found = json.loads(done.stdout)
    assert found == {"file": str(path), "timm_model": "resnet18", "input": [3, 48, 48]}
    assert path.exists()
