"""How well regions agree with ground truth.

Truth is a map, int [H, W]: 1 and up are segments to be found, 0 is known ground on which nothing
was marked, -1 (void) is not judged.

Two kinds of figures. How well a segment can be had from the regions (best IoU, covering, recall)
takes the regions as they are, overlaps and all, since views choose among them as they are. What
only a partition has (boundaries, undersegmentation) takes them as one map, small ones over large
ones, the rest as pieces of their own.
"""

from dataclasses import dataclass

import numpy as np

from samclr_core.regions.quality.boundaries import boundary_f
from samclr_core.regions.quality.partition import partition
from samclr_core.regions.region import RegionSet
from samclr_core.regions.rle import decode_window


@dataclass(frozen=True)
class Agreement:
    """Regions beside the truth, all 0 to 1; higher is better but for ``undersegmentation``.

    Attributes:
        mean_best_iou: IoU of a segment with the region that meets it best, mean over segments.
        covering: the same, weighted by the segments' areas (Arbelaez et al. 2011, PAMI 33(5),
            section 3.1.1; with overlapping regions as in their column "Best").
        recall50: share of the segments whose best IoU is at least 0.5.
        recall75: at least 0.75.
        boundary_f: harmonic mean of the boundaries' precision and recall.
        undersegmentation: share of the segments' pixels that leak into pieces of others: the sum
            over segments S and pieces P of min(|P and S|, |P without S|), by the segments' pixels
            (Neubert & Protzel 2012, "Superpixel Benchmark and Comparison").
    """

    mean_best_iou: float
    covering: float
    recall50: float
    recall75: float
    boundary_f: float
    undersegmentation: float


def agreement(region_set: RegionSet, truth: np.ndarray) -> Agreement | None:
    """Regions beside the truth, int [H, W]; None where it has no segment."""
    pieces = partition(region_set)
    return _agreement(_of_regions(region_set, truth), pieces, truth)


def partition_agreement(pieces: np.ndarray, truth: np.ndarray) -> Agreement | None:
    """The same for a partition, int [H, W] of 0 and up, such as superpixels."""
    return _agreement(_of_pieces(pieces, truth), pieces, truth)


def _agreement(shared: np.ndarray, pieces: np.ndarray, truth: np.ndarray) -> Agreement | None:
    sizes = np.bincount(truth[truth >= 0], minlength=shared.shape[1])
    present = np.flatnonzero(sizes[1:]) + 1
    if not len(present):
        return None
    best = _best_ious(shared, sizes)[present]
    segments = sizes[present]
    return Agreement(
        mean_best_iou=float(best.mean()),
        covering=float(best @ segments / segments.sum()),
        recall50=float((best >= 0.5).mean()),
        recall75=float((best >= 0.75).mean()),
        boundary_f=boundary_f(pieces, truth),
        undersegmentation=_undersegmentation(_of_pieces(pieces, truth)),
    )


def _of_regions(region_set: RegionSet, truth: np.ndarray) -> np.ndarray:
    """Known pixels that regions share with segments, int [regions, 1 + segments]."""
    columns = int(truth.max(initial=0)) + 1
    rows = np.zeros((len(region_set.regions), columns), np.int64)
    for row, region in zip(rows, region_set.regions, strict=True):
        x, y, w, h = region.bbox
        labels = truth[y : y + h, x : x + w][decode_window(region.rle, region.bbox)]
        row += np.bincount(labels[labels >= 0], minlength=columns)
    return rows


def _of_pieces(pieces: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The same for the pieces of a partition."""
    rows, columns = int(pieces.max()) + 1, int(truth.max(initial=0)) + 1
    known = truth >= 0
    pairs = np.bincount(pieces[known] * columns + truth[known], minlength=rows * columns)
    return pairs.reshape(rows, columns)


def _best_ious(shared: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """For every segment its best IoU with a region, float [1 + segments]."""
    union = shared.sum(axis=1, keepdims=True) + sizes - shared
    return (shared / np.maximum(union, 1)).max(axis=0, initial=0.0)


def _undersegmentation(shared: np.ndarray) -> float:
    inside = shared[:, 1:]
    outside = shared.sum(axis=1, keepdims=True) - inside
    return float(np.minimum(inside, outside).sum() / inside.sum())
