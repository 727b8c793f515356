"""Every text of the app, and the core's sentences, in the language of the person who looks."""

from functools import cache
from pathlib import Path

import streamlit as st

from samclr_core.messages import LANGUAGES, Catalogue, UserError, core_catalogue, load

FOLDER = Path(__file__).parent
LANGUAGE_NAMES = {"en": "English", "ja": "日本語"}
STATE = "language"
MARKDOWN = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_{}[]()#+-.!|~$:<>&"})


def language() -> str:
    """The language in use: one of :data:`samclr_core.messages.LANGUAGES`."""
    return st.session_state.get(STATE, LANGUAGES[0])


@cache
def catalogue() -> Catalogue:
    """The app's texts by ``file.table``, as in ``{"images.title": {"en": ..., "ja": ...}}``."""
    return load(FOLDER)


def t(key: str, **values: object) -> str:
    """The app's text ``key`` in the language in use, with ``values`` filled in.

    Raises:
        KeyError: there is no such text.
    """
    return catalogue()[key][language()].format(**values)


def sentence(error: UserError) -> str:
    """The sentence of ``error`` in the language in use, safe to show as Markdown."""
    return plain(error.text(language()))


def core_text(key: str, values: dict[str, object]) -> str:
    """A sentence of the core in the language in use, safe to show as Markdown."""
    return plain(core_catalogue()[key][language()].format(**values))


def plain(text: object) -> str:
    """``text`` with Markdown switched off, for names that people gave to files and classes."""
    return str(text).translate(MARKDOWN)
