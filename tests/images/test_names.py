"""A file is found by the name another list gives it, and never by a name that two have."""

import pytest

from samclr_core.images.names import ByFileName

NAMED = ByFileName({"a/1.jpg": 1, "b/2.jpg": 2, "c/2.jpg": 3, "2.jpg": 4})


@pytest.mark.parametrize(
    ("name", "item"),
    [
        ("a/1.jpg", 1),
        ("1.jpg", 1),
        ("x/1.jpg", 1),
        ("x\\1.jpg", 1),
        ("c/2.jpg", 3),
        ("2.jpg", 4),
        ("x/2.jpg", None),
        ("3.jpg", None),
    ],
)
def test_by_the_whole_name_else_by_a_last_part_that_only_one_has(name, item):
    assert NAMED.find(name) == item
