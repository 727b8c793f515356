"""A measured value and how sure it is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A measured value between the ends of its 95% interval, as fractions (0.05 is 5 points)."""

    mean: float
    low: float
    high: float
