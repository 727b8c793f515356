"""Where the regions are worst: the figures per group of images, with the pictures."""

from collections.abc import Sequence

import streamlit as st

from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.quality.lights import MEASURES
from samclr_core.regions.quality.report import Group, ImageQuality, groups
from samclr_core.workspace import Workspace
from ui import shell
from ui.components import pictures, segmented
from ui.components.choice import one_of
from ui.components.quality import ICONS, figure_name
from ui.i18n import plain, t

PATTERN = "pattern"
WAYS = {
    "folder": "quality.by_folder",
    "label": "quality.by_label",
    PATTERN: "quality.by_pattern",
}
# As many columns as a projector shows; the command line gives all figures.
COLUMNS = ("coverage", "regions", "border", "mean_best_iou", "recall50")
GROUPS_PER_PAGE = 10
PICTURED = 3
WORST = 4
SIDE = 480


def show(workspace: Workspace, config: SegmenterConfig, rows: Sequence[ImageQuality]) -> None:
    """The groups, worst first, and the worst images of the worst ones."""
    by = way()
    if by:
        with shell.one_clear_sentence():
            grouped(workspace, config, groups(rows, by))


def grouped(workspace: Workspace, config: SegmenterConfig, found: Sequence[Group]) -> None:
    """The table, and the pictures of its first groups."""
    if len(found) == 1:
        st.info(t("quality.one_group"), icon=":material/info:")
    st.caption(t("quality.groups_help"))
    part = found[pictures.page_of(len(found), GROUPS_PER_PAGE, "quality-groups")]
    st.markdown(table(part))
    for group in part[:PICTURED]:
        st.markdown(f"##### {t('quality.worst_of', group=plain(group.name))}")
        cards = [card(workspace, config, image) for image in group.images[:WORST]]
        pictures.grid(cards, WORST)


def way() -> str:
    """What makes a group: ``folder``, ``label`` or a pattern, as the core takes it."""
    left, right = st.columns(2, vertical_alignment="bottom")
    chosen = one_of(t("quality.by"), WAYS, "folder", left, key="quality-by")
    if chosen != PATTERN:
        return chosen
    return right.text_input(
        t("quality.pattern"), help=t("quality.pattern_help"), key="quality-pattern"
    ).strip()


def table(found: Sequence[Group]) -> str:
    """One line per group: its points, and the figures that show best where it hurts."""
    names = [name for name in COLUMNS if any(name in group.values for group in found)]
    heads = [t("quality.group"), t("quality.images"), t("quality.points")]
    heads += [figure_name(name) for name in names]
    lines = [f"| {' | '.join(heads)} |", "| --- " + "| ---: " * (len(heads) - 1) + "|"]
    for group in found:
        cells = [plain(pictures.breakable(group.name)), str(len(group.images))]
        cells += [f"**{group.points:.0%}**", *(_cell(name, group) for name in names)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def card(workspace: Workspace, config: SegmenterConfig, image: ImageQuality) -> pictures.Picture:
    """An image with its regions, and what is red or amber about it."""
    worst = sorted(
        (name for name in MEASURES if name in image.values),
        key=lambda name: list(ICONS).index(MEASURES[name].light(image.values[name])),
    )[-2:]
    said = [f"{figure_name(n)} {MEASURES[n].text(image.values[n])}" for n in reversed(worst)]
    overlay = segmented.overlaid(workspace, image.record.id, config, SIDE, 0.5)
    return pictures.Picture(overlay, (image.record.name, *said))


def _cell(name: str, group: Group) -> str:
    if name not in group.values:
        return "–"
    measure, value = MEASURES[name], group.values[name]
    # The space does not break: an icon alone in its line says nothing.
    return f"{ICONS[measure.light(value)]}\u00a0{measure.text(value)}"
