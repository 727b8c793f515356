"""Labelled images to evaluate on, read where they lie: class folders or a CSV."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from samclr_core.images import labels
from samclr_core.images.decode import SUFFIXES
from samclr_core.messages import UserError
from samclr_core.paths import expanded


@dataclass(frozen=True)
class LabelledImage:
    """One labelled image file.

    Attributes:
        path: the file.
        name: its path within the data set.
        label: its class.
        split: ``train`` or ``test`` where the data set says so, else None.
        source: the photo it was cut from where the data set says so, else its folder.
    """

    path: Path
    name: str
    label: str
    split: str | None
    source: str


def read_labelled_folder(folder: str | Path) -> list[LabelledImage]:
    """The labelled images of ``folder``, sorted by name.

    With a ``labels.csv`` (columns ``filename``, ``label``, optionally ``split`` and ``source``)
    in it, that is the list. Else an image's own folder is its class, and ``train/`` and ``test/``
    (or ``val/``) above the class folders are the official split.

    Raises:
        UserError: no such folder, a CSV without the columns, or fewer than two classes.
    """
    folder = expanded(folder)
    if not folder.is_dir():
        raise UserError("images.no_such_folder", path=folder)
    listed = folder / "labels.csv"
    found = _from_csv(folder, listed) if listed.exists() else _from_folders(folder)
    if len({image.label for image in found}) < 2:
        raise UserError("images.no_classes", path=folder)
    return sorted(found, key=lambda image: image.name)


def _from_csv(folder: Path, listed: Path) -> list[LabelledImage]:
    rows = labels.csv_rows(listed.read_bytes(), listed.name)
    return [
        LabelledImage(
            path=folder / row["filename"],
            name=row["filename"],
            label=row["label"],
            split=labels.SPLITS.get((row.get("split") or "").lower()),
            source=row.get("source") or str(PurePosixPath(row["filename"]).parent),
        )
        for row in rows
    ]


def _from_folders(folder: Path) -> list[LabelledImage]:
    files = [path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES]
    names = {PurePosixPath(path.relative_to(folder).as_posix()): path for path in files}
    return [
        LabelledImage(names[name], str(name), label, labels.split_of(name), str(name.parent))
        for name, label in labels.folder_labels(names).items()
    ]
