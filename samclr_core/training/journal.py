"""What a run tells about itself: metrics.jsonl, log.txt and facts.json."""

import json
import math
import time
from typing import Any

from torch import Tensor

from samclr_core.messages import say
from samclr_core.training import health
from samclr_core.training.methods import Outcome
from samclr_core.training.runs import Run
from samclr_core.workspace import write_atomic, write_json


class Journal:
    """Writes what ``run`` tells; nothing is told twice after a resume."""

    def __init__(self, run: Run, step: int) -> None:
        self.run = run
        self.notes: list[dict[str, Any]] = []
        kept = [line for line in run.metrics() if line["step"] <= step]
        content = "".join(json.dumps(line) + "\n" for line in kept)
        write_atomic(run.metrics_path, content.encode())

    def note(self, key: str, **values: int | str) -> None:
        """A sentence of the catalogue for the log, and for whoever shows the run."""
        self.notes.append({"key": key, "values": values})
        self.log(say(key, language="en", **values))

    def log(self, text: str) -> None:
        with open(self.run.folder / "log.txt", "a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n")

    def facts(self, **values: object) -> None:
        """What was found at the start; shown as :attr:`Run.facts`."""
        write_json(self.run.folder / "facts.json", {**values, "notes": self.notes})

    def metrics(self, **values: float) -> None:
        """One line of metrics.jsonl; what is not a finite number becomes null."""
        line = {k: v if math.isfinite(v) else None for k, v in values.items()}
        with open(self.run.metrics_path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


class Unwritten(Journal):
    """The journal of all processes but the first: what all know is written down once."""

    def __init__(self) -> None:
        self.notes = []

    def log(self, text: str) -> None: ...

    def facts(self, **values: object) -> None: ...

    def metrics(self, **values: float) -> None: ...


def health_of(outcome: Outcome) -> dict[str, float]:
    """The figures that show a collapse.

    Spread and rank are of the backbone's features, which are what is kept (the head's batch norm
    would make its own spread 1 whatever happens); alignment and uniformity are of the
    projections, which are what the loss pulls at.
    """
    z: Tensor = outcome.projections
    z1, z2 = z.chunk(2)
    return {
        "embedding_std": health.embedding_std(outcome.features),
        "effective_rank": health.effective_rank(outcome.features),
        "alignment": health.alignment(z1, z2),
        "uniformity": health.uniformity(z),
    }
