"""The whole POC in one HTML file that needs no network, no script and no other file."""

import base64
import io
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from PIL import Image

from samclr_core.decision.summary import Row, Summary, Verdict, spoken, summarise
from samclr_core.estimate import Estimate
from samclr_core.evaluation import results
from samclr_core.evaluation.results import Score
from samclr_core.images import catalogue
from samclr_core.images.store import load
from samclr_core.messages import LANGUAGES, UserError, say
from samclr_core.palette import CLASS_COLOURS, COLOURS
from samclr_core.printed import render
from samclr_core.printed.charts import loss_curves, place_in
from samclr_core.regions import sources, store
from samclr_core.regions.overlay import overlay
from samclr_core.training.runs import Run
from samclr_core.views.purity import Purity
from samclr_core.workspace import Workspace, write_atomic

PICTURES = 6
PICTURE_SIDE = 640
MAP_BOX = (10, 10, 710, 470)

Say = Callable[..., str]


def write_report(workspace: Workspace, language: str = "en") -> Path:
    """Write the report of the workspace as it is now.

    Args:
        workspace: whose.
        language: ``en`` or ``ja``.

    Returns:
        The HTML file, in the workspace's reports.

    Raises:
        UserError: the language is unknown.
    """
    if language not in LANGUAGES:
        known = ", ".join(LANGUAGES)
        raise UserError("decision.unknown_language", name=language, known=known)
    summary = summarise(workspace)

    def t(key: str, **values: object) -> str:
        return say(f"decision.{key}", language, **values)

    html = render(
        "samclr_core.decision",
        "report.html",
        t=t,
        language=language,
        name=workspace.name,
        date=time.strftime("%Y-%m-%d %H:%M"),
        summary=summary,
        verdicts=_verdicts(summary, language),
        overlays=_overlays(workspace),
        purity=_purity(summary.purity, t),
        runs=[_run_row(run) for run in summary.runs],
        loss_curves=loss_curves(summary.runs),
        tables=[_table(verdict, t, language) for verdict in summary.verdicts],
        settings=_settings(workspace, summary),
    )
    stamp = time.strftime("%Y%m%d-%H%M%S")
    path = workspace.reports / f"samclr-report-{stamp}-{language}.html"
    write_atomic(path, html.encode())
    return path


def _verdicts(summary: Summary, language: str) -> list[list[str]]:
    said = [[spoken(note, language) for note in v.sentences] for v in summary.verdicts]
    return said or [[say("decision.nothing_evaluated", language)]]


def _overlays(workspace: Workspace) -> list[dict[str, str]]:
    """Photos with their regions, spread evenly over the workspace."""
    source = sources.current(workspace)
    cut = [i for i in catalogue.records(workspace) if sources.regions(workspace, i.id, source)]
    chosen = cut[:: max(1, len(cut) // PICTURES)][:PICTURES]
    pictures = []
    for image in chosen:
        regions = sources.regions(workspace, image.id, source)
        assert regions is not None
        picture = Image.fromarray(overlay(load(workspace, image.id), regions))
        pictures.append({"name": image.name, "jpeg": _jpeg(picture)})
    return pictures


def _jpeg(picture: Image.Image) -> str:
    picture.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=80)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _purity(purity: Purity | None, t: Say) -> str | None:
    if not purity:
        return None
    shares = {kind: f"{100 * getattr(purity, kind).mean:.0f}" for kind in ("image", "region")}
    return t(f"purity_{purity.reference}", **shares)


def _run_row(run: Run) -> dict[str, Any]:
    metrics = run.metrics()
    return {
        "id": run.id,
        "views": run.config.views.kind,
        "backbone": run.config.backbone,
        "weights": run.config.weights,
        "seed": run.config.seed,
        "steps": run.facts.get("steps", 0),
        "loss": metrics[-1]["loss"] if metrics else None,
        "seconds": run.seconds,
        "device": run.facts.get("device", ""),
    }


def _table(verdict: Verdict, t: Say, language: str) -> dict[str, Any]:
    """One data set: every encoder with its seed, then the baselines."""
    first = verdict.evaluated[0]
    notes = {note.text(language) for i in verdict.evaluated for note in i.evaluation.notes}
    return {
        "data": verdict.data,
        "classes": len(first.evaluation.classes),
        "train": first.evaluation.n_train,
        "test": first.evaluation.n_test,
        "rows": [_row(t, row) for row in verdict.rows],
        "map": _map(results.points(first.path)),
        "notes": sorted(notes),
    }


def _row(t: Say, row: Row) -> dict[str, Any]:
    title = t(f"method_{row.kind}")
    return {
        "name": title if row.seed is None else f"{title}, {t('seed')} {row.seed}",
        "colour": COLOURS[row.kind],
        "probe": _estimate(row.method.linear_probe),
        "knn": _estimate(row.method.knn),
    }


def _estimate(score: Score) -> Estimate:
    return Estimate(score.accuracy, *score.ci95)


def _map(points: list[results.Point]) -> dict[str, Any] | None:
    if not points:
        return None
    xs, ys = [point.x for point in points], [point.y for point in points]
    place = partial(place_in, box=MAP_BOX, x_range=(min(xs), max(xs)), y_range=(min(ys), max(ys)))
    labels = sorted({point.label for point in points})
    colour = {label: CLASS_COLOURS[n % len(CLASS_COLOURS)] for n, label in enumerate(labels)}
    dots = []
    for point in points:
        x, y = place(point.x, point.y)
        text = f"{point.name}: {point.label}"
        dots.append(
            {"x": f"{x:.1f}", "y": f"{y:.1f}", "colour": colour[point.label], "label": text}
        )
    return {"points": dots, "legend": [{"label": k, "colour": c} for k, c in colour.items()]}


def _settings(workspace: Workspace, summary: Summary) -> str:
    segmenter = store.current(workspace)
    settings: dict[str, Any] = {"segmenter": segmenter.model_dump() if segmenter else None}
    settings["runs"] = {run.id: run.config.model_dump(mode="json") for run in summary.runs}
    return yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)
