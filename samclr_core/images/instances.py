"""Label maps from a COCO file of instances: what lies where is the instance's category."""

import contextlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from pycocotools.coco import COCO

from samclr_core.images.names import ByFileName
from samclr_core.images.sources import Entry
from samclr_core.images.store import VOID
from samclr_core.messages import UserError


class InstanceFile:
    """A file of instances, read when the first of its images asks."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry

    @cached_property
    def _content(self) -> COCO | None:
        # A broken one is read once, too: some hundred thousand photos may ask.
        try:
            return parsed(self.entry.read())
        except (OSError, ValueError, UserError):
            return None

    @property
    def coco(self) -> COCO:
        """The file's content.

        Raises:
            ValueError: it is no such file, or cannot be read.
        """
        if self._content is None:
            raise ValueError(f"{self.entry.path} is no COCO file of instances")
        return self._content

    @cached_property
    def images(self) -> ByFileName[dict]:
        """Its images by their names."""
        return ByFileName({image["file_name"]: image for image in self.coco.imgs.values()})


@dataclass(frozen=True)
class InstanceMap:
    """The label map of one photo of a file.

    Attributes:
        file: of the instances.
        photo: path of the photo.
    """

    file: InstanceFile
    photo: PurePosixPath

    @property
    def path(self) -> PurePosixPath:
        return self.file.entry.path

    def classes(self) -> np.ndarray | None:
        """Category ids, int [H, W], void where there is no instance or a crowd; None where the
        file does not know the photo.

        Raises:
            ValueError: the file is no COCO file of instances, or one of the photo's is broken.
        """
        coco, image = self.file.coco, self.file.images.find(str(self.photo))
        if image is None:
            return None
        try:
            return painted(coco, image, VOID, VOID, lambda number, one: one["category_id"])
        except (KeyError, IndexError) as error:
            raise ValueError(f"an instance of {self.photo} is broken") from error


def parsed(content: bytes) -> COCO:
    """A COCO file of instances.

    Raises:
        ValueError: it is none.
    """
    coco = COCO()
    try:
        coco.dataset = json.loads(content)
        # It tells on stdout what it does, where only our result belongs.
        with contextlib.redirect_stdout(io.StringIO()):
            coco.createIndex()
        named = all({"file_name", "width", "height"} <= set(i) for i in coco.imgs.values())
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("no COCO file") from error
    if not named or not coco.anns:
        raise ValueError("no COCO file of instances")
    return coco


def painted(
    coco: COCO,
    image: dict[str, Any],
    ground: int,
    void: int,
    value: Callable[[int, dict[str, Any]], int],
) -> np.ndarray:
    """An image's instances as a picture, int [H, W]; where two overlap, the smaller is on top.

    Args:
        coco: the file.
        image: its entry.
        ground: of what no instance covers.
        void: of crowds.
        value: of an instance, from its number, from 1, and its entry.
    """
    found = np.full((image["height"], image["width"]), ground, np.int64)
    marked = [one for one in coco.imgToAnns[image["id"]] if one.get("segmentation")]
    marked.sort(key=lambda one: (not one.get("iscrowd"), -one["area"]))
    for number, one in enumerate(marked, start=1):
        found[coco.annToMask(one).astype(bool)] = void if one.get("iscrowd") else value(number, one)
    return found
