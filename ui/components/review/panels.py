"""What a review came to: the summary to sign off, and files to and from other tools."""

import io
import zipfile
from datetime import datetime

import streamlit as st

from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.review import coco
from samclr_core.regions.review.changes import Changes
from samclr_core.regions.review.files import from_uploads
from samclr_core.regions.review.fold import review
from samclr_core.regions.review.incoming import Imported, take_in
from samclr_core.regions.review.label_maps import label_maps
from samclr_core.regions.review.summary import Summary, Worst, summarise
from samclr_core.views import review_effect
from samclr_core.views.config import ViewsConfig
from samclr_core.views.review_effect import Effect
from samclr_core.workspace import Workspace
from ui.components import job_panel, pictures
from ui.components.review import canvas
from ui.components.review.work import VERDICTS
from ui.i18n import language, plain, t

BOXES = {"go": st.success, "correct": st.warning, "tune": st.error, "agree": st.warning}
COLUMNS = 5
PAIRS = 500


def summary(workspace: Workspace, config: SegmenterConfig) -> None:
    """Everything a manager signs off, the recommendation first."""
    found = summarise(workspace, config)
    said = found.recommendation
    BOXES.get(said.action, st.info)(plain(said.text(language())), icon=":material/flag:")
    figures(found)
    changes(found.changes)
    effect(workspace)
    if found.worst:
        st.subheader(t("review.worst", count=len(found.worst)), anchor=False)
        st.caption(t("review.worst_help"))
        rows = [worst(workspace, config, row) for row in found.worst]
        pictures.grid(rows, COLUMNS)


def figures(found: Summary) -> None:
    """The shares, and how far two people agree."""
    columns = st.columns(5)
    columns[0].metric(
        t("review.reviewed"),
        t("review.of", done=found.reviewed, total=found.images),
        border=True,
    )
    for column, verdict in zip(columns[1:4], VERDICTS, strict=True):
        share = f"{found.share(verdict):.0%}" if found.reviewed else "–"
        column.metric(t(VERDICTS[verdict][0]), share, border=True)
    agreed = found.agreement
    kappa = f"{agreed.kappa:.2f}" if agreed and agreed.kappa is not None else "–"
    columns[4].metric(t("review.kappa"), kappa, border=True, help=t("review.kappa_help"))
    if agreed:
        one, other = map(plain, agreed.reviewers)
        st.caption(
            t(
                "review.agreed",
                one=one,
                other=other,
                images=agreed.images,
                same=f"{agreed.same:.0%}",
            )
        )
    elif len(found.reviewers) < 2:
        st.caption(t("review.one_reviewer"))


def changes(made: Changes) -> None:
    """What people changed, in one row of figures."""
    st.subheader(t("review.changes"), anchor=False)
    st.caption(t("review.changes_help", images=made.images))
    rows = (
        ("review.before", made.before),
        ("review.kept", made.kept),
        ("review.dropped", made.dropped),
        ("review.in_merged", made.merged),
        ("review.n_corrected", made.corrected),
        ("review.n_added", made.added),
        ("review.after", made.after),
    )
    for column, (label, count) in zip(st.columns(len(rows)), rows, strict=True):
        column.metric(t(label), count)
    if made.waiting:
        st.caption(t("review.waiting", count=made.waiting))


def effect(workspace: Workspace) -> None:
    """Pair purity before and after the review."""
    config = ViewsConfig.of(workspace.setting("views") or {})
    words, button = st.columns([4, 1], vertical_alignment="center")
    if button.button(t("review.measure"), icon=":material/straighten:", width="stretch"):
        review_effect.measure(workspace, PAIRS, 0, job_panel.Bar(), config)
    found = review_effect.last_measured(workspace, config)
    words.markdown(purity(found) if found else t("review.not_measured", pairs=PAIRS))


def purity(found: Effect) -> str:
    """The effect as a sentence; one whose interval holds 0 is called no difference."""
    values = {
        "before": f"{found.before.mean:.0%}",
        "after": f"{found.after.mean:.0%}",
        "low": f"{100 * found.difference.low:+.1f}",
        "high": f"{100 * found.difference.high:+.1f}",
    }
    sure = found.difference.low > 0 or found.difference.high < 0
    sentence = t("review.purity" if sure else "review.purity_same", **values)
    basis = "review.against_labels" if found.reference == "labels" else "review.against_regions"
    return f"{sentence} {t(basis)}"


def worst(workspace: Workspace, config: SegmenterConfig, row: Worst) -> pictures.Picture:
    """One of the worst images as it is now, with its verdict."""
    now = review(workspace, row.image_id, config)
    picture = canvas.thumbnail(workspace, now)
    verdict = t(VERDICTS[row.verdict][0])
    line = t("review.worst_line", verdict=verdict, who=row.who, lost=f"{row.lost:.0%}")
    comment = now.comments[-1].text if now.comments else ""
    return pictures.Picture(picture, (row.name, line, comment))


def files(workspace: Workspace, config: SegmenterConfig, who: str) -> None:
    """COCO and label maps, out and in."""
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader(t("review.export"), anchor=False)
        st.caption(t("review.export_help"))
        stamp = f"{workspace.name}-{datetime.now():%Y%m%d-%H%M}"
        st.download_button(
            t("review.export_coco"),
            lambda: coco.encoded(workspace, config),
            f"{stamp}-coco.json",
            "application/json",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            t("review.export_maps"),
            lambda: zipped(workspace, config),
            f"{stamp}-label-maps.zip",
            "application/zip",
            icon=":material/download:",
            on_click="ignore",
        )
    with right:
        st.subheader(t("review.import"), anchor=False)
        st.caption(t("review.import_help"))
        brought = st.file_uploader(
            t("review.import_file"),
            ["json", "png", "zip"],
            accept_multiple_files=True,
            label_visibility="collapsed",
        )
        if st.button(t("review.import_start"), disabled=not (brought and who)) and brought:
            uploads = [(file.name, file.getvalue()) for file in brought]
            taken(take_in(workspace, from_uploads(workspace, uploads, config), who, config))


def taken(done: Imported) -> None:
    """What came of a file."""
    st.success(
        t(
            "review.imported",
            images=done.images,
            events=done.events,
            added=done.added,
            corrected=done.corrected,
            kept=done.kept,
            known=done.known,
        ),
        icon=":material/check:",
    )
    if done.unknown:
        names = plain(", ".join(done.unknown[:5]))
        st.caption(t("review.unknown_images", count=len(done.unknown), names=names))


def zipped(workspace: Workspace, config: SegmenterConfig) -> bytes:
    """All label maps in one zip; PNGs are packed already."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in label_maps(workspace, config):
            archive.writestr(name, content)
    return buffer.getvalue()
