"""A path, as people paste it from a file manager."""

import streamlit as st

from samclr_core.paths import expanded

# Windows' "Copy as path" puts the first ones round it, a terminal the second.
QUOTES = ('"', "'")


def path_field(label: str, now: str = "", help: str | None = None, *, key: str) -> str:
    """Where a person names a file or folder: the path, or "" where nothing is named.

    Args:
        label: what is named, in the user's language.
        now: in the field at first.
        help: behind the question mark.
        key: of the widget.
    """
    return cleaned(st.text_input(label, now, help=help, key=key))


def cleaned(text: str) -> str:
    """The path without spaces and quotes around it; ``~`` is the home folder."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in QUOTES:
        text = text[1:-1].strip()
    return str(expanded(text)) if text else ""
