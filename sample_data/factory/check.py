"""Check that what was written agrees: label maps, instance maps, annotations and the table."""

import csv
import json
from pathlib import Path

import numpy as np
from PIL import Image
from pycocotools import mask as coco_mask

from .catalogue import VOID


def check(out: Path) -> list[str]:
    """Return what is wrong under `out`; an empty list means that all agrees."""
    return [*_check_scenes(out / "scenes"), *_check_probe(out / "probe")]


def _check_scenes(scenes: Path) -> list[str]:
    classes = json.loads((scenes / "classes.json").read_text(encoding="utf-8"))["classes"]
    coco = json.loads((scenes / "annotations.json").read_text(encoding="utf-8"))
    kinds = {entry["id"]: entry["kind"] for entry in classes}
    problems = []
    for image in coco["images"]:
        name = Path(image["file_name"]).stem
        with Image.open(scenes / "images" / image["file_name"]) as photo:
            size = photo.size
        labels, instances = (
            np.asarray(Image.open(scenes / folder / f"{name}.png"))
            for folder in ("labels", "instances")
        )
        own = [entry for entry in coco["annotations"] if entry["image_id"] == image["id"]]
        if not labels.shape == instances.shape == (size[1], size[0]):
            problems.append(f"{name}: sizes differ")
        elif found := _check_maps(labels, instances, own, kinds):
            problems += [f"{name}: {problem}" for problem in found]
    return problems


def _check_maps(labels, instances, annotations: list[dict], kinds: dict[int, str]) -> list[str]:
    problems = []
    unknown = set(np.unique(labels).tolist()) - set(kinds) - {VOID}
    if unknown:
        problems.append(f"unknown classes {sorted(unknown)}")
    with_instance = [number for number, kind in kinds.items() if kind != "stuff"]
    if not np.array_equal(instances > 0, np.isin(labels, with_instance)):
        problems.append("instances and label map disagree about what is stuff")
    annotated = {entry["instance"] for entry in annotations}
    if annotated != set(np.unique(instances).tolist()) - {0}:
        problems.append("instances and annotations differ")
    for entry in annotations:
        mask = instances == entry["instance"]
        if not _same(entry, mask, labels, kinds):
            problems.append(f"annotation {entry['id']} disagrees with the maps")
    return problems


def _same(entry: dict, mask: np.ndarray, labels: np.ndarray, kinds: dict[int, str]) -> bool:
    rows, columns = np.nonzero(mask)
    left, top = columns.min(), rows.min()
    box = [left, top, columns.max() + 1 - left, rows.max() + 1 - top]
    is_product = kinds[entry["category_id"]] == "product"
    return (
        np.array_equal(coco_mask.decode(entry["segmentation"]).astype(bool), mask)
        and entry["area"] == len(rows)
        and entry["bbox"] == [int(edge) for edge in box]
        and np.unique(labels[mask]).tolist() == [entry["category_id"]]
        and isinstance(entry["defect"], bool) == is_product
    )


def _check_probe(probe: Path) -> list[str]:
    with (probe / "labels.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    listed = {row["filename"] for row in rows}
    present = {path.relative_to(probe).as_posix() for path in probe.glob("*/*/*.jpg")}
    problems = [f"probe: {name} is only on one side" for name in sorted(listed ^ present)]
    for row in rows:
        if row["filename"].split("/")[:2] != [row["split"], row["label"]]:
            problems.append(f"probe: {row['filename']} contradicts its folder")
    return problems
