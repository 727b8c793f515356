"""How well prompts are answered and things found: IoU with the true masks, image by image."""

import zlib
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from samclr_core.images.store import load
from samclr_core.jobs import Progress, silent
from samclr_core.regions import rle
from samclr_core.regions.automatic.geometry import Frame
from samclr_core.regions.automatic.segmenter import Segmenter
from samclr_core.regions.region import RegionSet
from samclr_core.regions.rle import Rle, decode, encode
from samclr_core.regions.sam.embeddings import embedding
from samclr_core.regions.tuning import losses
from samclr_core.regions.tuning.decoder import TrainableDecoder
from samclr_core.regions.tuning.examples import Example
from samclr_core.regions.tuning.prompts import Kind, draw
from samclr_core.regions.tuning.target import targets
from samclr_core.workspace import Workspace

TO_VALIDATE, TO_JUDGE = 12, 8
"""Segments of an image that are asked for."""
BATCH = 8


def point_score(
    workspace: Workspace, segmenter: Segmenter, examples: Sequence[Example], seed: int
) -> float:
    """Mean over images of the IoU of the mask trusted most, at one point per segment."""
    found = [prompted(workspace, segmenter, e, "point", TO_VALIDATE, seed) for e in examples]
    return float(np.mean([one["point"] for one in found]))


def region_score(
    workspace: Workspace,
    segmenter: Segmenter,
    examples: Sequence[Example],
    progress: Progress = silent,
) -> float:
    """Mean over images of their segments' mean best IoU with the automatic regions."""
    found = []
    for number, example in enumerate(examples):
        progress(number, len(examples))
        known = embedding(workspace, example.image_id, segmenter)
        made = segmenter.segment(load(workspace, example.image_id), embedding=known)
        found.append(best_ious(example, made).mean())
    return float(np.mean(found))


def best_ious(example: Example, regions: RegionSet) -> np.ndarray:
    """For each true segment its best IoU with a region where the truth is known, float [N]."""
    known = example.known
    found: list[Rle] = [region.rle for region in regions.regions]
    if not known.all():
        found = [encode(decode(mask) & known) for mask in found]
    return rle.best_ious(example.segments, found)


@torch.no_grad()
def prompted(
    workspace: Workspace,
    segmenter: Segmenter,
    example: Example,
    kind: Kind,
    count: int,
    seed: int,
) -> dict[str, float]:
    """Mean IoU over at most ``count`` of an image's segments, in SAM's 256 x 256.

    The same seed asks the same questions, whatever the model.

    Returns:
        Under the kind's name the IoU of the mask that the model trusts most; for points as well
        ``point_best``, that of the best of the three.
    """
    decoder, model = TrainableDecoder(segmenter.model), segmenter.model
    image = embedding(workspace, example.image_id, segmenter).to(model.device)
    rng = np.random.default_rng([seed, zlib.crc32(example.image_id.encode())])
    known, trusted, best = example.known, [], []
    for masks in _batches(example, count, rng):
        prompts = draw(kind, masks, rng)
        wanted = targets(masks, known)
        logits, iou = decoder(image, prompts.encoded(model, Frame(*known.shape)))
        real = losses.iou(logits[:, prompts.answers].flatten(2).cpu(), wanted.masks, wanted.weights)
        chosen = iou[:, prompts.answers].cpu().argmax(1, keepdim=True)
        trusted += real.gather(1, chosen).flatten().tolist()
        best += real.amax(1).tolist()
    found: dict[str, float] = {kind: float(np.mean(trusted))}
    return found | {"point_best": float(np.mean(best))} if kind == "point" else found


def _batches(example: Example, count: int, rng: np.random.Generator) -> Iterator[list[np.ndarray]]:
    order = rng.permutation(len(example.segments))[:count]
    for first in range(0, len(order), BATCH):
        yield [decode(example.segments[i]) for i in order[first : first + BATCH]]
