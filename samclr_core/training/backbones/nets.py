"""The networks a backbone can be, by name, with random weights."""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn

from samclr_core.messages import UserError
from samclr_core.training.backbones.backbone import Backbone
from samclr_core.training.config import WEIGHTS_OF

TIMM = "timm/"
"""``timm/NAME`` is any model of timm."""


def net(name: str, small_stem: bool = False) -> Backbone:
    """The backbone of that name with random weights, from torch's current seed.

    Raises:
        UserError: there is none of that name, or it has no stem for small images.
    """
    if small_stem and name not in RESNETS:
        raise UserError("training.no_small_stem", backbone=name)
    if name in RESNETS:
        return _resnet(name, small_stem)
    if name == SAM:
        return _sam_encoder()
    return _timm(name)


RESNETS = ("resnet18", "resnet34", "resnet50", "resnet101")
SAM = "sam_tinyvit"
# Short names of what a POC is likely to take.
FROM_TIMM = {
    # The "tf" variant pads and normalises as the weights were trained.
    "efficientnet_lite0": "tf_efficientnet_lite0",
    "vit_tiny": "vit_tiny_patch16_224",
    "vit_small": "vit_small_patch16_224",
}


def _resnet(name: str, small_stem: bool) -> Backbone:
    import torchvision

    resnet: Any = torchvision.models.get_model(name, weights=None)
    dim = resnet.fc.in_features
    resnet.fc = nn.Identity()
    if small_stem:
        resnet.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        nn.init.kaiming_normal_(resnet.conv1.weight, mode="fan_out", nonlinearity="relu")
        resnet.maxpool = nn.Identity()
    stages = _named(resnet, [("conv1", "bn1"), *((f"layer{i}",) for i in range(1, 5))])
    return Backbone(resnet, dim, stages)


class PooledEncoder(nn.Module):
    """MobileSAM's image encoder without SAM's neck, its last map averaged: [N, 320].

    Any side will do; SAM's own 1024 pixels would be sixty times the work of a view.
    """

    def __init__(self) -> None:
        from samclr_core.regions.sam.tinyvit import TinyVitEncoder

        super().__init__()
        encoder = TinyVitEncoder()
        self.patch_embed, self.stages = encoder.patch_embed, encoder.stages

    def forward(self, images: Tensor) -> Tensor:
        return self.stages(self.patch_embed(images)).mean(dim=(2, 3))


def _sam_encoder() -> Backbone:
    encoder = PooledEncoder()
    names = [("patch_embed",), *((f"stages.{i}",) for i in range(4))]
    return Backbone(encoder, 320, _named(encoder, names))


def _timm(name: str) -> Backbone:
    import timm
    from timm.models import group_parameters

    known = FROM_TIMM.get(name, name.removeprefix(TIMM))
    if (name not in FROM_TIMM and not name.startswith(TIMM)) or not timm.is_model(known):
        raise UserError("training.unknown_backbone", name=name, known=", ".join(WEIGHTS_OF))
    # Views are smaller than the pictures that transformers were made for.
    any_size = {"dynamic_img_size": True, "dynamic_img_pad": True}
    model: Any = _created(timm.create_model, known, any_size)
    groups = group_parameters(model, model.group_matcher(coarse=True))
    config = model.pretrained_cfg
    # Some have a last layer between the pooled features and the classifier.
    width = getattr(model, "head_hidden_size", None) or model.num_features
    return Backbone(model, width, list(groups.values()), config["mean"], config["std"])


def _created(create: Callable[..., Any], name: str, any_size: dict[str, bool]) -> Any:
    try:
        return create(name, pretrained=False, num_classes=0, **any_size)
    except TypeError:
        # A convolutional one takes any size as it is.
        return create(name, pretrained=False, num_classes=0)


def _named(net: nn.Module, prefixes: Sequence[Sequence[str]]) -> list[list[str]]:
    """The parameters' names under the prefixes of each stage."""
    names = [name for name, _ in net.named_parameters()]
    return [
        [name for name in names if any(name.startswith(f"{prefix}.") for prefix in stage)]
        for stage in prefixes
    ]
