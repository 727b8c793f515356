"""Views: do the two views of a pair show the same thing?"""

from collections.abc import Sequence

import streamlit as st

from samclr_core.images import catalogue
from samclr_core.images.catalogue import ImageRecord
from samclr_core.images.store import load
from samclr_core.palette import COLOURS
from samclr_core.regions import sources, store
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.region import RegionSet
from samclr_core.views.config import AugmentConfig, ViewsConfig
from samclr_core.views.purity import Purity, last_measured, measure
from samclr_core.workspace import Workspace
from ui import charts, shell, state
from ui.components import job_panel, pairs, pictures, view_settings
from ui.components.choice import select
from ui.i18n import t

PAIRS = 500
SEED = "views-seed"
KINDS = {"image": "common.image_views", "region": "common.region_views"}


def show() -> None:
    """The whole page."""
    shell.heading(t("views.title"), t("views.question"))
    workspace = state.workspace()
    segmenter = store.current(workspace)
    images = catalogue.records(workspace)
    if not images:
        shell.missing(t("views.no_images"), "images")
        return
    done = [i for i in images if segmenter and store.has(workspace, i.id, segmenter)]
    if not segmenter or not done:
        shell.missing(t("views.no_regions"), "regions")
        return
    config = view_settings.settings(workspace)
    both_kinds(workspace, done, segmenter, config)
    purity(workspace, config)
    shell.next_step("training")


def both_kinds(
    workspace: Workspace,
    done: Sequence[ImageRecord],
    segmenter: SegmenterConfig,
    config: ViewsConfig,
) -> None:
    """One pair of either kind, cut from the same image."""
    names = {image.id: image.name for image in done}
    chooser, button = st.columns([4, 1], vertical_alignment="bottom")
    chosen = select(t("views.image"), list(names), names.__getitem__, chooser, key="views-image")
    st.session_state.setdefault(SEED, 0)
    if button.button(
        t("views.new_draw"), icon=":material/casino:", type="primary", width="stretch"
    ):
        st.session_state[SEED] += 1
    image, regions = load(workspace, chosen), sources.regions(workspace, chosen)
    for column, kind in zip(st.columns(2, gap="medium"), KINDS, strict=True):
        with column.container(border=True):
            one_kind(image, regions, config.model_copy(update={"kind": kind}))


def one_kind(image, regions: RegionSet | None, config: ViewsConfig) -> None:
    """Where the crops were cut, the raw crops, and the augmented result."""
    st.subheader(t(KINDS[config.kind]), anchor=False)
    pair = pairs.draw(image, regions, config, AugmentConfig(), st.session_state[SEED])
    pictures.show(pictures.Picture(pair.photo))
    if config.kind == "region" and not pair.from_region:
        st.caption(t("views.whole_image"))
    titles = (t("views.view1"), t("views.view2"), t("views.altered1"), t("views.altered2"))
    for column, picture, title in zip(
        st.columns(4), (*pair.crops, *pair.altered), titles, strict=True
    ):
        with column:
            pictures.show(pictures.Picture(picture, (title,)))


def purity(workspace: Workspace, config: ViewsConfig) -> None:
    """How often both views show the same thing, with the reference it was measured against."""
    title, button = st.columns([4, 1], vertical_alignment="bottom")
    title.subheader(t("views.purity"), anchor=False, help=t("views.purity_help"))
    if button.button(t("views.measure"), icon=":material/straighten:", width="stretch"):
        measure(workspace, PAIRS, 0, job_panel.Bar(), config)
    # Other settings, or other regions, would give other figures.
    found = last_measured(workspace, config)
    if not found:
        st.caption(t("views.not_measured", pairs=PAIRS))
        return
    result(found)


def result(found: Purity) -> None:
    """The two figures, what they were measured against, and a sentence."""
    rows = [
        (t(KINDS[kind]), value.mean, value.low, value.high, COLOURS[kind])
        for kind, value in (("region", found.region), ("image", found.image))
    ]
    chart, words = st.columns([3, 2], gap="large", vertical_alignment="center")
    chart.plotly_chart(charts.intervals(rows, t("views.purity_axis")), theme=None)
    with words:
        st.markdown(verdict(found))
        st.caption(t("views.basis", pairs=found.pairs, images=found.images))
        if found.reference == "labels":
            st.success(t("views.against_labels"), icon=":material/verified:")
        else:
            st.warning(t("views.against_regions"), icon=":material/info:")


def verdict(found: Purity) -> str:
    """The difference as a sentence; one whose interval holds 0 is called no difference."""
    difference = found.difference
    low, high = f"{difference.low * 100:.0f}", f"{difference.high * 100:.0f}"
    if difference.low > 0:
        return t("views.purer", low=low, high=high)
    if difference.high < 0:
        return t(
            "views.less_pure",
            low=f"{-difference.high * 100:.0f}",
            high=f"{-difference.low * 100:.0f}",
        )
    return t("views.no_difference")


shell.run(show)
