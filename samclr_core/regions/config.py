"""Settings of the regions. No torch in here, so that pages and readers stay quick."""

from pathlib import PurePath
from typing import Literal

from pydantic import Field

from samclr_core.config import Config

Damage = Literal["eroded", "dilated", "merged", "split", "shifted", "dropped"]


class SegmenterConfig(Config):
    """How regions are made from an image.

    SAM's own thresholds (0.88 and 0.95) were tuned for ViT-H and leave half of a busy scene
    without a region; with ours MobileSAM keeps 99 % of the masks it finds with them, and twice as
    many in all (``docs/architecture.md`` has the figures).

    Attributes:
        model: ``mobile_sam``, ``vit_b``, ``vit_l``, ``vit_h``, the path of a checkpoint, or the
            name of a model tuned in the workspace.
        weights: which weights of that name: 12 hex digits of the file's SHA-256, filled in when
            they are at hand, so that another file of the same name never gets these regions.
        foveated: whether short cuts are taken that find nearly the same masks several times as
            fast: prompts that look like their neighbours are left out, and a prompt sees what lies
            far from it in outline only (on CPUs; on GPUs it always sees all).
        points_per_side: prompts along one side of the grid over the image.
        min_predicted_iou: masks of which the model thinks less are dropped.
        min_stability: masks that change more than this between two logit cuts are dropped.
        stability_offset: how far the two cuts lie from the threshold, in logits.
        min_area: smallest region, as a fraction of the image.
        max_area: largest region, as a fraction of the image.
        max_box_iou: of two masks whose boxes overlap more, the one of lower predicted IoU goes.
        max_mask_iou: the same for the masks themselves.
        max_containment: a mask that lies in another by more than this fraction of itself goes ...
        min_contained_ratio: ... where it is also at least this fraction of the other's area, so
            that parts of things stay and second copies of a thing do not.
    """

    model: str = "mobile_sam"
    weights: str = ""
    foveated: bool = True
    points_per_side: int = Field(default=32, ge=1, le=128)
    min_predicted_iou: float = Field(default=0.8, ge=0, le=1)
    min_stability: float = Field(default=0.9, ge=0, le=1)
    stability_offset: float = Field(default=1.0, gt=0, le=10)
    min_area: float = Field(default=0.0, ge=0, le=1)
    max_area: float = Field(default=1.0, gt=0, le=1)
    max_box_iou: float = Field(default=0.7, gt=0, le=1)
    max_mask_iou: float = Field(default=0.8, gt=0, le=1)
    max_containment: float = Field(default=0.95, gt=0, le=1)
    min_contained_ratio: float = Field(default=0.75, ge=0, le=1)

    @property
    def model_name(self) -> str:
        """The model's name as people know it: of a checkpoint, its file's without the ending."""
        return PurePath(self.model).stem

    def digest(self) -> str:
        """As of every settings; the folder a checkpoint lies in plays no part.

        Its weights are pinned by their own digest, and a copied workspace keeps its regions.
        """
        return Config.digest(self.model_copy(update={"model": PurePath(self.model).name}))


class Perturbation(Config):
    """Damage done to regions on purpose, to learn how good a segmentation must be.

    Attributes:
        kind: what is done; :mod:`samclr_core.regions.perturb` says how.
        strength: of ``eroded``, ``dilated`` and ``shifted``: how far a region's edge moves, as a
            fraction of the square root of its area; of ``merged``, ``split`` and ``dropped``: the
            share of an image's regions that it happens to.
        seed: of what is drawn; a greater strength of the same seed damages the same regions more.
    """

    kind: Damage
    strength: float = Field(gt=0, le=1)
    seed: int = Field(default=0, ge=0, lt=2**31)


# ``full`` is the older name of ``balanced``.
PRESETS: dict[str, SegmenterConfig] = {
    "full": SegmenterConfig(),
    "draft": SegmenterConfig(points_per_side=12),
    "few_large": SegmenterConfig(
        points_per_side=20, min_area=0.003, max_box_iou=0.6, max_mask_iou=0.7
    ),
    "balanced": SegmenterConfig(),
    "many_small": SegmenterConfig(points_per_side=48, min_predicted_iou=0.72, min_stability=0.85),
}
