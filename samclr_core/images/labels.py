"""Where a label comes from: the folder an image lies in, or a CSV beside it."""

import csv
import io
from collections.abc import Iterable
from pathlib import PurePosixPath

from samclr_core.messages import UserError

# Folder names that say what role the images play, not what is on them.
SPLITS = {"train": "train", "training": "train", "test": "test", "val": "test", "valid": "test"}
NO_LABELS = {*SPLITS, "", "images", "image", "img", "photos"}


def folder_labels(paths: Iterable[PurePosixPath]) -> dict[PurePosixPath, str]:
    """The name of each image's own folder, where these names tell at least two classes apart."""
    labels = {path: path.parent.name for path in paths}
    labels = {path: name for path, name in labels.items() if name.lower() not in NO_LABELS}
    return labels if len(set(labels.values())) > 1 else {}


def split_of(path: PurePosixPath) -> str | None:
    """``train`` or ``test``, where a folder above the image says so."""
    for part in path.parts[:-1]:
        if part.lower() in SPLITS:
            return SPLITS[part.lower()]
    return None


def csv_rows(content: bytes, name: str) -> list[dict[str, str]]:
    """The rows of a CSV with the columns ``filename`` and ``label``, UTF-8 or Shift-JIS.

    Raises:
        UserError: it cannot be read, or a column is missing.
    """
    reader = csv.DictReader(io.StringIO(_text(content, name)), skipinitialspace=True)
    if not {"filename", "label"} <= set(reader.fieldnames or ()):
        raise UserError("images.csv_columns", name=name)
    try:
        return [row for row in reader if row["filename"] and row["label"]]
    except csv.Error as error:
        raise UserError("images.csv_unreadable", name=name) from error


def csv_label(path: PurePosixPath, labels: dict[str, str]) -> str | None:
    """The CSV's label of ``path``, found by its whole path or by its name alone."""
    return labels.get(str(path)) or labels.get(path.name)


def _text(content: bytes, name: str) -> str:
    # Excel in Japan writes cp932; the other encodings in use are UTF-8 with and without a mark.
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UserError("images.csv_unreadable", name=name)
