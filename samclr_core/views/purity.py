"""Pair purity: do the two views of a pair show the same thing?"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from samclr_core.estimate import Estimate
from samclr_core.images import catalogue
from samclr_core.images import store as images
from samclr_core.jobs import Progress, silent
from samclr_core.messages import UserError
from samclr_core.regions import sources
from samclr_core.regions.quality.partition import NONE as VOID
from samclr_core.regions.quality.partition import painted
from samclr_core.regions.region import RegionSet
from samclr_core.regions.rle import Box
from samclr_core.regions.sources import Source
from samclr_core.views.config import Kind, ViewsConfig
from samclr_core.views.sampler import sampler
from samclr_core.workspace import Workspace

SETTING = "purity"
RESAMPLES = 2000
Reference = Literal["labels", "regions"]
KINDS: tuple[Kind, Kind] = ("image", "region")


@dataclass(frozen=True)
class Purity:
    """Pair purity of both kinds of views on the same images, 0 to 1.

    The intervals come from a bootstrap over images.

    Attributes:
        image: of ``image`` views.
        region: of ``region`` views.
        difference: ``region`` minus ``image``, image by image.
        reference: ``labels`` is ground truth; ``regions`` is SAM's own regions, which flatters
            ``region`` views since they were cut from those very regions, or from what was left of
            them after a perturbation.
        pairs: pairs of each kind.
        images: images they were cut from.
        whole_image: how many of the ``region`` pairs had to be cut from the whole image, for want
            of a region; they are counted in ``region``.
        void: how many pairs of both kinds were left out since one view had no label at all.
        seconds: machine time it took.
    """

    image: Estimate
    region: Estimate
    difference: Estimate
    reference: Reference
    pairs: int
    images: int
    whole_image: int
    void: int
    seconds: float = field(compare=False)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def purity(labels1: np.ndarray, labels2: np.ndarray) -> float:
    """The chance that a random pixel of each view carry the same label: sum_c p1(c) p2(c).

    Args:
        labels1: label ids of the first view's pixels, int of any shape; -1 is void.
        labels2: of the second view's.

    Returns:
        0 to 1; nan where one of the views is void altogether.
    """
    known1, known2 = labels1[labels1 != VOID], labels2[labels2 != VOID]
    if not len(known1) or not len(known2):
        return float("nan")
    classes = int(max(known1.max(), known2.max())) + 1
    counts1 = np.bincount(known1, minlength=classes)
    counts2 = np.bincount(known2, minlength=classes)
    return float(counts1 @ counts2) / (len(known1) * len(known2))


def measure(
    workspace: Workspace,
    pairs: int = 500,
    seed: int = 0,
    progress: Progress = silent,
    config: ViewsConfig | None = None,
) -> Purity:
    """Pair purity of ``image`` and ``region`` views with the regions in use.

    The same as :func:`of_regions`, and kept: see :func:`last_measured`.
    """
    config = config or ViewsConfig()
    found = of_regions(workspace, pairs, seed, progress, config)
    asked = {"regions": regions_in_use(workspace), "views": both_kinds(config)}
    workspace.remember(SETTING, {**asked, **found.to_json()})
    return found


def of_regions(
    workspace: Workspace,
    pairs: int = 500,
    seed: int = 0,
    progress: Progress = silent,
    config: ViewsConfig | None = None,
    source: Source | None = None,
) -> Purity:
    """Pair purity of ``image`` and ``region`` views on the same images of the workspace.

    Args:
        workspace: its images, label maps and regions.
        pairs: of each kind, spread evenly over the images.
        seed: of the crops.
        progress: told after every image.
        config: where the crops are cut; the kind is taken both ways.
        source: whose regions; by default those in use. Damaged ones are judged by what they were
            before, where there is no ground truth.

    Raises:
        UserError: there are no images, or none of them has regions.
        Cancelled: as ``progress`` asks.
    """
    started = time.perf_counter()
    config = config or ViewsConfig()
    source = source or sources.current(workspace)
    image_ids, reference = images_judged(workspace, source)
    assert source is not None
    judges = source.undamaged
    rows = of_images(workspace, image_ids, source, judges, reference, pairs, seed, progress, config)
    return _summary(rows, reference, pairs, time.perf_counter() - started)


def of_images(
    workspace: Workspace,
    image_ids: Sequence[str],
    source: Source,
    judges: Source,
    reference: Reference,
    pairs: int,
    seed: int,
    progress: Progress,
    config: ViewsConfig,
) -> np.ndarray:
    """Purity of pairs from the regions of ``source``, image by image.

    Returns:
        float [images, 5]: sum and count of the purities of ``image`` pairs, the same of ``region``
        pairs, and how many of these were cut from the whole image.
    """
    rng = np.random.default_rng([seed, 0])
    shares = np.bincount(rng.permutation(pairs) % len(image_ids), minlength=len(image_ids))
    rows = []
    for number, (image_id, share) in enumerate(zip(image_ids, shares, strict=True)):
        regions = sources.regions(workspace, image_id, source)
        assert regions is not None
        labels = _reference(workspace, image_id, reference, judges)
        rows.append(_of_image(labels, regions, config, int(share), (seed, number)))
        progress(number + 1, len(image_ids), catalogue.record(workspace, image_id).name)
    return np.array(rows)


def last_measured(workspace: Workspace, config: ViewsConfig | None = None) -> Purity | None:
    """What :func:`measure` last found with the regions in use.

    None where it was not called, or was with other settings than ``config``, where one is given.
    """
    values = workspace.setting(SETTING) or {}
    if values.pop("regions", None) != regions_in_use(workspace):
        return None
    views = values.pop("views", None)
    if not values or (config and views != both_kinds(config)):
        return None
    return Purity(
        image=Estimate(**values.pop("image")),
        region=Estimate(**values.pop("region")),
        difference=Estimate(**values.pop("difference")),
        **values,
    )


def both_kinds(config: ViewsConfig) -> str:
    """The digest of the settings, the same for either kind."""
    return config.model_copy(update={"kind": "image"}).digest()


def regions_in_use(workspace: Workspace) -> str | None:
    """A key that changes with the segmenter's settings and with what people changed since."""
    source = sources.current(workspace)
    return source.digest() if source else None


def images_judged(workspace: Workspace, source: Source | None) -> tuple[list[str], Reference]:
    """The images with regions: those that have ground truth, or all where none has.

    Raises:
        UserError: there are no images, or none of them has regions.
    """
    records = catalogue.records(workspace)
    if not records:
        raise UserError("views.no_images")
    cut = [record for record in records if sources.regions(workspace, record.id, source)]
    if not cut:
        raise UserError("views.no_regions")
    labelled = [record.id for record in cut if record.has_label_map]
    return (labelled, "labels") if labelled else ([record.id for record in cut], "regions")


def _reference(
    workspace: Workspace, image_id: str, reference: Reference, judges: Source
) -> np.ndarray:
    """What the pixels are judged by, int [H, W]."""
    if reference == "labels":
        labels = images.label_map(workspace, image_id)
        assert labels is not None
        return np.where(labels == images.VOID, VOID, labels.astype(np.int64))
    regions = sources.regions(workspace, image_id, judges)
    assert regions is not None
    return painted(regions)


def _of_image(
    labels: np.ndarray,
    regions: RegionSet,
    config: ViewsConfig,
    pairs: int,
    seed: tuple[int, int],
) -> list[float]:
    """Sum and count of purities for both kinds, then region pairs cut from the whole image."""
    row: list[float] = []
    whole = 0
    for kind in KINDS:
        cut = sampler(config.model_copy(update={"kind": kind})).cut
        rngs = [np.random.default_rng([*seed, pair]) for pair in range(pairs)]
        cuts = [cut(labels.shape[1], labels.shape[0], regions, rng) for rng in rngs]
        purities = np.array([purity(_at(labels, c.box1), _at(labels, c.box2)) for c in cuts])
        row += [float(np.nansum(purities)), float(np.sum(~np.isnan(purities)))]
        whole = sum(c.region is None for c in cuts)
    return [*row, whole]


def _at(labels: np.ndarray, box: Box) -> np.ndarray:
    x, y, w, h = box
    return labels[y : y + h, x : x + w]


def _summary(rows: np.ndarray, reference: Reference, pairs: int, seconds: float) -> Purity:
    """``rows``, float [images, 5], as :func:`_of_image` gives them."""

    def mean(kind: int) -> Callable[[np.ndarray], np.ndarray]:
        return lambda sums: sums[..., 2 * kind] / np.maximum(sums[..., 2 * kind + 1], 1)

    return Purity(
        image=estimate(rows, mean(0)),
        region=estimate(rows, mean(1)),
        difference=estimate(rows, lambda sums: mean(1)(sums) - mean(0)(sums)),
        reference=reference,
        pairs=pairs,
        images=int((rows[:, [1, 3]].sum(axis=1) > 0).sum()),
        whole_image=int(rows[:, 4].sum()),
        void=int(2 * pairs - rows[:, [1, 3]].sum()),
        seconds=seconds,
    )


def estimate(rows: np.ndarray, figure: Callable[[np.ndarray], np.ndarray]) -> Estimate:
    """A figure of the rows' sums, with the percentile bootstrap over images."""
    rng = np.random.default_rng(0)
    draws = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=RESAMPLES)
    low, high = np.percentile(figure(draws @ rows), (2.5, 97.5))
    return Estimate(float(figure(rows.sum(axis=0))), float(low), float(high))
