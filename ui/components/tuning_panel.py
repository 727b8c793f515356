"""Make the model better on one's own pictures: start it, and see before and after."""

from collections.abc import Sequence

import streamlit as st

from samclr_core import jobs
from samclr_core.images.catalogue import ImageRecord
from samclr_core.regions import store
from samclr_core.regions.review.fold import reviews
from samclr_core.regions.sam import tuned
from samclr_core.regions.tuning import report
from samclr_core.regions.tuning.config import LEAST_IMAGES
from samclr_core.regions.tuning.report import Comparison, Report
from samclr_core.workspace import Workspace
from ui import shell
from ui.components import job_panel, pictures, segmented
from ui.components.choice import select
from ui.components.path_field import path_field
from ui.i18n import t

KIND = "tuning"
LABELS, REVIEWED, COCO = "labels", "reviewed", "coco"
TRUTHS = {LABELS: "tuning.labels", REVIEWED: "tuning.reviewed", COCO: "tuning.coco"}
SENTENCES = {
    "regions": {
        "better": "tuning.regions_better",
        "unclear": "tuning.regions_unclear",
        "worse": "tuning.regions_worse",
    },
    "point": {
        "better": "tuning.point_better",
        "unclear": "tuning.point_unclear",
        "worse": "tuning.point_worse",
    },
}
SHOWN_AS = {"better": st.success, "unclear": st.info, "worse": st.warning}
ICONS = {
    "better": ":material/trending_up:",
    "unclear": ":material/trending_flat:",
    "worse": ":material/trending_down:",
}
MEASURES = {
    "regions": "tuning.regions",
    "recall50": "tuning.recall50",
    "recall75": "tuning.recall75",
    "point": "tuning.point",
    "point_best": "tuning.point_best",
    "box": "tuning.box",
    "clicks": "tuning.clicks",
}
SIDE = 700


def show(workspace: Workspace, images: Sequence[ImageRecord]) -> None:
    """What it is, the start, and what came of it."""
    st.markdown(t("tuning.intro"))
    start(workspace, images)
    if job_panel.running(workspace.jobs, KIND):
        job_panel.live(workspace.jobs, KIND, t("tuning.job"))
        return
    if job := job_panel.latest(workspace.jobs, KIND):
        job_panel.panel(job, t("tuning.job"))
    if names := tuned.names(workspace):
        result(workspace, images, names)


def start(workspace: Workspace, images: Sequence[ImageRecord]) -> None:
    """Where the masks are from, a name, and off it goes."""
    counts = known_masks(workspace, images)
    with st.container(border=True):
        left, middle, right = st.columns([4, 3, 3], vertical_alignment="bottom")
        truth = select(
            t("tuning.truth"),
            list(TRUTHS),
            lambda name: _truth(name, counts),
            left,
            key="tuning-truth",
        )
        name = middle.text_input(
            t("tuning.name"), t("tuning.first_name"), key="tuning-name"
        ).strip()
        coco = path_field(t("quality.coco_path"), key="tuning-coco") if truth == COCO else ""
        enough = bool(coco) if truth == COCO else counts[truth] >= LEAST_IMAGES
        running = job_panel.running(workspace.jobs, KIND)
        if not enough:
            st.caption(t("tuning.more_images", least=LEAST_IMAGES))
        ready = enough and bool(name) and not running
        if right.button(t("tuning.start"), type="primary", disabled=not ready, width="stretch"):
            with shell.one_clear_sentence():
                launch(workspace, str(truth), name, coco)
                st.rerun()


def known_masks(workspace: Workspace, images: Sequence[ImageRecord]) -> dict[str, int]:
    """How many images each source has masks for."""
    return {
        LABELS: sum(image.has_label_map for image in images),
        REVIEWED: sum(review.trusted for review in reviews(workspace)),
    }


def launch(workspace: Workspace, truth: str, name: str, coco: str) -> None:
    """Tune, in a process of its own."""
    tuned.new_path(workspace, name)
    source = ["--coco", coco] if coco else ["--truth", truth]
    arguments = ["regions", "tune", "-w", str(workspace.root), "--name", name, *source]
    jobs.launch(jobs.new_folder(workspace.jobs, KIND), arguments)


def result(workspace: Workspace, images: Sequence[ImageRecord], names: Sequence[str]) -> None:
    """One tuned model: sentences, pictures, figures."""
    newest = max(names, key=lambda name: (workspace.models / name).stat().st_mtime)
    chosen = select(
        t("tuning.model"), list(names), str, key=f"tuning-model-{newest}", default=newest
    )
    made = report.read(workspace, str(chosen))
    found = made.comparisons
    for measure, sentences in SENTENCES.items():
        verdict(found[measure], sentences)
    st.caption(
        t(
            "tuning.sizes",
            train=len(made.train),
            validation=len(made.validation),
            test=len(made.test),
        )
    )
    before_and_after(workspace, {image.id: image.name for image in images}, made)
    with st.expander(t("tuning.figures")):
        st.markdown(table(found))
        st.caption(t("tuning.figures_help"))


def verdict(found: Comparison, sentences: dict[str, str]) -> None:
    """Better, worse, or no difference that can be told."""
    gain = found.difference
    text = t(
        sentences[found.verdict],
        before=f"{found.before:.0%}",
        after=f"{found.after:.0%}",
        low=f"{100 * gain.low:+.0f}",
        high=f"{100 * gain.high:+.0f}",
    )
    SHOWN_AS[found.verdict](text, icon=ICONS[found.verdict])


def before_and_after(workspace: Workspace, names: dict[str, str], made: Report) -> None:
    """Three held-out images: the one that gained most, the one in the middle, the one that lost."""
    configs = made.segmenters(workspace)
    there = [
        image
        for image in made.test
        if image in names and all(store.has(workspace, image, config) for config in configs)
    ]
    there.sort(key=lambda image: made.before[image]["regions"] - made.after[image]["regions"])
    for image in dict.fromkeys(there[place] for place in _ends_and_middle(len(there))):
        cards = []
        for config, figures, title in zip(
            configs, (made.before, made.after), ("tuning.before", "tuning.after"), strict=True
        ):
            line = t(title, name=names[image], share=f"{figures[image]['regions']:.0%}")
            overlay = segmented.overlaid(workspace, image, config, SIDE, 0.5)
            cards.append(pictures.Picture(overlay, (line,)))
        pictures.grid(cards, 2)


def table(found: dict[str, Comparison]) -> str:
    """Every measure before and after."""
    heads = ("tuning.measure", "tuning.old", "tuning.new", "tuning.gain")
    lines = [f"| {' | '.join(t(head) for head in heads)} |", "| --- | ---: | ---: | ---: |"]
    for name, key in MEASURES.items():
        one, gain = found[name], found[name].difference
        spread = f"{100 * gain.mean:+.1f} ({100 * gain.low:+.1f} – {100 * gain.high:+.1f})"
        lines.append(f"| {t(key)} | {one.before:.1%} | {one.after:.1%} | {spread} |")
    return "\n".join(lines)


def _truth(name: str, counts: dict[str, int]) -> str:
    return t(TRUTHS[name], count=counts[name]) if name in counts else t(TRUTHS[name])


def _ends_and_middle(count: int) -> list[int]:
    return [0, count // 2, count - 1] if count else []
