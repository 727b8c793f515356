"""What the charts of printed pages are drawn from: places in an SVG picture."""

import math
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import pairwise, starmap
from typing import Any, NamedTuple

from samclr_core.palette import COLOURS
from samclr_core.training.runs import Run

CURVE_BOX = (50, 20, 680, 210)
# Between the names at the ends of two lines, in units of the picture.
LINE_SPACE = 11
Place = tuple[float, float]


class Line(NamedTuple):
    """A curve: its name, its colour, its points in the data, and what is written at its end."""

    name: str
    colour: str
    points: Sequence[Place]
    end: str = ""


def loss_curves(finished: list[Run]) -> dict[str, Any] | None:
    """What the macro ``curves`` draws: the loss of every run, in the colour of its views."""
    lines = [
        Line(
            run.id,
            COLOURS[run.config.views.kind],
            [(m["step"], m["loss"]) for m in run.metrics() if m["loss"] is not None],
        )
        for run in finished
    ]
    points = [point for line in lines for point in line.points]
    if len(points) < 2:
        return None
    steps = max(step for step, _ in points)
    ends = min(loss for _, loss in points), max(loss for _, loss in points)
    return _drawn(lines, (0, steps), ends) | {
        "low": f"{ends[0]:.2f}",
        "high": f"{ends[1]:.2f}",
        "ticks": [(CURVE_BOX[2], steps)],
    }


def label_curves(lines: Sequence[Line]) -> dict[str, Any]:
    """The same of accuracies, 0 to 1, over numbers of labels, which are on a logarithmic scale."""
    counts = sorted({labels for line in lines for labels, _ in line.points})
    across = math.log10(counts[0]), math.log10(counts[-1])
    logarithmic = [
        line._replace(points=[(math.log10(labels), share) for labels, share in line.points])
        for line in lines
    ]
    ticks = [(place_in(math.log10(n), 0, CURVE_BOX, across, (0, 1))[0], int(n)) for n in counts]
    texts = {"low": "0 %", "high": "100 %", "ticks": ticks}
    return _drawn(logarithmic, across, (0, 1)) | texts


def _drawn(lines: Iterable[Line], x_range: Place, y_range: Place) -> dict[str, Any]:
    place = partial(place_in, box=CURVE_BOX, x_range=x_range, y_range=y_range)
    found: list[dict[str, Any]] = []
    ends = []
    for line in lines:
        places = list(starmap(place, line.points))
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        found.append({"name": line.name, "colour": line.colour, "points": path, "end": None})
        if line.end:
            ends.append((found[-1], places[-1], line.end))
    heights = apart([y + 4 for _, (_, y), _ in ends], LINE_SPACE, CURVE_BOX[3] + 4)
    for (drawn, (x, _), text), height in zip(ends, heights, strict=True):
        drawn["end"] = (x + 5, height, text)
    return {"lines": found}


def apart(heights: Sequence[float], space: float, lowest: float) -> list[float]:
    """The heights, downwards, moved as far as names need so as not to be written on each other.

    Args:
        heights: where each name would stand.
        space: the least distance of two.
        lowest: none stands below it, if all have room above.
    """
    order = sorted(range(len(heights)), key=heights.__getitem__)
    found = list(heights)
    for above, below in pairwise(order):
        found[below] = max(found[below], found[above] + space)
    for below in reversed(order):
        found[below] = min(found[below], lowest)
        lowest = found[below] - space
    return found


def place_in(
    x: float, y: float, box: tuple[int, int, int, int], x_range: Place, y_range: Place
) -> Place:
    """The place in the picture of a point in the data; upwards is more."""
    left, top, right, bottom = box
    across = (x - x_range[0]) / ((x_range[1] - x_range[0]) or 1)
    up = (y - y_range[0]) / ((y_range[1] - y_range[0]) or 1)
    return left + across * (right - left), bottom - up * (bottom - top)
