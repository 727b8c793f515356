"""One of a few things, as buttons side by side."""

from collections.abc import Callable, Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ui.i18n import t


def one_of(
    label: str,
    names: Mapping[str, str],
    default: str,
    place: DeltaGenerator | None = None,
    key: str | None = None,
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
