"""The page of a study: what it found, how its trainings went, and what was tried."""

import time
from pathlib import Path
from typing import Any

import yaml

from samclr_core.evaluation.study import results
from samclr_core.evaluation.study.results import Row, Study
from samclr_core.palette import COLOURS
from samclr_core.printed import render
from samclr_core.printed.charts import Line, label_curves, loss_curves
from samclr_core.training import runs
from samclr_core.workspace import Workspace, write_atomic

PAGE = "page.html"


def write(folder: Path, study: Study) -> Path:
    """Write the page of ``study``, whose workspaces are in ``folder``; returns the file."""
    html = render(
        "samclr_core.evaluation.study",
        "page.html",
        title=study.title,
        date=time.strftime("%Y-%m-%d %H:%M", time.localtime(study.created)),
        parts=[_part(study, rows) for rows in results.parts(study)],
        curves=_curves(folder, study),
        colours=COLOURS,
        settings=yaml.safe_dump(study.config, sort_keys=False, allow_unicode=True),
    )
    path = folder / PAGE
    write_atomic(path, html.encode())
    return path


def _part(study: Study, rows: list[Row]) -> dict[str, Any]:
    return {
        "images": rows[0].images,
        "data": rows[0].data,
        "test": study.n_test[rows[0].data],
        "majority": study.majority[rows[0].data],
        "rows": [_row(number, row) for number, row in enumerate(rows, start=1)],
        "tuned": any(row.fine_tuned for row in rows),
        "differences": [
            {
                "name": one.name,
                "gain": results.signed(one.gain),
                "knn_gain": results.signed(one.knn_gain),
            }
            for one in results.differences(study, rows)
        ],
        "labels": _label_curves(rows),
        "needed": results.labels(study, rows),
        "needed_title": results.NEEDED,
        "reading": results.reading(study, rows),
    }


def _label_curves(rows: list[Row]) -> dict[str, Any] | None:
    lines = [
        Line(
            f"{_name(number, row)} {row.variant}".strip(),
            COLOURS[row.views or row.loss],
            [(point.labels, point.accuracy) for point in row.curve],
            f"{number}.",
        )
        for number, row in enumerate(rows, start=1)
        if row.curve
    ]
    return label_curves(lines) if lines else None


def _name(number: int, row: Row) -> str:
    """As in the charts, which have no room for the variant's name."""
    return " ".join(filter(None, (f"{number}.", row.loss, row.views)))


def _row(number: int, row: Row) -> dict[str, Any]:
    """A line of the table, and of the chart."""
    return {
        "name": _name(number, row),
        "variant": row.variant,
        "colour": COLOURS[row.views or row.loss],
        "probe": row.accuracy,
        "knn": row.knn.mean,
        "fine_tuned": results.spread(row.fine_tuned),
        "gain": results.signed(row.gain),
        "knn_gain": results.signed(row.knn_gain),
        "seeds": row.seeds,
        "seconds": row.seconds,
    }


def _curves(folder: Path, study: Study) -> list[dict[str, Any]]:
    """The losses of each method; those of two methods are not alike."""
    found = []
    learned = [row for row in study.rows if row.runs]
    for images, loss in dict.fromkeys((row.images, row.loss) for row in learned):
        rows = [row for row in learned if (row.images, row.loss) == (images, loss)]
        # A run is in the row of every data set that it was judged by.
        ids = dict.fromkeys(run for row in rows for run in row.runs)
        workspace = Workspace(folder / images)
        if lines := loss_curves([runs.run(workspace, run) for run in ids]):
            found.append({"images": images, "loss": loss, "lines": lines})
    return found
