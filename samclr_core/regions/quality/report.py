"""All figures of a workspace's images, their lights, and the images in groups, worst first."""

import math
import re
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from samclr_core.images import catalogue
from samclr_core.images.catalogue import ImageRecord
from samclr_core.jobs import Progress, silent
from samclr_core.messages import UserError
from samclr_core.regions import store
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.quality.agreement import agreement
from samclr_core.regions.quality.figures import SIZE_EDGES, figures
from samclr_core.regions.quality.lights import MEASURES, POINTS, lights
from samclr_core.regions.quality.references import LabelMaps, Truth
from samclr_core.regions.quality.shake import shaken
from samclr_core.regions.region import RegionSet
from samclr_core.workspace import Workspace, read_json, write_json

# Goes up when a figure is defined anew, so that what was cached before is made again.
DEFINITIONS = 1
REST = "–"


@dataclass(frozen=True)
class ImageQuality:
    """One image's figures.

    Attributes:
        record: the image.
        values: figures by name, as in ``MEASURES``, and ``seconds``; those that are not known are
            not there.
        sizes: how many regions have an area between each two of ``SIZE_EDGES``.
    """

    record: ImageRecord
    values: dict[str, float]
    sizes: tuple[int, ...]

    def points(self, names: Iterable[str]) -> float:
        """Mean of the lights of the figures ``names``: green 1, amber 0.5, red 0."""
        found = lights({name: self.values[name] for name in names})
        return statistics.fmean(POINTS[one] for one in found.values()) if found else 0.0


@dataclass(frozen=True)
class Group:
    """Images that belong together.

    Attributes:
        name: the folder, label, or what the pattern found.
        points: mean of the images' points, 0 (all red) to 1 (all green).
        values: the middle of each figure.
        images: worst first.
    """

    name: str
    points: float
    values: dict[str, float]
    images: tuple[ImageQuality, ...]


def measure(
    workspace: Workspace,
    config: SegmenterConfig | None = None,
    truth: Truth | None = None,
    progress: Progress = silent,
) -> list[ImageQuality]:
    """The figures of every image that has regions, from the cache where they are known.

    Args:
        workspace: whose images.
        config: the settings that made the regions; the current ones by default.
        truth: ground truth; the workspace's label maps by default.
        progress: told after every image.

    Raises:
        UserError: no image has regions yet, or ``truth`` fits none of them.
    """
    config = config or store.current(workspace)
    records = catalogue.records(workspace)
    cut = [r for r in records if config and store.has(workspace, r.id, config)]
    if not config or not cut:
        raise UserError("regions.no_regions")
    found = []
    for number, record in enumerate(cut, start=1):
        found.append(_of_image(workspace, record, config, truth or LabelMaps(workspace)))
        progress(number, len(cut), record.name)
    if truth and not any("covering" in row.values for row in found):
        raise UserError("regions.coco_no_match")
    return found


def middle(rows: Sequence[ImageQuality]) -> dict[str, float]:
    """The median of each figure over those images that have it: one odd photo does not decide."""
    names = [n for n in (*MEASURES, "seconds") if any(n in row.values for row in rows)]
    return {n: statistics.median(r.values[n] for r in rows if n in r.values) for n in names}


def sizes(rows: Sequence[ImageQuality]) -> list[int]:
    """The regions of all images, counted between each two of ``SIZE_EDGES``."""
    return np.sum([row.sizes for row in rows], axis=0).tolist()


def groups(rows: Sequence[ImageQuality], by: str) -> list[Group]:
    """The images in groups, worst first: fewest points, then least coverage.

    Only figures that every image has give points, so that a sample that was looked at more closely
    is not judged by other figures than the rest.

    Args:
        rows: what :func:`measure` found.
        by: ``folder``, ``label``, or a regular expression that is searched for in the names: its
            first group, or all it matches, is the name of the group.

    Raises:
        UserError: ``by`` is no regular expression.
    """
    common = [name for name in MEASURES if all(name in row.values for row in rows)]
    key = _key(by)
    members: dict[str, list[ImageQuality]] = {}
    for row in sorted(rows, key=lambda r: (r.points(common), r.values["coverage"])):
        members.setdefault(key(row.record), []).append(row)
    found = [
        Group(name, statistics.fmean(i.points(common) for i in images), middle(images), (*images,))
        for name, images in members.items()
    ]
    return sorted(found, key=lambda group: (group.points, group.values["coverage"]))


def to_json(rows: Sequence[ImageQuality], by: str | None = None, worst: int = 3) -> dict[str, Any]:
    """The whole report as plain values; ``worst`` images are named in each group."""
    report: dict[str, Any] = {
        "images": len(rows),
        "with_truth": sum("covering" in row.values for row in rows),
        "shaken": sum("shift_iou" in row.values for row in rows),
        "figures": _lit(middle(rows)),
        "sizes": {"edges": SIZE_EDGES, "regions": sizes(rows)},
    }
    if by:
        report["groups"] = [
            {
                "group": group.name,
                "images": len(group.images),
                "points": round(group.points, 3),
                "figures": _lit(group.values),
                "worst": [image.record.name for image in group.images[:worst]],
            }
            for group in groups(rows, by)
        ]
    return report


def _lit(values: dict[str, float]) -> dict[str, dict[str, Any]]:
    return {
        name: {"median": round(values[name], 4), "light": one.value}
        for name, one in lights(values).items()
    }


def _key(by: str):
    if by == "folder":
        return lambda record: str(PurePosixPath(record.group) / PurePosixPath(record.name).parent)
    if by == "label":
        return lambda record: record.label or REST
    try:
        pattern = re.compile(by)
    except re.error as error:
        raise UserError("regions.bad_pattern", pattern=by, reason=error) from error

    def found(record: ImageRecord) -> str:
        match = pattern.search(record.name)
        return (match[1] if pattern.groups else match[0]) or REST if match else REST

    return found


def _of_image(
    workspace: Workspace, record: ImageRecord, config: SegmenterConfig, truth: Truth
) -> ImageQuality:
    made_with = {"truth": truth.key(record), "definitions": DEFINITIONS}
    path = workspace.cache / "quality" / config.digest() / f"{record.id}.json"
    kept = read_json(path, {})
    if {name: kept.get(name) for name in made_with} != made_with:
        regions = store.read(workspace, record.id, config)
        assert regions is not None
        segments = truth.segments(record) if made_with["truth"] else None
        kept = made_with | _measured(regions, segments)
        write_json(path, kept)
    known = shaken(workspace, record.id, config)
    values = kept["values"] | (_known(asdict(known)) if known else {})
    return ImageQuality(record, values, tuple(kept["sizes"]))


def _measured(regions: RegionSet, segments: np.ndarray | None) -> dict[str, Any]:
    values = asdict(figures(regions))
    counts = values.pop("sizes")
    found = agreement(regions, segments) if segments is not None else None
    return {"values": _known(values | (asdict(found) if found else {})), "sizes": counts}


def _known(values: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in values.items() if not math.isnan(value)}
