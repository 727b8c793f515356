"""Images and their true masks, and which part of the work each image is for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from samclr_core.images import catalogue
from samclr_core.images.catalogue import ImageRecord
from samclr_core.messages import UserError
from samclr_core.regions.quality.references import LEAST_SEGMENT, CocoFile, LabelMaps, Truth
from samclr_core.regions.review.fold import review
from samclr_core.regions.rle import Rle, decode, encode
from samclr_core.regions.tuning.config import LEAST_IMAGES, TuningConfig
from samclr_core.workspace import Workspace


@dataclass(frozen=True)
class Example:
    """An image whose segments are known.

    Attributes:
        image_id: the image.
        segments: the true masks, at least one.
        void: where nothing is known.
    """

    image_id: str
    segments: tuple[Rle, ...]
    void: Rle

    @property
    def known(self) -> np.ndarray:
        """Where the truth is known, bool [H, W]."""
        return ~decode(self.void)


@dataclass(frozen=True)
class Split:
    """The images by what they are for; no image is in two parts.

    Attributes:
        train: the decoder learns from these.
        validation: these say when to stop, and how far to go.
        test: before and after are measured on these.
    """

    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    test: tuple[Example, ...]


LABELS, REVIEWED = "labels", "reviewed"
Source = Callable[[ImageRecord], Example | None]
"""What is known about an image; None where nothing is."""


def from_truth(truth: Truth) -> Source:
    """Examples from maps of segments: label maps or a COCO file."""

    def example(record: ImageRecord) -> Example | None:
        if not truth.key(record):
            return None
        segments = truth.segments(record)
        masks = (segments == number for number in range(1, int(segments.max()) + 1))
        return _example(record, [encode(mask) for mask in masks], segments < 0)

    return example


def from_review(workspace: Workspace) -> Source:
    """Examples from images that a person called good or usable, with the regions in use there."""

    def example(record: ImageRecord) -> Example | None:
        found = review(workspace, record.id)
        if not found.trusted:
            return None
        masks = [region.rle for region in found.regions.regions]
        return _example(record, masks, np.zeros((record.height, record.width), bool))

    return example


def source(workspace: Workspace, truth: str, coco: Path | None = None) -> Source:
    """The masks of a COCO file, or what ``truth`` names: ``labels`` or ``reviewed``.

    Raises:
        UserError: it is neither, or the file is none of COCO's.
    """
    if coco:
        return from_truth(CocoFile(coco))
    if truth == REVIEWED:
        return from_review(workspace)
    if truth != LABELS:
        known = f"{LABELS}, {REVIEWED}"
        raise UserError("core.setting_one_of", name="truth", value=truth, limit=known)
    return from_truth(LabelMaps(workspace))


def collect(workspace: Workspace, source: Source, limit: int, seed: int) -> list[Example]:
    """At most ``limit`` images with masks, in an order drawn by ``seed``.

    Raises:
        UserError: fewer than ten images have masks.
    """
    records = catalogue.records(workspace)
    order = np.random.default_rng(seed).permutation(len(records))
    found: list[Example] = []
    for number in order:
        example = source(records[number])
        if example:
            found.append(example)
        if len(found) == limit:
            break
    if len(found) < LEAST_IMAGES:
        raise UserError("tuning.too_few_images", found=len(found), least=LEAST_IMAGES)
    return found


def split(examples: Sequence[Example], config: TuningConfig) -> Split:
    """Test and validation images from the front of the list, the rest to learn from."""
    count = len(examples)
    test = max(1, round(config.test * count))
    held_out = test + max(1, round(config.validation * count))
    return Split(
        train=tuple(examples[held_out:]),
        validation=tuple(examples[test:held_out]),
        test=tuple(examples[:test]),
    )


def _example(record: ImageRecord, masks: list[Rle], void: np.ndarray) -> Example | None:
    least = LEAST_SEGMENT * record.width * record.height
    kept = tuple(mask for mask in masks if decode(mask).sum() >= least)
    return Example(record.id, kept, encode(void)) if kept else None
