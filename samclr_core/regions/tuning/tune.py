"""From images with masks to a new model of the workspace, with what it is worth."""

import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
from safetensors.torch import save

from samclr_core.jobs import Progress, silent
from samclr_core.progress import counted
from samclr_core.regions.automatic.segmenter import Segmenter
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.sam.download import sha256_of
from samclr_core.regions.sam.embeddings import embedding
from samclr_core.regions.sam.tuned import Base, located, new_path
from samclr_core.regions.sam.weights import fetch, pinned
from samclr_core.regions.tuning import report
from samclr_core.regions.tuning.config import TuningConfig
from samclr_core.regions.tuning.examples import Source, Split, collect, split
from samclr_core.regions.tuning.judging import judge
from samclr_core.regions.tuning.report import Report
from samclr_core.regions.tuning.training import steps, train
from samclr_core.workspace import Workspace, write_atomic

DECODER = "mask_decoder."


def tune(
    workspace: Workspace,
    name: str,
    source: Source,
    config: TuningConfig,
    truth: str = "labels",
    progress: Progress = silent,
) -> Report:
    """Tune SAM's mask decoder on a workspace's images and keep it as the model ``name``.

    Args:
        workspace: holds the images; gets the model.
        name: of the new model, in this workspace.
        source: knows the images' masks.
        config: the settings; ``config.model`` is where it starts.
        truth: what the masks are from, for the report.
        progress: called with parts of the work done, and parts in all.

    Raises:
        UserError: the name cannot be used, there are too few images with masks, or the weights of
            the model to start from cannot be had.
        Cancelled: the person asked to stop; nothing is kept.
    """
    new_path(workspace, name)
    examples = collect(workspace, source, config.images, config.seed)
    return tune_on(workspace, name, split(examples, config), config, truth, progress)


def tune_on(
    workspace: Workspace,
    name: str,
    parts: Split,
    config: TuningConfig,
    truth: str,
    progress: Progress = silent,
) -> Report:
    """The same on images that were divided already."""
    started = time.perf_counter()
    path = new_path(workspace, name)
    begin = SegmenterConfig(model=config.model, points_per_side=config.points_per_side)
    begin = pinned(located(workspace, begin), progress)
    segmenter = Segmenter(begin, progress=progress)
    encoding, judging, training, judging_again = _stages(progress, parts, config)
    examples = [*parts.train, *parts.validation, *parts.test]
    for number, example in enumerate(examples):
        encoding(number, len(examples))
        embedding(workspace, example.image_id, segmenter)
    before = judge(workspace, segmenter, parts.test, config.seed, judging)
    found = train(workspace, segmenter, parts, config, training)
    weights = {f"{DECODER}{n}": t for n, t in found.state.items()}
    write_atomic(path, save(weights, _base(begin.model).metadata()))
    end = pinned(begin.model_copy(update={"model": str(path)}))
    after = judge(workspace, Segmenter(end), parts.test, config.seed, judging_again)
    made = Report(
        name=name,
        start=config.model,
        truth=truth,
        settings=config.model_dump(),
        train=[example.image_id for example in parts.train],
        validation=[example.image_id for example in parts.validation],
        test=[example.image_id for example in parts.test],
        way=found.way,
        journal=[asdict(epoch) for epoch in found.journal],
        seconds=time.perf_counter() - started,
        segmenter_before=begin.model_dump(),
        segmenter_after=end.model_dump(),
        before=before,
        after=after,
    )
    report.write(workspace, made)
    return made


def _stages(progress: Progress, parts: Split, config: TuningConfig) -> list[Progress]:
    """Embedding, judging, training and judging again."""
    images = len(parts.train) + len(parts.validation) + len(parts.test)
    test = len(parts.test)
    ends = np.cumsum([0, images, test, steps(parts, config), test]).tolist()
    return [counted(progress, start, ends[-1]) for start in ends[:-1]]


def _base(model: str) -> Base:
    """What a decoder tuned from ``model`` needs beside it; that may be a tuned model itself."""
    path = fetch(model)
    return Base.of_file(Path(path)) or Base(model, sha256_of(path))
