"""Evaluation: is it better, and are we sure?"""

from collections.abc import Mapping
from pathlib import Path

import streamlit as st
from plotly.graph_objects import Figure

from samclr_core import jobs
from samclr_core.estimate import Estimate
from samclr_core.evaluation import label_efficiency, results
from samclr_core.evaluation.results import Evaluation
from samclr_core.images import catalogue
from samclr_core.palette import COLOURS
from samclr_core.training import runs
from samclr_core.training.runs import Run
from samclr_core.views.config import OTHER_KIND
from samclr_core.workspace import SAMPLE_DATA, Workspace
from ui import charts, shell, state
from ui.components import embedding_map, job_panel, robustness, run_panel
from ui.components.choice import select
from ui.components.path_field import path_field
from ui.i18n import core_text, t

KIND = "evaluate"
PROBE = SAMPLE_DATA / "probe"
DATA = {
    "sample": "evaluation.data_sample",
    "folder": "evaluation.data_folder",
    "workspace": "evaluation.data_workspace",
}
# What takes longer, by the command's option for it.
EXTRAS = {
    "--curves": ("evaluation.with_curves", "evaluation.with_curves_help"),
    "--fine-tune": ("evaluation.with_fine_tuning", "evaluation.with_fine_tuning_help"),
}
METHODS = {
    "colour": "evaluation.colour",
    "start": "evaluation.start",
    "scratch": "evaluation.scratch",
}


def show() -> None:
    """The whole page."""
    shell.heading(t("evaluation.title"), t("evaluation.question"))
    workspace = state.workspace()
    finished = [run for run in runs.runs(workspace) if run.finished]
    if not finished:
        shell.missing(t("evaluation.no_runs"), "training")
        return
    run, data, ready = start(workspace, finished)
    worth(workspace, run)
    robustness.show(workspace, data, ready)
    shell.next_step("decision")


def worth(workspace: Workspace, run: Run) -> None:
    """What the run is worth, where it was evaluated."""
    if job_panel.running(workspace.jobs, KIND):
        job_panel.live(workspace.jobs, KIND, t("evaluation.job"))
    elif job := job_panel.latest(workspace.jobs, KIND):
        job_panel.panel(job, t("evaluation.job"))
    known = results.evaluations(run)
    if not known:
        st.info(t("evaluation.none_yet"), icon=":material/info:")
        return
    evaluation = chosen(known)
    methods(evaluation)
    label_curves(evaluation)
    fine_tuned(evaluation)
    points = results.points(results.path_of(run, evaluation))
    embedding_map.show(points, evaluation.name, evaluation.methods["run"])
    per_class(evaluation)


def start(workspace: Workspace, finished: list[Run]) -> tuple[Run, Path | None, bool]:
    """Which run, on which labelled images (None: the workspace's), and whether these were named."""
    by_id = {run.id: run for run in finished}
    with st.container(border=True):
        left, middle, button = st.columns([5, 3, 2], vertical_alignment="bottom")
        run = by_id[
            select(
                t("evaluation.run"),
                list(by_id),
                lambda i: run_panel.title(by_id[i]),
                left,
                # One that has just finished is what a person comes for.
                key=f"evaluation-run-{finished[0].id}",
            )
        ]
        source = select(
            t("evaluation.data"),
            sources(workspace),
            lambda s: t(DATA[s]),
            middle,
            key="evaluation-data",
        )
        data = PROBE
        if source == "folder":
            data = Path(
                path_field(
                    t("evaluation.folder"),
                    help=t("evaluation.folder_help"),
                    key="evaluation-folder",
                )
            )
        ready = source != "folder" or data != Path()
        labelled = None if source == "workspace" else data
        extras = [
            option
            for option, (name, why) in EXTRAS.items()
            if st.toggle(t(name), help=t(why), key=f"evaluation{option}")
        ]
        running = job_panel.running(workspace.jobs, KIND)
        if button.button(
            t("evaluation.evaluate"),
            type="primary",
            disabled=running or not ready,
            width="stretch",
        ):
            launch(workspace, run, labelled, extras)
            st.rerun()
    return run, labelled, ready


def sources(workspace: Workspace) -> list[str]:
    """Where labelled images can come from, the workspace's own only where it has some."""
    labelled = any(image.label for image in catalogue.records(workspace))
    has = {"sample": PROBE.is_dir(), "folder": True, "workspace": labelled}
    return [source for source in DATA if has[source]]


def launch(workspace: Workspace, run: Run, data: Path | None, options: list[str]) -> None:
    """Evaluate in a process of its own."""
    arguments = ["evaluate", "-w", str(workspace.root), "--run", run.id]
    if data:
        arguments += ["--data", str(data)]
    jobs.launch(jobs.new_folder(workspace.jobs, KIND), [*arguments, *options])


def chosen(known: list[Evaluation]) -> Evaluation:
    """The evaluation to show: there is one per data set, the newest first."""
    by_name = {evaluation.name: evaluation for evaluation in known}
    if len(by_name) == 1:
        return known[0]
    name = select(
        t("evaluation.shown"),
        list(by_name),
        lambda n: by_name[n].data_name,
        # A new evaluation is shown first.
        key=f"evaluation-shown-{known[0].name}",
    )
    return by_name[name]


def title(evaluation: Evaluation, method: str) -> str:
    """The method's name, as in “Trained, region views”."""
    if method in METHODS:
        return t(METHODS[method])
    views = evaluation.views if method == "run" else OTHER_KIND[evaluation.views]
    return t("evaluation.trained_region") if views == "region" else t("evaluation.trained_image")


def colour(evaluation: Evaluation, method: str) -> str:
    """The same colour for the same thing in all charts."""
    views = {"run": evaluation.views, "twin": OTHER_KIND[evaluation.views]}
    return COLOURS[views.get(method, method)]


def methods(evaluation: Evaluation) -> None:
    """Accuracy of the run and its baselines on the same images, with intervals."""
    st.subheader(t("evaluation.accuracy"), anchor=False, help=t("evaluation.accuracy_help"))
    order = [m for m in ("run", "twin", "start", "colour") if m in evaluation.methods]
    figure = bars(evaluation, {m: evaluation.methods[m].linear_probe for m in order})
    figure.add_vline(x=evaluation.majority, line_dash="dot", line_color=charts.INK)
    st.plotly_chart(figure, theme=None)
    st.dataframe([line(evaluation, m) for m in order], hide_index=True)
    st.caption(
        t(
            "evaluation.basis",
            classes=len(evaluation.classes),
            train=evaluation.n_train,
            test=evaluation.n_test,
            majority=f"{evaluation.majority:.0%}",
        )
    )
    if evaluation.notes:
        with st.expander(t("evaluation.notes", count=len(evaluation.notes))):
            for note in evaluation.notes:
                st.markdown(f"- {core_text(note.key, dict(note.values))}")


def label_curves(evaluation: Evaluation) -> None:
    """What a few labels buy, and how many the run saves."""
    if not evaluation.curves:
        return
    st.subheader(t("evaluation.labels"), anchor=False, help=t("evaluation.labels_help"))
    order = [m for m in ("run", "twin", "start", "colour") if m in evaluation.curves]
    series = {
        title(evaluation, method): (
            [point.labels for point in points],
            [Estimate(point.accuracy, *point.ci95) for point in points],
            colour(evaluation, method),
        )
        for method in order
        for points in (evaluation.curves[method],)
    }
    figure = charts.over_labels(series, t("evaluation.labels_axis"), t("evaluation.axis"))
    st.plotly_chart(figure, theme=None)
    for other in evaluation.labels_needed:
        st.markdown(f"- {labels_saved(evaluation, other)}")
    st.caption(t("evaluation.labels_basis", draws=label_efficiency.DRAWS))


def labels_saved(evaluation: Evaluation, other: str) -> str:
    """How many labels the run needs for what the other features reach with all."""
    all_of_them = evaluation.curves[other][-1]
    needed = evaluation.labels_needed[other]
    low, high = (
        t("evaluation.labels_more", all=needed.all) if end is None else str(round(end))
        for end in (needed.low, needed.high)
    )
    reached = needed.labels is not None
    return t(
        "evaluation.labels_saved" if reached else "evaluation.labels_not_reached",
        run=title(evaluation, "run"),
        other=title(evaluation, other),
        accuracy=f"{all_of_them.accuracy:.1%}",
        needed=round(needed.labels or 0),
        low=low,
        high=high,
        all=needed.all,
    )


def fine_tuned(evaluation: Evaluation) -> None:
    """Where whole networks end that the labels may change."""
    if not evaluation.fine_tuned:
        return
    st.subheader(t("evaluation.fine_tuned"), anchor=False, help=t("evaluation.fine_tuned_help"))
    st.plotly_chart(bars(evaluation, evaluation.fine_tuned), theme=None)


def bars(evaluation: Evaluation, scores: Mapping[str, results.Score]) -> Figure:
    """A bar with its interval for every method, in the order given."""
    rows = [
        (title(evaluation, method), score.accuracy, *score.ci95, colour(evaluation, method))
        for method, score in scores.items()
    ]
    return charts.intervals(rows, t("evaluation.axis"))


def line(evaluation: Evaluation, method: str) -> dict[str, str]:
    """One method as a row of the table."""
    found = evaluation.methods[method]
    return {
        t("evaluation.features"): title(evaluation, method),
        t("evaluation.probe"): share(found.linear_probe),
        t("evaluation.knn"): share(found.knn),
    }


def share(score: results.Score) -> str:
    """An accuracy with its interval."""
    low, high = score.ci95
    return t(
        "evaluation.share", value=f"{score.accuracy:.1%}", low=f"{low:.0%}", high=f"{high:.0%}"
    )


def per_class(evaluation: Evaluation) -> None:
    """Which classes are found, and what they are taken for."""
    head, chooser = st.columns([3, 2], vertical_alignment="bottom")
    head.subheader(t("evaluation.per_class"), anchor=False)
    method = select(
        t("evaluation.features"),
        list(evaluation.methods),
        lambda m: title(evaluation, m),
        chooser,
        key="evaluation-features",
    )
    probe = evaluation.methods[method].linear_probe
    left, right = st.columns([5, 4], gap="medium")
    figure = charts.confusion(
        probe.confusion, evaluation.classes, t("evaluation.predicted"), t("evaluation.truth")
    )
    left.plotly_chart(figure, theme=None)
    accuracy, images = t("evaluation.found"), t("evaluation.test_images")
    right.dataframe(
        [
            {
                t("evaluation.class"): name,
                accuracy: None if (found := probe.per_class[name]) is None else 100 * found,
                images: count,
            }
            for name, count in zip(evaluation.classes, evaluation.test_per_class, strict=True)
        ],
        hide_index=True,
        column_config={
            accuracy: st.column_config.ProgressColumn(
                accuracy, min_value=0, max_value=100, format="%.0f%%"
            ),
            images: st.column_config.NumberColumn(images, width="small"),
        },
        height=min(640, 38 * len(evaluation.classes) + 40),
    )
    right.caption(t("evaluation.balanced", value=f"{probe.balanced_accuracy:.1%}"))


shell.run(show)
