"""MobileSAM's image encoder (Zhang et al. 2023, arXiv 2306.14289) from timm's TinyViT layers."""

import torch
from segment_anything.modeling.common import LayerNorm2d
from timm.models.tiny_vit import ConvNorm, TinyVit
from torch import nn

IMAGE_SIZE = 1024
EMBEDDING_DIM = 256


class TinyVitEncoder(nn.Module):
    """TinyViT-5M as SAM's image encoder, with its batch norms folded into the convolutions.

    It differs from timm's ``tiny_vit_5m`` in two points: the last stage keeps its resolution, and
    SAM's neck stands in the place of the classifier.
    """

    # What segment_anything.Sam reads of an image encoder.
    img_size = IMAGE_SIZE

    def __init__(self) -> None:
        super().__init__()
        vit = TinyVit(
            num_classes=0,
            embed_dims=(64, 128, 160, 320),
            depths=(2, 2, 6, 2),
            num_heads=(2, 4, 5, 10),
            window_sizes=(7, 7, 14, 7),
            drop_path_rate=0.0,
        )
        step_down = vit.get_submodule("stages.3.downsample.conv2.conv")
        step_down.stride = (1, 1)  # type: ignore[assignment]
        self.patch_embed = vit.patch_embed
        self.stages = vit.stages
        self.neck = nn.Sequential(
            nn.Conv2d(320, EMBEDDING_DIM, 1, bias=False),
            LayerNorm2d(EMBEDDING_DIM),
            nn.Conv2d(EMBEDDING_DIM, EMBEDDING_DIM, 3, padding=1, bias=False),
            LayerNorm2d(EMBEDDING_DIM),
        )
        _fold_batch_norms(self)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Normalised images [N, 3, 1024, 1024] to embeddings [N, 256, 64, 64]."""
        return self.neck(self.stages(self.patch_embed(images)))


def _fold_batch_norms(module: nn.Module) -> None:
    for name, child in list(module.named_children()):
        if isinstance(child, ConvNorm):
            setattr(module, name, child.fuse())
        else:
            _fold_batch_norms(child)


def from_mobile_sam(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The image encoder's entries of ``mobile_sam.pt``, renamed and folded for this encoder.

    Args:
        state: entries without the prefix ``image_encoder.``.
    """
    renamed = {layer_name(name): value for name, value in state.items() if not _classifier(name)}
    folded = {n: v for n, v in renamed.items() if not n.endswith(_CONV_NORM)}
    for name in [n.removesuffix(".c.weight") for n in renamed if n.endswith(".c.weight")]:
        norm = {part: renamed[f"{name}.bn.{part}"] for part in _NORM_PARTS}
        # torch's BatchNorm2d default, which TinyViT keeps.
        scale = norm["weight"] / (norm["running_var"] + 1e-5).sqrt()
        folded[f"{name}.weight"] = renamed[f"{name}.c.weight"] * scale[:, None, None, None]
        folded[f"{name}.bias"] = norm["bias"] - norm["running_mean"] * scale
    return folded


_NORM_PARTS = ("weight", "bias", "running_mean", "running_var")
_CONV_NORM = (".c.weight", "bn.num_batches_tracked", *(f".bn.{part}" for part in _NORM_PARTS))


def _classifier(name: str) -> bool:
    return name.startswith(("norm_head.", "head.")) or name.endswith("attention_bias_idxs")


def layer_name(name: str) -> str:
    """MobileSAM's name of a layer in timm's order of stages."""
    parts = name.replace("patch_embed.seq.0", "patch_embed.conv1")
    parts = parts.replace("patch_embed.seq.2", "patch_embed.conv2")
    if not parts.startswith("layers."):
        return parts
    _, stage, rest = parts.split(".", 2)
    # timm puts the step down in resolution at the head of a stage, MobileSAM at the end.
    number = int(stage) + rest.startswith("downsample.")
    return f"stages.{number}.{rest}"
