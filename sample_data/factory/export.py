"""Write the scenes: photographs, label maps, instance maps and COCO annotations."""

import json
from pathlib import Path

import numpy as np
from PIL import Image
from pycocotools import mask as coco_mask

from .cache import PHOTO_STREAM, Rendered, load, scene_rng
from .catalogue import CLASSES, as_json
from .photo import photograph

JPEG_QUALITY = 86


def export_scenes(cache: Path, out: Path, count: int, seed: int) -> None:
    """Write `count` finished scenes to `out`."""
    for folder in ("images", "labels", "instances"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    images, annotations = [], []
    for index in range(count):
        rendered = load(cache, "scenes", index)
        name = f"scene_{index:03d}"
        photo = photograph(rendered.picture, scene_rng(seed, "scenes", index, PHOTO_STREAM))
        photo.save(out / "images" / f"{name}.jpg", quality=JPEG_QUALITY, optimize=True)
        for folder, values in (("labels", rendered.labels), ("instances", rendered.instances)):
            Image.fromarray(values).save(out / folder / f"{name}.png", optimize=True)
        width, height = photo.size
        images.append({"id": index, "file_name": f"{name}.jpg", "width": width, "height": height})
        for annotation in _annotations(rendered):
            annotations.append({"id": len(annotations) + 1, "image_id": index, **annotation})
    _write_json(out / "classes.json", as_json(), indent=1)
    coco = {"images": images, "categories": _categories(), "annotations": annotations}
    _write_json(out / "annotations.json", coco)


def _write_json(path: Path, content: dict, indent: int | None = None) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=indent)
    path.write_text(text + "\n", encoding="utf-8")


def _categories() -> list[dict]:
    """Return the classes that have instances, under the ids of the label map."""
    return [
        {"id": entry.id, "name": entry.name, "name_ja": entry.name_ja, "supercategory": entry.kind}
        for entry in CLASSES
        if entry.kind != "stuff"
    ]


def _annotations(rendered: Rendered) -> list[dict]:
    """Return an annotation for every instance that shows at least one pixel."""
    found = []
    for instance in np.unique(rendered.instances[rendered.instances > 0]).tolist():
        mask = rendered.instances == instance
        run_lengths = coco_mask.encode(np.asfortranarray(mask))
        fact = rendered.facts.get(instance)
        found.append(
            {
                "category_id": int(rendered.labels[mask][0]),
                "instance": instance,
                "bbox": coco_mask.toBbox(run_lengths).astype(int).tolist(),
                "area": int(mask.sum()),
                "iscrowd": 0,
                "segmentation": {
                    "size": list(mask.shape),
                    "counts": run_lengths["counts"].decode("ascii"),
                },
                "defect": fact["defect"] if fact else None,
            }
        )
    return found
