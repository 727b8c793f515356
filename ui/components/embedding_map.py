"""The map of embeddings: colours to choose, and a lasso that shows what is in it."""

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from samclr_core.evaluation.results import Method, Point
from samclr_core.images.decode import decode
from samclr_core.messages import UserError
from ui import charts
from ui.components import pictures
from ui.components.choice import one_of
from ui.components.segmented import fitted
from ui.i18n import t

SHOWN = 36
COLUMNS = 9
SMALL_SIDE = 200
LAYOUTS = {"umap": "evaluation.umap", "pca": "evaluation.pca"}
COLOUR_BY = {
    "label": "evaluation.by_label",
    "predicted": "evaluation.by_predicted",
    "error": "evaluation.by_error",
    "source": "evaluation.by_source",
}


def show(points: Sequence[Point], key: str, method: Method) -> None:
    """The map, its classes' separation in figures, and thumbnails of the points a person picks."""
    if not points:
        return
    title, layout, chooser = st.columns([2, 1.5, 3], vertical_alignment="bottom")
    title.subheader(t("evaluation.map"), anchor=False, help=t("evaluation.map_help"))
    by_components = (
        one_of(t("evaluation.layout"), LAYOUTS, "umap", layout, key="map-layout") == "pca"
    )
    by = one_of(t("evaluation.colour_by"), COLOUR_BY, "label", chooser, key="map-colours")
    group_of = GROUPS[by]
    _separation(method)
    figure = charts.scatter(
        [(p.pca_x, p.pca_y) if by_components else (p.x, p.y) for p in points],
        [group_of(point) for point in points],
        [_hover(point) for point in points],
        [point.id for point in points],
        _error_colours() if by == "error" else None,
    )
    event = st.plotly_chart(
        figure,
        theme=None,
        on_select="rerun",
        selection_mode=("points", "box", "lasso"),
        key=f"map-{key}-{by}-{by_components}",
        config={"displaylogo": False, "scrollZoom": True},
    )
    _picked(points, [row["customdata"][0] for row in event["selection"]["points"]])


def _separation(method: Method) -> None:
    """What the picture cannot prove."""
    if method.neighbour_purity is None or method.silhouette is None:
        return
    share, chance = method.neighbour_purity
    st.caption(
        t(
            "evaluation.separation",
            silhouette=f"{method.silhouette:.2f}",
            purity=f"{share:.0%}",
            chance=f"{chance:.0%}",
        )
    )


def _picked(points: Sequence[Point], ids: Sequence[str]) -> None:
    """Thumbnails of the points of these ids; what to do where there are none."""
    if not ids:
        st.caption(t("evaluation.lasso"))
        return
    by_id = {point.id: point for point in points}
    # A selection of an earlier map may name points that are not on this one.
    found = [by_id[id] for id in dict.fromkeys(ids) if id in by_id]
    st.markdown(t("evaluation.picked", count=len(found), shown=min(len(found), SHOWN)))
    pictures.grid(
        [pictures.Picture(_small(str(p.path)), _lines(p)) for p in found[:SHOWN]], COLUMNS
    )


def _lines(point: Point) -> tuple[str, ...]:
    if point.correct is False:
        return point.name, t("evaluation.mistaken", truth=point.label, predicted=point.predicted)
    return point.name, point.label


@st.cache_data(max_entries=2000, show_spinner=False)
def _small(path: str) -> np.ndarray:
    try:
        with open(path, "rb") as file:
            return fitted(decode(file.read(), path), SMALL_SIDE)
    except (OSError, UserError):
        # The data set was moved since; its place on the map is still known.
        return np.full((SMALL_SIDE, SMALL_SIDE, 3), 230, np.uint8)


def _hover(point: Point) -> str:
    lines = [f"<b>{charts.escaped(point.name)}</b>", charts.escaped(point.label)]
    lines.append(f"{t('evaluation.by_source')}: {charts.escaped(point.source)}")
    if point.correct is False:
        predicted = charts.escaped(point.predicted)
        lines.append(f"{t('evaluation.by_predicted')}: {predicted}")
    return "<br>".join(lines)


def _label(point: Point) -> str:
    return point.label


def _predicted(point: Point) -> str:
    return point.predicted or t("evaluation.train_part")


def _error(point: Point) -> str:
    if point.correct is None:
        return t("evaluation.train_part")
    return t("evaluation.right") if point.correct else t("evaluation.wrong")


def _source(point: Point) -> str:
    return point.source


def _error_colours() -> dict[str, str]:
    return {
        t("evaluation.right"): charts.RIGHT,
        t("evaluation.wrong"): charts.WRONG,
        t("evaluation.train_part"): charts.GRID,
    }


GROUPS: dict[str, Callable[[Point], str]] = {
    "label": _label,
    "predicted": _predicted,
    "error": _error,
    "source": _source,
}
