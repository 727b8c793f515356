"""The whole evaluation of a run: same images, same split, same probe for it and its baselines."""

import hashlib
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from samclr_core.cache import digest, write
from samclr_core.evaluation import baselines, fine_tuning, results, samples
from samclr_core.evaluation.baselines import Embedded
from samclr_core.evaluation.judging import Judged, judge, score
from samclr_core.evaluation.label_efficiency import Curve, curve
from samclr_core.evaluation.labels_saved import LabelsNeeded, labels_needed
from samclr_core.evaluation.notes import about
from samclr_core.evaluation.projection import normalised, principal_components, project
from samclr_core.evaluation.results import Evaluation
from samclr_core.evaluation.samples import Prepared, Sample
from samclr_core.evaluation.split import Split, split
from samclr_core.jobs import Progress, silent
from samclr_core.messages import UserError
from samclr_core.paths import expanded
from samclr_core.progress import part, shared
from samclr_core.training.runs import Run
from samclr_core.workspace import Workspace

# More points make the page heavy, and the map no clearer.
MAX_POINTS = 4_000


def evaluate(
    workspace: Workspace,
    run: Run,
    data: Path | None = None,
    progress: Progress = silent,
    with_map: bool = True,
    with_curves: bool = False,
    with_fine_tuning: bool = False,
) -> Evaluation:
    """Measure the frozen features of ``run`` beside colour statistics, its start and its twin.

    Linear probe and k-NN on the same split for all; every image is cut to the size of the run's
    views (see :func:`features.fit`). The twin is the run that differs only in the kind of views;
    where none has finished, a note names the command that trains it. Result and arrays are written
    to ``run.folder/evaluation``; one data set has one result, the latest.

    Args:
        workspace: where the run lives.
        run: a finished run.
        data: a labelled folder (see :func:`images.datasets.read_labelled_folder`); None for the
            workspace's own labelled images.
        progress: told of every step.
        with_map: whether to lay out the map of the embeddings; without it no image is on it.
        with_curves: whether to fit the probe on few labels as well (:mod:`.label_efficiency`).
        with_fine_tuning: whether to train whole networks on the labels (:mod:`.fine_tuning`).

    Raises:
        UserError: the run has not finished, the folder cannot be used, or there are fewer than
            two classes with an image to fit and one to judge by.
        Cancelled: as ``progress`` asks; what was finished stays in the cache.
    """
    if not run.finished:
        raise UserError("training.not_finished", name=run.id)
    clock, size = _Clock(), run.config.views.size
    found = _listed(workspace, data)
    used = samples.thinned(found, samples.most_images(size))
    prepared = samples.prepare(workspace, used, size, part(progress, 0, 30))
    clock.lap("images")
    parts = split(
        [sample.label for sample in prepared.samples],
        [sample.split for sample in prepared.samples],
        prepared.ids,
    )
    end = 60 if with_curves else 85
    embedded, judged = _all_methods(workspace, run, prepared, parts, part(progress, 30, end))
    clock.lap("methods")
    curves = _curves(workspace, embedded, parts, part(progress, end, 85)) if with_curves else {}
    needed = _labels_needed(curves)
    clock.lap("curves")
    tuned = (
        _fine_tuned(workspace, run, prepared, parts, part(progress, 85, 99))
        if with_fine_tuning
        else {}
    )
    clock.lap("fine_tuning")
    places, components = _places(workspace, embedded["run"].values, parts if with_map else None)
    clock.lap("map")
    evaluation = Evaluation(
        **_of_run(run, judged),
        **_of_data(workspace, data, prepared, parts),
        curves={name: curve.points() for name, curve in curves.items()},
        labels_needed=needed,
        fine_tuned={name: score(right) for name, right in tuned.items()},
        seconds=clock.laps | {"total": sum(clock.laps.values())},
        notes=[],
    )
    notes = about(workspace, run, evaluation, prepared, parts, len(found) - len(used))
    evaluation = evaluation.model_copy(update={"notes": notes})
    arrays = _answers(judged, tuned, curves, parts)
    arrays |= _map(prepared, parts, judged["run"], places, components)
    path = results.path_of(run, evaluation)
    write(path.with_suffix(".npz"), arrays | {"embeddings": embedded["run"].values})
    results.save(path, evaluation)
    progress(100, 100)
    return evaluation


def name_of(data: Path | None) -> str:
    """What the files of an evaluation on ``data`` are called: the same for the same folder."""
    if data is None:
        return "workspace"
    folder = expanded(data).resolve()
    plain = re.sub(r"\W+", "-", folder.name).strip("-")[:40]
    return f"{plain}-{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"


class _Clock:
    """Seconds between laps."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name], self._last = now - self._last, now


def _listed(workspace: Workspace, data: Path | None) -> list[Sample]:
    if data is not None:
        return samples.of_folder(data)
    found = samples.of_workspace(workspace)
    if not found:
        raise UserError("evaluation.no_labels")
    return found


def _all_methods(
    workspace: Workspace, run: Run, prepared: Prepared, parts: Split, progress: Progress
) -> tuple[dict[str, Embedded], dict[str, Judged]]:
    embedded, judged = {}, {}
    sources = baselines.sources(workspace, run)
    step = 100 / len(sources)
    for index, (name, source) in enumerate(sources.items()):
        start = index * step
        progress(round(start), 100, name)
        embedding = part(progress, start, start + 0.7 * step)
        judging = part(progress, start + 0.7 * step, start + step)
        embedded[name] = source.embed(workspace, prepared, embedding)
        judged[name] = judge(workspace, embedded[name], parts, judging)
    return embedded, judged


def _curves(
    workspace: Workspace, embedded: Mapping[str, Embedded], parts: Split, progress: Progress
) -> dict[str, Curve]:
    found = {}
    for (name, features), told in shared(list(embedded.items()), 0, 100, progress):
        found[name] = curve(workspace, features.values, parts, told)
    return found


def _labels_needed(curves: Mapping[str, Curve]) -> dict[str, LabelsNeeded]:
    """By the run, for what its twin and its start reach with all."""
    if not curves:
        return {}
    ours = [correct[None] for correct in curves["run"].correct]
    return {
        name: labels_needed(curves["run"].labels, ours, curves[name].correct[-1])
        for name in ("twin", "start")
        if name in curves
    }


def _fine_tuned(
    workspace: Workspace, run: Run, prepared: Prepared, parts: Split, progress: Progress
) -> dict[str, np.ndarray]:
    """From every start, bool [n_test]: whether the tuned network was right."""
    starts, truth = fine_tuning.starts(workspace, run), parts.labels[parts.test]
    found = {}
    for (name, (start, share)), told in shared(list(starts.items()), 0, 100, progress):
        answers = fine_tuning.fine_tuned(workspace, start, share, prepared, parts, told)
        found[name] = answers == truth
    return found


def _places(
    workspace: Workspace, values: np.ndarray, parts: Split | None
) -> tuple[np.ndarray, np.ndarray]:
    """Where each image is on the map, and its first principal components, float32 [images, 2];
    nan for those that have no room on it."""
    places, components = np.full((2, len(values), 2), np.nan, np.float32)
    if parts:
        shown = np.concatenate([parts.test, parts.train])[:MAX_POINTS]
        places[shown] = project(workspace, values[shown])
        components[shown] = principal_components(normalised(values[shown]))[:, :2]
    return places, components


def _of_run(run: Run, judged: Mapping[str, Judged]) -> dict[str, Any]:
    return {
        "run": run.id,
        "created": time.time(),
        "size": run.config.views.size,
        "views": run.config.views.kind,
        "twin": judged["twin"].method.run if "twin" in judged else None,
        "methods": {name: result.method for name, result in judged.items()},
    }


def _of_data(
    workspace: Workspace, data: Path | None, prepared: Prepared, parts: Split
) -> dict[str, Any]:
    counts = {
        side: np.bincount(parts.labels[indices], minlength=len(parts.classes))
        for side, indices in (("train", parts.train), ("test", parts.test))
    }
    judges = [(prepared.ids[i], parts.classes[parts.labels[i]]) for i in parts.test]
    folder = expanded(data).resolve() if data else None
    return {
        "name": name_of(data),
        "data": str(folder) if folder else None,
        "data_name": folder.name if folder else workspace.name,
        "split": "official" if parts.official else "half",
        "test_digest": digest(judges),
        "n_train": len(parts.train),
        "n_test": len(parts.test),
        "classes": parts.classes,
        "train_per_class": counts["train"].tolist(),
        "test_per_class": counts["test"].tolist(),
        "majority": float(counts["test"].max() / counts["test"].sum()),
    }


def _answers(
    judged: Mapping[str, Judged],
    tuned: Mapping[str, np.ndarray],
    curves: Mapping[str, Curve],
    parts: Split,
) -> dict[str, np.ndarray]:
    """For each method and predictor, bool [n_test], ordered by content id; of each point of a
    curve, [draws, n_test]."""
    truth = parts.labels[parts.test]
    found = {
        f"correct_{name}_{head}": predicted == truth
        for name, result in judged.items()
        for head, predicted in result.predicted.items()
    }
    found |= {f"correct_{name}_fine_tuned": right for name, right in tuned.items()}
    return found | {
        f"curve_{name}_{point}": right
        for name, curve in curves.items()
        for point, right in enumerate(curve.correct)
    }


def _map(
    prepared: Prepared,
    parts: Split,
    judged: Judged,
    places: np.ndarray,
    components: np.ndarray,
) -> dict[str, np.ndarray]:
    """What :func:`results.points` reads, a row for every image; "" stands for None."""
    side = np.full(len(prepared.ids), "", dtype="U5")
    side[parts.train], side[parts.test] = "train", "test"
    predicted = np.full(len(prepared.ids), "", dtype=object)
    predicted[parts.test] = [parts.classes[n] for n in judged.predicted["linear_probe"]]
    images = prepared.samples
    return {
        "ids": np.array(prepared.ids),
        "names": np.array([image.name for image in images]),
        "labels": np.array([image.label for image in images]),
        "split": side,
        "predicted": predicted.astype(str),
        "x": places[:, 0],
        "y": places[:, 1],
        "pca_x": components[:, 0],
        "pca_y": components[:, 1],
        "sources": np.array([image.source for image in images]),
        "paths": np.array([str(image.path) for image in images]),
        "image_ids": np.array([image.image_id or "" for image in images]),
    }
