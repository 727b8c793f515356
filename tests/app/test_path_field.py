"""Paths as people paste them."""

from pathlib import Path

import pytest

from ui.components.path_field import cleaned


@pytest.mark.parametrize(
    ("pasted", "path"),
    [
        (" /data/line 1.json\n", "/data/line 1.json"),
        ('"/data/line 1.json"', "/data/line 1.json"),
        (" '/data/line 1.json' ", "/data/line 1.json"),
        ('"/data/5" disc', '"/data/5" disc'),
        ("~/photos", str(Path.home() / "photos")),
        ("~nobody-here/photos", "~nobody-here/photos"),
        ("  ", ""),
        ('""', ""),
        ('"', '"'),
    ],
)
def test_spaces_and_quotes_around_a_path_do_no_harm(pasted, path):
    assert cleaned(pasted) == path
