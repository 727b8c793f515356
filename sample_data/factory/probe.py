"""Cut the probe set: labelled crops of well visible products from scenes of their own."""

import csv
import shutil
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from .cache import PHOTO_STREAM, Rendered, load, scene_rng, stem
from .photo import photograph

SPLITS = ("train", "test")
MIN_VISIBLE, MIN_SIDE = 0.6, 36
CONTEXT = (0.10, 0.25)  # share of the object's longer side that is added all round
LONG_SIDE = 128
PER_CLASS = 64
JPEG_QUALITY = 82
CROP_STREAM = 2


@dataclass(frozen=True)
class Crop:
    """One labelled crop."""

    image: Image.Image
    name: str
    defect: bool
    source: str


def export_probe(cache: Path, out: Path, scenes_per_split: int, seed: int) -> None:
    """Write the crops of both splits and their table; older crops are removed first."""
    rows = []
    for split in SPLITS:
        shutil.rmtree(out / split, ignore_errors=True)
        by_class: dict[str, list[Crop]] = defaultdict(list)
        for index in range(scenes_per_split):
            for crop in _crops(cache, split, index, seed):
                by_class[crop.name].append(crop)
        for name, crops in sorted(by_class.items()):
            rows += _save(out, split, name, crops)
    with (out / "labels.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["filename", "label", "defect", "split", "source"])
        writer.writerows(rows)


def _save(out: Path, split: str, name: str, crops: list[Crop]) -> list[tuple]:
    """Write up to PER_CLASS crops of a class, evenly chosen from all its scenes."""
    folder = out / split / name
    folder.mkdir(parents=True, exist_ok=True)
    picks = np.linspace(0, len(crops) - 1, min(len(crops), PER_CLASS)).round().astype(int)
    rows = []
    for number, pick in enumerate(picks.tolist()):
        crop = crops[pick]
        path = folder / f"{number:04d}.jpg"
        crop.image.save(path, quality=JPEG_QUALITY, optimize=True)
        defect = "true" if crop.defect else "false"
        rows.append((path.relative_to(out).as_posix(), name, defect, split, crop.source))
    return rows


def _crops(cache: Path, split: str, index: int, seed: int) -> list[Crop]:
    """Return the crops of all products of a scene that are large and visible enough."""
    rendered = load(cache, split, index)
    photo = photograph(rendered.picture, scene_rng(seed, split, index, PHOTO_STREAM))
    rng = scene_rng(seed, split, index, CROP_STREAM)
    crops = []
    for instance, fact in rendered.facts.items():
        box = _visible_box(rendered, instance, fact["whole_area"])
        if box is None:
            continue
        crop = photo.crop(_with_context(box, photo.size, rng))
        crop.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.LANCZOS)
        crops.append(Crop(crop, fact["class"], fact["defect"], stem(cache, split, index).name))
    return crops


def _visible_box(rendered: Rendered, instance: int, whole_area: int):
    """Return left, top, right, bottom of an object, or None if too little of it shows."""
    rows, columns = np.nonzero(rendered.instances == instance)
    if len(rows) < MIN_VISIBLE * whole_area or not len(rows):
        return None
    box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    long_enough = max(box[2] - box[0], box[3] - box[1]) >= MIN_SIDE
    return tuple(int(edge) for edge in box) if long_enough else None


def _with_context(box, size: tuple[int, int], rng: np.random.Generator):
    """Return a square around the box with drawn context, cut off at the picture's edge."""
    left, top, right, bottom = box
    half = max(right - left, bottom - top) * (0.5 + rng.uniform(*CONTEXT))
    x, y = (left + right) / 2, (top + bottom) / 2
    return (
        max(0, round(x - half)),
        max(0, round(y - half)),
        min(size[0], round(x + half)),
        min(size[1], round(y + half)),
    )
