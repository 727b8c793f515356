"""Which labelled images the probe is fitted on, and which it is judged by."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from samclr_core.messages import UserError


@dataclass(frozen=True)
class Split:
    """A division of labelled images.

    Attributes:
        train: indices of the images to fit on, int [M], ordered by content id.
        test: indices of the images to judge by, int [N], ordered by content id.
        classes: names, sorted; a label's number is its place in here.
        labels: int [all images], -1 for an image that is in neither.
        official: whether the data set's own split was used.
        dropped: classes left out, for want of a train or a test image.
    """

    train: np.ndarray
    test: np.ndarray
    classes: list[str]
    labels: np.ndarray
    official: bool
    dropped: list[str]


def split(names: Sequence[str], official: Sequence[str | None], ids: Sequence[str]) -> Split:
    """The data set's own split where it has both parts, else half of every class for each.

    Halves are drawn with a fixed seed from the images sorted by content, so that all runs, and a
    data set copied elsewhere, are judged by the same images; an odd class has one more in train.

    Args:
        names: the class of each image.
        official: ``train``, ``test`` or None for each.
        ids: the content id of each, all different.

    Raises:
        UserError: fewer than two classes have an image for either part.
    """
    parts, is_official = np.array([part or "" for part in official]), True
    if not {"train", "test"} <= set(parts):
        parts, is_official = _halves(np.array(names), np.array(ids)), False
    label_names = np.array(names)
    usable = set(label_names[parts == "train"]) & set(label_names[parts == "test"])
    classes = sorted(str(name) for name in usable)
    if len(classes) < 2:
        raise UserError("evaluation.too_few_classes", found=len(classes))
    number = {name: index for index, name in enumerate(classes)}
    labels = np.array([number.get(name, -1) for name in names])
    labels[parts == ""] = -1
    return Split(
        train=_by_content((parts == "train") & (labels >= 0), ids),
        test=_by_content((parts == "test") & (labels >= 0), ids),
        classes=classes,
        labels=labels,
        official=is_official,
        dropped=sorted({str(name) for name in names} - usable),
    )


def _by_content(chosen: np.ndarray, ids: Sequence[str]) -> np.ndarray:
    indices = np.flatnonzero(chosen)
    return indices[np.argsort(np.array(ids)[indices])]


def _halves(names: np.ndarray, ids: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(0)
    parts = np.full(len(names), "train", dtype="U5")
    for name in np.unique(names):
        members = np.flatnonzero(names == name)
        members = rng.permutation(members[np.argsort(ids[members])])
        parts[members[: len(members) // 2]] = "test"
    return parts
