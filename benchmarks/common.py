"""What the benchmarks share: which of many images are taken, and where results are kept."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

Item = TypeVar("Item")
RESULTS = Path(__file__).parent / "results"


def spread(items: Sequence[Item], count: int) -> list[Item]:
    """At most ``count`` of the items, from the whole length of them."""
    places = np.linspace(0, len(items) - 1, min(count, len(items))).astype(int)
    return [items[place] for place in places]


def wait() -> None:
    """Until the GPU, where there is one, has done all it was given: before a clock is read."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def publish(name: str, content: Any, table: str) -> None:
    """Keep a result as JSON and, beside it, as the markdown that the docs include."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=1) + "\n"
    (RESULTS / f"{name}.json").write_text(text, encoding="utf-8")
    (RESULTS / f"{name}.md").write_text(table.rstrip("\n") + "\n", encoding="utf-8")
