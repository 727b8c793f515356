"""Decision: what do we do next?"""

from pathlib import Path

import streamlit as st

from samclr_core.decision.summary import Cost, Row, Summary, Verdict, spoken, summarise
from samclr_core.palette import COLOURS
from samclr_core.workspace import Workspace
from ui import charts, shell, state
from ui.components.job_panel import clock
from ui.i18n import LANGUAGE_NAMES, core_text, language, plain, t

STATIONS = {
    "regions": "decision.cost_regions",
    "views": "decision.cost_views",
    "training": "decision.cost_training",
    "evaluation": "decision.cost_evaluation",
}
METHODS = {
    "region": "evaluation.trained_region",
    "image": "evaluation.trained_image",
    "start": "evaluation.start",
    "colour": "evaluation.colour",
}


def show() -> None:
    """The whole page."""
    shell.heading(t("decision.title"), t("decision.question"))
    workspace = state.workspace()
    summary = summarise(workspace)
    if not summary.images:
        shell.missing(t("decision.nothing_yet"), "images")
        return
    if not summary.verdicts:
        shell.missing(core_text("decision.nothing_evaluated", {}), "evaluation")
    for verdict in summary.verdicts:
        one_verdict(verdict)
    facts(summary)
    if summary.costs:
        costs(summary.costs)
    report(workspace)


def one_verdict(verdict: Verdict) -> None:
    """What it means in a sentence, with the figures it rests on."""
    first, *others = [plain(spoken(note, language())) for note in verdict.sentences]
    with st.container(border=True):
        st.subheader(first, anchor=False)
        for sentence in others:
            st.markdown(sentence)
        st.plotly_chart(
            charts.intervals([bar(row) for row in verdict.rows], t("evaluation.axis_short")),
            theme=None,
            key=f"verdict-{verdict.data}",
        )


def bar(row: Row) -> tuple[str, float, float, float, str]:
    """An encoder with its seed, or a baseline: name, accuracy, its interval, colour."""
    score, name = row.method.linear_probe, t(METHODS[row.kind])
    if row.seed is not None:
        name = t("decision.with_seed", name=name, seed=row.seed)
    return name, score.accuracy, *score.ci95, COLOURS[row.kind]


def facts(summary: Summary) -> None:
    """How much the verdict rests on."""
    columns = st.columns(4)
    columns[0].metric(t("decision.images"), f"{summary.images:,}", border=True)
    regions = summary.regions
    count = f"{regions.count:,}" if regions else "–"
    columns[1].metric(t("decision.regions"), count, border=True)
    columns[2].metric(t("decision.runs"), len(summary.runs), border=True)
    purity = summary.purity
    shares = (
        t(
            "decision.purity_both",
            region=f"{purity.region.mean:.0%}",
            image=f"{purity.image.mean:.0%}",
        )
        if purity
        else "–"
    )
    columns[3].metric(t("decision.purity"), shares, border=True, help=t("decision.purity_help"))


def costs(found: list[Cost]) -> None:
    """Measured machine time, station by station."""
    st.subheader(t("decision.cost"), anchor=False)
    st.dataframe(
        [
            {
                t("decision.station"): t(STATIONS[cost.station]),
                t("decision.amount"): f"{cost.amount:,}",
                t("decision.total"): clock(cost.seconds),
                t("decision.each"): t("decision.seconds", s=cost.each_in_digits),
            }
            for cost in found
        ],
        hide_index=True,
    )
    st.caption(t("decision.cost_help"))


def report(workspace: Workspace) -> None:
    """The whole POC as one HTML file."""
    st.subheader(t("decision.report"), anchor=False)
    st.markdown(t("decision.report_help"))
    with st.container(horizontal=True):
        if st.button(t("decision.build"), type="primary", icon=":material/description:"):
            from samclr_core.decision.report import write_report

            with st.spinner(t("decision.building")):
                write_report(workspace, language())
        path = newest_report(workspace)
        if path:
            st.download_button(
                t("decision.download", language=LANGUAGE_NAMES[language()]),
                path.read_bytes(),
                file_name=path.name,
                mime="text/html",
                icon=":material/download:",
            )


def newest_report(workspace: Workspace) -> Path | None:
    """The newest report in the language in use."""
    return max(workspace.reports.glob(f"*-{language()}.html"), default=None)


shell.run(show)
