"""What a person sees of a training run, read from its folder alone."""

import time
from typing import Any

import streamlit as st

from samclr_core.jobs import State
from samclr_core.palette import COLOURS
from samclr_core.training.runs import Run
from samclr_core.views.config import OTHER_KIND
from samclr_core.views.purity import last_measured
from samclr_core.workspace import Workspace
from ui import charts
from ui.components import job_panel
from ui.components.job_panel import brief, clock, state_name
from ui.i18n import core_text, t

# Of an even spread, which is 1. SimSiam's collapsed runs lie at 0, healthy ones near 1.
COLLAPSED_SPREAD = 0.1
SETTLED_STEPS = 20
METHODS = {"simclr": "SimCLR", "moco": "MoCo v2", "dino": "DINO"}
PURITY = {"labels": "training.purity_labels", "regions": "training.purity_regions"}
KINDS = {"region": "common.region_views", "image": "common.image_views"}


def title(run: Run) -> str:
    """The run in one line, for a list to choose from."""
    config = run.config
    return t(
        "training.run_title",
        method=METHODS[config.loss],
        views=t(KINDS[config.views.kind]),
        seed=config.seed,
        when=started(run),
    )


def started(run: Run) -> str:
    """When the run was made, in the server's local time."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(run.created))


def panel(workspace: Workspace, run: Run) -> None:
    """State, figures, notes and curves."""
    job_panel.panel(run.job, t("training.job"))
    metrics = run.metrics()
    if not metrics:
        if run.state is State.RUNNING:
            st.caption(t("training.preparing"))
        return
    if run.state is State.FINISHED:
        st.markdown(f":material/check_circle: {t('training.finished', steps=metrics[-1]['step'])}")
    figures(run, metrics[-1])
    advice(metrics)
    notes = run.facts.get("notes", [])
    if notes:
        said = [core_text(note["key"], note["values"]) for note in notes]
        st.info("\n\n".join(said), icon=":material/info:")
    purity(workspace, run)
    curves(run, metrics, run.twin(workspace))


def figures(run: Run, last: dict[str, Any]) -> None:
    """The latest figures."""
    running = run.state is State.RUNNING
    columns = st.columns(6)
    first = t("training.time_left") if running else t("training.machine_time")
    columns[0].metric(first, brief(last["eta"] if running else last["seconds"]), border=True)
    columns[1].metric(t("training.loss"), number(last["loss"], 3), border=True)
    columns[2].metric(t("training.lr"), short(last["lr"]), border=True)
    columns[3].metric(t("training.pace"), number(last["images_per_second"], 0), border=True)
    columns[4].metric(
        t("training.spread"),
        number(last["embedding_std"], 2),
        border=True,
        help=t("training.spread_help"),
    )
    columns[5].metric(
        t("training.rank"),
        number(last["effective_rank"], 1),
        border=True,
        help=t("training.rank_help"),
    )


def advice(metrics: list[dict[str, Any]]) -> None:
    """Whether the embeddings collapse, and what to do about it."""
    spread = metrics[-1]["embedding_std"]
    if metrics[-1]["step"] < SETTLED_STEPS or spread is None:
        return
    if spread < COLLAPSED_SPREAD:
        st.warning(t("training.collapse"), icon=":material/warning:")
    else:
        st.caption(t("training.healthy"))


def purity(workspace: Workspace, run: Run) -> None:
    """How often the two views of its pairs show the same thing, as far as it was measured."""
    found = last_measured(workspace, run.config.views)
    if found is None:
        st.caption(t("training.purity_not_measured"))
        return
    kind = run.config.views.kind
    other = OTHER_KIND[kind]
    figures = {"own": getattr(found, kind), "other": getattr(found, other)}
    shares = {name: f"{value.mean:.0%}" for name, value in figures.items()}
    st.caption(t(PURITY[found.reference], views=t(KINDS[other]), **shares))


def curves(run: Run, metrics: list[dict[str, Any]], twin: Run | None) -> None:
    """Loss, gradient, spread and rank over the steps, with the twin's curves for comparison."""
    shown = [(run, metrics)] + ([(twin, twin.metrics())] if twin else [])
    titles = {
        "loss": t("training.loss"),
        "grad_norm": t("training.gradient"),
        "embedding_std": t("training.spread"),
        "effective_rank": t("training.rank"),
    }
    for column, (key, heading) in zip(st.columns(4), titles.items(), strict=True):
        series = {
            t(KINDS[one.config.views.kind]): (
                [row["step"] for row in rows],
                [row[key] for row in rows],
                COLOURS[one.config.views.kind],
            )
            for one, rows in shown
        }
        column.markdown(f"**{heading}**")
        figure = charts.lines(series, t("training.step"), "", height=280)
        column.plotly_chart(figure, theme=None, key=f"curve-{key}")


def table(known: list[Run]) -> None:
    """All runs, newest first."""
    rows = []
    for run in known:
        metrics = run.metrics()
        last = metrics[-1] if metrics else {}
        rows.append(
            {
                t("training.started"): started(run),
                t("training.method"): METHODS[run.config.loss],
                t("training.views"): t(KINDS[run.config.views.kind]),
                t("training.state"): state_name(run.state),
                t("training.backbone"): run.config.backbone,
                t("training.seed"): run.config.seed,
                t("training.step"): last.get("step", 0),
                t("training.loss"): number(last.get("loss"), 3),
                t("training.machine_time"): clock(last.get("seconds", 0)),
                t("training.name"): run.id,
            }
        )
    st.dataframe(rows, hide_index=True)


def short(value: float) -> str:
    """A small number in few letters, as in 5e-4."""
    digits, exponent = f"{value:.0e}".split("e")
    return f"{digits}e{int(exponent)}" if value else "0"


def number(value: float | None, digits: int) -> str:
    """A figure, or a dash where there is none."""
    return "–" if value is None else f"{value:,.{digits}f}"
