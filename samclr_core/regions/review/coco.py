"""A review as a COCO instances file, and somebody's COCO file as a review.

A file of ours is an ordinary COCO instances file with fields of our own: every image carries its
verdicts and comments, every annotation where its region came from and who decided what, and the
key ``samclr`` the whole log. Dropped regions are not among the annotations.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from pycocotools import mask as coco
from pydantic import BaseModel, ValidationError

from samclr_core.images import catalogue
from samclr_core.images.catalogue import ImageRecord
from samclr_core.images.names import ByFileName
from samclr_core.messages import UserError
from samclr_core.regions import rle, store
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.region import Region
from samclr_core.regions.review import events as log
from samclr_core.regions.review.events import Event
from samclr_core.regions.review.fold import Review, Reviewed, review
from samclr_core.regions.review.incoming import Incoming, refuse_other_size, refuse_strangers
from samclr_core.workspace import Workspace

CATEGORY = {"id": 1, "name": "region", "supercategory": "region"}


def dataset(workspace: Workspace, config: SegmenterConfig | None = None) -> dict[str, Any]:
    """The regions in use and all that was said about them, as a COCO instances file's content.

    Args:
        workspace: whose review.
        config: the settings that made the automatic regions; by default the current ones.
    """
    config = config or store.current(workspace)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, record in enumerate(catalogue.records(workspace), start=1):
        now = review(workspace, record.id, config)
        images.append(_image(number, record, now))
        for item in now.kept:
            annotations.append(_annotation(len(annotations) + 1, number, item))
    return {
        "info": {"description": workspace.name},
        "licenses": [],
        "categories": [CATEGORY],
        "images": images,
        "annotations": annotations,
        "samclr": {
            "segmenter": config.model_dump(mode="json") if config else None,
            "events": [event.to_json() for event in log.everything(workspace)],
        },
    }


def encoded(workspace: Workspace, config: SegmenterConfig | None = None) -> bytes:
    """The content of :func:`dataset` as a file, UTF-8."""
    return json.dumps(dataset(workspace, config), ensure_ascii=False).encode()


def _image(number: int, record: ImageRecord, now: Review) -> dict[str, Any]:
    return {
        "id": number,
        "file_name": record.name,
        "width": record.width,
        "height": record.height,
        "samclr_id": record.id,
        "verdict": now.verdict.text if now.verdict else None,
        "verdicts": [_said(event) for event in now.verdicts.values()],
        "comments": [_said(event) for event in now.comments],
    }


def _said(event: Event) -> dict[str, str]:
    return {"text": event.text, "who": event.who, "when": event.when}


def _annotation(number: int, image: int, item: Reviewed) -> dict[str, Any]:
    region = item.region
    return {
        "id": number,
        "image_id": image,
        "category_id": CATEGORY["id"],
        "segmentation": region.rle,
        "bbox": list(region.bbox),
        "area": region.area,
        "iscrowd": 0,
        "region_id": region.id,
        "predicted_iou": region.predicted_iou,
        "stability_score": region.stability_score,
        "point": list(region.point),
        "origin": item.origin,
        "decision": item.event.kind if item.event else None,
        "who": item.event.who if item.event else None,
        "when": item.event.when if item.event else None,
    }


class _Image(BaseModel):
    id: int | str
    file_name: str
    width: int | None = None
    height: int | None = None
    samclr_id: str | None = None


class _Runs(BaseModel):
    size: tuple[int, int]
    counts: str | list[int]


class _Annotation(BaseModel):
    image_id: int | str
    segmentation: _Runs | list[list[float]]
    predicted_iou: float = 1.0
    stability_score: float = 1.0
    point: tuple[float, float] | None = None


class _Ours(BaseModel):
    events: list[dict[str, Any]] = []


class _Dataset(BaseModel):
    images: list[_Image]
    annotations: list[_Annotation]
    samclr: _Ours = _Ours()


def read(workspace: Workspace, content: bytes) -> Incoming:
    """What a COCO instances file says: ours with its log, or anybody's regions.

    Images are found by our id, by their whole name, or by the last part of it.

    Args:
        workspace: that has the images.
        content: of the file.

    Raises:
        UserError: it is no such file, none of its images is here, an image has another size, or a
            mask is broken.
    """
    found = _parsed(content)
    here = _matched(workspace, found.images)
    masks = defaultdict(list)
    for annotation in _wanted(found, here):
        record = here[annotation.image_id]
        masks[record.id].append(_region(annotation, record))
    ids = {image.samclr_id: here[image.id].id for image in found.images if image.id in here}
    unknown = tuple(image.file_name for image in found.images if image.id not in here)
    return Incoming(len(here), unknown, masks, _events(found.samclr, ids))


def _parsed(content: bytes) -> _Dataset:
    try:
        return _Dataset.model_validate(json.loads(content))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][:3])
        raise UserError("review.coco_part", where=where or "/") from error
    except ValueError as error:
        raise UserError("review.coco_no_json") from error


def _wanted(found: _Dataset, here: dict[int | str, ImageRecord]) -> list[_Annotation]:
    known = {image.id for image in found.images}
    if lost := next((a.image_id for a in found.annotations if a.image_id not in known), None):
        raise UserError("review.coco_lost", id=lost)
    return [annotation for annotation in found.annotations if annotation.image_id in here]


def _matched(workspace: Workspace, theirs: Sequence[_Image]) -> dict[int | str, ImageRecord]:
    records = catalogue.records(workspace)
    by_id = {record.id: record for record in records}
    by_name = ByFileName({record.name: record for record in records})
    here: dict[int | str, ImageRecord] = {}
    for image in theirs:
        record = by_id.get(image.samclr_id or "") or by_name.find(image.file_name)
        if record:
            size = image.width or record.width, image.height or record.height
            refuse_other_size(image.file_name, *size, record)
            here[image.id] = record
    refuse_strangers(len(here), [image.file_name for image in theirs])
    return here


def _region(annotation: _Annotation, record: ImageRecord) -> Region:
    size = (record.height, record.width)
    try:
        mask = _mask(annotation.segmentation, size)
    except (ValueError, TypeError, OverflowError):
        mask = None
    if not mask or not coco.area(mask):
        raise UserError("review.coco_mask", name=record.name)
    region = Region.of_rle(mask, annotation.predicted_iou, annotation.stability_score)
    return replace(region, point=annotation.point or region.centre)


def _mask(segmentation: _Runs | list[list[float]], size: tuple[int, int]) -> rle.Rle | None:
    height, width = size
    if isinstance(segmentation, _Runs):
        return rle.checked(segmentation.model_dump()) if segmentation.size == size else None
    polygons = [np.reshape(points, (-1, 2)).clip(0, (width, height)) for points in segmentation]
    if not polygons or any(len(p) < 3 or not np.isfinite(p).all() for p in polygons):
        return None
    parts = coco.frPyObjects([polygon.ravel().tolist() for polygon in polygons], height, width)
    return rle.text(coco.merge(parts))


def _events(ours: _Ours, ids: dict[str | None, str]) -> list[Event]:
    """The log that came with the file, about images that are here."""
    try:
        said = [Event.from_json(values) for values in ours.events]
    except (KeyError, TypeError, ValueError) as error:
        raise UserError("review.coco_part", where="samclr.events") from error
    return [replace(e, image_id=ids[e.image_id]) for e in said if e.image_id in ids]
