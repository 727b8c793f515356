"""The progress of work that is part of a larger one, on the one bar of the whole."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from samclr_core.jobs import Progress

T = TypeVar("T")


def part(progress: Progress, start: float, end: float, title: str = "") -> Progress:
    """For work that takes the whole's hundredths from ``start`` to ``end``.

    Its notes are passed on, or ``title`` in their place where there is one.
    """

    def report(done: int, total: int, note: str = "") -> None:
        hundredth = round(start + (end - start) * done / max(total, 1))
        progress(hundredth, 100, title or note)

    return report


def shared(
    items: Sequence[T],
    start: float,
    end: float,
    progress: Progress,
    title: Callable[[T], str] = lambda item: "",
) -> Iterator[tuple[T, Progress]]:
    """Every item with a progress of its own: equal parts of the hundredths from start to end."""
    each = (end - start) / len(items)
    for number, item in enumerate(items):
        yield item, part(progress, start + number * each, start + (number + 1) * each, title(item))


def counted(progress: Progress, before: int, of_all: int) -> Progress:
    """For work whose steps are some of the whole's ``of_all``, with ``before`` done before it."""

    def report(done: int, total: int, note: str = "") -> None:
        progress(before + done, of_all, note)

    return report


def standing(progress: Progress, at: int, of_all: int, name: str) -> Progress:
    """For work inside one step: minds the wish to stop without moving the bar."""

    def report(done: int, total: int, note: str = "") -> None:
        progress(at, of_all, name)

    return report
