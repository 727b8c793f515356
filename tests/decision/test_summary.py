"""A verdict says what the interval says, and no more."""

import numpy as np
import pytest
from made_up import RNG, TESTS, answers, evaluated, three_photos

from samclr_core.decision.summary import spoken, summarise
from samclr_core.evaluation.intervals import paired_difference
from samclr_core.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    return three_photos(tmp_path)


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
    # The twin was judged beside it and has a row of its own.
    assert [(row.kind, row.seed) for row in verdict.rows] == [
        ("region", 0), ("image", 0), ("start", None), ("colour", None)
    ]  # fmt: skip
    assert verdict.rows[1].method.linear_probe.accuracy == pytest.approx(image.mean())
    # Five differences are read side by side, and all intervals hold at once.
    assert len(verdict.comparisons) == 5
    assert twins.difference == paired_difference(region, image, comparisons=5)
    assert "all 5 differences at once" in spoken(verdict.sentences[1], "en")
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


def test_labels_saved_are_said_over_all_seeds(workspace):
    """With a tenth of the labels as good as image views with all; the start is never reached."""
    image = answers(0.6)
    for seed in range(3):
        evaluated(
            workspace,
            "region",
            seed,
            few=image,
            run=image | answers(0.5),
            twin=image,
            start=np.ones(TESTS, bool),
            colour=answers(0.4),
        )
    (verdict,) = summarise(workspace).verdicts
    found = {(one.against, one.views): one.labels for one in verdict.comparisons}
    twin = found["twin", "region"]
    assert (twin.labels, twin.low, twin.high) == (10, 10, 10)
    assert found["start", "region"].labels is None
    assert [key for key in keys(workspace) if key.startswith("labels_")] == ["labels_twin"]
    said = [spoken(note, "en") for note in verdict.sentences]
    assert any("about 10 labels what image views reach with all 100" in one for one in said)


def test_without_all_curves_no_label_is_called_saved(workspace):
    for seed in range(3):
        evaluated(
            workspace,
            "region",
            seed,
            few=answers(0.7) if seed else None,
            run=answers(0.8),
            twin=answers(0.6),
            start=answers(0.5),
            colour=answers(0.4),
        )
    assert not [key for key in keys(workspace) if key.startswith("labels_")]


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
