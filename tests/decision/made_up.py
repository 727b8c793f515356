"""Evaluations with made-up answers, so that every verdict can be called forth."""

from pathlib import Path

import numpy as np
from PIL import Image

from samclr_core import cache
from samclr_core.config import with_changes
from samclr_core.evaluation import results
from samclr_core.evaluation.label_efficiency import point_of
from samclr_core.evaluation.results import (
    CurvePoint,
    Evaluation,
    Method,
    NeighbourScore,
    ProbeScore,
)
from samclr_core.images.intake import add_paths
from samclr_core.regions import store
from samclr_core.regions.config import PRESETS as SEGMENTERS
from samclr_core.training import runs
from samclr_core.training.config import PRESETS
from samclr_core.workspace import Workspace, write_json

TESTS = 400
RNG = np.random.default_rng(0)


def three_photos(folder: Path, ending: str = ".png") -> Workspace:
    """A workspace with three photos, whose names end so."""
    photos = folder / "photos"
    photos.mkdir()
    for shade in range(3):
        Image.new("RGB", (32, 32), (shade, 0, 0)).save(photos / f"{shade}{ending}")
    made = Workspace(folder / "w")
    add_paths(made, [photos])
    store.choose(made, SEGMENTERS["draft"])
    return made


def answers(accuracy: float) -> np.ndarray:
    """bool [TESTS] with exactly that share right, in an order of its own."""
    right = np.arange(TESTS) < round(accuracy * TESTS)
    return RNG.permutation(right)


def evaluated(workspace, kind, seed=0, *, test_digest="same", few=None, **right):
    """A finished run and its evaluation, whose methods were right on these test images.

    ``few`` has the run's answers with a tenth of the labels, where there is a curve.
    """
    points = {} if few is None else {"run": [few, right["run"]]}
    run = runs.create(workspace, with_changes(PRESETS, "quick", {"views.kind": kind, "seed": seed}))
    run.encoder_path.touch()
    write_json(run.folder / "facts.json", {"steps": 10, "device": "cpu"})
    run.metrics_path.write_text('{"step": 10, "loss": 1.0, "seconds": 20.0}\n')
    evaluation = Evaluation(
        run=run.id,
        name="probe",
        data="/probe",
        data_name="probe",
        created=1.0,
        size=64,
        split="official",
        test_digest=test_digest,
        n_train=100,
        n_test=TESTS,
        classes=["a", "b"],
        train_per_class=[50, 50],
        test_per_class=[TESTS // 2, TESTS // 2],
        majority=0.5,
        views=kind,
        twin=None,
        methods={name: method(values) for name, values in right.items()},
        curves={name: curve(found) for name, found in points.items()},
        seconds={"total": 5.0},
        notes=[],
    )
    path = results.path_of(run, evaluation)
    results.save(path, evaluation)
    arrays = {f"correct_{name}_linear_probe": values for name, values in right.items()}
    arrays |= {
        f"curve_{name}_{at}": values[None]
        for name, found in points.items()
        for at, values in enumerate(found)
    }
    cache.write(path.with_suffix(".npz"), arrays)
    return run


def curve(points: list[np.ndarray]) -> list[CurvePoint]:
    return [
        point_of(None, labels, values[None])
        for labels, values in zip((10, 100), points, strict=True)
    ]


def method(correct: np.ndarray) -> Method:
    score = {"accuracy": float(correct.mean()), "ci95": (0.0, 1.0)}
    probe = ProbeScore(
        **score, C=1.0, C_scores={}, per_class={"a": 1.0, "b": 1.0}, confusion=[[1, 0], [0, 1]]
    )
    return Method(
        features="x",
        run=None,
        dim=2,
        linear_probe=probe,
        knn=NeighbourScore(**score, k=5),
        embedding_std=1.0,
        seconds={},
    )
