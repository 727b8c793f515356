"""The frame around every page: page list, sidebar, and what becomes of an error."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from samclr_core.messages import LANGUAGES, Cancelled, UserError
from ui import state
from ui.i18n import LANGUAGE_NAMES, sentence, t

ICONS = {
    "images": ":material/photo_library:",
    "regions": ":material/shapes:",
    "review": ":material/rate_review:",
    "views": ":material/crop:",
    "training": ":material/model_training:",
    "evaluation": ":material/scatter_plot:",
    "decision": ":material/fact_check:",
}
# A station's further page, and the station.
FURTHER = {"review": "regions"}
# Names of the pages, as texts of the catalogue.
NAMES = {
    "images": "shell.images",
    "regions": "shell.regions",
    "review": "shell.review",
    "views": "shell.views",
    "training": "shell.training",
    "evaluation": "shell.evaluation",
    "decision": "shell.decision",
}
PRODUCT = "SAMCLR Studio"
LOGO = Path(__file__).parent / "logo.svg"
# An icon by its name would be fetched from the internet.
MARK = Path(__file__).parent / "mark.svg"
FRAMED = "shell-framed"
LOG = logging.getLogger(__name__)


def frame() -> Page:
    """Language, workspace and page list; the page that was asked for, ready to run."""
    st.set_page_config(page_title=PRODUCT, page_icon=str(MARK), layout="wide")
    st.logo(str(LOGO), size="large")
    state.read_url()
    state.write_url()
    page = st.navigation(pages())
    sidebar()
    st.session_state[FRAMED] = True
    return page


def run(show: Callable[[], None]) -> None:
    """Show a page inside the frame.

    Streamlit runs a file of ``pages/`` without ``app.py`` where it is the first page that anybody
    asks for after a start of the server. The frame tells it better, and then it must start again:
    the widgets of such a page have other names, and the first click would be lost.
    """
    if not st.session_state.pop(FRAMED, False):
        frame()
        st.rerun()
    with one_clear_sentence():
        show()


def pages() -> list[Page]:
    """One page per station, and one more for reviewing regions, in the order of the line."""
    return [
        st.Page(f"pages/{name}.py", title=page_name(name), icon=icon, url_path=name)
        for name, icon in ICONS.items()
    ]


def page_name(page: str) -> str:
    """The number of its station, and its name, as in “2 Regions”."""
    stations = [name for name in ICONS if name not in FURTHER]
    number = stations.index(FURTHER.get(page, page)) + 1
    return f"{number}  {t(NAMES[page])}"


def sidebar() -> None:
    """The choice of workspace and language."""
    with st.sidebar:
        st.selectbox(
            t("shell.workspace"),
            state.workspace_choices(),
            accept_new_options=True,
            help=t("shell.workspace_help"),
            **state.chooser(state.WORKSPACE),
        )
        st.segmented_control(
            t("shell.language"),
            LANGUAGES,
            format_func=LANGUAGE_NAMES.__getitem__,
            required=True,
            **state.chooser(state.LANGUAGE),
        )


@contextmanager
def one_clear_sentence() -> Iterator[None]:
    """Show an error as one sentence; what a person cannot put right goes to the server's log."""
    try:
        yield
    except UserError as error:
        st.error(sentence(error), icon=":material/error:")
    except Cancelled:
        st.info(t("shell.cancelled"))
    except Exception:
        LOG.exception("a page failed")
        st.error(t("shell.unexpected"), icon=":material/error:")


def heading(title: str, question: str) -> None:
    """The page's title, and the question it answers."""
    st.title(title, anchor=False)
    st.markdown(f":gray[{question}]")


def missing(text: str, station: str) -> None:
    """Say what is missing, and lead to the page that gives it."""
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(text)
        link(station, t("shell.go_to", station=t(NAMES[station])))


def next_step(station: str) -> None:
    """The way on, at the end of a page."""
    st.divider()
    link(station, t("shell.next_step", station=t(NAMES[station])), ":material/arrow_forward:")


def link(station: str, label: str, icon: str | None = None) -> None:
    """A link to a station's page that keeps language and workspace."""
    kept = {"lang": st.session_state[state.LANGUAGE], "workspace": st.session_state["workspace"]}
    st.page_link(f"pages/{station}.py", label=label, icon=icon, query_params=kept)
