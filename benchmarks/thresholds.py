"""What the two thresholds of SAM's automatic masks buy, on scenes whose objects are known.

    python benchmarks/thresholds.py [--count 6]

Every pair of thresholds cuts the same scenes of ``sample_data`` with the preset ``full``: how many
regions, how much of the image they cover, how well they meet the true objects (best IoU of each),
how pure they are (chance that two pixels of a region belong to one object), and how many of the
regions that SAM's own thresholds give are still among them (IoU at least 0.75).
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from common import publish, spread
from PIL import Image

from samclr_core.images.decode import decode
from samclr_core.regions import rle
from samclr_core.regions.automatic.segmenter import PRESETS, Segmenter
from samclr_core.regions.quality.figures import figures
from samclr_core.regions.region import RegionSet

ROOT = Path(__file__).parent.parent
SCENES = ROOT / "sample_data" / "scenes"
STOCK = (0.88, 0.95)
THRESHOLDS = (STOCK, (0.88, 0.90), (0.80, 0.90), (0.80, 0.85), (0.70, 0.80))
LEAST_PIXELS = 100
SAME_IOU = 0.75


@dataclass(frozen=True)
class Scene:
    """A photo, uint8 [H, W, 3], and its map of instances, int [H, W]; 0 is none."""

    image: np.ndarray
    instances: np.ndarray


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=6, help="scenes")
    scenes = _scenes(parser.parse_args().count)
    stock = [_cut(STOCK, scene) for scene in scenes]
    rows = [_row(thresholds, scenes, stock) for thresholds in THRESHOLDS]
    content = {"scenes": len(scenes), "rows": rows}
    publish("thresholds", content, _table(rows))
    print(_table(rows))


def _scenes(count: int) -> list[Scene]:
    paths = sorted((SCENES / "images").glob("*.jpg"))
    return [
        Scene(
            decode(path.read_bytes(), path.name),
            np.array(Image.open(SCENES / "instances" / f"{path.stem}.png"), int),
        )
        for path in spread(paths, count)
    ]


_SEGMENTERS: dict[tuple[float, float], Segmenter] = {}


def _cut(thresholds: tuple[float, float], scene: Scene) -> RegionSet:
    if thresholds not in _SEGMENTERS:
        values = dict(zip(("min_predicted_iou", "min_stability"), thresholds, strict=True))
        _SEGMENTERS[thresholds] = Segmenter(PRESETS["full"].model_copy(update=values))
    return _SEGMENTERS[thresholds].segment(scene.image)


def _row(
    thresholds: tuple[float, float], scenes: list[Scene], stock: list[RegionSet]
) -> dict[str, float]:
    found = [_cut(thresholds, scene) for scene in scenes]
    print(f"{thresholds}: {sum(len(f.regions) for f in found)} regions", file=sys.stderr)
    objects = np.concatenate([_best(_objects(s), f) for s, f in zip(scenes, found, strict=True)])
    kept = [_best([r.rle for r in s.regions], f) for s, f in zip(stock, found, strict=True)]
    return {
        "min_predicted_iou": thresholds[0],
        "min_stability": thresholds[1],
        "regions": float(np.mean([len(f.regions) for f in found])),
        "coverage": float(np.mean([figures(f).coverage for f in found])),
        "mean_best_iou": float(objects.mean()),
        "recall50": float((objects >= 0.5).mean()),
        "purity": float(np.mean([_purity(s, f) for s, f in zip(scenes, found, strict=True)])),
        "stock_kept": float((np.concatenate(kept) >= SAME_IOU).mean()),
        "seconds": float(np.mean([f.seconds for f in found])),
    }


def _objects(scene: Scene) -> list[dict]:
    ids, sizes = np.unique(scene.instances[scene.instances > 0], return_counts=True)
    return [rle.encode(scene.instances == i) for i in ids[sizes >= LEAST_PIXELS]]


def _best(wanted: list[dict], found: RegionSet) -> np.ndarray:
    """For each mask its best IoU with a region, float [N]."""
    return rle.best_ious(wanted, [region.rle for region in found.regions])


def _purity(scene: Scene, found: RegionSet) -> float:
    """Mean over regions of the chance that two of its pixels lie on the same instance."""
    shares = [np.bincount(scene.instances[r.mask()]) / r.area for r in found.regions]
    return float(np.mean([np.square(share).sum() for share in shares]))


def _table(rows: list[dict[str, float]]) -> str:
    lines = [
        "| predicted IoU | stability | regions | coverage | mean best IoU | recall@0.5 | purity | "
        "stock masks kept | seconds |",
        "| ---: " * 9 + "|",
    ]
    for row in rows:
        lines.append(
            f"| {row['min_predicted_iou']:.2f} | {row['min_stability']:.2f} | "
            f"{row['regions']:.0f} | {row['coverage']:.2f} | {row['mean_best_iou']:.3f} | "
            f"{row['recall50']:.2f} | {row['purity']:.2f} | {row['stock_kept']:.3f} | "
            f"{row['seconds']:.1f} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
