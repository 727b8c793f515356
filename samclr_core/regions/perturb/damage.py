"""What a poorer segmentation would have given: the regions of an image, damaged.

``eroded`` and ``dilated`` regions are too small or too large all around, ``shifted`` ones lie
beside their thing, ``merged`` and ``split`` ones are an under- and an oversegmentation, ``dropped``
ones were not found.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from scipy.ndimage import distance_transform_edt

from samclr_core.regions.config import Damage, Perturbation
from samclr_core.regions.region import Region, RegionSet
from samclr_core.regions.rle import Box, best_ious, covered, decode_window, encode_window

# Two regions are things apart where less than this share of the smaller one lies in the other.
MOST_SHARED = 0.5
Work = Callable[[Sequence[Region], float, np.random.Generator], list[Region]]


def perturbed(region_set: RegionSet, perturbation: Perturbation) -> RegionSet:
    """The regions of one image, damaged; those of which no pixel is left are gone.

    The damage depends on the settings and the image's id alone. Predicted IoU, stability and
    prompt stay those of the region it was (of the first one, where two were merged).
    """
    seed = [perturbation.seed, zlib.crc32(region_set.image_id.encode())]
    work = _WORKS[perturbation.kind]
    found = work(region_set.regions, perturbation.strength, np.random.default_rng(seed))
    kept = sorted((region for region in found if region.area), key=lambda region: -region.area)
    settings = region_set.segmenter | {"perturbation": perturbation.model_dump()}
    return replace(region_set, regions=tuple(kept), segmenter=settings, dropped={})


def best_iou(originals: RegionSet, found: RegionSet) -> np.ndarray:
    """For each of n original regions, the IoU of the found one most like it, float [n].

    0 where none overlaps it; its mean makes damage of different kinds comparable.
    """
    ours, theirs = ([region.rle for region in s.regions] for s in (originals, found))
    return best_ious(ours, theirs)


def _eroded(regions: Sequence[Region], strength: float, rng: np.random.Generator) -> list[Region]:
    return [_grown(region, -strength) for region in regions]


def _dilated(regions: Sequence[Region], strength: float, rng: np.random.Generator) -> list[Region]:
    return [_grown(region, strength) for region in regions]


def _grown(region: Region, strength: float) -> Region:
    """The region with its edge moved outwards; inwards where ``strength`` is below 0.

    The photo's own border is no edge: what is cut off there goes on beyond it.
    """
    reach = abs(strength) * region.area**0.5
    box = _around(region, int(max(strength, 0) * region.area**0.5) + 1)
    mask = decode_window(region.rle, box)
    if mask.all():
        return region
    if strength > 0:
        return _with_mask(region, distance_transform_edt(~mask) <= reach, box)
    return _with_mask(region, distance_transform_edt(mask) > reach, box)


def _shifted(regions: Sequence[Region], strength: float, rng: np.random.Generator) -> list[Region]:
    """Every region moved in a direction of its own; what leaves the photo is lost."""
    turns = rng.uniform(0, 2 * np.pi, len(regions))
    return [_moved(region, strength, turn) for region, turn in zip(regions, turns, strict=True)]


def _moved(region: Region, strength: float, turn: float) -> Region:
    reach = strength * region.area**0.5
    x, y, w, h = region.bbox
    x, y = x + round(reach * np.cos(turn)), y + round(reach * np.sin(turn))
    height, width = region.rle["size"]
    mask = decode_window(region.rle, region.bbox)
    inside = mask[max(0, -y) : max(0, height - y), max(0, -x) : max(0, width - x)]
    return _with_mask(region, inside, (max(0, x), max(0, y), w, h))


def _dropped(regions: Sequence[Region], strength: float, rng: np.random.Generator) -> list[Region]:
    gone = _chosen(regions, strength, rng)
    return [region for index, region in enumerate(regions) if index not in gone]


def _split(regions: Sequence[Region], strength: float, rng: np.random.Generator) -> list[Region]:
    cut = _chosen(regions, strength, rng)
    parts = [_halves(r) if index in cut else [r] for index, r in enumerate(regions)]
    return [part for halves in parts for part in halves]


def _halves(region: Region) -> list[Region]:
    """The region cut through its centre, across its longest axis."""
    mask = decode_window(region.rle, region.bbox)
    places = np.argwhere(mask)
    from_centre = places - places.mean(axis=0)
    axis = np.linalg.eigh(from_centre.T @ from_centre)[1][:, -1]
    # An axis has no direction of its own; which half gets the middle line must not depend on it.
    axis *= np.sign(axis[np.abs(axis).argmax()])
    first = np.zeros_like(mask)
    first[mask] = from_centre @ axis < -1e-6
    return [_with_mask(region, half, region.bbox) for half in (first, mask & ~first)]


def _merged(regions: Sequence[Region], strength: float, rng: np.random.Generator) -> list[Region]:
    """A share of the regions made one with their nearest neighbour, two by two."""
    order = rng.permutation(len(regions))
    apart, far = _apart(regions), _distances(regions)
    free = np.ones(len(regions), bool)
    found: list[Region] = []
    for index in order:
        near = np.flatnonzero(free & apart[index])
        if len(found) == round(strength * len(regions) / 2):
            break
        if free[index] and len(near):
            other = near[far[index, near].argmin()]
            free[[index, other]] = False
            found.append(_union(regions[index], regions[other]))
    return [region for region, alone in zip(regions, free, strict=True) if alone] + found


def _apart(regions: Sequence[Region]) -> np.ndarray:
    """bool [n, n]: not one in the other, and not itself."""
    rles = [region.rle for region in regions]
    shared = covered(rles, rles)
    return np.maximum(shared, shared.T) < MOST_SHARED


def _distances(regions: Sequence[Region]) -> np.ndarray:
    """float [n, n]: pixels between two boxes, and where they touch, between their centres."""
    boxes = np.array([region.bbox for region in regions], float).reshape(-1, 4)
    low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    gaps = np.maximum(low[:, None] - high[None], low[None] - high[:, None]).clip(min=0)
    centres = (low + high) / 2
    between = np.linalg.norm(centres[:, None] - centres[None], axis=-1)
    return np.linalg.norm(gaps, axis=-1) + between / (1 + between.max(initial=0))


def _union(one: Region, other: Region) -> Region:
    x, y = min(one.bbox[0], other.bbox[0]), min(one.bbox[1], other.bbox[1])
    right = max(r.bbox[0] + r.bbox[2] for r in (one, other))
    bottom = max(r.bbox[1] + r.bbox[3] for r in (one, other))
    box = (x, y, right - x, bottom - y)
    return _with_mask(one, decode_window(one.rle, box) | decode_window(other.rle, box), box)


def _chosen(regions: Sequence[Region], share: float, rng: np.random.Generator) -> set[int]:
    """Indices of a share of the regions; a greater share of the same draw holds the smaller."""
    return set(rng.permutation(len(regions))[: round(share * len(regions))].tolist())


def _around(region: Region, margin: int) -> Box:
    """The region's box, ``margin`` px wider on every side, as far as the photo goes."""
    (x, y, w, h), (height, width) = region.bbox, region.rle["size"]
    left, top = max(0, x - margin), max(0, y - margin)
    right, bottom = min(width, x + w + margin), min(height, y + h + margin)
    return left, top, right - left, bottom - top


def _with_mask(region: Region, mask: np.ndarray, box: Box) -> Region:
    """The region with the mask, bool [h, w], whose first pixel is at the box's."""
    rle, bbox, area = encode_window(mask, box[1], box[0], tuple(region.rle["size"]))
    return replace(region, rle=rle, bbox=bbox, area=area)


_WORKS: dict[Damage, Work] = {
    "eroded": _eroded,
    "dilated": _dilated,
    "merged": _merged,
    "split": _split,
    "shifted": _shifted,
    "dropped": _dropped,
}
