"""Ground truth as maps of segments: from label maps, or from a COCO file of instances."""

import hashlib
from pathlib import Path
from typing import Protocol

import numpy as np
from pycocotools.coco import COCO

from samclr_core.images import instances, store
from samclr_core.images.catalogue import ImageRecord
from samclr_core.images.names import ByFileName
from samclr_core.messages import UserError
from samclr_core.regions.quality.partition import segments_of
from samclr_core.workspace import Workspace

# Smaller parts of a label map are specks, which nobody could cut views from.
LEAST_SEGMENT = 0.0002


class Truth(Protocol):
    """Where ground truth comes from."""

    def key(self, record: ImageRecord) -> str:
        """12 hex digits that change when the truth of an image does; empty where there is none."""

    def segments(self, record: ImageRecord) -> np.ndarray:
        """The segments of an image that has a key, int [H, W] as ``agreement`` takes them."""


class LabelMaps:
    """Connected parts of the classes of a workspace's label maps; everything else is void."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def key(self, record: ImageRecord) -> str:
        if not record.has_label_map:
            return ""
        return _digest((self.workspace.label_maps / f"{record.id}.png").read_bytes())

    def segments(self, record: ImageRecord) -> np.ndarray:
        labels = store.label_map(self.workspace, record.id)
        assert labels is not None
        return segments_of(labels, store.VOID, LEAST_SEGMENT)


class CocoFile:
    """The instances of a COCO file, found by an image's name, else by the last part of it
    where only one of the file's images has that.

    Where instances overlap, the smaller one is on top; crowds are void.
    """

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            UserError: it is not there, or is no such file.
        """
        self.coco = _opened(path)
        self.digest = _digest(path.read_bytes())
        images = {image["file_name"]: image for image in self.coco.imgs.values()}
        self.by_name: ByFileName[dict] = ByFileName(images)

    def key(self, record: ImageRecord) -> str:
        return self.digest if self.by_name.find(record.name) else ""

    def segments(self, record: ImageRecord) -> np.ndarray:
        """As :meth:`Truth.segments`.

        Raises:
            UserError: the file gives the image another size.
        """
        image = self.by_name.find(record.name)
        assert image is not None
        if (image["width"], image["height"]) != (record.width, record.height):
            raise UserError("regions.coco_size", name=record.name)
        return instances.painted(self.coco, image, 0, -1, lambda number, one: number)


def _opened(path: Path) -> COCO:
    try:
        return instances.parsed(path.read_bytes())
    except FileNotFoundError as error:
        raise UserError("regions.no_such_file", path=path) from error
    except (OSError, ValueError) as error:
        raise UserError("regions.bad_coco", name=path.name) from error


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
