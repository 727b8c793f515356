"""How long a click takes until its region is there, beside segment-anything's own predictor.

    python benchmarks/clicks.py [--clicks 24]

One photo of each size; the clicks lie on a grid. *Cold* is the first click on a photo: decode the
file, run the image encoder, keep the embedding, answer. *Warm* reads the embedding from the disk,
as the first click after a restart does; *held* has it in memory already, as all further clicks do.
``SamPredictor`` has the same weights and its features in memory, so it stands beside *held*; the
last column is the IoU of its mask with ours.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from common import publish
from PIL import Image
from segment_anything import SamPredictor

from samclr_core.images import catalogue, store
from samclr_core.messages import UserError
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.prompting import Prompter
from samclr_core.workspace import Workspace

ROOT = Path(__file__).parent.parent
SCENE = ROOT / "sample_data" / "scenes" / "images" / "scene_000.jpg"
SIZES = ((1920, 1080), (4000, 3000), (6000, 4000))
TARGET_MS = 300


@dataclass(frozen=True)
class Row:
    """One photo: milliseconds a click, medians but for ``cold`` and the slowest of them.

    ``load`` is how many processes wanted a core at that time, this one included; on a busy machine
    ``cpu``, the work of a click on all cores together while the embedding is held, bounds from
    above what a click takes on an idle one.
    """

    size: str
    load: float
    cold: float
    warm: float
    held: float
    cpu: float
    held_worst: float
    predictor: float
    mean_iou: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clicks", type=int, default=24, help="on each photo")
    clicks = parser.parse_args().clicks
    prompter = Prompter(SegmenterConfig(), "cpu")
    scene = Image.open(SCENE).convert("RGB")
    pictures = [scene, *(scene.resize(size, Image.Resampling.LANCZOS) for size in SIZES)]
    # The first forward of a process plans its memory, which is no photo's fault.
    prompter.segmenter.embed(np.asarray(scene))
    rows = [_row(prompter, np.asarray(picture), clicks) for picture in pictures]
    machine = {
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "device": "cpu",
    }
    content = {"machine": machine, "clicks": clicks, "rows": [asdict(row) for row in rows]}
    publish("clicks", content, _table(rows, clicks))
    print(_table(rows, clicks))


def _row(prompter: Prompter, image: np.ndarray, clicks: int) -> Row:
    height, width = image.shape[:2]
    side = int(np.ceil(clicks**0.5))
    grid = [((i % side + 0.5) / side, (i // side + 0.5) / side) for i in range(clicks)]
    points = [(x * width, y * height) for x, y in grid]
    predictor = SamPredictor(prompter.model)
    with tempfile.TemporaryDirectory() as folder:
        workspace, image_id = Workspace(folder), store.content_id(image)
        store.save(workspace, image_id, image, lossy=True)
        record = catalogue.ImageRecord(image_id, "photo", width, height, None, "g", False)
        catalogue.put(workspace, record)

        def answer(point: tuple[float, float]) -> Any:
            return prompter.region(prompter.embed(workspace, image_id), (height, width), [point])

        cold, _ = _timed(lambda: answer(points[0]))
        warm = [_timed(lambda point=point: answer(point))[0] for point in points]
        kept = prompter.embed(workspace, image_id)
    predictor.set_image(image)
    held, work, theirs, ious = [], [], [], []
    for point in points:
        began = time.process_time()
        mine = _timed(lambda point=point: _region(prompter, kept, (height, width), point))
        work.append(1000 * (time.process_time() - began))
        stock = _timed(lambda point=point: _predicted(predictor, point))
        held.append(mine[0])
        theirs.append(stock[0])
        if mine[1] is not None:
            ious.append((mine[1] & stock[1]).sum() / (mine[1] | stock[1]).sum())
    return Row(
        f"{width}x{height}",
        round(psutil.getloadavg()[0], 1),
        round(cold),
        *(round(float(np.median(values))) for values in (warm, held, work)),
        round(max(held)),
        round(float(np.median(theirs))),
        round(float(np.mean(ious)), 3),
    )


def _region(prompter: Prompter, kept: torch.Tensor, size: tuple[int, int], point) -> Any:
    try:
        return prompter.region(kept, size, [point]).mask()
    except UserError:
        return None


def _predicted(predictor: SamPredictor, point: tuple[float, float]) -> np.ndarray:
    masks, scores, _ = predictor.predict(np.array([point]), np.array([1]))
    return masks[scores.argmax()]


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds of one call, and what it gave."""
    started = time.perf_counter()
    result = call()
    return 1000 * (time.perf_counter() - started), result


def _table(rows: list[Row], clicks: int) -> str:
    lines = [
        f"Milliseconds a click, medians of {clicks} on each photo; the target is {TARGET_MS}.",
        "",
        "| photo | load | cold | warm | held | CPU, held | slowest | SamPredictor | mean IoU |",
        "| --- " + "| ---: " * 8 + "|",
    ]
    for row in rows:
        times = (row.cold, row.warm, row.held, row.cpu, row.held_worst, row.predictor)
        cells = " | ".join(f"{value:.0f}" for value in times)
        lines.append(f"| {row.size} | {row.load:.1f} | {cells} | {row.mean_iou:.3f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
