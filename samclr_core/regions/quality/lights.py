"""Green, amber or red: every figure's limits, in this one place.

Why a limit is what it is stands in the catalogue, ``regions.light_<figure>``; where the limits
come from, in ``docs/quality.md``.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Light(StrEnum):
    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    NONE = "none"


POINTS = {Light.GREEN: 1.0, Light.AMBER: 0.5, Light.RED: 0.0}
INFINITE = math.inf


@dataclass(frozen=True)
class Measure:
    """How a figure is shown and judged.

    Attributes:
        shown: its format.
        green: from and to which value it is good, both included.
        amber: from and to which it may do; beyond is red.
    """

    shown: str
    green: tuple[float, float]
    amber: tuple[float, float]

    def light(self, value: float | None) -> Light:
        if value is None or math.isnan(value):
            return Light.NONE
        if self.green[0] <= value <= self.green[1]:
            return Light.GREEN
        return Light.AMBER if self.amber[0] <= value <= self.amber[1] else Light.RED

    def text(self, value: float | None) -> str:
        return "–" if value is None or math.isnan(value) else self.shown.format(value)

    def limits(self) -> dict[str, str]:
        """The limits as ``≥ 70%``, for the sentence that explains them."""
        return {"green": self._range(self.green), "amber": self._range(self.amber)}

    def _range(self, ends: tuple[float, float]) -> str:
        low, high = (self.text(end) for end in ends)
        if ends[1] == INFINITE:
            return f"≥ {low}"
        return f"≤ {high}" if ends[0] == -INFINITE else f"{low} – {high}"


def _at_least(shown: str, green: float, amber: float) -> Measure:
    return Measure(shown, (green, INFINITE), (amber, INFINITE))


def _at_most(shown: str, green: float, amber: float) -> Measure:
    return Measure(shown, (-INFINITE, green), (-INFINITE, amber))


PERCENT, FRACTION, COUNT = "{:.0%}", "{:.2f}", "{:.0f}"

MEASURES: dict[str, Measure] = {
    "coverage": _at_least(PERCENT, 0.7, 0.5),
    "regions": Measure(COUNT, (20, 300), (8, 600)),
    "area": Measure("{:.2%}", (0.001, 0.05), (0.0003, 0.15)),
    "predicted_iou": _at_least(FRACTION, 0.88, 0.84),
    "stability": _at_least(FRACTION, 0.93, 0.91),
    "border": _at_most(PERCENT, 0.35, 0.5),
    "depth": _at_most("{:.1f}", 2.0, 3.5),
    "shift_iou": _at_least(FRACTION, 0.6, 0.45),
    "brightness_iou": _at_least(FRACTION, 0.8, 0.65),
    "mean_best_iou": _at_least(FRACTION, 0.6, 0.45),
    "covering": _at_least(FRACTION, 0.7, 0.5),
    "recall50": _at_least(PERCENT, 0.7, 0.5),
    "recall75": _at_least(PERCENT, 0.45, 0.3),
    "boundary_f": _at_least(FRACTION, 0.6, 0.45),
    "undersegmentation": _at_most(PERCENT, 0.15, 0.3),
}


def light(name: str, value: float | None) -> Light:
    """The light of the figure ``name``; none where there is no value."""
    return MEASURES[name].light(value)


def lights(values: Mapping[str, float]) -> dict[str, Light]:
    """The lights of those of ``values`` that have limits."""
    return {name: light(name, value) for name, value in values.items() if name in MEASURES}
