"""How good must the segmentation be: the study's answer in sentences, and no more than it shows."""

from samclr_core.estimate import Estimate
from samclr_core.evaluation.intervals import LEAST_SEEDS
from samclr_core.evaluation.results import Note
from samclr_core.evaluation.robustness.results import Row, Study
from samclr_core.messages import say


def answer(study: Study) -> list[Note]:
    """What the study shows, the most important first; :func:`spoken` says it.

    A damage does harm where the 95% interval of its change, paired by seed and test image, lies
    below 0. Where the interval holds 0 no loss is shown, which is not the same as no loss: the
    sentence then says how large it may be. Where region views have no shown advantage to lose,
    that stands first: no loss is then what one would see at any quality. Too few seeds give no
    answer, as they do not show the luck of a training.
    """
    seeds, damaged = study.config.seeds, [row for row in study.rows if row.damaged]
    if seeds < LEAST_SEEDS:
        return [_note("few_seeds", seeds=seeds, least=LEAST_SEEDS)]
    mildest_first = sorted(damaged, key=lambda row: -_iou(row))
    basis = _note("basis", sets=len(damaged), seeds=seeds, images=study.n_test)
    said = [_tolerance(mildest_first), _floor(study, mildest_first)]
    if study.row("undamaged").gain.low <= 0:
        said.reverse()
    return [*said, basis]


def _tolerance(rows: list[Row]) -> Note:
    """Down to which quality no loss is shown."""
    harmful = [row for row in rows if row.change.high < 0]
    if not harmful:
        return _note("no_loss", iou=_digits(_iou(rows[-1])), most=_most_lost(rows))
    first = harmful[0]
    low, high = _points(-first.change.high), _points(-first.change.low)
    found = {**_of(first), "low": low, "high": high}
    milder = [row for row in rows if _iou(row) > _iou(first)]
    if not milder:
        return _note("loss_at_once", **found)
    return _note("loss_from", iou=_digits(_iou(milder[-1])), most=_most_lost(milder), **found)


def _floor(study: Study, rows: list[Row]) -> Note:
    """Where region views are no longer better than image views."""
    gain = study.row("undamaged").gain
    if gain.low <= 0 <= gain.high:
        return _note("floor_unclear", **_ends(gain))
    if gain.high < 0:
        return _note("floor_below", low=_points(-gain.high), high=_points(-gain.low))
    lost = [row for row in rows if row.gain.low <= 0]
    if not lost:
        return _note("floor_never", iou=_digits(_iou(rows[-1])))
    return _note("floor_reached", **_of(lost[0]))


def _most_lost(rows: list[Row]) -> str:
    """The greatest loss that the intervals of these rows leave room for, in points."""
    return _points(-min(row.change.low for row in rows))


def _note(key: str, **values: str | int | float) -> Note:
    return Note(key=f"robustness.{key}", values=values)


def _of(row: Row) -> dict[str, str | float]:
    return {"at": _digits(_iou(row)), "kind": row.kind, "strength": row.strength}


def _ends(difference: Estimate) -> dict[str, str]:
    return {"low": f"{100 * difference.low:+.1f}", "high": f"{100 * difference.high:+.1f}"}


def _iou(row: Row) -> float:
    assert row.mean_best_iou is not None
    return row.mean_best_iou


def _digits(iou: float) -> str:
    return f"{iou:.2f}"


def _points(share: float) -> str:
    return f"{100 * max(share, 0):.1f}"


def spoken(note: Note, language: str) -> str:
    """The sentence in ``language``, with the kind of damage in its words."""
    values = dict(note.values)
    if "kind" in values:
        values["kind"] = say(f"robustness.{values['kind']}", language)
    return say(note.key, language, **values)
