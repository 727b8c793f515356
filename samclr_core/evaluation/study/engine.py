"""The study itself: cut, train, evaluate, cell by cell and seed by seed; nothing is done twice."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from samclr_core.estimate import Estimate
from samclr_core.evaluation import intervals
from samclr_core.evaluation import results as evaluations
from samclr_core.evaluation.evaluate import evaluate
from samclr_core.evaluation.label_efficiency import point_of
from samclr_core.evaluation.labels_saved import LabelsNeeded
from samclr_core.evaluation.results import CurvePoint, Head
from samclr_core.evaluation.study import page, results
from samclr_core.evaluation.study.config import PLAIN, Cell, Contender, StudyConfig, files
from samclr_core.evaluation.study.results import Row, Study
from samclr_core.images.decode import SUFFIXES
from samclr_core.images.intake import add_paths
from samclr_core.jobs import Progress, silent
from samclr_core.messages import UserError
from samclr_core.paths import expanded
from samclr_core.progress import part, shared
from samclr_core.regions.batch import segment_workspace
from samclr_core.regions.config import PRESETS
from samclr_core.training.config import TrainingConfig
from samclr_core.training.runs import Run
from samclr_core.training.trained import trained
from samclr_core.workspace import Workspace

# Hundredths of the bar for taking in the images and cutting them.
PREPARED = 15
TAKEN_IN = "study-images"
SCRATCH = "scratch"


@dataclass(frozen=True)
class Trial:
    """One training of a cell, judged by one data set."""

    cell: Cell
    seed: int
    data: str
    run: Run
    evaluation: evaluations.Evaluation

    def correct(self, method: str = "run", head: Head = "linear_probe") -> np.ndarray:
        """bool [n_test]: whether the method was right on each test image."""
        return evaluations.correct(self.path, method, head)

    def correct_with_few_labels(self, method: str, point: int) -> np.ndarray:
        """bool [draws, n_test]: the same at a point of the method's curve."""
        return evaluations.correct_with_few_labels(self.path, method, point)

    @property
    def path(self) -> Path:
        """The evaluation's file."""
        return evaluations.path_of(self.run, self.evaluation)


def study(folder: Path, config: StudyConfig, progress: Progress = silent) -> Study:
    """Train and judge the whole grid; what is in ``folder`` already is used again.

    Args:
        folder: gets a workspace for each set of images, and the result.
        config: what is tried.
        progress: told of every step, in hundredths of the whole.

    Raises:
        UserError: a folder holds no images, or as regions, training and evaluation do.
        Cancelled: as ``progress`` asks; the next call goes on from there.
    """
    workspaces = {
        name: _prepared(Workspace(folder / name), config, path, step)
        for (name, path), step in shared(list(config.images.items()), 0, PREPARED, progress, _name)
    }
    planned = [(cell, seed) for seed in range(config.seeds) for cell in config.cells()]
    trials = [
        trial
        for (cell, seed), step in shared(planned, PREPARED, 100, progress, _name)
        for trial in _tried(workspaces[cell.images], config, cell, seed, step)
    ]
    compared = sum(config.reference(cell) is not None for cell in config.cells())
    compared += sum(len(config.compared(images)) for images in config.images)
    parts = [
        [t for t in trials if (t.cell.images, t.data) == (images, data)]
        for images in config.images
        for data in config.data
    ]
    found = Study(
        title=config.title or ", ".join(config.images),
        created=time.time(),
        config=config.model_dump(mode="json"),
        n_test={trial.data: trial.evaluation.n_test for trial in trials},
        majority={trial.data: trial.evaluation.majority for trial in trials},
        compared=compared,
        rows=[row for part in parts for row in _rows(part, config, compared)],
        differences=[one for part in parts for one in _differences(part, config, compared)],
    )
    results.save(folder, found)
    page.write(folder, found)
    progress(100, 100)
    return found


def _name(item: Sequence) -> str:
    """What the bar says of a step: its set of images, or its cell."""
    return str(item[0])


def _prepared(
    workspace: Workspace, config: StudyConfig, images: Path, progress: Progress
) -> Workspace:
    """The workspace with the images, cut into regions where some views need them."""
    taken = {"folder": str(expanded(images).resolve()), "most": config.most_images}
    if workspace.setting(TAKEN_IN) != taken:
        add_paths(workspace, _chosen(images, config.most_images), progress=part(progress, 0, 30))
        workspace.remember(TAKEN_IN, taken)
    if any(cell.views == "region" for cell in config.cells()):
        settings = PRESETS.get(config.regions)
        if settings is None:
            raise UserError("core.unknown_preset", name=config.regions, known=", ".join(PRESETS))
        segment_workspace(workspace, settings, progress=part(progress, 30, 100))
    return workspace


def _chosen(folder: Path, most: int | None) -> list[Path]:
    """The folder itself, or so many of its images, or of those that are like a pattern."""
    if folder.is_dir() and most is None:
        return [folder]
    everything = sorted(folder.rglob("*")) if folder.is_dir() else files(folder)
    images = [path for path in everything if path.suffix.lower() in SUFFIXES]
    places = np.linspace(0, len(images) - 1, min(most or len(images), len(images))).astype(int)
    return [images[place] for place in places] or [folder]


def _tried(
    workspace: Workspace, config: StudyConfig, cell: Cell, seed: int, progress: Progress
) -> Iterator[Trial]:
    learning = part(progress, 0, 80)
    settings = _settings(workspace, config, cell, seed, learning)
    run = trained(workspace, settings, progress=learning)
    for (name, folder), judging in shared(list(config.data.items()), 80, 100, progress):
        evaluation = evaluate(
            workspace,
            run,
            folder,
            judging,
            with_map=False,
            with_curves=config.curves,
            with_fine_tuning=config.fine_tune,
        )
        yield Trial(cell, seed, name, run, evaluation)


def _settings(
    workspace: Workspace, config: StudyConfig, cell: Cell, seed: int, progress: Progress
) -> TrainingConfig:
    """Of one training, with the run that judges how difficult regions are, where one does."""
    settings = config.training(cell, seed)
    judge = config.judge(cell)
    if judge is None:
        return settings
    run = trained(workspace, config.training(judge, seed), progress=progress)
    return settings.model_copy(update={"difficulty_of": run.id})


def _rows(trials: list[Trial], config: StudyConfig, compared: int) -> Iterator[Row]:
    """The rows of one set of images and one data set: the baselines, then every cell."""
    cells = dict.fromkeys(trial.cell for trial in trials)
    yield _row(_of(trials, trials[0].cell), "colour")
    for cell in config.starts(trials[0].cell.images).values():
        yield _row(_of(trials, cell), "start")
    for cell in cells:
        row = _row(_of(trials, cell), "run")
        if reference := config.reference(cell):
            both = Contender(cell, "run"), Contender(reference, "run")
            row = row.model_copy(update=_compared(trials, *both, compared))
        yield row


def _of(trials: list[Trial], cell: Cell) -> list[Trial]:
    return [trial for trial in trials if trial.cell == cell]


def _row(trials: list[Trial], method: str) -> Row:
    cell, learned = trials[0].cell, method == "run"
    return Row(
        images=cell.images,
        loss=cell.loss if learned else method,
        views=cell.views if learned else "",
        variant=cell.variant if method != "colour" else PLAIN,
        data=trials[0].data,
        accuracy=intervals.accuracy(np.array([trial.correct(method) for trial in trials])),
        knn=intervals.accuracy(np.array([trial.correct(method, "knn") for trial in trials])),
        fine_tuned=_fine_tuned(trials, method),
        curve=_few_labels(trials, method),
        seeds=len(trials),
        seconds=sum(trial.run.seconds for trial in trials) if learned else 0.0,
        runs=[trial.run.id for trial in trials] if learned else [],
    )


def _compared(
    trials: list[Trial], row: Contender, beside: Contender, compared: int
) -> dict[str, Any]:
    """What a row and a difference say of ``row`` beside ``beside``."""
    return {
        "gain": _gain(trials, row, beside, "linear_probe", compared),
        "knn_gain": _gain(trials, row, beside, "knn", compared),
        "labels_needed": _labels_needed(trials, row, beside),
    }


def _gain(
    trials: list[Trial], row: Contender, beside: Contender, head: Head, compared: int
) -> Estimate:
    """The accuracy of ``row`` minus that of ``beside``, seed by seed."""
    ours, theirs = (
        np.array([trial.correct(one.method, head) for trial in _of(trials, one.cell)])
        for one in (row, beside)
    )
    return intervals.paired_difference(ours, theirs, comparisons=compared)


def _differences(
    trials: list[Trial], config: StudyConfig, compared: int
) -> Iterator[results.Difference]:
    """What is compared beyond the rows, of one set of images and one data set."""
    images, data = trials[0].cell.images, trials[0].data
    for loss, pair, row, beside in config.compared(images):
        yield results.Difference(
            images=images,
            data=data,
            loss=loss,
            row=pair.row,
            beside=pair.beside,
            **_compared(trials, row, beside, compared),
        )


def _labels_needed(trials: list[Trial], row: Contender, beside: Contender) -> LabelsNeeded | None:
    """By ``row``, for what ``beside`` reaches with all; None where there are no curves."""
    ours, theirs = (
        [(trial.path, one.method) for trial in _of(trials, one.cell)] for one in (row, beside)
    )
    return evaluations.labels_saved(ours, theirs)


def _few_labels(trials: list[Trial], method: str) -> list[CurvePoint]:
    """The curve over labels of all seeds; empty where there is none."""
    points = trials[0].evaluation.curves.get(method, [])
    return [
        point_of(
            point.per_class,
            point.labels,
            np.concatenate([trial.correct_with_few_labels(method, at) for trial in trials]),
        )
        for at, point in enumerate(points)
    ]


def _fine_tuned(trials: list[Trial], method: str) -> Estimate | None:
    """Of the whole networks; where the start was random weights, it is called ``scratch``."""
    tuned = trials[0].evaluation.fine_tuned
    name = SCRATCH if method == "start" and method not in tuned else method
    if name not in tuned:
        return None
    return intervals.accuracy(np.array([trial.correct(name, "fine_tuned") for trial in trials]))
