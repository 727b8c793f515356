"""Training: is it learning, and what does it cost?"""

import streamlit as st

from samclr_core import jobs
from samclr_core.config import with_changes
from samclr_core.images import catalogue
from samclr_core.jobs import State
from samclr_core.messages import UserError
from samclr_core.regions import store
from samclr_core.training import config as training
from samclr_core.training import runs
from samclr_core.training.config import TrainingConfig
from samclr_core.training.runs import Run
from samclr_core.views.config import OTHER_KIND
from samclr_core.workspace import Workspace
from ui import shell, state
from ui.components import run_panel
from ui.components.choice import one_of, select
from ui.components.path_field import path_field
from ui.i18n import t

CHOSEN = "training-run"
# Chosen by a button: a widget's own key cannot be set once the widget is on the page.
KINDS = {"region": "training.kind_region", "image": "training.kind_image"}
PRESETS = {
    "quick": "training.quick",
    "standard": "training.standard",
    "gpu": "training.gpu",
}
BACKBONES = {
    "efficientnet_lite0": "EfficientNet-Lite0",
    "resnet18": "ResNet-18",
    "resnet50": "ResNet-50",
    "vit_tiny": "ViT-Tiny",
    "sam_tinyvit": "TinyViT (MobileSAM)",
}
WEIGHTS = {
    "sam": "training.sam_weights",
    "imagenet": "training.imagenet",
    "random": "training.random",
    "file": "training.weights_file",
}
RESUMABLE = (State.CREATED, State.STOPPED, State.INTERRUPTED, State.FAILED)


def show() -> None:
    """The whole page."""
    shell.heading(t("training.title"), t("training.question"))
    workspace = state.workspace()
    images = len(catalogue.records(workspace))
    if images < runs.MIN_IMAGES:
        shell.missing(t("training.too_few_images", least=runs.MIN_IMAGES), "images")
        return
    start(workspace, images)
    known = runs.runs(workspace)
    if not known:
        st.info(t("training.none_yet"), icon=":material/info:")
        return
    one_run(workspace, known)
    shell.next_step("evaluation")


def start(workspace: Workspace, images: int) -> None:
    """What to train, and the button."""
    with st.container(border=True):
        left, middle, button = st.columns([4, 3.5, 2.5], vertical_alignment="bottom")
        kind = one_of(
            t("training.views"),
            KINDS,
            "region",
            left,
            key="training-views",
            help=t("training.views_help"),
        )
        preset = one_of(t("training.preset"), PRESETS, "quick", middle, key="training-preset")
        changes = details(workspace, preset, kind)
        if kind == "region" and not store.current(workspace):
            shell.missing(t("training.no_regions"), "regions")
            return
        label = t("training.start", images=images)
        if button.button(label, type="primary", width="stretch"):
            cut = {f"views.{key}": value for key, value in views_settings(workspace).items()}
            changes = cut | changes | {"views.kind": kind}
            config = with_changes(training.PRESETS, preset, changes)
            launch_new(workspace, config)


def views_settings(workspace: Workspace) -> dict[str, object]:
    """What was chosen on the views page, but for what the preset decides."""
    chosen = workspace.setting("views") or {}
    return {key: value for key, value in chosen.items() if key not in ("kind", "size")}


def details(workspace: Workspace, preset: str, kind: str) -> dict[str, object]:
    """What an engineer may want to change; the preset's own values stand in the fields."""
    now = training.PRESETS[preset]
    with st.expander(t("training.details"), icon=":material/tune:"):
        columns = st.columns(5)
        loss = select(
            t("training.method"),
            list(run_panel.METHODS),
            run_panel.METHODS.__getitem__,
            columns[0],
            key="training-method",
            help=t("training.method_help"),
        )
        backbone = select(
            t("training.backbone"),
            list(BACKBONES),
            BACKBONES.__getitem__,
            columns[1],
            key=f"backbone-{preset}",
            default=now.backbone,
        )
        offered = [*training.WEIGHTS_OF[backbone], "file"]
        weights = select(
            t("training.weights"),
            offered,
            lambda w: t(WEIGHTS[w]),
            columns[2],
            key=f"weights-{preset}-{backbone}",
            default=now.weights if now.weights in offered else offered[1],
        )
        epochs = columns[3].number_input(
            t("training.epochs"), 1, 100_000, now.epochs, key=f"epochs-{preset}"
        )
        seed = columns[4].number_input(
            t("training.seed"), 0, 2**31 - 1, 0, help=t("training.seed_help"), key="training-seed"
        )
        if weights == "file":
            weights = path_field(t("training.weights_path"), key="training-weights")
        judge = harder_regions(workspace) if kind == "region" else ""
    values = {"loss": loss, "backbone": backbone, "weights": weights, "difficulty_of": judge}
    return values | {"epochs": epochs, "seed": seed}


def harder_regions(workspace: Workspace) -> str:
    """The finished run that says which regions are difficult; "" for none."""
    finished = {r.id: r for r in runs.runs(workspace) if r.finished}
    return select(
        t("training.harder"),
        ["", *finished],
        lambda i: run_panel.title(finished[i]) if i else t("training.harder_none"),
        key="training-harder",
        help=t("training.harder_help"),
    )


def launch_new(workspace: Workspace, config: TrainingConfig) -> None:
    """A new run, at work in a process of its own."""
    run = runs.create(workspace, config)
    launch(workspace, run)


def launch(workspace: Workspace, run: Run) -> None:
    """Start the run, or let it go on where it was."""
    jobs.launch(run.folder, ["train", "-w", str(workspace.root), "--resume", run.id])
    st.session_state[CHOSEN] = run.id
    st.rerun()


def one_run(workspace: Workspace, known: list[Run]) -> None:
    """The run that was chosen, the newest by default."""
    by_id = {run.id: run for run in known}
    chooser, first, second = st.columns([4, 1.5, 1.5], vertical_alignment="bottom")
    chosen = select(
        t("training.run"), list(by_id), lambda i: run_panel.title(by_id[i]), chooser, key=CHOSEN
    )
    run = by_id[chosen]
    now = run.state
    if now in RESUMABLE and first.button(
        t("training.resume"), icon=":material/play_arrow:", type="primary", width="stretch"
    ):
        launch(workspace, run)
    alone = now is State.FINISHED and not run.twin(workspace)
    if alone and second.button(
        t("training.train_twin"),
        icon=":material/call_split:",
        width="stretch",
        help=t("training.twin_help"),
    ):
        launch_new(workspace, twin_of(run.config))
    if now is State.RUNNING:
        live(workspace, run.id)
    else:
        everything(workspace, run)


def everything(workspace: Workspace, run: Run) -> None:
    """The run in detail, and below it all runs."""
    run_panel.panel(workspace, run)
    st.subheader(t("training.all_runs"), anchor=False)
    run_panel.table(runs.runs(workspace))


def twin_of(config: TrainingConfig) -> TrainingConfig:
    """The same settings with the other kind of views, drawn as they come."""
    other = OTHER_KIND[config.views.kind]
    views = config.views.model_copy(update={"kind": other})
    return config.model_copy(update={"views": views, "difficulty_of": ""})


@st.fragment(run_every=2.0)
def live(workspace: Workspace, run_id: str) -> None:
    """Everything about a run that is learning, read from its folder every two seconds."""
    with shell.one_clear_sentence():
        try:
            run = runs.run(workspace, run_id)
        except UserError:
            st.rerun()
        if run.state is not State.RUNNING:
            st.rerun()
        everything(workspace, run)


shell.run(show)
