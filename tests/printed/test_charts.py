"""Places in the charts of printed pages."""

from itertools import pairwise

import pytest

from samclr_core.printed.charts import CURVE_BOX, LINE_SPACE, Line, apart, label_curves


@pytest.mark.parametrize(
    ("heights", "wanted"),
    [
        ([10, 40, 80], [10, 40, 80]),
        ([10, 10, 12], [10, 20, 30]),
        ([30, 10, 25], [35, 10, 25]),
        ([95, 99, 100], [80, 90, 100]),
        ([], []),
    ],
)
def test_names_move_apart_in_their_order_and_stay_inside(heights, wanted):
    assert apart(heights, space=10, lowest=100) == wanted


def test_names_of_lines_that_end_at_one_place_can_all_be_read():
    lines = [
        Line(str(n), "#000", [(1, 0.2), (100, end)], str(n))
        for n, end in enumerate((0, 0, 0.5, 0.51))
    ]
    ends = [line["end"][1] for line in label_curves(lines)["lines"]]
    ordered = sorted(ends)
    assert min(b - a for a, b in pairwise(ordered)) >= LINE_SPACE - 1e-9
    assert max(ends) <= CURVE_BOX[3] + 4


def test_a_line_without_a_name_needs_no_points_and_moves_none():
    lines = [Line("named", "#000", [(1, 0.5), (100, 0.5)], "1"), Line("bare", "#000", [])]
    named, bare = label_curves(lines)["lines"]
    assert named["end"] == (CURVE_BOX[2] + 5, (CURVE_BOX[1] + CURVE_BOX[3]) / 2 + 4, "1")
    assert (bare["end"], bare["points"]) == (None, "")
