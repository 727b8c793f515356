"""What SAM's regions buy: ours beside superpixels, on photos that people have segmented.

    python benchmarks/segmentation.py [--bsds ../shared/data/bsds500] [--count 30] [--scenes 10]

BSDS500 has several human segmentations of each photo: every figure is worked out against each of
them and averaged over these people, then over the photos. Of the sample scenes the truth is their
instance maps. Intervals (95 %) are bootstraps over images. Ours, preset ``full``, stands there
twice: the regions as they are, of which a segment may take its best, and as a partition, small
regions over large, which is what superpixels are. Felzenszwalb and SLIC (scikit-image) get the
setting that covers best on these very images, of those in ``PEERS``; the last row is the
difference of two partitions, image by image.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from common import publish, spread
from PIL import Image
from scipy.io import loadmat
from skimage.segmentation import felzenszwalb, slic

from samclr_core.images.decode import decode
from samclr_core.regions.automatic.segmenter import PRESETS, Segmenter
from samclr_core.regions.quality.agreement import Agreement, agreement, partition_agreement
from samclr_core.regions.quality.figures import figures
from samclr_core.regions.quality.partition import partition

ROOT = Path(__file__).parent.parent
SCENES = ROOT / "sample_data" / "scenes"
PEERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    **{
        f"Felzenszwalb, scale {scale}": lambda image, s=scale: felzenszwalb(
            image, scale=s, sigma=0.8, min_size=50
        )
        for scale in (100, 200, 400, 800, 1600, 3200)
    },
    **{
        f"SLIC, {count} pieces": lambda image, n=count: slic(
            image, n_segments=n, compactness=10, start_label=0
        )
        for count in (6, 12, 25, 50, 100, 200)
    },
}
OURS, PIECES = "SAM regions as they are", "SAM regions as a partition"
# Superpixels as they are used: many, to be joined later.
FINE = "SLIC, 200 pieces"
MEASURES = tuple(field.name for field in fields(Agreement))
RESAMPLES = 5000
LEAST_PIXELS = 100


@dataclass(frozen=True)
class Photo:
    """A photo, uint8 [H, W, 3], and its truths, int [H, W] each as ``agreement`` takes them."""

    name: str
    image: np.ndarray
    truths: list[np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = ROOT.parent / "shared" / "data" / "bsds500"
    parser.add_argument("--bsds", type=Path, default=default, help="the folder of BSDS500")
    parser.add_argument("--count", type=int, default=30, help="photos of BSDS500")
    parser.add_argument("--scenes", type=int, default=10, help="sample scenes")
    arguments = parser.parse_args()
    segmenter = Segmenter(PRESETS["full"])
    found = {
        "BSDS500": _measured(segmenter, _bsds(arguments.bsds, arguments.count)),
        "sample scenes": _measured(segmenter, _scenes(arguments.scenes)),
    }
    summary = {name: _summary(rows) for name, rows in found.items()}
    publish("segmentation", {"summary": summary, "images": found}, _tables(summary))
    print(_tables(summary))


def _spread(paths: list[Path], count: int) -> list[Path]:
    if not paths:
        raise SystemExit("no images there")
    return spread(paths, count)


def _bsds(folder: Path, count: int) -> Iterator[Photo]:
    for path in _spread(sorted(folder.glob("images/*/*.jpg")), count):
        truth = loadmat(folder / "groundTruth" / path.parent.name / f"{path.stem}.mat")
        people = truth["groundTruth"][0]
        maps = [person["Segmentation"][0, 0].astype(np.int64) for person in people]
        yield Photo(path.name, decode(path.read_bytes(), path.name), maps)


def _scenes(count: int) -> Iterator[Photo]:
    for path in _spread(sorted((SCENES / "images").glob("*.jpg")), count):
        instances = np.array(Image.open(SCENES / "instances" / f"{path.stem}.png"), np.int64)
        specks = np.flatnonzero(np.bincount(instances.ravel()) < LEAST_PIXELS)
        truth = np.where(np.isin(instances, specks), -1, instances)
        yield Photo(path.name, decode(path.read_bytes(), path.name), [truth])


def _measured(segmenter: Segmenter, photos: Iterator[Photo]) -> list[dict]:
    """Per image: its figures of every method."""
    rows = []
    for photo in photos:
        regions = segmenter.segment(photo.image)
        maps = {name: cut(photo.image) for name, cut in PEERS.items()}
        methods = {OURS: [agreement(regions, truth) for truth in photo.truths]}
        for name, pieces in {PIECES: partition(regions), **maps}.items():
            methods[name] = [partition_agreement(pieces, truth) for truth in photo.truths]
        counts = {name: len(np.unique(pieces)) for name, pieces in maps.items()}
        counts |= {OURS: len(regions.regions), PIECES: len(np.unique(partition(regions)))}
        means = {name: _mean(found) | {"pieces": counts[name]} for name, found in methods.items()}
        without_truth = asdict(figures(regions))
        rows.append({"image": photo.name, "figures": without_truth, "methods": means})
        print(photo.name, json.dumps(means[OURS]), file=sys.stderr, flush=True)
    return rows


def _mean(found: list[Agreement | None]) -> dict[str, float]:
    """Mean over the people who segmented the photo."""
    means = {name: np.mean([getattr(one, name) for one in found]) for name in MEASURES}
    return {name: round(float(mean), 5) for name, mean in means.items()}


def _summary(rows: list[dict]) -> dict[str, dict]:
    best = [_best(rows, family) for family in ("Felzenszwalb", "SLIC")]
    found = {
        method: _estimates(len(rows), _values(rows, method))
        for method in (OURS, PIECES, *best, FINE)
    }
    # Image by image, so that hard images do not blur the difference.
    ours, peer = _values(rows, PIECES), _values(rows, best[0])
    difference = {name: ours[name] - peer[name] for name in ours}
    return found | {f"the partition minus {best[0]}": _estimates(len(rows), difference)}


def _values(rows: list[dict], method: str) -> dict[str, np.ndarray]:
    names = ("pieces", *MEASURES)
    return {name: np.array([row["methods"][method][name] for row in rows]) for name in names}


def _estimates(images: int, values: dict[str, np.ndarray]) -> dict:
    pieces = float(values["pieces"].mean())
    return {"images": images, "pieces": pieces} | {m: _estimate(values[m]) for m in MEASURES}


def _best(rows: list[dict], family: str) -> str:
    """The setting of a family that covers best on all images together."""

    def covering(name: str) -> float:
        return float(np.mean([row["methods"][name]["covering"] for row in rows]))

    return max((name for name in PEERS if name.startswith(family)), key=covering)


def _estimate(values: np.ndarray) -> list[float]:
    """Mean, and the ends of its 95 % interval, over images."""
    draws = np.random.default_rng(0).integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.percentile(values[draws].mean(axis=1), (2.5, 97.5))
    return [float(values.mean()), float(low), float(high)]


def _tables(summary: dict[str, dict]) -> str:
    lines = []
    for name, methods in summary.items():
        images = next(iter(methods.values()))["images"]
        lines += [f"**{name}**, {images} images", ""]
        lines += ["| | pieces | " + " | ".join(m.replace("_", " ") for m in MEASURES) + " |"]
        lines += ["| --- " + "| ---: " * (1 + len(MEASURES)) + "|"]
        for method, values in methods.items():
            cells = [_cell(*values[measure]) for measure in MEASURES]
            lines.append(f"| {method} | {values['pieces']:.0f} | " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines)


def _cell(mean: float, low: float, high: float) -> str:
    return f"{mean:.3f} ({low:.3f} – {high:.3f})"


if __name__ == "__main__":
    main()
