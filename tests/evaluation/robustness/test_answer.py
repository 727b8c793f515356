"""The answer says what the intervals show, and no more."""

import pytest

from samclr_core.estimate import Estimate
from samclr_core.evaluation.robustness.answer import answer, spoken
from samclr_core.evaluation.robustness.config import StudyConfig
from samclr_core.evaluation.robustness.results import Row, Study
from samclr_core.messages import LANGUAGES
from samclr_core.training.config import TrainingConfig

BETTER, UNCLEAR, WORSE = (
    Estimate(0.05, 0.02, 0.08),
    Estimate(0.0, -0.031, 0.02),
    Estimate(-0.05, -0.08, -0.024),
)
NONE = Estimate(0.0, 0.0, 0.0)


def row(kind, iou, change, gain, strength=0.2):
    accuracy = Estimate(0.8, 0.7, 0.9)
    return Row(
        kind=kind,
        strength=strength,
        mean_best_iou=iou,
        purity=0.5,
        accuracy=accuracy,
        change=change,
        gain=gain,
        runs=[],
    )


def study(*damaged, gain=BETTER, seeds=3):
    training = TrainingConfig.of({"views": {"kind": "region"}})
    rows = [
        row("image", None, WORSE, NONE, 0.0),
        row("undamaged", 1.0, NONE, gain, 0.0),
        *damaged,
    ]
    return Study(
        name="s",
        created=0.0,
        config=StudyConfig(training=training, seeds=seeds),
        data_name="parts",
        reference="labels",
        n_test=70,
        rows=rows,
        seconds=1.0,
    )


def said(found):
    notes = answer(found)
    for note in notes:
        assert all(spoken(note, language) for language in LANGUAGES)
    return {note.key.removeprefix("robustness."): note.values for note in notes}


def test_where_the_first_loss_and_the_last_gain_are():
    found = said(
        study(
            row("eroded", 0.3, WORSE, UNCLEAR, 0.5),
            row("split", 0.9, UNCLEAR, BETTER),
            row("shifted", 0.6, WORSE, BETTER, 0.3),
            row("dropped", 0.7, NONE, BETTER),
        )
    )
    assert found["loss_from"] == {
        "iou": "0.70", "most": "3.1", "at": "0.60", "kind": "shifted", "strength": 0.3,
        "low": "2.4", "high": "8.0",
    }  # fmt: skip
    assert found["floor_reached"] == {"at": "0.30", "kind": "eroded", "strength": 0.5}
    assert found["basis"] == {"sets": 4, "seeds": 3, "images": 70}


def test_no_loss_shown_is_not_called_no_loss():
    found = said(study(row("eroded", 0.3, UNCLEAR, BETTER), row("split", 0.9, NONE, BETTER)))
    assert found["no_loss"] == {"iou": "0.30", "most": "3.1"}
    assert found["floor_never"] == {"iou": "0.30"}


def test_a_loss_at_the_mildest_damage():
    found = said(study(row("split", 0.9, WORSE, BETTER), row("split", 0.5, UNCLEAR, BETTER)))
    assert found["loss_at_once"]["at"] == "0.90"


@pytest.mark.parametrize(("gain", "key"), [(UNCLEAR, "floor_unclear"), (WORSE, "floor_below")])
def test_without_an_advantage_none_can_be_lost(gain, key):
    found = said(study(row("split", 0.9, UNCLEAR, UNCLEAR), gain=gain))
    assert list(found) == [key, "no_loss", "basis"], "it stands first: there is nothing to lose"


def test_few_seeds_give_no_answer():
    found = said(study(row("split", 0.9, WORSE, WORSE), seeds=2))
    assert found == {"few_seeds": {"seeds": 2, "least": 3}}


def test_the_kind_is_said_in_the_language():
    notes = answer(study(row("shifted", 0.6, WORSE, BETTER)))
    assert "shifted, strength 0.2" in spoken(notes[0], "en")
    assert "位置ずれ" in spoken(notes[0], "ja")
