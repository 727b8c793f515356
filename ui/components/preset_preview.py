"""What the generator's presets do, side by side on one image of the user's own."""

from collections.abc import Sequence

import streamlit as st

from samclr_core.images.catalogue import ImageRecord
from samclr_core.regions.batch import segment_one
from samclr_core.regions.config import PRESETS
from samclr_core.regions.quality.figures import figures
from samclr_core.workspace import Workspace
from ui import shell
from ui.components import pictures, segmented
from ui.components.choice import select
from ui.components.job_panel import Bar
from ui.i18n import t

PRESET_NAMES = {
    "draft": "regions.draft",
    "few_large": "regions.few_large",
    "balanced": "regions.balanced",
    "many_small": "regions.many_small",
}
COMPARED = ("few_large", "balanced", "many_small")
SIDE = 700
SHOWN = "preset-preview"


def show(workspace: Workspace, images: Sequence[ImageRecord], model: str) -> None:
    """Choose an image and see it cut up in three ways."""
    st.caption(t("regions.try_help"))
    names = {image.id: image.name for image in images}
    chooser, button = st.columns([7, 3], vertical_alignment="bottom")
    chosen = select(
        t("regions.try_image"), list(names), names.__getitem__, chooser, key="preset-image"
    )
    asked = (str(workspace.root), chosen, model)
    if button.button(t("regions.try"), width="stretch", disabled=not model):
        st.session_state[SHOWN] = asked
    if st.session_state.get(SHOWN) == asked:
        # A model that cannot be had takes nothing else from the page.
        with shell.one_clear_sentence():
            compare(workspace, chosen, model)


def compare(workspace: Workspace, image_id: str, model: str) -> None:
    """The image once per preset; what was made before is there at once."""
    for column, name in zip(st.columns(len(COMPARED)), COMPARED, strict=True):
        with column:
            st.markdown(f"**{t(PRESET_NAMES[name])}**")
            config = PRESETS[name].model_copy(update={"model": model})
            regions = segment_one(workspace, config, image_id, Bar())
            made_with = type(config).of(regions.segmenter)
            found = figures(regions)
            line = t("regions.card", regions=found.regions, coverage=f"{found.coverage:.0%}")
            time = t("regions.try_seconds", seconds=f"{found.seconds:.0f}")
            drawn = segmented.overlaid(workspace, image_id, made_with, SIDE, 0.5)
            pictures.show(pictures.Picture(drawn, (line, time)))
