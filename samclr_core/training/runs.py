"""Runs: one folder each, which is the truth about it.

``config.yaml`` and ``data.json`` say what it is made of and never change; ``metrics.jsonl`` grows
while it learns; ``checkpoint.pt`` is where it goes on, until it has finished;
``encoder.safetensors`` is what it gives.
"""

import json
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from samclr_core import jobs
from samclr_core.images import catalogue
from samclr_core.messages import UserError
from samclr_core.regions import sources
from samclr_core.regions.sources import Source
from samclr_core.training.config import TrainingConfig
from samclr_core.workspace import Workspace, read_json, write_atomic, write_json

if TYPE_CHECKING:
    from samclr_core.training.backbones import Backbone

MIN_IMAGES = 2
# What a twin may differ in: only where the crops are cut.
_OWN_TO_VIEWS = {"views": True, "difficulty_of": True}


class Run:
    """A training run: the folder it lives in, read on demand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def id(self) -> str:
        return self.folder.name

    @cached_property
    def config(self) -> TrainingConfig:
        text = (self.folder / "config.yaml").read_text(encoding="utf-8")
        return TrainingConfig.of(yaml.safe_load(text))

    @property
    def job(self) -> jobs.Job:
        """The process at work on it: state, step, error, log, stop."""
        return jobs.Job(self.folder)

    @property
    def state(self) -> jobs.State:
        return self.job.state

    @cached_property
    def _data(self) -> dict[str, Any]:
        return read_json(self.folder / "data.json")

    @property
    def images(self) -> list[str]:
        """Ids of the images it learns from, fixed when it was made."""
        return self._data["images"]

    @property
    def source(self) -> Source | None:
        """Whose regions it learns from; None for ``image`` views."""
        values = self._data.get("source")
        # Runs of an older make wrote down the segmenter alone.
        if segmenter := self._data.get("segmenter"):
            values = {"segmenter": segmenter}
        return Source.of(values) if values else None

    @property
    def created(self) -> float:
        """When it was made, in seconds since 1970; a copy of the workspace keeps it."""
        return self._data["created"]

    @property
    def metrics_path(self) -> Path:
        return self.folder / "metrics.jsonl"

    @property
    def checkpoint_path(self) -> Path:
        return self.folder / "checkpoint.pt"

    @property
    def encoder_path(self) -> Path:
        """The weights of the trained backbone; there once the run has finished."""
        return self.folder / "encoder.safetensors"

    @property
    def finished(self) -> bool:
        return self.encoder_path.exists()

    def metrics(self) -> list[dict[str, Any]]:
        """Every line of metrics.jsonl, in the order of steps; a half-written line is left out."""
        if not self.metrics_path.exists():
            return []
        lines = self.metrics_path.read_text(encoding="utf-8").split("\n")
        return [json.loads(line) for line in lines if line.endswith("}")]

    @property
    def seconds(self) -> float:
        """Seconds it has learned so far, over all times it was resumed."""
        metrics = self.metrics()
        return metrics[-1]["seconds"] if metrics else 0.0

    @property
    def facts(self) -> dict[str, Any]:
        """What was found when it started: device, precision, steps, pairs, notes."""
        return read_json(self.folder / "facts.json", {})

    def twin(self, workspace: Workspace) -> "Run | None":
        """The finished run of the same images and settings, but of the other views.

        Of several, one whose other settings of views are the same, too, then the newest.
        """
        twins = [run for run in runs(workspace) if self._is_twin(run)]
        return max(twins, key=self._alike_but_in_kind, default=None)

    def _is_twin(self, other: "Run") -> bool:
        mine, theirs = self.config, other.config
        return (
            mine.views.kind != theirs.views.kind
            and mine.views.size == theirs.views.size
            and mine.model_dump(exclude=_OWN_TO_VIEWS) == theirs.model_dump(exclude=_OWN_TO_VIEWS)
            and self.images == other.images
            and other.finished
        )

    def _alike_but_in_kind(self, other: "Run") -> bool:
        mine, theirs = self.config.views, other.config.views
        return mine.model_copy(update={"kind": theirs.kind}) == theirs


def create(workspace: Workspace, config: TrainingConfig, source: Source | None = None) -> Run:
    """A new run, ready to start, of all images the workspace has now.

    Args:
        workspace: where it lives.
        config: its settings.
        source: whose regions ``region`` views are cut from; by default those in use. A run of
            damaged regions answers a question of its own, so :func:`runs` leaves it out.

    Raises:
        UserError: too few images, ``region`` views without regions, or a run that should judge
            how difficult regions are but has not finished.
    """
    images = [record.id for record in catalogue.records(workspace)]
    if len(images) < MIN_IMAGES:
        raise UserError("training.too_few_images", found=len(images), least=MIN_IMAGES)
    used = source_for(workspace, config, source)
    if config.difficulty_of and not run(workspace, config.difficulty_of).finished:
        raise UserError("training.not_finished", name=config.difficulty_of)
    parent, kind = workspace.runs, f"{config.loss}-{config.views.kind}"
    if used and used.perturbation:
        parent, kind = workspace.damaged_runs, f"{kind}-{used.perturbation.kind}"
    folder = jobs.new_folder(parent, kind)
    whose = used.model_dump(mode="json") if used else None
    data = {"images": images, "source": whose, "created": time.time()}
    write_json(folder / "data.json", data)
    text = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    write_atomic(folder / "config.yaml", text.encode())
    return Run(folder)


def source_for(
    workspace: Workspace, config: TrainingConfig, source: Source | None = None
) -> Source | None:
    """Whose regions a run of ``config`` learns from: ``source``, else those in use.

    None for ``image`` views.

    Raises:
        UserError: ``region`` views without regions.
    """
    if config.views.kind != "region":
        return None
    used = source or sources.current(workspace)
    if used is None:
        raise UserError("training.no_regions")
    return used


def runs(workspace: Workspace) -> list[Run]:
    """All runs, newest first, but for those of damaged regions."""
    return _in(workspace.runs)


def damaged_runs(workspace: Workspace) -> list[Run]:
    """The runs that learned from regions damaged on purpose, newest first."""
    return _in(workspace.damaged_runs)


def _in(folder: Path) -> list[Run]:
    found = [Run(path.parent) for path in folder.glob("*/config.yaml")]
    return sorted(found, key=lambda run: (run.created, run.id), reverse=True)


def run(workspace: Workspace, run_id: str) -> Run:
    """The run of that id, of whatever regions.

    Raises:
        UserError: there is none.
    """
    everyone = [*runs(workspace), *damaged_runs(workspace)]
    found = next((candidate for candidate in everyone if candidate.id == run_id), None)
    if found is None:
        raise UserError("training.unknown_run", name=run_id)
    return found


def load_encoder(run: Run) -> "Backbone":
    """The trained backbone of ``run``, frozen and in eval mode, on the CPU.

    Raises:
        UserError: the run has not finished.
    """
    from safetensors.torch import load_file

    from samclr_core.training import backbones

    if not run.finished:
        raise UserError("training.not_finished", name=run.id)
    backbone = backbones.build(run.config.backbone, "random", run.config.small_stem)
    backbone.load_state_dict(load_file(run.encoder_path))
    return backbones.frozen(backbone)


def start_encoder(run: Run) -> "Backbone":
    """The backbone as ``run`` started, frozen and in eval mode: the baseline of what it learned."""
    from samclr_core.training import backbones

    return backbones.frozen(backbones.start(run.config))
