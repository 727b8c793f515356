"""One of a few things, as buttons side by side, or one of many, in a list."""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ui.i18n import t

T = TypeVar("T", bound=Hashable)


def one_of(
    label: str,
    names: Mapping[str, str],
    default: str,
    place: DeltaGenerator | None = None,
    *,
    key: str,
    help: str | None = None,
    labelled: bool = True,
    on_change: Callable[[], None] | None = None,
) -> str:
    """Let a person choose; something is always chosen.

    Args:
        label: what is chosen, in the user's language.
        names: keys of texts, by what is returned.
        default: chosen at first.
        place: where the buttons stand; here by default.
        key: of the widget.
        help: behind the question mark.
        labelled: whether the label is seen; screen readers read it in any case.
        on_change: called before the page is drawn anew.
    """
    chosen = (place or st).segmented_control(
        label,
        list(names),
        default=default,
        required=True,
        format_func=lambda name: t(names[name]),
        key=key,
        help=help,
        label_visibility="visible" if labelled else "collapsed",
        on_change=on_change,
    )
    return str(chosen)


def select(
    label: str,
    options: Sequence[T],
    name: Callable[[T], str],
    place: DeltaGenerator | None = None,
    *,
    key: str,
    default: T | None = None,
    help: str | None = None,
) -> T:
    """Let a person choose from a list; ``st.session_state[key]`` is what is chosen.

    Streamlit tells a choice by its name, which means nothing any more once names have changed, as
    with the language. So other names are another widget, which begins with what was chosen; and
    where two options have one name, the later ones are numbered.

    Args:
        label: what is chosen, in the user's language.
        options: one at least.
        name: of an option, in the user's language.
        place: where the list stands; here by default.
        key: of the choice.
        default: chosen at first; the first option where there is no such one.
        help: behind the question mark.
    """
    names = _numbered(options, name)
    widget = f"{key}-{hash(tuple(names.values()))}"
    if st.session_state.get(key) not in options or key not in st.session_state:
        st.session_state[key] = default if default in options else options[0]
    if widget not in st.session_state or st.session_state[widget] != st.session_state[key]:
        st.session_state[widget] = st.session_state[key]

    def keep() -> None:
        st.session_state[key] = st.session_state[widget]

    return (place or st).selectbox(
        label, options, format_func=names.__getitem__, key=widget, on_change=keep, help=help
    )


def _numbered(options: Sequence[T], name: Callable[[T], str]) -> dict[T, str]:
    seen: Counter[str] = Counter()
    names = {}
    for option in options:
        text = name(option)
        seen[text] += 1
        names[option] = text if seen[text] == 1 else f"{text} ({seen[text]})"
    return names
