"""What the app remembers between reruns: the language and the workspace, both kept in the URL."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from samclr_core.messages import LANGUAGES
from samclr_core.workspace import Workspace, named_workspace, workspace_names
from ui.i18n import STATE as LANGUAGE

WORKSPACE = "workspace"
FIRST_WORKSPACE = "poc-1"


def read_url() -> None:
    """Take language and workspace from the URL where this session has none yet."""
    asked = st.query_params.get("lang", "")
    st.session_state.setdefault(LANGUAGE, asked if asked in LANGUAGES else LANGUAGES[0])
    st.session_state.setdefault(WORKSPACE, st.query_params.get(WORKSPACE) or _default_name())


def write_url() -> None:
    """Put them back: changing the page empties the URL."""
    st.query_params["lang"] = st.session_state[LANGUAGE]
    st.query_params[WORKSPACE] = st.session_state[WORKSPACE]


def chooser(name: str) -> dict[str, Any]:
    """What ties a widget to the language or the workspace.

    They are kept apart from the widget's own value: Streamlit empties that one where a person
    leaves a page before the widget is drawn for the first time.
    """
    key = f"{name}-chooser"
    if st.session_state.get(key) != st.session_state[name]:
        st.session_state[key] = st.session_state[name]
    return {"key": key, "on_change": _choose, "args": (name, key)}


def _choose(name: str, key: str) -> None:
    st.session_state[name] = st.session_state[key] or st.session_state[name]
    write_url()


def workspace() -> Workspace:
    """The workspace in use, made where it is missing.

    Raises:
        UserError: its name cannot be a folder's.
    """
    return named_workspace(st.session_state[WORKSPACE])


def workspace_choices() -> Sequence[str]:
    """The names to choose from, with the one in use among them."""
    return sorted({*workspace_names(), st.session_state[WORKSPACE]})


def _default_name() -> str:
    names = workspace_names()
    return names[0] if names else FIRST_WORKSPACE
