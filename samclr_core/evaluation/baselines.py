"""The kinds of features that stand in every table: the run's own, and the three baselines."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from samclr_core.cache import digest, remembered
from samclr_core.evaluation import features
from samclr_core.evaluation.samples import Prepared
from samclr_core.jobs import Progress
from samclr_core.training import runs
from samclr_core.training.config import PRESETS, TrainingConfig
from samclr_core.training.runs import Run
from samclr_core.views.config import OTHER_KIND
from samclr_core.workspace import Workspace

if TYPE_CHECKING:
    from samclr_core.training.backbones import Backbone


@dataclass(frozen=True)
class Embedded:
    """Features of all images of an evaluation, float32 [N, dim], and the seconds they took."""

    values: np.ndarray
    described: str
    run: str | None
    seconds: float


def sources(workspace: Workspace, run: Run) -> dict[str, "Source"]:
    """What to take features from, by method; ``twin`` only where that run exists."""
    found = {
        "run": Source(_described(run, run.id), run.id, lambda: runs.load_encoder(run)),
        "colour": Source(f"colour_statistics_{features.COLOUR_DIM}", None, None),
        "start": Source(_described(run, run.config.weights), None, lambda: runs.start_encoder(run)),
    }
    if twin := run.twin(workspace):
        found["twin"] = Source(_described(twin, twin.id), twin.id, lambda: runs.load_encoder(twin))
    return found


def _described(run: Run, weights: str) -> str:
    return f"{run.config.backbone} ({weights})"


@dataclass(frozen=True)
class Source:
    """Where features come from; without a backbone they are colour statistics."""

    described: str
    run: str | None
    backbone: "Callable[[], Backbone] | None"

    def embed(self, workspace: Workspace, prepared: Prepared, progress: Progress) -> Embedded:
        """Features of the prepared images, from the cache where the weights were seen before."""
        images = prepared.images
        if self.backbone is None:
            key = digest(prepared.ids, images.shape[1], self.described)
            values, seconds = remembered(
                workspace,
                "features",
                key,
                lambda: {"values": features.colour_statistics(images, progress)},
            )
        else:
            backbone = self.backbone()
            weights = features.weights_digest(backbone)
            key = digest(prepared.ids, images.shape[1], weights)
            values, seconds = remembered(
                workspace,
                "features",
                key,
                lambda: {
                    "values": features.embed(backbone, images, images.shape[1], progress=progress)
                },
            )
        return Embedded(values["values"], self.described, self.run, seconds)


def twin_command(workspace: Workspace, run: Run) -> str:
    """The command that trains the twin of ``run``: the same settings, the other kind of views."""
    config = run.config
    preset = min(PRESETS, key=lambda name: len(_changes(config, PRESETS[name])))
    options = {
        "-w": str(workspace.root),
        "--loss": config.loss,
        "--views": OTHER_KIND[config.views.kind],
        "--preset": preset,
        "--seed": str(config.seed),
    }
    words = ["samclr", "train", *(word for pair in options.items() for word in pair)]
    for key, value in _changes(config, PRESETS[preset]).items():
        words += ["--set", f"{key}={_yaml(value)}"]
    return shlex.join(words)


def _changes(config: TrainingConfig, preset: TrainingConfig) -> dict[str, Any]:
    """Settings that differ from the preset's, but for those that have an option of their own."""
    mine, theirs = _flat(config.model_dump(mode="json")), _flat(preset.model_dump(mode="json"))
    own = {"loss", "seed", "views.kind"}
    return {key: mine[key] for key in mine if mine[key] != theirs[key] and key not in own}


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def _yaml(value: Any) -> str:
    import yaml

    return yaml.safe_dump(value, default_flow_style=True).removesuffix("\n...\n").strip()
