"""Which checkpoints are taken, and that MobileSAM's own file fills our encoder."""

import pytest
import torch
from segment_anything import sam_model_registry
from segment_anything.modeling.common import LayerNorm2d
from timm.models.tiny_vit import TinyVit
from torch import nn

from samclr_core.messages import UserError
from samclr_core.regions.sam import models
from samclr_core.regions.sam.models import load_model, mobile_sam
from samclr_core.regions.sam.tinyvit import TinyVitEncoder


@pytest.fixture(scope="module")
def unfolded() -> nn.Module:
    """The encoder as MobileSAM publishes it: batch norms apart, with statistics of their own."""
    torch.manual_seed(0)
    vit = TinyVit(
        num_classes=0,
        embed_dims=(64, 128, 160, 320),
        depths=(2, 2, 6, 2),
        num_heads=(2, 4, 5, 10),
        window_sizes=(7, 7, 14, 7),
    )
    vit.get_submodule("stages.3.downsample.conv2.conv").stride = (1, 1)
    encoder = nn.Module()
    encoder.patch_embed, encoder.stages = vit.patch_embed, vit.stages
    encoder.neck = nn.Sequential(
        nn.Conv2d(320, 256, 1, bias=False),
        LayerNorm2d(256),
        nn.Conv2d(256, 256, 3, padding=1, bias=False),
        LayerNorm2d(256),
    )
    for module in encoder.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.2, 0.2)
    return encoder.eval()


def published_name(name: str) -> str:
    """timm's name of a layer as in ``mobile_sam.pt``."""
    name = name.replace("patch_embed.conv1", "patch_embed.seq.0")
    name = name.replace("patch_embed.conv2", "patch_embed.seq.2")
    name = name.replace(".conv.weight", ".c.weight")
    if name.startswith("stages."):
        _, stage, rest = name.split(".", 2)
        name = f"layers.{int(stage) - rest.startswith('downsample.')}.{rest}"
    return name


def published(encoder: nn.Module) -> dict[str, torch.Tensor]:
    """A file like ``mobile_sam.pt``, with the classifier's remains it has."""
    state = {published_name(name): value for name, value in encoder.state_dict().items()}
    state |= {"norm_head.weight": torch.ones(320), "head.weight": torch.ones(2, 320)}
    whole = {f"image_encoder.{name}": value for name, value in state.items()}
    others = mobile_sam().state_dict()
    return whole | {n: t for n, t in others.items() if not n.startswith("image_encoder.")}


def test_the_official_mobile_sam_file_gives_the_encoder_it_holds(unfolded, tmp_path):
    path = tmp_path / "mobile_sam.pt"
    torch.save(published(unfolded), path)
    model = load_model(str(path), "cpu")
    assert isinstance(model.image_encoder, TinyVitEncoder)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in model.image_encoder.modules())
    images = torch.randn(1, 3, 1024, 1024, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        ours = model.image_encoder(images)
        theirs = unfolded.neck(unfolded.stages(unfolded.patch_embed(images)))
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)
    assert not model.training


def test_an_official_vit_b_file_is_recognised_and_loaded(tmp_path):
    path = tmp_path / "sam_vit_b.pth"
    torch.manual_seed(0)
    official = sam_model_registry["vit_b"]()
    torch.save({"model": official.state_dict()}, path)
    model = load_model(str(path), "cpu")
    for name, value in official.state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name


@pytest.mark.parametrize(("width", "name"), [(768, "vit_b"), (1024, "vit_l"), (1280, "vit_h")])
def test_the_width_of_the_patches_tells_the_variant(width, name):
    state = {"image_encoder.patch_embed.proj.weight": torch.zeros(width, 3, 16, 16)}
    assert models.variant(state) == name


@pytest.mark.parametrize(
    "content",
    [b"", b"not a checkpoint", {"fc.weight": torch.ones(2, 2)}, [1, 2, 3], "half"],
    ids=["empty", "text", "other network", "list", "half of its layers"],
)
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_what_is_no_sam_checkpoint_is_refused_in_a_sentence(tmp_path, content, suffix):
    path = tmp_path / f"own{suffix}"
    if content == "half":
        state = {n: t for n, t in mobile_sam().state_dict().items() if "neck" not in n}
        torch.save(state, path)
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(UserError) as error:
        load_model(str(path), "cpu")
    assert error.value.key == "regions.bad_checkpoint"
    assert path.name in str(error.value)


def test_a_checkpoint_with_code_in_it_is_not_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return exec, ("raise SystemExit('code of the checkpoint ran')",)

    path = tmp_path / "own.pth"
    torch.save({"image_encoder.patch_embed.proj.weight": Trap()}, path)
    with pytest.raises(UserError) as error:
        load_model(str(path), "cpu")
    assert error.value.key == "regions.bad_checkpoint"
