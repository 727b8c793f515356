"""Ground truth as maps of segments: from label maps, or from a COCO file of instances."""

import contextlib
import hashlib
import io
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np
from pycocotools.coco import COCO

from samclr_core.images import store
from samclr_core.images.catalogue import ImageRecord
from samclr_core.messages import UserError
from samclr_core.regions.quality.partition import segments_of
from samclr_core.workspace import Workspace

# Smaller parts of a label map are specks, which nobody could cut views from.
LEAST_SEGMENT = 0.0002

Truth = Callable[[ImageRecord], np.ndarray | None]
"""The segments of an image, int [H, W] as ``agreement`` takes them, or None."""


def from_label_maps(workspace: Workspace) -> Truth:
    """Connected parts of the classes of the workspace's label maps; everything else is void."""

    def segments(record: ImageRecord) -> np.ndarray | None:
        labels = store.label_map(workspace, record.id) if record.has_label_map else None
        return None if labels is None else segments_of(labels, store.VOID, LEAST_SEGMENT)

    return segments


def from_coco(path: Path) -> Truth:
    """The instances of a COCO file, found by an image's name, else by the last part of it.

    Where instances overlap, the smaller one is on top; crowds are void.

    Raises:
        UserError: it is no such file; when asked for an image of another size, that.
    """
    coco = _opened(path)
    by_name = {image["file_name"]: image for image in coco.imgs.values()}
    by_last = {PurePosixPath(name).name: image for name, image in by_name.items()}

    def segments(record: ImageRecord) -> np.ndarray | None:
        image = by_name.get(record.name) or by_last.get(PurePosixPath(record.name).name)
        if image is None:
            return None
        if (image["width"], image["height"]) != (record.width, record.height):
            raise UserError("regions.coco_size", name=record.name)
        return _painted(coco, image)

    return segments


def _opened(path: Path) -> COCO:
    try:
        # It tells on stdout how long it took, where only our result belongs.
        with contextlib.redirect_stdout(io.StringIO()):
            coco = COCO(str(path))
        if not all({"file_name", "width", "height"} <= set(i) for i in coco.imgs.values()):
            raise KeyError("file_name")
    except FileNotFoundError as error:
        raise UserError("regions.no_such_file", path=path) from error
    except (OSError, ValueError, KeyError, TypeError, AssertionError) as error:
        raise UserError("regions.bad_coco", name=path.name) from error
    if not coco.anns:
        raise UserError("regions.bad_coco", name=path.name)
    return coco


def _painted(coco: COCO, image: dict) -> np.ndarray:
    segments = np.zeros((image["height"], image["width"]), np.int64)
    marked = [a for a in coco.imgToAnns[image["id"]] if a.get("segmentation")]
    marked.sort(key=lambda a: (not a.get("iscrowd"), -a["area"]))
    for number, annotation in enumerate(marked, start=1):
        inside = coco.annToMask(annotation).astype(bool)
        segments[inside] = -1 if annotation.get("iscrowd") else number
    return segments


def digest(truth: np.ndarray) -> str:
    """12 hex digits that change when a map does."""
    return hashlib.sha256(repr(truth.shape).encode() + truth.tobytes()).hexdigest()[:12]
