"""Regions: is the segmentation good enough?"""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from samclr_core import jobs
from samclr_core.images import catalogue
from samclr_core.images.catalogue import ImageRecord
from samclr_core.jobs import Job
from samclr_core.regions import store
from samclr_core.regions.config import PRESETS, SegmenterConfig
from samclr_core.regions.quality.lights import Light, lights
from samclr_core.regions.quality.report import ImageQuality, middle
from samclr_core.regions.sam import tuned
from samclr_core.workspace import Workspace
from ui import shell, state
from ui.components import (
    domain_fit,
    dropped,
    job_panel,
    pictures,
    preset_preview,
    quality,
    segmented,
    tuning_panel,
)
from ui.components.choice import one_of, select
from ui.components.path_field import path_field
from ui.components.preset_preview import PRESET_NAMES
from ui.i18n import plain, t

KIND = "regions"
MODELS = ("mobile_sam", "vit_b", "vit_l", "vit_h")
OWN_FILE = "file"
MODEL_NAMES = {
    "mobile_sam": "regions.mobile_sam",
    "vit_b": "regions.vit_b",
    "vit_l": "regions.vit_l",
    "vit_h": "regions.vit_h",
    OWN_FILE: "regions.own_file",
}
LOOKS = {
    "eye": "regions.by_eye",
    "figures": "regions.in_figures",
    "groups": "regions.by_group",
    "tuning": "tuning.look",
}
PER_PAGE = 8
COLUMNS = 4
BIG_SIDE = 1400
SMALL_SIDE = 480


def show() -> None:
    """The whole page."""
    shell.heading(t("regions.title"), t("regions.question"))
    workspace = state.workspace()
    images = catalogue.records(workspace)
    if not images:
        shell.missing(t("regions.no_images"), "images")
        return
    start(workspace, images)
    if job_panel.running(workspace.jobs, KIND):
        appearing = partial(newest, workspace, images)
        job_panel.live(workspace.jobs, KIND, t("regions.job"), appearing)
        return
    if job := job_panel.latest(workspace.jobs, KIND):
        job_panel.panel(job, t("regions.job"))
    results(workspace, images)


def start(workspace: Workspace, images: Sequence[ImageRecord]) -> None:
    """Which model, what kind of regions, a try on one image, and off it goes."""
    with st.container(border=True):
        preset_column, model_column = st.columns([6, 4], vertical_alignment="bottom")
        model = select(
            t("regions.model"),
            [*MODELS, *tuned.names(workspace), OWN_FILE],
            lambda m: t(MODEL_NAMES[m]) if m in MODEL_NAMES else m,
            model_column,
            key="regions-model",
        )
        preset = one_of(
            t("regions.preset"),
            PRESET_NAMES,
            "draft",
            preset_column,
            key="regions-preset",
            help=t("regions.preset_help"),
        )
        if model == OWN_FILE:
            model = path_field(t("regions.path"), help=t("regions.path_help"), key="regions-path")
        running = job_panel.running(workspace.jobs, KIND)
        label = t("regions.start", count=len(images))
        if st.button(label, type="primary", disabled=running or not model, width="stretch"):
            launch(workspace, str(model), preset)
            st.rerun()
        with st.expander(t("regions.try_title"), icon=":material/compare:"):
            preset_preview.show(workspace, images, str(model))


def launch(workspace: Workspace, model: str, preset: str) -> None:
    """Segment all images, in a process of its own."""
    arguments = ["regions", "-w", str(workspace.root), "--preset", preset, "--model", model]
    jobs.launch(jobs.new_folder(workspace.jobs, KIND), arguments)


def newest(workspace: Workspace, images: Sequence[ImageRecord], job: Job) -> None:
    """The regions that the job has made last, as they appear."""
    # Before its first image is done, the settings in use are still those of an earlier time.
    config = store.current(workspace) if job.step.done else None
    if config:
        done = [image for image in images if store.has(workspace, image.id, config)]
        gallery(workspace, config, list(reversed(done))[:PER_PAGE])


def results(workspace: Workspace, images: Sequence[ImageRecord]) -> None:
    """Figures of the set, one image big, then all of them."""
    config = store.current(workspace)
    done = [i for i in images if config and store.has(workspace, i.id, config)]
    if not config or not done:
        st.info(t("regions.none_yet"), icon=":material/info:")
        return
    rows = quality.rows(workspace, config, len(done))
    overview(config, rows, len(images))
    look = one_of(t("regions.look"), LOOKS, "eye", key="regions-look", labelled=False)
    if look == "figures":
        quality.show(workspace, rows)
    elif look == "groups":
        domain_fit.show(workspace, config, rows)
    elif look == "tuning":
        tuning_panel.show(workspace, images)
    else:
        by_eye(workspace, config, done)
    shell.next_step("views")


def overview(config: SegmenterConfig, rows: Sequence[ImageQuality], total: int) -> None:
    """What there is, and how many of its figures are good."""
    values = middle(rows)
    found = list(lights(values).values())
    columns = st.columns(4)
    columns[0].metric(
        t("regions.images"), t("regions.of", done=len(rows), total=total), border=True
    )
    columns[1].metric(t("regions.per_image"), round(values["regions"]), border=True)
    columns[2].metric(
        t("regions.green"),
        t("regions.of", done=found.count(Light.GREEN), total=len(found)),
        border=True,
        help=t("regions.green_help"),
    )
    columns[3].metric(t("regions.seconds"), f"{values['seconds']:.1f} s", border=True)
    preset = next((n for n in PRESET_NAMES if _same_but_model(config, PRESETS[n])), None)
    setting = t(PRESET_NAMES[preset]) if preset else t("regions.own_settings")
    st.caption(t("regions.made_with", model=plain(config.model_name), preset=setting))


def by_eye(workspace: Workspace, config: SegmenterConfig, done: Sequence[ImageRecord]) -> None:
    """One image big, then all of them."""
    shell.link("review", t("review.link"), ":material/rate_review:")
    one_image(workspace, config, done)
    st.subheader(t("regions.all"), anchor=False)
    part = done[pictures.page_of(len(done), PER_PAGE, "regions-page")]
    gallery(workspace, config, part)


def one_image(workspace: Workspace, config: SegmenterConfig, done: Sequence[ImageRecord]) -> None:
    """The photo and its regions side by side, large enough for a projector."""
    names = {image.id: image.name for image in done}
    chooser, slider = st.columns([3, 2], vertical_alignment="bottom")
    chosen = select(
        t("regions.image"), list(names), names.__getitem__, chooser, key="regions-image"
    )
    alpha = slider.slider(t("regions.alpha"), 0.1, 1.0, 0.5, 0.05, key="regions-alpha")
    left, right = st.columns(2)
    with left:
        pictures.show(pictures.Picture(segmented.photo(workspace, chosen, BIG_SIDE)))
    with right:
        pictures.show(
            pictures.Picture(segmented.overlaid(workspace, chosen, config, BIG_SIDE, alpha))
        )
    region_set = segmented.regions(workspace, chosen, config)
    numbers = segmented.numbers(workspace, chosen, config)
    st.markdown(
        t(
            "regions.sentence",
            regions=numbers.regions,
            coverage=f"{numbers.coverage:.0%}",
            iou=estimated(numbers.predicted_iou),
            stability=f"{numbers.stability:.2f}",
            seconds=f"{numbers.seconds:.1f}",
        )
    )
    if region_set.dropped:
        dropped.show(region_set.dropped)


def estimated(predicted_iou: float) -> str:
    """The model's estimate; it is a regression, which exceeds 1 by a little at times."""
    return f"{min(predicted_iou, 1.0):.2f}"


def gallery(workspace: Workspace, config: SegmenterConfig, images: Sequence[ImageRecord]) -> None:
    """Overlays of several images, with their figures below."""
    pictures.grid([card(workspace, config, image) for image in images], COLUMNS)


def card(workspace: Workspace, config: SegmenterConfig, image: ImageRecord) -> pictures.Picture:
    """One overlay with its name and figures."""
    numbers = segmented.numbers(workspace, image.id, config)
    line = t("regions.card", regions=numbers.regions, coverage=f"{numbers.coverage:.0%}")
    overlay = segmented.overlaid(workspace, image.id, config, SMALL_SIDE, 0.5)
    return pictures.Picture(overlay, (image.name, line))


def _same_but_model(config: SegmenterConfig, preset: SegmenterConfig) -> bool:
    of_model = {"model", "weights"}
    return config.model_dump(exclude=of_model) == preset.model_dump(exclude=of_model)


shell.run(show)
