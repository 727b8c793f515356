"""How good the regions are: every figure with its light and the reason, in one table."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import streamlit as st

from samclr_core import jobs
from samclr_core.jobs import State
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.quality import report
from samclr_core.regions.quality.figures import SIZE_EDGES
from samclr_core.regions.quality.lights import MEASURES, Light, lights
from samclr_core.regions.quality.references import CocoFile
from samclr_core.regions.quality.report import ImageQuality
from samclr_core.workspace import Workspace
from ui import charts, shell
from ui.components import job_panel
from ui.components.path_field import path_field
from ui.i18n import core_text, t

KIND = "quality"
KNOWN = "quality-rows"
# The COCO file that a workspace's regions are compared with; label maps otherwise.
TRUTH = "quality-coco"
# Shape as well as colour, for those who do not tell green from red.
ICONS = {
    Light.GREEN: ":green[:material/check_circle:]",
    Light.AMBER: ":orange[:material/warning:]",
    Light.RED: ":red[:material/cancel:]",
    Light.NONE: ":gray[:material/help:]",
}
PLAIN = ("coverage", "regions", "area", "predicted_iou", "stability", "border", "depth")
SHAKEN = ("shift_iou", "brightness_iou")
TRUE = (
    *("mean_best_iou", "covering", "recall50", "recall75", "boundary_f"),
    "undersegmentation",
)
SAMPLE = 10
# A picture is segmented twice more: shifted, and in other light.
TIMES = 2


def rows(workspace: Workspace, config: SegmenterConfig, count: int) -> list[ImageQuality]:
    """All images' figures; ``count`` is how many images have regions."""
    job = job_panel.latest(workspace.jobs, KIND)
    coco = workspace.setting(TRUTH) or ""
    # What changes the figures: more images, other ground truth, a check of stability.
    truths = (_written(workspace.label_maps), coco, _written(Path(coco)) if coco else 0)
    changing = (count, _shaken_by(job), *truths)
    asked = (str(workspace.root), config.digest(), *changing)
    known, found = st.session_state.get(KNOWN, (None, []))
    if known == asked:
        return found
    if coco:
        # A file that cannot be used is said each time, and label maps stand in for it.
        with shell.one_clear_sentence():
            truth = CocoFile(Path(coco))
            found = report.measure(workspace, config, truth, job_panel.Bar())
            st.session_state[KNOWN] = (asked, found)
            return found
    found = report.measure(workspace, config, progress=job_panel.Bar())
    if not coco:
        st.session_state[KNOWN] = (asked, found)
    return found


def show(workspace: Workspace, found: Sequence[ImageQuality]) -> None:
    """The verdict, the figures and their reasons, and how large the regions are."""
    values = report.middle(found)
    verdict(values)
    st.markdown(table(values, PLAIN))
    with_truth = sum("covering" in row.values for row in found)
    if with_truth:
        st.markdown(f"##### {t('quality.with_truth', count=with_truth)}")
        st.markdown(table(values, TRUE))
    own_truth(workspace)
    stability(workspace, found, values)
    st.markdown(f"##### {t('quality.sizes')}")
    st.caption(t("quality.sizes_help"))
    st.plotly_chart(size_chart(found), config={"displayModeBar": False})


def own_truth(workspace: Workspace) -> None:
    """Where a person names a COCO file to compare the regions with."""
    now = workspace.setting(TRUTH) or ""
    with st.expander(t("quality.own_truth"), icon=":material/rule:", expanded=bool(now)):
        path = path_field(
            t("quality.coco_path"),
            now,
            help=t("quality.coco_help"),
            # Another field for each path, so that the one somebody else named comes into view.
            key=f"{TRUTH}-{workspace.root}-{now}",
        )
    if path != now:
        workspace.remember(TRUTH, path)
        st.rerun()


def verdict(values: dict[str, float]) -> None:
    """How many figures are green, amber and red, and the names of the red ones."""
    found = lights(values)
    count = Counter(found.values())
    green, amber, red = count[Light.GREEN], count[Light.AMBER], count[Light.RED]
    worst = Light.RED if red else Light.AMBER if amber else Light.GREEN
    line = t("quality.verdict", green=green, amber=amber, red=red)
    names = [figure_name(name) for name, one in found.items() if one is Light.RED]
    if names:
        line += " " + t("quality.look_at", names=t("quality.comma").join(names))
    with st.container(border=True):
        st.markdown(f"{ICONS[worst]} {line}")


def table(values: dict[str, float], names: Sequence[str]) -> str:
    """A Markdown table of those figures that are known: light, name, value and reason."""
    lines = [f"| | {t('quality.figure')} | {t('quality.value')} | {t('quality.reason')} |"]
    lines.append("| --- | --- | ---: | --- |")
    for name in names:
        if name in values:
            measure, value = MEASURES[name], values[name]
            reason = core_text(f"regions.light_{name}", dict(measure.limits()))
            cells = (ICONS[measure.light(value)], figure_name(name), f"**{measure.text(value)}**")
            lines.append(f"| {' | '.join(cells)} | {reason} |")
    return "\n".join(lines)


def figure_name(name: str) -> str:
    """What a person calls the figure."""
    return core_text(f"regions.figure_{name}", {})


def stability(
    workspace: Workspace, found: Sequence[ImageQuality], values: dict[str, float]
) -> None:
    """Whether the same regions are found in a picture that was changed a little."""
    shaken = sum("shift_iou" in row.values for row in found)
    st.markdown(f"##### {t('quality.stability')}")
    if job_panel.running(workspace.jobs, KIND):
        job_panel.live(workspace.jobs, KIND, t("quality.job"))
        return
    job = job_panel.latest(workspace.jobs, KIND)
    if job and job.state is not State.FINISHED:
        job_panel.panel(job, t("quality.job"))
    if shaken:
        st.caption(t("quality.stability_of", count=shaken))
        st.markdown(table(values, SHAKEN))
    else:
        st.caption(t("quality.stability_help"))
    sample = min(len(found), shaken + SAMPLE)
    if sample > shaken:
        check(workspace, sample, TIMES * (sample - shaken) * values["seconds"])


def check(workspace: Workspace, sample: int, seconds: float) -> None:
    """A button that segments ``sample`` images again, in a process of its own."""
    label = t("quality.check", count=sample, time=job_panel.brief(seconds))
    if st.button(label, icon=":material/replay:", key="quality-check"):
        arguments = ["regions", "quality", "-w", str(workspace.root), "--resegment", str(sample)]
        jobs.launch(jobs.new_folder(workspace.jobs, KIND), arguments)
        st.rerun()


def size_chart(found: Sequence[ImageQuality]):
    """How many regions an image has of each size, on average."""
    ends = [f"{edge:.0%}" if edge >= 0.01 else f"{edge:.2%}" for edge in SIZE_EDGES]
    names = [f"< {ends[1]}", *map(" – ".join, pairwise(ends[1:-1]))]
    names.append(f"> {ends[-2]}")
    counts = np.array(report.sizes(found)) / len(found)
    return charts.histogram(names, counts.tolist(), t("quality.size_axis"), t("quality.count_axis"))


def _written(path: Path) -> int:
    """When ``path`` was last written, in nanoseconds; 0 where there is nothing."""
    return path.stat().st_mtime_ns if path.exists() else 0


def _shaken_by(job: jobs.Job | None) -> str:
    return f"{job.folder.name} {job.state}" if job else ""
