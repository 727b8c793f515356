"""What the charts of printed pages are drawn from: places in an SVG picture."""

from functools import partial
from typing import Any

from samclr_core.palette import COLOURS
from samclr_core.training.runs import Run

CURVE_BOX = (50, 20, 700, 210)


def loss_curves(finished: list[Run]) -> dict[str, Any] | None:
    """What the macro ``curves`` draws: the loss of every run, in the colour of its views."""
    series = {
        run: [(m["step"], m["loss"]) for m in run.metrics() if m["loss"] is not None]
        for run in finished
    }
    points = [point for line in series.values() for point in line]
    if len(points) < 2:
        return None
    steps = max(step for step, _ in points)
    low, high = min(loss for _, loss in points), max(loss for _, loss in points)
    place = partial(place_in, box=CURVE_BOX, x_range=(0, steps), y_range=(low, high))
    lines = [
        {
            "name": run.id,
            "colour": COLOURS[run.config.views.kind],
            "points": " ".join("{:.1f},{:.1f}".format(*place(*point)) for point in line),
        }
        for run, line in series.items()
    ]
    return {"low": low, "high": high, "steps": steps, "lines": lines}


def place_in(
    x: float,
    y: float,
    box: tuple[int, int, int, int],
    x_range: tuple[float, float],
    y_range: tuple[float, float],
) -> tuple[float, float]:
    """The place in the picture of a point in the data; upwards is more."""
    left, top, right, bottom = box
    across = (x - x_range[0]) / ((x_range[1] - x_range[0]) or 1)
    up = (y - y_range[0]) / ((y_range[1] - y_range[0]) or 1)
    return left + across * (right - left), bottom - up * (bottom - top)
