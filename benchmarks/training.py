"""Our training loop beside its physical limit and beside a plain lightly SimCLR.

    python benchmarks/training.py [--backbone resnet18] [--size 96] [--batch 48] [--quick] [--json]

All three train the same backbone by SimCLR on image views of our sample scenes, in turn, several
rounds each, in one process. *Ours* is a whole run of the real loop, from scenes decoded once to
metrics on disk. *Limit* is the same method and optimizer on a batch that is in memory already.
*lightly* is its SimCLR transform, loss and head with a DataLoader over the files. The first steps
of each round pay for threads and buffers and do not count.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import torch
from common import publish, wait
from lightly.loss import NTXentLoss
from lightly.models.modules import SimCLRProjectionHead
from lightly.transforms import SimCLRTransform
from torch.utils.data import ConcatDataset, DataLoader, Dataset

from samclr_core.config import with_changes
from samclr_core.images import catalogue
from samclr_core.images.intake import add_paths
from samclr_core.training import backbones, devices, runs
from samclr_core.training.config import PRESETS, TrainingConfig
from samclr_core.training.loop import train
from samclr_core.training.methods import METHODS
from samclr_core.workspace import SAMPLE_DATA, Workspace

SCENES = SAMPLE_DATA / "scenes" / "images"
WARM = 2
"""Steps at the head of a round that do not count."""


def main() -> None:
    options = _options()
    steps, rounds = (6, 3) if options.quick else (24, 5)
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder) / "w")
        add_paths(workspace, [SCENES])
        config = _config(options, len(catalogue.records(workspace)), steps)
        kinds: dict[str, Callable[[], float]] = {
            "ours": lambda: _ours(workspace, config),
            "limit": lambda: _limit(config, steps),
            "lightly": lambda: _lightly(config, steps),
        }
        # Scenes are decoded in the first run of a workspace, once and for all.
        kinds["ours"]()
        found: dict[str, list[float]] = {kind: [] for kind in kinds}
        for number in range(rounds):
            for kind, measure in kinds.items():
                found[kind].append(measure())
                print(f"{number + 1}/{rounds} {kind} {found[kind][-1]:.1f}/s", file=sys.stderr)
    result = _result(config, found)
    if not options.quick:
        publish("training", result, _table(result))
    keys = ("vs_limit", "vs_lightly", "device")
    print(json.dumps({k: result[k] for k in keys}) if options.json else _table(result))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backbone", default="resnet18")
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--quick", action="store_true", help="few steps, nothing written")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    return parser.parse_args()


def _config(options: argparse.Namespace, images: int, steps: int) -> TrainingConfig:
    """A run of so many steps."""
    batch = min(options.batch, images)
    changes = {
        "backbone": options.backbone,
        "views.size": options.size,
        "batch_size": batch,
        "epochs": 1,
        "pairs_per_image": -(-steps * batch // images),
        "log_steps": 1,
        "checkpoint_seconds": 1e6,
    }
    return with_changes(PRESETS, "standard", changes)


def _ours(workspace: Workspace, config: TrainingConfig) -> float:
    """Views per second of a whole run, from the clock that it keeps itself."""
    run = runs.create(workspace, config)
    train(workspace, run)
    metrics = run.metrics()
    first, last = metrics[WARM - 1], metrics[-1]
    steps = last["step"] - first["step"]
    return 2 * config.batch_size * steps / (last["seconds"] - first["seconds"])


def _limit(config: TrainingConfig, steps: int) -> float:
    """The same method, precision and optimizer on one batch in memory."""
    fabric = devices.fabric(config)
    method = METHODS[config.loss](backbones.start(config), config)
    method.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(method.parameters(), config.lr, fused=devices.can_fuse(fabric))
    module, optimizer = fabric.setup(method, optimizer)
    count, size = config.batch_size, config.views.size
    views = [
        torch.randn(count, 3, size, size, device=fabric.device).contiguous(
            memory_format=torch.channels_last
        )
        for _ in range(2)
    ]
    images = torch.arange(count, device=fabric.device)
    related = torch.eye(count, dtype=torch.bool, device=fabric.device)

    def step() -> None:
        fabric.backward(module(views, images, related).loss)
        fabric.clip_gradients(module, optimizer, max_norm=config.clip)
        optimizer.step()
        optimizer.zero_grad()

    with devices.repeatable(fabric.device):
        return _rate(step, steps, 2 * count)


def _lightly(config: TrainingConfig, steps: int) -> float:
    """lightly's own transform, head and loss, fed by a DataLoader from the files."""
    device = devices.fabric(config).device
    backbone = backbones.start(config).to(device)
    head = SimCLRProjectionHead(backbone.dim, *config.head_dim).to(device)
    criterion = NTXentLoss(config.temperature)
    parameters = [*backbone.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, config.lr)
    files = sorted(SCENES.glob("*.jpg"))
    often = -(-steps * config.batch_size // len(files)) + 1
    loader = DataLoader(
        ConcatDataset([_Files(files, config.views.size)] * often),
        config.batch_size,
        shuffle=True,
        drop_last=True,
        num_workers=devices.workers(config),
    )
    batches = iter(loader)

    def step() -> None:
        first, second = next(batches)
        z1, z2 = head(backbone(first.to(device))), head(backbone(second.to(device)))
        criterion(z1, z2).backward()
        optimizer.step()
        optimizer.zero_grad()

    return _rate(step, steps, 2 * config.batch_size)


class _Files(Dataset):
    """Two views of a file."""

    def __init__(self, files: list[Path], size: int) -> None:
        self.files = files
        self.transform = SimCLRTransform(input_size=size)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Any:
        from PIL import Image

        return tuple(self.transform(Image.open(self.files[index]).convert("RGB")))


def _rate(step: Callable[[], None], steps: int, views: int) -> float:
    """Views per second after the first steps."""
    for _ in range(WARM):
        step()
    wait()
    started = time.perf_counter()
    for _ in range(steps - WARM):
        step()
    wait()
    return views * (steps - WARM) / (time.perf_counter() - started)


def _result(config: TrainingConfig, found: dict[str, list[float]]) -> dict[str, Any]:
    rates = {kind: statistics.median(values) for kind, values in found.items()}
    cuda = torch.cuda.is_available()
    return {
        "vs_limit": round(rates["ours"] / rates["limit"], 3),
        "vs_lightly": round(rates["ours"] / rates["lightly"], 3),
        "device": torch.cuda.get_device_name() if cuda else f"CPU, {os.cpu_count()} cores",
        "backbone": config.backbone,
        "size": config.views.size,
        "batch": config.batch_size,
        "torch": torch.__version__,
        "views_per_second": {kind: round(rate, 1) for kind, rate in rates.items()},
        "rounds": {kind: [round(v, 1) for v in values] for kind, values in found.items()},
    }


def _table(result: dict[str, Any]) -> str:
    lines = [
        f"{result['device']}; {result['backbone']}, {result['size']} px, batches of"
        f" {result['batch']} pairs. Medians of rounds in turn.",
        "",
        "| | views/s | slowest and fastest round |",
        "| --- | ---: | ---: |",
    ]
    for kind, rate in result["views_per_second"].items():
        values = result["rounds"][kind]
        lines.append(f"| {kind} | {rate} | {min(values)} to {max(values)} |")
    lines += ["", f"Ours is {result['vs_limit']} of the limit, {result['vs_lightly']} x lightly."]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
