"""Review: do people find the regions good enough?"""

import streamlit as st

from samclr_core.images import catalogue
from samclr_core.regions import store
from samclr_core.regions.review.events import NAME_LETTERS
from ui import shell, state
from ui.components.choice import one_of
from ui.components.review import panels, work
from ui.components.review.desk import Desk
from ui.i18n import t

PARTS = {"work": "review.work", "summary": "review.summary", "files": "review.files"}
WHO = "reviewer"


def show() -> None:
    """The whole page."""
    shell.heading(t("review.title"), t("review.question"))
    workspace = state.workspace()
    images = catalogue.records(workspace)
    if not images:
        shell.missing(t("review.no_images"), "images")
        return
    config = store.current(workspace)
    cut = [image for image in images if config and store.has(workspace, image.id, config)]
    if not config or not cut:
        shell.missing(t("review.no_regions"), "regions")
        return
    who, part = head()
    if part == "summary":
        panels.summary(workspace, config)
        shell.next_step("views")
    elif part == "files":
        panels.files(workspace, config, who)
    elif who:
        work.work(Desk(workspace, cut, config, who))
    else:
        st.info(t("review.who_first"), icon=":material/badge:")


def head() -> tuple[str, str]:
    """The reviewer's name, kept in the URL, and which part of the page is shown."""
    known = st.session_state.get(WHO) or st.query_params.get(WHO, "")
    name, parts = st.columns([3, 7], vertical_alignment="bottom")
    who = name.text_input(
        t("review.who"),
        known[:NAME_LETTERS],
        max_chars=NAME_LETTERS,
        # Without a key it would be another field after each change, and would miss the next.
        key="review-name",
        placeholder=t("review.who"),
        label_visibility="collapsed",
    ).strip()
    st.session_state[WHO] = who
    part = one_of(t("review.part"), PARTS, "work", parts, key="review-part", labelled=False)
    if who:
        st.query_params[WHO] = who
    return who, part


shell.run(show)
