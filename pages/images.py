"""Images: what do we have, and may we use it?"""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

import streamlit as st

from samclr_core import jobs
from samclr_core.images import catalogue, store
from samclr_core.images.catalogue import ImageRecord
from samclr_core.images.intake import add_uploads
from samclr_core.jobs import State
from samclr_core.messages import UserError
from samclr_core.workspace import SAMPLE_DATA, Workspace
from ui import shell, state
from ui.components import job_panel, pictures
from ui.components.choice import select
from ui.components.outcome import Outcome, of_intake, of_result, outcome_box
from ui.components.path_field import path_field
from ui.i18n import plain, t

PER_PAGE = 24
COLUMNS = 6
KIND = "images"
UPLOADED = "images-uploaded"
SCENES = SAMPLE_DATA / "scenes"


def show() -> None:
    """The whole page."""
    shell.heading(t("images.title"), t("images.question"))
    workspace = state.workspace()
    bring_in(workspace)
    if job_panel.running(workspace.jobs, KIND):
        job_panel.live(workspace.jobs, KIND, t("images.job"))
    else:
        outcomes(workspace)
    images = catalogue.records(workspace)
    if not images:
        st.info(t("images.none_yet"), icon=":material/info:")
        return
    figures(images)
    gallery(workspace, images)
    shell.next_step("regions")


def bring_in(workspace: Workspace) -> None:
    """The three ways in."""
    upload, folder, sample = st.tabs(
        [t("images.tab_upload"), t("images.tab_folder"), t("images.tab_sample")]
    )
    with upload, st.form("upload", clear_on_submit=True, border=False):
        files = st.file_uploader(
            t("images.upload"),
            type=["png", "jpg", "jpeg", "bmp", "tif", "tiff", "webp", "zip", "csv"],
            accept_multiple_files=True,
            help=t("images.upload_help"),
        )
        st.caption(t("images.big_sets"))
        if st.form_submit_button(t("images.add"), type="primary") and files:
            add_files(workspace, [(file.name, file.getvalue()) for file in files])
    with folder, st.form("folder", border=False):
        path = path_field(t("images.folder"), help=t("images.folder_help"), key="images-folder")
        if st.form_submit_button(t("images.add_folder"), type="primary") and path:
            launch(workspace, path)
    with sample:
        st.markdown(t("images.sample"))
        if st.button(t("images.add_sample"), type="primary", disabled=not SCENES.is_dir()):
            launch(workspace, str(SCENES))


def add_files(workspace: Workspace, files: Sequence[tuple[str, bytes]]) -> None:
    """Take the uploads in, once: the form forgets them afterwards."""
    intake = add_uploads(workspace, files, job_panel.Bar())
    st.session_state[UPLOADED] = (workspace.name, of_intake(intake))


def launch(workspace: Workspace, path: str) -> None:
    """Take a folder in, in a process of its own."""
    st.session_state.pop(UPLOADED, None)
    folder = jobs.new_folder(workspace.jobs, KIND)
    jobs.launch(folder, ["images", "add", path, "-w", str(workspace.root)])


def outcomes(workspace: Workspace) -> None:
    """What became of the files that came in last."""
    uploaded: tuple[str, Outcome] | None = st.session_state.get(UPLOADED)
    job = job_panel.latest(workspace.jobs, KIND)
    if uploaded and uploaded[0] == workspace.name:
        outcome_box(uploaded[1])
    elif job and job.state is State.FINISHED and job.result:
        outcome_box(of_result(job.result))
    elif job:
        job_panel.panel(job, t("images.job"))


def figures(images: Sequence[ImageRecord]) -> None:
    """What there is, in numbers."""
    labelled = sum(image.label is not None for image in images)
    sizes = sorted(image.width * image.height / 1e6 for image in images)
    columns = st.columns(4)
    columns[0].metric(t("images.count"), len(images), border=True)
    columns[1].metric(t("images.labelled"), labelled, border=True)
    columns[2].metric(
        t("images.label_maps"),
        sum(image.has_label_map for image in images),
        border=True,
        help=t("images.label_maps_help"),
    )
    columns[3].metric(
        t("images.size"), t("images.megapixels", n=f"{sizes[len(sizes) // 2]:.1f}"), border=True
    )


def gallery(workspace: Workspace, images: Sequence[ImageRecord]) -> None:
    """Thumbnails with names, labels and groups; a choice of them can be removed."""
    title, groups, labels, removing = st.columns([3, 2, 2, 2], vertical_alignment="bottom")
    title.subheader(t("images.gallery"), anchor=False)
    group = choice(groups, t("images.group"), "images-group", [image.group for image in images])
    label = choice(
        labels, t("images.label"), "images-label", [image.label for image in images if image.label]
    )
    remove = removing.toggle(t("images.choose_to_remove"), key="images-remove")
    images = [i for i in images if group in (None, i.group) and (label is None or label == i.label)]
    part = images[pictures.page_of(len(images), PER_PAGE, "images-page")]
    if remove:
        removal(workspace, part)
        return
    pictures.grid(
        [
            pictures.Picture(
                store.thumbnail(workspace, image.id),
                (image.name, " · ".join(filter(None, (image.label, image.group)))),
            )
            for image in part
        ],
        COLUMNS,
    )


def choice(column, title: str, key: str, values: Sequence[str]) -> str | None:
    """One of ``values`` or None for all; nothing to choose where there is only one."""
    counts = Counter(values)
    if len(counts) < 2:
        return None
    return select(
        title,
        [None, *sorted(counts)],
        lambda v: t("images.all") if v is None else f"{v} ({counts[v]})",
        column,
        key=key,
    )


def removal(workspace: Workspace, images: Sequence[ImageRecord]) -> None:
    """Thumbnails with a box to tick, and one button for all that are ticked."""
    with st.form("removal", border=False):
        columns = st.columns(COLUMNS)
        chosen = []
        for number, image in enumerate(images):
            with columns[number % COLUMNS]:
                pictures.show(pictures.Picture(store.thumbnail(workspace, image.id)))
                name = plain(pictures.breakable(pictures.shortened(image.name)))
                if st.checkbox(name, key=f"remove-{image.id}"):
                    chosen.append(image.id)
        label, kept = t("images.remove"), t("images.remove_help")
        if st.form_submit_button(label, icon=":material/delete:", help=kept):
            # Another window may have removed them meanwhile.
            with suppress(UserError):
                store.remove(workspace, chosen)
            st.rerun()


shell.run(show)
