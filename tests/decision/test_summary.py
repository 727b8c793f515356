"""A verdict says what the interval says, and no more."""

import numpy as np
import pytest

from samclr_core.config import with_changes
from samclr_core.decision.summary import spoken, summarise
from samclr_core.evaluation import cache, results
from samclr_core.evaluation.results import Evaluation, Method, NeighbourScore, ProbeScore
from samclr_core.images.intake import add_paths
from samclr_core.regions import store
from samclr_core.regions.config import PRESETS as SEGMENTERS
from samclr_core.training import runs
from samclr_core.training.config import PRESETS
from samclr_core.workspace import Workspace, write_json

TESTS = 400
RNG = np.random.default_rng(0)


@pytest.fixture
def workspace(tmp_path):
    from PIL import Image

    folder = tmp_path / "photos"
    folder.mkdir()
    for shade in range(3):
        Image.new("RGB", (32, 32), (shade, 0, 0)).save(folder / f"{shade}.png")
    made = Workspace(tmp_path / "w")
    add_paths(made, [folder])
    store.choose(made, SEGMENTERS["draft"])
    return made


def answers(accuracy: float) -> np.ndarray:
    """bool [TESTS] with exactly that share right, in an order of its own."""
    right = np.arange(TESTS) < round(accuracy * TESTS)
    return RNG.permutation(right)


def evaluated(workspace, kind, seed=0, *, test_digest="same", **right):
    """A finished run and its evaluation, whose methods were right on these test images."""
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
        seconds={"total": 5.0},
        notes=[],
    )
    path = results.path_of(run, evaluation)
    results.save(path, evaluation)
    arrays = {f"correct_{name}_linear_probe": values for name, values in right.items()}
    cache.write(path.with_suffix(".npz"), arrays)
    return run


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


def keys(workspace) -> list[str]:
    (verdict,) = summarise(workspace).verdicts
    for note in verdict.sentences:
        assert spoken(note, "ja") != spoken(note, "en")
    return [note.key.removeprefix("decision.") for note in verdict.sentences]


def test_an_empty_workspace_has_no_verdict(tmp_path):
    summary = summarise(Workspace(tmp_path))
    assert (summary.images, summary.runs, summary.costs, summary.verdicts) == (0, [], [], [])


def test_better_with_the_interval_in_points(workspace):
    image = answers(0.6)
    region = image | (RNG.random(TESTS) < 0.4)  # never wrong where image is right
    evaluated(workspace, "region", run=region, twin=image, start=answers(0.5), colour=answers(0.4))
    (verdict,) = summarise(workspace).verdicts
    twins = verdict.comparisons[0]
    assert twins.difference.mean == pytest.approx(region.mean() - image.mean())
    sentence = spoken(verdict.sentences[0], "en")
    assert f"better than image views by {100 * twins.difference.low:.1f} to" in sentence
    assert "few_seeds" in keys(workspace)
    assert "gain_over_start" in keys(workspace)
    assert "colour_suffices" not in keys(workspace)


def test_worse_is_said_as_plainly(workspace):
    image = answers(0.8)
    region = image & (RNG.random(TESTS) < 0.7)
    evaluated(workspace, "region", run=region, twin=image, start=answers(0.9), colour=answers(0.7))
    found = keys(workspace)
    assert found[0] == "region_worse"
    assert "loss_to_start" in found
    assert "colour_suffices" in found
    text = spoken(summarise(workspace).verdicts[0].sentences[0], "en")
    assert "-" not in text.split("by")[1]


def test_inside_the_noise_is_called_that(workspace):
    evaluated(
        workspace,
        "region",
        run=answers(0.7),
        twin=answers(0.7),
        start=answers(0.7),
        colour=answers(0.2),
    )
    found = keys(workspace)
    assert found[0] == "no_difference"
    assert "no_gain_over_start" in found


def test_seeds_are_joined_and_their_luck_counts(workspace):
    for seed, gain in enumerate((0.3, 0.0, -0.2)):
        image = answers(0.6)
        region = answers(0.6 + gain)
        for kind, right in (("region", region), ("image", image)):
            evaluated(workspace, kind, seed, run=right, start=answers(0.5), colour=answers(0.5))
    (verdict,) = summarise(workspace).verdicts
    twins = verdict.comparisons[0]
    assert (twins.against, twins.seeds, twins.images) == ("twin", 3, TESTS)
    assert twins.difference.mean == pytest.approx(0.1 / 3, abs=1e-9)
    # Each seed alone is far outside the noise of 400 images; together they prove nothing.
    assert keys(workspace)[0] == "no_difference"
    assert "few_seeds" not in keys(workspace)


def test_a_run_without_its_twin(workspace):
    evaluated(workspace, "region", run=answers(0.7), start=answers(0.5), colour=answers(0.5))
    assert keys(workspace)[0] == "no_twin"


def test_twins_judged_each_by_itself_are_compared(workspace):
    for kind, accuracy in (("region", 0.9), ("image", 0.6)):
        evaluated(workspace, kind, run=answers(accuracy), start=answers(0.5), colour=answers(0.5))
    assert keys(workspace)[0] == "region_better"


def test_other_test_images_are_another_verdict(workspace):
    right = {"start": answers(0.5), "colour": answers(0.5)}
    evaluated(workspace, "region", run=answers(0.9), **right)
    evaluated(workspace, "image", run=answers(0.6), test_digest="other", **right)
    assert len(summarise(workspace).verdicts) == 2


def test_costs_are_what_was_measured(workspace):
    evaluated(workspace, "image", run=answers(0.7), start=answers(0.5), colour=answers(0.5))
    costs = {cost.station: cost for cost in summarise(workspace).costs}
    assert set(costs) == {"training", "evaluation"}
    assert (costs["training"].amount, costs["training"].each) == (10, 2.0)
    assert costs["evaluation"].seconds == 5.0
