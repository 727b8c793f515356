"""Plotly charts with one colour per kind of views and per baseline."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from samclr_core.estimate import Estimate
from samclr_core.palette import CLASS_COLOURS, COLOURS

INK = "#1C2733"
GRID = "#E3E9EF"
FONT_SIZE = 16
# The theme's fonts, so that charts speak with the page's voice.
FONT = "Source Sans, Noto Sans JP, Hiragino Sans, Yu Gothic UI, Meiryo, IPAPGothic, sans-serif"
# More groups than that have colours in common, and a list of them would fill the screen.
MOST_NAMED = 30
# Room beside a bar of 100 % for its figure.
WIDEST = 1.14
# Told apart without colour, too.
MARKERS = ("circle", "square", "diamond", "triangle-up", "x", "star")
RIGHT, WRONG = "#0072B2", "#D55E00"


def lines(
    series: Mapping[str, tuple[Sequence[float], Sequence[float | None], str]],
    x_title: str,
    y_title: str,
    height: int = 320,
) -> go.Figure:
    """Lines by name: x values, y values and colour."""
    figure = go.Figure()
    for name, (x, y, colour) in series.items():
        figure.add_scatter(
            x=x, y=y, name=escaped(name), mode="lines", line={"color": colour, "width": 3}
        )
    figure.update_layout(showlegend=len(series) > 1)
    return _styled(figure, x_title, y_title, height)


def curves(
    series: Mapping[str, tuple[Sequence[float], Sequence[Estimate], str]],
    levels: Mapping[str, tuple[Estimate, str]],
    x_title: str,
    y_title: str,
    height: int = 440,
) -> go.Figure:
    """Curves of shares with their intervals over what falls from 1 to 0.

    Args:
        series: x, estimates and colour by name.
        levels: what does not depend on x, as a dashed line in its interval, by name.
        x_title: of the axis, which runs from 1 on the left to 0.
        y_title: of the axis, in per cent.
        height: in pixels.
    """
    figure = go.Figure()
    for name, (level, colour) in levels.items():
        line = {"color": colour, "width": 3, "dash": "dash"}
        figure.add_scatter(
            x=[1, 0], y=[level.mean] * 2, name=escaped(name), mode="lines", line=line
        )
        figure.add_hrect(level.low, level.high, fillcolor=colour, opacity=0.12, line_width=0)
    _add_with_intervals(figure, series, "%{x:.2f}: %{y:.1%}")
    _styled(figure, x_title, y_title, height)
    figure.update_xaxes(range=[1.03, -0.03], dtick=0.2)
    figure.update_yaxes(tickformat=".0%")
    return figure


def over_labels(
    series: Mapping[str, tuple[Sequence[int], Sequence[Estimate], str]],
    x_title: str,
    y_title: str,
    height: int = 440,
) -> go.Figure:
    """Shares with their intervals over numbers of labels, each ten times as far as the last ten.

    Args:
        series: numbers of labels, estimates and colour by name.
        x_title: of the axis of labels.
        y_title: of the axis, in per cent.
        height: in pixels.
    """
    figure = go.Figure()
    _add_with_intervals(figure, series, "%{x:,}: %{y:.1%}")
    _styled(figure, x_title, y_title, height)
    ticks = sorted({number for x, _, _ in series.values() for number in x})
    figure.update_xaxes(type="log", tickvals=ticks, ticktext=[f"{tick:,}" for tick in ticks])
    figure.update_yaxes(tickformat=".0%")
    return figure


def _add_with_intervals(
    figure: go.Figure,
    series: Mapping[str, tuple[Sequence[float], Sequence[Estimate], str]],
    hover: str,
) -> None:
    for number, (name, (x, found, colour)) in enumerate(series.items()):
        figure.add_scatter(
            x=x,
            y=[estimate.mean for estimate in found],
            name=escaped(name),
            mode="lines+markers",
            line={"color": colour, "width": 3},
            marker={"size": 12, "symbol": MARKERS[number % len(MARKERS)]},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [estimate.high - estimate.mean for estimate in found],
                "arrayminus": [estimate.mean - estimate.low for estimate in found],
                "thickness": 2,
                "width": 6,
            },
            hovertemplate=f"{hover}<extra>{escaped(name)}</extra>",
        )


def intervals(rows: Sequence[tuple[str, float, float, float, str]], x_title: str) -> go.Figure:
    """One bar per row (name, value, low, high, colour), with its interval and then its figure."""
    names = [escaped(row[0]) for row in rows]
    figure = go.Figure(
        go.Bar(
            x=[row[1] for row in rows],
            y=names,
            orientation="h",
            marker_color=[row[4] for row in rows],
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [row[3] - row[1] for row in rows],
                "arrayminus": [row[1] - row[2] for row in rows],
                "thickness": 3,
                "width": 8,
                "color": INK,
            },
            hovertemplate="%{y}: %{x:.1%}<extra></extra>",
            cliponaxis=False,
        )
    )
    figure.add_scatter(
        x=[row[3] for row in rows],
        y=names,
        mode="text",
        text=[f"  <b>{row[1]:.1%}</b>" for row in rows],
        textposition="middle right",
        textfont={"color": INK, "size": FONT_SIZE + 2},
        hoverinfo="skip",
        cliponaxis=False,
    )
    figure.update_layout(showlegend=False)
    figure.update_yaxes(autorange="reversed", ticksuffix="  ")
    figure.update_xaxes(range=[0, WIDEST], tickformat=".0%", dtick=0.2)
    return _styled(figure, x_title, "", 90 + 62 * len(rows))


def histogram(
    names: Sequence[str], counts: Sequence[float], x_title: str, y_title: str, height: int = 300
) -> go.Figure:
    """One bar per class of values, with its figure above."""
    figure = go.Figure(
        go.Bar(
            x=[escaped(name) for name in names],
            y=counts,
            marker_color=COLOURS["region"],
            text=[f"{count:.1f}" for count in counts],
            textposition="outside",
            hovertemplate="%{x}: %{y:.1f}<extra></extra>",
            cliponaxis=False,
        )
    )
    return _styled(figure, x_title, y_title, height, x_grid=False)


def confusion(
    matrix: Sequence[Sequence[int]], classes: Sequence[str], x_title: str, y_title: str
) -> go.Figure:
    """Rows are the truth, columns what was predicted; colour is the share of the row."""
    sums = [max(1, sum(row)) for row in matrix]
    shares = [[value / total for value in row] for row, total in zip(matrix, sums, strict=True)]
    names = [escaped(name) for name in classes]
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=names,
            y=names,
            text=matrix,
            texttemplate="%{text}",
            colorscale=[[0, "#FFFFFF"], [1, COLOURS["region"]]],
            zmin=0,
            zmax=1,
            showscale=False,
            xgap=2,
            ygap=2,
            hovertemplate=f"{y_title}: %{{y}}<br>{x_title}: %{{x}}<br>%{{text}}<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed")
    return _styled(figure, x_title, y_title, max(360, 110 + 44 * len(names)), x_grid=False)


def scatter(
    points: Sequence[tuple[float, float]],
    groups: Sequence[str],
    hovers: Sequence[str],
    ids: Sequence[Any],
    colours: Mapping[str, str] | None = None,
    height: int = 620,
) -> go.Figure:
    """A map of points coloured by group; every point carries its id, so a lasso finds it again."""
    figure = go.Figure()
    for number, group in enumerate(sorted(set(groups))):
        chosen = [i for i, name in enumerate(groups) if name == group]
        colour = (colours or {}).get(group, CLASS_COLOURS[number % len(CLASS_COLOURS)])
        figure.add_scattergl(
            x=[points[i][0] for i in chosen],
            y=[points[i][1] for i in chosen],
            name=escaped(group),
            mode="markers",
            marker={"color": colour, "size": 10, "opacity": 0.85},
            customdata=[[ids[i]] for i in chosen],
            text=[hovers[i] for i in chosen],
            hovertemplate="%{text}<extra></extra>",
        )
    _styled(figure, "", "", height)
    figure.update_xaxes(showticklabels=False, showgrid=False)
    figure.update_yaxes(showticklabels=False, showgrid=False, scaleanchor="x")
    figure.update_layout(
        dragmode="lasso",
        legend={"orientation": "v", "yanchor": "top", "y": 1, "x": 1.01},
        showlegend=len(figure.data) <= MOST_NAMED,
    )
    return figure


def escaped(text: object) -> str:
    """``text`` that plotly shows as it is: plotly reads tags in names and hovers."""
    return html.escape(str(text))


def _styled(
    figure: go.Figure, x_title: str, y_title: str, height: int, x_grid: bool = True
) -> go.Figure:
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 20, "t": 20, "b": 10},
        font={"size": FONT_SIZE, "color": INK, "family": FONT},
        plot_bgcolor="white",
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0},
        hoverlabel={"font": {"size": FONT_SIZE}},
    )
    figure.update_xaxes(
        title={"text": x_title, "font": {"size": FONT_SIZE}},
        gridcolor=GRID,
        zeroline=False,
        showgrid=x_grid,
        automargin=True,
    )
    figure.update_yaxes(
        title={"text": y_title, "font": {"size": FONT_SIZE}},
        gridcolor=GRID,
        zeroline=False,
        showgrid=x_grid,
        automargin=True,
    )
    return figure
