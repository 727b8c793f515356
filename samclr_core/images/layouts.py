"""How data sets of scenes keep photos and label maps apart on disk, and which ids mean nothing.

A layout is found by its folders, wherever they lie below what was brought. To add one: a line in
:data:`LAYOUTS`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from samclr_core.images.instances import InstanceFile, InstanceMap
from samclr_core.images.sources import JSON, Entry


@dataclass(frozen=True)
class Layout:
    """Where a data set keeps what.

    Attributes:
        name: of the data set.
        image: the path of a photo below the root; its groups name its label map.
        label_map: that path, of the groups; or that of a COCO file with the instances of many.
        void: ids in the label maps that say nothing.
    """

    name: str
    image: re.Pattern[str]
    label_map: str
    void: tuple[int, ...] = ()


LAYOUTS = (
    # Ids that Cityscapes ignores in its own evaluation (cityscapesscripts, labels.py).
    Layout(
        "Cityscapes",
        re.compile(r"leftImg8bit/(?P<where>[^/]+/[^/]+)/(?P<name>[^/]+)_leftImg8bit\.png"),
        "gtFine/{where}/{name}_gtFine_labelIds.png",
        (0, 1, 2, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 29, 30),
    ),
    # SceneParsing: 0 is everything outside of the 150 classes.
    Layout(
        "ADE20K",
        re.compile(r"images/(?P<where>training|validation)/(?P<name>[^/]+)\.jpg"),
        "annotations/{where}/{name}.png",
        (0,),
    ),
    Layout(
        "BSDS500",
        re.compile(r"images/(?P<where>train|val|test)/(?P<name>[^/]+)\.jpg"),
        "groundTruth/{where}/{name}.mat",
    ),
    # As SegNet's authors gave it out, with 11 for unlabelled.
    Layout(
        "CamVid",
        re.compile(r"(?P<where>train|val|test)/(?P<name>[^/]+)\.png"),
        "{where}annot/{name}.png",
        (11,),
    ),
    Layout(
        "COCO",
        re.compile(r"(?P<where>(?:train|val)(?:2014|2017))/(?P<name>[^/]+)\.jpg"),
        "annotations/instances_{where}.json",
    ),
    Layout("scenes", re.compile(r"images/(?P<name>.+)\.\w+"), "labels/{name}.png"),
)


@dataclass(frozen=True)
class Scene:
    """A photo, its label map where there is one, and that map's void ids."""

    image: Entry
    label_map: Entry | InstanceMap | None
    void: tuple[int, ...]


def scenes(entries: Sequence[Entry]) -> list[Scene] | None:
    """The photos among ``entries`` with their label maps, or None where no layout has a map."""
    by_path = {str(entry.path): entry for entry in entries}
    for layout in LAYOUTS:
        root = _root(by_path, layout)
        if root is not None:
            return _below(root, by_path, layout)
    return None


def _root(by_path: dict[str, Entry], layout: Layout) -> PurePosixPath | None:
    """The folder below which a photo and its label map stand as the layout says; the first one."""
    roots = []
    for path in by_path:
        for match in _anywhere(layout, path):
            root = PurePosixPath(path[: match.start()])
            if str(root / layout.label_map.format(**match.groupdict())) in by_path:
                roots.append(root)
    return min(roots, default=None)


def _anywhere(layout: Layout, path: str) -> list[re.Match[str]]:
    """The layout's photo at the end of a path, below any of its folders."""
    starts = [0, *(match.end() for match in re.finditer("/", path))]
    matches = (layout.image.fullmatch(path, start) for start in starts)
    return [match for match in matches if match]


def _below(root: PurePosixPath, by_path: dict[str, Entry], layout: Layout) -> list[Scene]:
    found = []
    files: dict[str, InstanceFile] = {}
    start = 0 if root == PurePosixPath() else len(str(root)) + 1
    for path, entry in by_path.items():
        match = layout.image.fullmatch(path, start) if entry.path.is_relative_to(root) else None
        if match:
            beside = by_path.get(str(root / layout.label_map.format(**match.groupdict())))
            label_map: Entry | InstanceMap | None = beside
            if beside and beside.path.suffix == JSON:
                file = files.setdefault(str(beside.path), InstanceFile(beside))
                label_map = InstanceMap(file, entry.path)
            found.append(Scene(entry, label_map, layout.void))
    return found
