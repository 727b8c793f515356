"""Pictures in rows, with names that cannot be mistaken for Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from ui.i18n import plain, t

NAME_LETTERS = 48


@dataclass(frozen=True)
class Picture:
    """One picture of a grid.

    Attributes:
        image: a file, or uint8 [H, W, 3].
        lines: what stands below it, as plain text.
    """

    image: Path | np.ndarray | bytes
    lines: tuple[str, ...] = ()


def grid(pictures: Sequence[Picture], columns: int = 6) -> None:
    """The pictures in rows of ``columns``; the rows line up."""
    for start in range(0, len(pictures), columns):
        for column, picture in zip(
            st.columns(columns), pictures[start : start + columns], strict=False
        ):
            with column:
                show(picture)


def show(picture: Picture) -> None:
    """One picture over the whole width, with its lines below."""
    caption = "  \n".join(plain(breakable(shortened(line))) for line in picture.lines if line)
    image = str(picture.image) if isinstance(picture.image, Path) else picture.image
    if isinstance(picture.image, Path) and not picture.image.exists():
        st.caption(caption)
        return
    st.image(image, caption=caption or None, width="stretch")


def page_of(count: int, per_page: int, key: str) -> slice:
    """Buttons to leaf through ``count`` things; the slice to show. Nothing where all fit."""
    if count <= per_page:
        return slice(0, count)
    last = (count - 1) // per_page
    number = min(st.session_state.setdefault(key, 0), last)
    start = number * per_page
    stop = min(start + per_page, count)
    with st.container(horizontal=True, vertical_alignment="center"):
        _leaf(":material/chevron_left:", key, number - 1, number == 0, t("common.previous"))
        st.markdown(t("common.page_of", first=start + 1, last=stop, count=count), width="content")
        _leaf(":material/chevron_right:", key, number + 1, number == last, t("common.following"))
    return slice(start, stop)


def shortened(text: str, letters: int = NAME_LETTERS) -> str:
    """``text`` with its middle left out where it is long: endings tell file names apart."""
    if len(text) <= letters:
        return text
    half = (letters - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


def breakable(text: str) -> str:
    """``text`` that may go on in the next line after a slash or an underscore, too."""
    return text.replace("/", "/\u200b").replace("_", "_\u200b")


def _leaf(icon: str, key: str, number: int, disabled: bool, label: str) -> None:
    def turn() -> None:
        st.session_state[key] = number

    st.button(label, icon=icon, key=f"{key}-{icon}", disabled=disabled, on_click=turn)
