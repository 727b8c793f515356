"""Settings of a training run, and the presets."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from samclr_core.config import Config
from samclr_core.views.config import AugmentConfig, Range, ViewsConfig

Loss = Literal["simclr", "moco", "dino"]
Precision = Literal["auto", "32", "bf16", "fp16"]


WEIGHTS_OF: dict[str, tuple[str, ...]] = {
    "resnet18": ("random", "imagenet"),
    "resnet34": ("random", "imagenet"),
    "resnet50": ("random", "imagenet"),
    "resnet101": ("random", "imagenet"),
    "efficientnet_lite0": ("random", "imagenet"),
    "vit_tiny": ("random", "imagenet"),
    "vit_small": ("random", "imagenet"),
    "sam_tinyvit": ("random", "sam"),
}
"""The backbones that have a name of their own, and the weights each can start from, or a file."""


class MocoConfig(Config):
    """What only MoCo needs.

    Attributes:
        queue: keys of earlier batches that serve as negatives. The paper's 65536 are a twentieth
            of its data set; here they would be as old as the run.
        momentum: share of itself that the momentum encoder keeps at every step; None follows the
            length of the run (:func:`samclr_core.training.methods.teacher.momentum`).
    """

    queue: int = Field(default=512, ge=1, le=2**20)
    momentum: float | None = Field(default=None, ge=0, lt=1)


class DinoConfig(Config):
    """What only DINO needs.

    Attributes:
        prototypes: outputs of the head; the paper's 65536 are for a million images.
        batch_norm: whether the head has batch norm; good for ResNets, not for transformers.
        momentum: share of itself that the teacher keeps at every step; rises to 1 along a cosine.
            None starts as the length of the run asks for.
        student_temperature: of the student's answers.
        teacher_temperature: of the teacher's, at the start and after ``warmup``. Half the paper's
            0.04 to 0.07, with which short runs end in answers that are all alike.
        warmup: share of the steps in which the teacher's temperature changes.
        center_momentum: share of itself that the center of the teacher's answers keeps.
        freeze: share of the steps in which the prototypes stay where they are.
    """

    prototypes: int = Field(default=1024, ge=2, le=2**18)
    batch_norm: bool = True
    momentum: float | None = Field(default=None, ge=0, lt=1)
    student_temperature: float = Field(default=0.1, gt=0, le=10)
    teacher_temperature: Range = (0.02, 0.04)
    warmup: float = Field(default=0.3, ge=0, le=1)
    center_momentum: float = Field(default=0.9, ge=0, lt=1)
    freeze: float = Field(default=0.05, ge=0, lt=1)


class TrainingConfig(Config):
    """Everything that decides what a run learns.

    The budget is ``epochs x pairs_per_image`` pairs per image, whatever the views: a run and its
    twin see the same number of pairs of the same images.

    Attributes:
        loss: the method.
        views: where the crops are cut.
        augment: how they are altered.
        backbone: the network whose features are kept; a name of :data:`WEIGHTS_OF`, or ``timm/``
            and one of timm's.
        weights: its start: ``random``, ``imagenet``, ``sam`` (of ``sam_tinyvit`` only), or the path
            of a .pth or .safetensors file.
        small_stem: ResNet stem for views up to about 64 pixels (3x3, no pooling).
        norm: ``train`` lets batch norm follow the batches; ``frozen`` keeps the statistics of
            pretrained weights, which small batches would spoil; ``auto`` freezes exactly those.
        head_dim: width of the hidden layer and of the output of the projection head; of DINO's,
            of its hidden layers and its bottleneck.
        temperature: of the contrastive losses.
        moco: what only MoCo needs.
        dino: what only DINO needs.
        epochs: times that every image is visited.
        pairs_per_image: pairs per image and epoch.
        batch_size: pairs per batch; never more than there are images times ``together``.
        together: pairs of one image in a batch, at most half of it.
        same_image: what pairs of one image are to each other: ``excluded`` from the negatives, or
            ``kept`` among them where their regions have nothing in common. Only SimCLR has
            negatives in the batch; MoCo's queue always leaves a pair's own image out.
        difficulty_of: a finished run; regions of which it finds two views unlike are drawn more
            often (:mod:`samclr_core.training.difficulty`). Only for ``region`` views.
        accumulate: batches per optimizer step; each has negatives of its own only.
        lr: peak learning rate.
        backbone_lr: the backbone's share of ``lr``; None is 1 from random weights, 0.1 from others.
        layer_decay: of two stages of the backbone that follow each other, the earlier one's rate is
            so many times the later one's (layer-wise decay, as in BEiT, arXiv 2106.08254).
        freeze_stages: so many of the backbone's first stages keep their weights and statistics.
        weight_decay: of weights; biases and norms have none.
        warmup: share of the steps in which the learning rate rises.
        clip: greatest norm of the gradient.
        seed: of everything random.
        device: ``auto`` takes a CUDA GPU where there is one.
        precision: ``auto`` is 32 bits on a CPU, bf16 or fp16 autocast on a GPU.
        max_side: images are worked on at this longest side in pixels at most.
        workers: threads that cut crops ahead; 0 for as many as there are cores, up to 8.
        log_steps: steps between two lines of metrics.jsonl.
        checkpoint_seconds: seconds between two checkpoints.
    """

    loss: Loss = "simclr"
    views: ViewsConfig = ViewsConfig()
    augment: AugmentConfig = AugmentConfig()
    backbone: str = "resnet18"
    weights: str = "random"
    small_stem: bool = False
    norm: Literal["auto", "train", "frozen"] = "auto"
    head_dim: tuple[int, int] = (512, 128)
    temperature: float = Field(default=0.2, gt=0, le=10)
    moco: MocoConfig = MocoConfig()
    dino: DinoConfig = DinoConfig()
    epochs: int = Field(default=100, ge=1)
    pairs_per_image: int = Field(default=4, ge=1)
    batch_size: int = Field(default=128, ge=2)
    together: int = Field(default=1, ge=1)
    same_image: Literal["excluded", "kept"] = "excluded"
    difficulty_of: str = ""
    accumulate: int = Field(default=1, ge=1)
    lr: float = Field(default=1e-3, gt=0, le=10)
    backbone_lr: float | None = Field(default=None, ge=0, le=1)
    layer_decay: float = Field(default=1.0, gt=0, le=1)
    freeze_stages: int = Field(default=0, ge=0, le=64)
    weight_decay: float = Field(default=1e-4, ge=0, le=1)
    warmup: float = Field(default=0.1, ge=0, lt=1)
    clip: float = Field(default=1.0, gt=0)
    seed: int = Field(default=0, ge=0, lt=2**31)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Precision = "auto"
    max_side: int = Field(default=1024, ge=64, le=8192)
    workers: int = Field(default=0, ge=0, le=64)
    log_steps: int = Field(default=10, ge=1)
    checkpoint_seconds: float = Field(default=20.0, ge=0)

    @field_validator("views")
    @classmethod
    def _local_crops_are_dinos(cls, value: ViewsConfig, info: ValidationInfo) -> ViewsConfig:
        if value.local_crops and info.data.get("loss") != "dino":
            raise PydanticCustomError("only_dino", "only dino takes local crops")
        return value

    @field_validator("together")
    @classmethod
    def _leaves_other_images(cls, value: int, info: ValidationInfo) -> int:
        most = info.data.get("batch_size", 2) // 2
        if value > most:
            raise PydanticCustomError("too_many", "at most {limit}", {"limit": most})
        return value

    @property
    def pretrained(self) -> bool:
        return self.weights != "random"

    @property
    def frozen_norm(self) -> bool:
        return self.norm == "frozen" or (self.norm == "auto" and self.pretrained)

    @property
    def backbone_lr_share(self) -> float:
        if self.backbone_lr is not None:
            return self.backbone_lr
        return 0.1 if self.pretrained else 1.0


PRESETS: dict[str, TrainingConfig] = {
    "quick": TrainingConfig(
        backbone="efficientnet_lite0",
        weights="imagenet",
        views=ViewsConfig(size=64),
        epochs=20,
        pairs_per_image=4,
        batch_size=48,
        log_steps=1,
    ),
    "standard": TrainingConfig(backbone="resnet18", views=ViewsConfig(size=96), epochs=200),
    "gpu": TrainingConfig(
        backbone="resnet50",
        views=ViewsConfig(size=224),
        epochs=400,
        pairs_per_image=8,
        batch_size=512,
        head_dim=(2048, 128),
    ),
}
