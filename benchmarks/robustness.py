"""How good must a segmentation be? Region views from true masks, damaged more and more.

The regions are the annotated masks of our sample scenes, so the mean best IoU is that with the
truth. Every damage is trained and evaluated as the undamaged masks and image views are; a study
that was stopped goes on where it was. One command: ``python benchmarks/robustness.py``.
"""

import argparse
import json
import platform
import shlex
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from common import publish

from samclr_core.cli.common import parsed
from samclr_core.config import with_changes
from samclr_core.evaluation.robustness.answer import answer, spoken
from samclr_core.evaluation.robustness.config import StudyConfig
from samclr_core.evaluation.robustness.results import Row, Study
from samclr_core.evaluation.robustness.study import study
from samclr_core.images import catalogue
from samclr_core.images.intake import add_paths
from samclr_core.regions import store
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.region import Region, RegionSet
from samclr_core.regions.rle import decode
from samclr_core.training.config import PRESETS
from samclr_core.workspace import SAMPLE_DATA, Workspace

TRUTH = SegmenterConfig(model="annotations")
LEAST_AREA = 100
# Half of what studies/sample.yaml gives the same network; an hour and a half on two cores.
BUDGET = ["epochs=30"]
TABLE = """| regions | strength | mean best IoU | pair purity | accuracy | to undamaged | to image |
| --- | --- | --- | --- | --- | --- | --- |"""
HEAD = """# Robustness: how good must the segmentation be?

`{command}`: region views cut from the annotated masks of the sample scenes,
damaged; mean best IoU is that with the truth, differences are 95 % intervals in points of the
linear probe's accuracy. The budget was settled before any damage was trained with it: half of what
studies/sample.yaml gives the same network, where region views are ahead of image views. A tenth of
it, tried before, left too little between these two to say what damage costs."""


def annotated(workspace: Workspace) -> None:
    """Take in the sample scenes with their annotated masks as the regions in use."""
    add_paths(workspace, [SAMPLE_DATA / "scenes"])
    coco = json.loads((SAMPLE_DATA / "scenes/annotations.json").read_text(encoding="utf-8"))
    names = {image["id"]: image["file_name"] for image in coco["images"]}
    things: dict[str, list[Region]] = {}
    for thing in coco["annotations"]:
        if thing["area"] >= LEAST_AREA:
            region = Region.of_mask(decode(thing["segmentation"]))
            things.setdefault(names[thing["image_id"]], []).append(region)
    for image in catalogue.records(workspace):
        regions = sorted(things[Path(image.name).name], key=lambda region: -region.area)
        made = RegionSet(image.id, image.height, image.width, TRUTH.model_dump(), tuple(regions))
        store.write(workspace, TRUTH, made)
    store.choose(workspace, TRUTH)


class Told:
    """Prints every new note with its time."""

    def __init__(self) -> None:
        self.last = ""

    def __call__(self, done: int, total: int, note: str = "") -> None:
        if note != self.last:
            print(time.strftime("%H:%M:%S"), f"{done}/{total}", note, flush=True)
        self.last = note


def cells(row: Row) -> list[str]:
    """One set of regions as a line of the table."""
    iou = "–" if row.mean_best_iou is None else f"{row.mean_best_iou:.2f}"
    accuracy = f"{row.accuracy.mean:.3f} ({row.accuracy.low:.3f} to {row.accuracy.high:.3f})"
    itself = {"change": "undamaged", "gain": "image"}
    differences = [
        "–" if row.kind == itself[name] else f"{100 * d.low:+.1f} to {100 * d.high:+.1f}"
        for name, d in (("change", row.change), ("gain", row.gain))
    ]
    strength = f"{row.strength:g}" if row.strength else "–"
    return [row.kind, strength, iou, f"{row.purity:.2f}", accuracy, *differences]


def markdown(found: Study, sentences: list[str], settings: dict) -> str:
    said = "\n".join(f"- {sentence}" for sentence in sentences)
    table = "\n".join([TABLE, *(f"| {' | '.join(cells(row))} |" for row in found.rows)])
    kept = ", ".join(f"{key} {value}" for key, value in settings.items())
    head = HEAD.format(command=f"python {shlex.join(sys.argv)}")
    return f"{head}\n\n{said}\n\n{table}\n\n{kept}.\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, default=Path("workspaces/robustness"))
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--set", action="append", help=f"of the training; else {BUDGET[0]}")
    parser.add_argument("--kinds", default="eroded,dilated,merged,split,shifted,dropped")
    parser.add_argument("--strengths", default="0.5")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--name", default="robustness", help="of the files with the result")
    options = parser.parse_args()
    changes = parsed(options.set or BUDGET)

    workspace = Workspace(options.workspace)
    annotated(workspace)
    training = with_changes(PRESETS, options.preset, changes)
    asked = {
        "training": training.model_dump(),
        "kinds": options.kinds.split(","),
        "strengths": options.strengths.split(","),
        "seeds": options.seeds,
    }
    found = study(workspace, StudyConfig.of(asked), SAMPLE_DATA / "probe", Told())
    sentences = [spoken(note, "en") for note in answer(found)]
    settings = {
        "preset": options.preset,
        **changes,
        "images": len(catalogue.records(workspace)),
        "seeds": options.seeds,
        "test images": found.n_test,
        "machine": f"{platform.machine()}, CPU",
    }
    result = {"settings": settings, "answer": sentences, "rows": found.table()}
    publish(options.name, result, markdown(found, sentences, settings))


if __name__ == "__main__":
    main()
