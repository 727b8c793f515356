"""Our segmenter against segment-anything's own generator and against the encoder alone.

    python benchmarks/regions.py [--images FOLDER=COUNT ...] [--quick] [--json]

All three run on the same weights, in one process, image by image in turn, so that a machine that
is busy with something else is unfair to none. "Stock" is ``SamAutomaticMaskGenerator`` with its
default 32 x 32 grid and thresholds. A stock mask counts as found where one of ours has an IoU of
0.75 with it. Model loading is not timed. Peak memory is that of a process that runs ours alone.

The stock generator takes minutes an image: each row is written when it is there, and a run that is
started again goes on after the last one, unless the code or the machine is another. The load is the
machine's when the row was begun: where others work too, seconds on the clock are too many.
"""

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from common import RESULTS, publish, spread, wait
from PIL import Image
from segment_anything import SamAutomaticMaskGenerator

from samclr_core.device import device_of
from samclr_core.images.decode import decode
from samclr_core.regions.automatic.segmenter import PRESETS, Segmenter
from samclr_core.regions.region import Region
from samclr_core.regions.rle import best_ious

ROOT = Path(__file__).parent.parent
PHOTOS = {".jpg", ".jpeg"}
FOUND_IOU = 0.75
LARGE = (4000, 6000)


@dataclass(frozen=True)
class Row:
    """One image: seconds on the clock and of CPU, masks, and how well ours cover the stock's."""

    image: str
    load: float
    width: int
    height: int
    encoder_seconds: float
    draft_seconds: float
    full_seconds: float
    stock_seconds: float
    encoder_cpu: float
    draft_cpu: float
    full_cpu: float
    stock_cpu: float
    full_masks: int
    draft_masks: int
    stock_masks: int
    best_ious: list[float]


def main() -> None:
    arguments = _arguments()
    if arguments.peak:
        print(json.dumps(_own_peak(arguments.peak)))
        return
    paths = _mixed([_spread(choice) for choice in arguments.images])
    if arguments.quick:
        rows = _measure(_two(paths), [], _unwritten)
    else:
        rows = _measure(paths, _rows_before(), _write)
    summary = _summary(rows) | {"peak_mb": _peak("photo"), "peak_24mp_mb": _peak("large")}
    if not arguments.quick:
        _write(rows, summary)
    if arguments.json:
        keys = ("speedup", "recall75", "encoder_ratio", "peak_mb")
        print(json.dumps({key: summary[key] for key in keys}))
    else:
        print(_table(rows, summary))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", nargs="+", default=_default_images(), help="FOLDER=COUNT")
    parser.add_argument("--quick", action="store_true", help="2 images, nothing written")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--peak", choices=("photo", "large"), help=argparse.SUPPRESS)
    return parser.parse_args()


def _default_images() -> list[str]:
    """Our own scenes, and the photos of the development data where they are at hand."""
    data = ROOT.parent / "shared" / "data"
    folders = {
        data / "traffic_hd": 10,
        ROOT / "sample_data" / "scenes" / "images": 10,
        data / "bsds500": 20,
    }
    return [f"{folder}={count}" for folder, count in folders.items() if folder.is_dir()]


def _spread(choice: str) -> list[Path]:
    """So many images of a folder, from its whole length."""
    folder, _, count = choice.partition("=")
    paths = sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in PHOTOS)
    if not paths or not count.isdigit():
        raise SystemExit(f"{choice}: wanted is FOLDER=COUNT, with a folder that holds photos")
    return spread(paths, int(count))


def _mixed(folders: list[list[Path]]) -> list[Path]:
    """All of them, so that the first ones are of every folder."""
    places = [(i / len(paths), path) for paths in folders for i, path in enumerate(paths)]
    return [path for _, path in sorted(places)]


def _two(paths: list[Path]) -> list[Path]:
    """The first one, and one further on, of another folder where there is one."""
    later = paths[len(paths) // 2 :]
    others = [path for path in later if path.parent != paths[0].parent]
    return list(dict.fromkeys([paths[0], (others or later)[0]]))


def _measure(
    paths: list[Path], rows: list[Row], keep: Callable[[list[Row], dict], None]
) -> list[Row]:
    """``rows`` and those of the images they lack, each kept as soon as it is there."""
    names = {path.name for path in paths}
    rows = [row for row in rows if row.image in names]
    missing = [path for path in paths if path.name not in {row.image for row in rows}]
    full, draft = Segmenter(PRESETS["full"]), Segmenter(PRESETS["draft"])
    stock = SamAutomaticMaskGenerator(full.model, output_mode="coco_rle")
    # The first call of everything pays for threads and buffers.
    draft.segment(np.zeros((64, 64, 3), np.uint8))
    for path in missing:
        print(f"{len(rows) + 1}/{len(paths)} {path.name}", file=sys.stderr, flush=True)
        rows.append(_row(path, full, draft, stock))
        keep(rows, _summary(rows))
    return rows


def _unwritten(rows: list[Row], summary: dict) -> None:
    """A quick look leaves the results as they are."""


def _row(path: Path, full: Segmenter, draft: Segmenter, stock: SamAutomaticMaskGenerator) -> Row:
    image = decode(path.read_bytes(), path.name)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    _, *encoder = _timed(lambda: full.embed(image))
    quick, *draft_time = _timed(lambda: draft.segment(image))
    ours, *full_time = _timed(lambda: full.segment(image))
    theirs, *stock_time = _timed(lambda: stock.generate(image))
    clock, cpu = zip(encoder, draft_time, full_time, stock_time, strict=True)
    return Row(
        path.name,
        round(load, 2),
        image.shape[1],
        image.shape[0],
        *clock,
        *cpu,
        len(ours.regions),
        len(quick.regions),
        len(theirs),
        _best_ious(theirs, ours.regions),
    )


def _timed(work: Callable) -> tuple:
    clock, cpu = time.perf_counter(), time.process_time()
    result = work()
    wait()
    return result, time.perf_counter() - clock, time.process_time() - cpu


def _best_ious(theirs: list[dict], ours: tuple[Region, ...]) -> list[float]:
    """For each stock mask, its best IoU with one of ours."""
    masks = [mask["segmentation"] for mask in theirs]
    return best_ious(masks, [region.rle for region in ours]).tolist()


def _summary(rows: list[Row]) -> dict[str, float]:
    """Totals over all images, so that one slow image counts as what it cost."""
    seconds = {k: sum(getattr(r, f"{k}_seconds") for r in rows) for k in _KINDS}
    cpu = {k: sum(getattr(r, f"{k}_cpu") for r in rows) for k in _KINDS}
    best = np.array([iou for row in rows for iou in row.best_ious])
    return {
        "images": len(rows),
        "speedup": seconds["stock"] / seconds["full"],
        "speedup_cpu": cpu["stock"] / cpu["full"],
        "encoder_ratio": seconds["full"] / seconds["encoder"],
        "encoder_ratio_cpu": cpu["full"] / cpu["encoder"],
        "recall75": float((best >= FOUND_IOU).mean()) if len(best) else 1.0,
        "mean_best_iou": float(best.mean()) if len(best) else 1.0,
        "stock_masks": len(best),
        **{f"{kind}_seconds": seconds[kind] / len(rows) for kind in _KINDS},
        **{f"{kind}_cpu_seconds": cpu[kind] / len(rows) for kind in _KINDS},
    }


_KINDS = ("encoder", "draft", "full", "stock")


def _peak(kind: str) -> float:
    """Peak MB of a process that segments one image with ``full``."""
    command = [sys.executable, __file__, "--peak", kind]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def _own_peak(kind: str) -> float:
    image = _photo(LARGE if kind == "large" else (683, 1024))
    Segmenter(PRESETS["full"]).segment(image)
    return _peak_kilobytes() / 1024


def _peak_kilobytes() -> float:
    """This process's peak resident set."""
    if sys.platform == "linux":
        # getrusage would count the memory of the process that started this one, too.
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return float(status.split("VmHWM:")[1].split()[0])
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024 if sys.platform == "darwin" else peak


def _photo(size: tuple[int, int]) -> np.ndarray:
    """A picture of many overlapping discs, uint8 [H, W, 3]: memory depends on size alone."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:128, 0:192]
    small = np.full((128, 192, 3), 90, np.uint8)
    for _ in range(60):
        cy, cx, r = rng.integers(128), rng.integers(192), rng.integers(4, 24)
        small[(y - cy) ** 2 + (x - cx) ** 2 < r * r] = rng.integers(0, 255, 3)
    return np.asarray(Image.fromarray(small).resize(size[::-1], Image.Resampling.BICUBIC))


def _rows_before() -> list[Row]:
    """The rows that this code made on this machine already."""
    before = RESULTS / "regions.json"
    if not before.exists():
        return []
    content = json.loads(before.read_text(encoding="utf-8"))
    return [Row(**row) for row in content["images"]] if content["machine"] == _machine() else []


def _machine() -> dict:
    """What the figures depend on, besides the images."""
    code = hashlib.sha256()
    for path in sorted((ROOT / "samclr_core" / "regions" / "automatic").glob("*.py")):
        code.update(path.read_bytes())
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "device": device_of(),
        "code": code.hexdigest()[:12],
    }


def _write(rows: list[Row], summary: dict) -> None:
    content = {"machine": _machine(), "summary": summary, "images": [asdict(row) for row in rows]}
    publish("regions", content, _table(rows, summary))


def _table(rows: list[Row], summary: dict[str, float]) -> str:
    lines = [
        "| image | size | load | encoder s | draft s | full s | stock s | faster | full masks | "
        "stock masks | recall@0.75 | mean best IoU |",
        "| --- | --- " + "| ---: " * 10 + "|",
    ]
    for row in rows:
        best = np.array(row.best_ious or [1.0])
        lines.append(
            f"| {row.image} | {row.width}x{row.height} | {row.load:.1f} | "
            f"{row.encoder_seconds:.1f} | {row.draft_seconds:.1f} | {row.full_seconds:.1f} | "
            f"{row.stock_seconds:.1f} | {row.stock_seconds / row.full_seconds:.1f}x | "
            f"{row.full_masks} | {row.stock_masks} | "
            f"{(best >= FOUND_IOU).mean():.3f} | {best.mean():.3f} |"
        )
    lines += ["", "| over all images | |", "| --- | ---: |"]
    lines += [f"| {name} | {_digits(value)} |" for name, value in summary.items()]
    return "\n".join(lines)


def _digits(value: float) -> str:
    """Three digits where there are decimals, else all of them."""
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


if __name__ == "__main__":
    main()
