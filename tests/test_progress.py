"""Work inside other work tells the one bar of the whole."""

import pytest

from samclr_core.messages import Cancelled
from samclr_core.progress import counted, part, standing


@pytest.fixture
def told() -> list[tuple]:
    return []


def test_a_part_moves_the_bar_between_its_ends(told):
    work = part(lambda *step: told.append(step), 20, 60)
    work(0, 8, "a")
    work(4, 8, "b")
    work(8, 8)
    work(0, 0)
    assert told == [(20, 100, "a"), (40, 100, "b"), (60, 100, ""), (20, 100, "")]


def test_a_part_with_a_title_is_called_by_it(told):
    part(lambda *step: told.append(step), 0, 50, "whole")(1, 1, "detail")
    assert told == [(50, 100, "whole")]


def test_counted_steps_go_on_where_others_stopped(told):
    counted(lambda *step: told.append(step), 5, 12)(3, 7, "name")
    assert told == [(8, 12, "name")]


def test_work_inside_a_step_minds_a_stop_and_leaves_the_bar(told):
    standing(lambda *step: told.append(step), 3, 9, "photo")(100, 1024, "prompt")
    assert told == [(3, 9, "photo")]

    def stop(done: int, total: int, note: str = "") -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        standing(stop, 3, 9, "photo")(1, 2)
