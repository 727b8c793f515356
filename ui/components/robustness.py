"""How good must the segmentation be: the curve of a study, and the start of one."""

import time
from pathlib import Path
from typing import get_args

import streamlit as st

from samclr_core import jobs
from samclr_core.estimate import Estimate
from samclr_core.evaluation.robustness.answer import answer, spoken
from samclr_core.evaluation.robustness.config import StudyConfig
from samclr_core.evaluation.robustness.cost import cost
from samclr_core.evaluation.robustness.results import Row, Study, studies
from samclr_core.messages import say
from samclr_core.palette import COLOURS, DAMAGE_COLOURS
from samclr_core.regions import sources
from samclr_core.regions.config import Damage
from samclr_core.training.config import PRESETS
from samclr_core.workspace import Workspace
from ui import charts
from ui.components import job_panel
from ui.components.choice import select
from ui.i18n import language, plain, t

KIND = "robustness"
STRENGTHS = (0.1, 0.2, 0.3, 0.5, 0.7)
MOST_SEEDS = 10


def show(workspace: Workspace, data: Path | None, ready: bool) -> None:
    """The newest study, and a new one on ``data``; ``ready`` is whether that was chosen."""
    st.subheader(t("robustness.title"), anchor=False, help=t("robustness.help"))
    if job_panel.running(workspace.jobs, KIND):
        job_panel.live(workspace.jobs, KIND, t("robustness.job"))
    elif job := job_panel.latest(workspace.jobs, KIND):
        job_panel.panel(job, t("robustness.job"))
    known = studies(workspace)
    if known:
        result(chosen(known))
    else:
        st.markdown(t("robustness.none_yet"))
    with st.expander(t("robustness.new"), icon=":material/science:"):
        start(workspace, data, ready)


def chosen(known: list[Study]) -> Study:
    """The study to show, the newest first."""
    if len(known) == 1:
        return known[0]
    by_name = {study.name: study for study in known}
    name = select(
        t("robustness.shown"),
        list(by_name),
        lambda n: title(by_name[n]),
        # A new study is shown first.
        key=f"robustness-shown-{known[0].name}",
    )
    return by_name[name]


def title(study: Study) -> str:
    """What tells one study from another."""
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(study.created))
    return t("robustness.study_title", data=study.data_name, seeds=study.config.seeds, when=when)


def result(study: Study) -> None:
    """The answer, its curve, and all figures."""
    first, *others = [plain(spoken(note, language())) for note in answer(study)]
    st.info(f"**{first}**", icon=":material/lightbulb:")
    st.plotly_chart(figure(study), theme=None)
    for sentence in others:
        st.markdown(sentence)
    with st.expander(t("robustness.table"), icon=":material/table:"):
        st.dataframe([line(row) for row in study.rows], hide_index=True)


def figure(study: Study):
    """Accuracy over the quality of the regions, a curve from the undamaged ones for each kind."""
    whole, image = study.row("undamaged"), study.row("image")
    # All curves begin at one point, whose interval is the band.
    mean = whole.accuracy.mean
    series = {}
    for kind in study.config.kinds:
        rows = [row for row in study.rows if row.kind == kind]
        x = [1.0, *(row.mean_best_iou or 0.0 for row in rows)]
        y = [Estimate(mean, mean, mean), *(row.accuracy for row in rows)]
        series[name(kind)] = (x, y, DAMAGE_COLOURS[kind])
    levels = {
        t("robustness.undamaged"): (whole.accuracy, COLOURS["region"]),
        t("common.image_views"): (image.accuracy, COLOURS["image"]),
    }
    return charts.curves(series, levels, t("robustness.axis_iou"), t("robustness.axis_accuracy"))


def name(kind: str) -> str:
    """The kind of damage in the language in use."""
    return say(f"robustness.{kind}", language())


def line(row: Row) -> dict[str, str]:
    """One set of regions as a row of the table."""
    low, high = (f"{100 * end:.0f}" for end in (row.accuracy.low, row.accuracy.high))
    return {
        t("robustness.regions"): name(row.kind),
        t("robustness.strength"): f"{row.strength:g}" if row.strength else "–",
        t("robustness.iou"): "–" if row.mean_best_iou is None else f"{row.mean_best_iou:.2f}",
        t("robustness.purity"): f"{row.purity:.2f}",
        t("robustness.accuracy"): f"{row.accuracy.mean:.1%} ({low}–{high})",
        t("robustness.change"): points(row.change) if row.kind != "undamaged" else "–",
        t("robustness.gain"): points(row.gain) if row.kind != "image" else "–",
    }


def points(difference: Estimate) -> str:
    """An interval in points."""
    return f"{100 * difference.low:+.1f} … {100 * difference.high:+.1f}"


def start(workspace: Workspace, data: Path | None, ready: bool) -> None:
    """What to try, how long it takes, and go."""
    if sources.current(workspace) is None:
        st.markdown(t("robustness.needs_regions"))
        return
    kinds = st.pills(
        t("robustness.kinds"),
        get_args(Damage),
        selection_mode="multi",
        default=get_args(Damage),
        format_func=name,
        key="robustness-kinds",
    )
    columns = st.columns([4, 2, 2, 2], vertical_alignment="bottom")
    strengths = columns[0].pills(
        t("robustness.strengths"),
        STRENGTHS,
        selection_mode="multi",
        default=[0.2, 0.5],
        help=t("robustness.strengths_help"),
        key="robustness-strengths",
    )
    seeds = columns[1].number_input(t("robustness.seeds"), 1, MOST_SEEDS, 3, key="robustness-seeds")
    preset = select(t("robustness.preset"), list(PRESETS), str, columns[2], key="robustness-preset")
    complete = bool(kinds and strengths and ready)
    if complete:
        st.caption(estimate(workspace, kinds, strengths, seeds, preset))
    running = job_panel.running(workspace.jobs, KIND)
    if columns[3].button(
        t("robustness.start"), type="primary", disabled=running or not complete, width="stretch"
    ):
        launch(workspace, data, kinds, strengths, seeds, preset)
        st.rerun()


def estimate(
    workspace: Workspace, kinds: list[str], strengths: list[float], seeds: int, preset: str
) -> str:
    """How many trainings are left to do, and how long they will take."""
    asked = {"training": PRESETS[preset], "kinds": kinds, "strengths": strengths, "seeds": seeds}
    found = cost(workspace, StudyConfig.of(asked))
    if found.seconds is None:
        return t("robustness.takes_unknown", missing=found.missing, trainings=found.trainings)
    return t(
        "robustness.takes",
        missing=found.missing,
        trainings=found.trainings,
        time=job_panel.brief(found.seconds),
    )


def launch(
    workspace: Workspace,
    data: Path | None,
    kinds: list[str],
    strengths: list[float],
    seeds: int,
    preset: str,
) -> None:
    """Run the study in a process of its own."""
    arguments = ["robustness", "-w", str(workspace.root), "--preset", preset]
    arguments += ["--kinds", ",".join(kinds), "--strengths", ",".join(map(str, strengths))]
    arguments += ["--seeds", str(seeds)]
    if data:
        arguments += ["--data", str(data)]
    jobs.launch(jobs.new_folder(workspace.jobs, KIND), arguments)
