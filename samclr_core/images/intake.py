"""Take in what a person brings: the good files are kept, each bad one is refused with a reason."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from samclr_core.images import catalogue, labels, layouts, sources, store
from samclr_core.images.catalogue import ImageRecord
from samclr_core.images.decode import decode, is_lossy
from samclr_core.images.instances import InstanceMap
from samclr_core.images.sources import GROUND_TRUTH, MATLAB, Entry, Refusal, Source
from samclr_core.jobs import Progress, silent
from samclr_core.messages import UserError
from samclr_core.paths import expanded
from samclr_core.workspace import Workspace


@dataclass
class Intake:
    """What became of the files that came in."""

    added: list[ImageRecord] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


@dataclass(frozen=True)
class Candidate:
    """An image file that may come in, with what is known of it."""

    entry: Entry
    group: str
    label: str | None = None
    label_map: Entry | InstanceMap | None = None
    void: tuple[int, ...] = ()


def add_paths(
    workspace: Workspace,
    paths: Iterable[str | Path],
    void: int | None = None,
    progress: Progress = silent,
) -> Intake:
    """Take in files, zips and folders of this machine.

    A folder that holds ``images/`` and ``labels/`` is a set of scenes with label maps: PNG files
    of class ids with the images' names. So are Cityscapes, ADE20K (SceneParsing), CamVid and
    BSDS500 in their own folders (:mod:`.layouts`). In all other folders the name of an image's own
    folder is its label, where that tells classes apart. A CSV with the columns ``filename`` and
    ``label`` goes over both, and labels images that are in the workspace already.

    Args:
        workspace: where they go.
        paths: files, zips or folders.
        void: the class id that means "no ground truth" in the label maps, beside 255.
        progress: called once a file.

    Raises:
        UserError: a path does not exist. Bad files do not raise: they are in ``refused``.
    """
    opened = [sources.from_path(expanded(path)) for path in paths]
    return _take_in(workspace, opened, void, progress)


def add_uploads(
    workspace: Workspace,
    uploads: Iterable[tuple[str, bytes]],
    progress: Progress = silent,
) -> Intake:
    """Take in uploaded files as pairs of name and content, with the rules of :func:`add_paths`."""
    opened: list[Source] = []
    loose: list[Source] = []
    refused: list[Refusal] = []
    for name, content in uploads:
        try:
            source = sources.from_upload(name, content)
        except UserError as error:
            refused.append(Refusal(name, error))
            continue
        (loose if source.name == "upload" else opened).append(source)
    if loose:
        # Files picked together belong together: a CSV among them labels the others.
        opened.append(Source("upload", [entry for s in loose for entry in s.entries], []))
    intake = _take_in(workspace, opened, None, progress)
    intake.refused[:0] = refused
    return intake


def _take_in(
    workspace: Workspace, opened: Sequence[Source], void: int | None, progress: Progress
) -> Intake:
    intake = Intake()
    candidates = []
    for source in opened:
        intake.refused += source.refused
        candidates += _candidates(workspace, source, void, intake)
    progress(0, len(candidates))
    for number, candidate in enumerate(candidates, start=1):
        _import_one(workspace, candidate, intake)
        progress(number, len(candidates), str(candidate.entry.path))
    return intake


def _candidates(
    workspace: Workspace, source: Source, void: int | None, intake: Intake
) -> list[Candidate]:
    from_csv = _csv_labels(source.entries, intake)
    _label_known_images(workspace, from_csv)
    entries = [entry for entry in source.entries if entry.path.suffix.lower() != ".csv"]
    scenes = layouts.scenes(entries)
    if scenes is not None:
        own = () if void is None else (void,)
        return [
            Candidate(scene.image, source.name, label_map=scene.label_map, void=scene.void + own)
            for scene in scenes
        ]
    entries = _without_ground_truth(entries)
    from_folder = labels.folder_labels(entry.path for entry in entries)
    return [
        Candidate(
            entry,
            source.name,
            label=labels.csv_label(entry.path, from_csv) or from_folder.get(entry.path),
        )
        for entry in entries
    ]


def _without_ground_truth(entries: list[Entry]) -> list[Entry]:
    """Beside photos, files that belong to no layout are nobody's business."""
    photos = [entry for entry in entries if entry.path.suffix not in GROUND_TRUTH]
    return photos or entries


def _csv_labels(entries: Sequence[Entry], intake: Intake) -> dict[str, str]:
    found = {}
    for entry in entries:
        if entry.path.suffix.lower() != ".csv":
            continue
        try:
            rows = labels.csv_rows(entry.read(), str(entry.path))
            found.update({row["filename"]: row["label"] for row in rows})
        except UserError as error:
            intake.refused.append(Refusal(str(entry.path), error))
    return found


def _label_known_images(workspace: Workspace, from_csv: dict[str, str]) -> None:
    if not from_csv:
        return
    for image in catalogue.records(workspace):
        label = labels.csv_label(PurePosixPath(image.name), from_csv)
        if label and label != image.label:
            catalogue.put(workspace, replace(image, label=label))


def _import_one(workspace: Workspace, candidate: Candidate, intake: Intake) -> None:
    name = str(candidate.entry.path)
    try:
        content = candidate.entry.read()
        pixels = decode(content, name)
    except OSError:
        intake.refused.append(Refusal(name, UserError("images.unreadable", name=name)))
        return
    except UserError as error:
        intake.refused.append(Refusal(name, error))
        return
    image_id = store.content_id(pixels)
    known = catalogue.find(workspace, image_id)
    if known:
        intake.duplicates.append(name)
    else:
        store.save(workspace, image_id, pixels, lossy=is_lossy(content))
    has_label_map = _import_label_map(workspace, image_id, pixels, candidate, intake)
    image = ImageRecord(
        id=image_id,
        name=known.name if known else name,
        width=pixels.shape[1],
        height=pixels.shape[0],
        label=candidate.label or (known.label if known else None),
        group=known.group if known else candidate.group,
        has_label_map=has_label_map or bool(known and known.has_label_map),
    )
    catalogue.put(workspace, image)
    if not known:
        intake.added.append(image)


def _import_label_map(
    workspace: Workspace,
    image_id: str,
    pixels: np.ndarray,
    candidate: Candidate,
    intake: Intake,
) -> bool:
    if candidate.label_map is None:
        return False
    name = str(candidate.label_map.path)
    try:
        classes = _classes(candidate.label_map)
    except (OSError, SyntaxError, ValueError, UserError):
        intake.refused.append(Refusal(name, UserError("images.bad_label_map", name=name)))
        return False
    if classes is None:
        return False
    if classes.ndim != 2 or classes.shape != pixels.shape[:2] or classes.max() > store.VOID:
        intake.refused.append(Refusal(name, UserError("images.bad_label_map", name=name)))
        return False
    classes = np.where(np.isin(classes, candidate.void), store.VOID, classes)
    store.save_label_map(workspace, image_id, classes)
    return True


def _matlab_segments(content: io.BytesIO) -> np.ndarray:
    from scipy.io import loadmat

    try:
        return loadmat(content)["groundTruth"][0, 0]["Segmentation"][0, 0]
    except Exception as error:
        # What scipy raises depends on where a broken file breaks off.
        raise ValueError("no segmentation in it") from error


def _classes(label_map: Entry | InstanceMap) -> np.ndarray | None:
    """Class ids per pixel, [H, W]; of BSDS500's several people the first one's segments.

    None where a COCO file does not know the photo.
    """
    if isinstance(label_map, InstanceMap):
        return label_map.classes()
    content = io.BytesIO(label_map.read())
    if label_map.path.suffix == MATLAB:
        return _matlab_segments(content)
    # A palette's indices are the class ids, so the file is not converted to RGB here.
    with Image.open(content, formats=["PNG"]) as image:
        return np.array(image)
