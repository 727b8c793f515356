"""Does tuning SAM's decoder help on images it has not seen? Sample scenes, and CamVid by sequence.

CamVid is not part of the project: name its folder (images/*.jpg, labels/*.png with 11 = void).
Sequences are kept apart, so that no test frame is a neighbour of one that was learned from. What
is done already is taken from the workspaces in --work.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
from common import publish, spread
from PIL import Image

from samclr_core.images import catalogue, store
from samclr_core.images.catalogue import ImageRecord
from samclr_core.images.decode import decode
from samclr_core.regions.sam import tuned
from samclr_core.regions.tuning import report
from samclr_core.regions.tuning.config import TuningConfig
from samclr_core.regions.tuning.examples import Example, Split, source
from samclr_core.regions.tuning.report import MEASURES, Figures, Report, compare
from samclr_core.regions.tuning.tune import tune_on
from samclr_core.workspace import SAMPLE_DATA, Workspace

CAMVID_VOID = 11
CAMVID_TEST_SEQUENCE = "0016E5"
NAMES = {
    "point": "one point, mask trusted most",
    "point_best": "one point, best of three",
    "box": "box",
    "clicks": "four clicks",
    "regions": "automatic regions, mean best IoU",
    "recall50": "automatic regions, recall@0.5",
    "recall75": "automatic regions, recall@0.75",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--camvid", type=Path, help="its folder; left out without it")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--work", type=Path, default=Path("workspaces/tuning"))
    options = parser.parse_args()
    rows: list[tuple[str, Report]] = []
    # Data set by data set: each is cheaper than the next, and a table can be had after any run.
    for name, parts_of in _data_sets(options).items():
        for seed in range(options.seeds):
            config = TuningConfig(seed=seed)
            rows.append((name, _report(Workspace(options.work / name), parts_of(config), config)))
            _write(rows)
    print(_table(rows))


def _write(rows: list[tuple[str, Report]]) -> None:
    content = [{"data": name, **_kept(made)} for name, made in rows]
    publish("tuning", content, _table(rows))


def _kept(made: Report) -> dict:
    """The report without the paths of this machine."""
    return {n: v for n, v in asdict(made).items() if not n.startswith("segmenter_")}


def _data_sets(options: argparse.Namespace) -> dict[str, Callable[[TuningConfig], Split]]:
    scenes = Workspace(options.work / "scenes")
    _bring_in(scenes, SAMPLE_DATA / "scenes" / "images")
    marked = SAMPLE_DATA / "scenes" / "annotations.json"
    find = source(scenes, "labels", marked)
    anything = (lambda _: True, lambda _: True)
    found = {"scenes": partial(_split, scenes, find, *anything, 24, 24)}
    if options.camvid:
        camvid = Workspace(options.work / "camvid")
        _bring_in(camvid, options.camvid / "images", options.camvid / "labels")
        truth = source(camvid, "labels")
        found["camvid"] = partial(_split, camvid, truth, _learned_from, _tested_on, 40, 60)
    return found


def _learned_from(record: ImageRecord) -> bool:
    return not _tested_on(record)


def _tested_on(record: ImageRecord) -> bool:
    return record.name.startswith(CAMVID_TEST_SEQUENCE)


def _bring_in(workspace: Workspace, images: Path, labels: Path | None = None) -> None:
    known = {record.name for record in catalogue.records(workspace)}
    for path in sorted(images.glob("*.jpg")):
        if path.name in known:
            continue
        pixels = decode(path.read_bytes(), path.name)
        image_id = store.content_id(pixels)
        store.save(workspace, image_id, pixels, lossy=True)
        if labels:
            classes = np.array(Image.open(labels / f"{path.stem}.png"))
            classes[classes == CAMVID_VOID] = store.VOID
            store.save_label_map(workspace, image_id, classes)
        height, width = pixels.shape[:2]
        record = ImageRecord(image_id, path.name, width, height, None, "", labels is not None)
        catalogue.put(workspace, record)


def _split(
    workspace: Workspace,
    find: Callable[[ImageRecord], Example | None],
    learned_from: Callable[[ImageRecord], bool],
    tested_on: Callable[[ImageRecord], bool],
    tune: int,
    test: int,
    config: TuningConfig,
) -> Split:
    """``tune`` images drawn by the seed, one in four to validate; ``test`` others, always the same
    ones where they come from other images."""
    records = catalogue.records(workspace)
    rng = np.random.default_rng(config.seed)
    drawn = rng.permutation([i for i, record in enumerate(records) if learned_from(record)])
    chosen = drawn[:tune].tolist()
    rest = [i for i, record in enumerate(records) if tested_on(record) and i not in chosen]
    validation = tune // 4
    parts = (chosen[validation:], chosen[:validation], spread(rest, test))
    examples = [tuple(e for i in part if (e := find(records[i]))) for part in parts]
    return Split(*examples)


def _report(workspace: Workspace, parts: Split, config: TuningConfig) -> Report:
    def progress(done: int, total: int, note: str = "") -> None:
        text = f"{workspace.name} seed {config.seed}: {done}/{total} {note}"
        print(f"\r{text:60}", end="", file=sys.stderr)

    name = f"tuned-{config.digest()}"
    if name in tuned.names(workspace):
        return report.read(workspace, name)
    return tune_on(workspace, name, parts, config, "benchmark", progress)


def _table(rows: list[tuple[str, Report]]) -> str:
    lines = [
        "| data | images learned from / validated on / tested on | seeds | measure | before "
        "| after | difference, 95% interval |",
        "| --- | --- | ---: | --- | ---: | ---: | --- |",
    ]
    for name in dict.fromkeys(name for name, _ in rows):
        runs = [made for other, made in rows if other == name]
        sizes = " / ".join(
            str(len(part)) for part in (runs[0].train, runs[0].validation, runs[0].test)
        )
        before, after = _means([run.before for run in runs]), _means([run.after for run in runs])
        for measure, found in compare(before, after).items():
            gain = found.difference
            lines.append(
                f"| {name} | {sizes} | {len(runs)} | {NAMES[measure]} | {found.before:.3f} "
                f"| {found.after:.3f} | {gain.mean:+.3f} ({gain.low:+.3f} to {gain.high:+.3f}) |"
            )
    return "\n".join(lines) + "\n"


def _means(runs: list[Figures]) -> Figures:
    """Per test image the mean over those seeds that tested on it."""
    images = dict.fromkeys(image for run in runs for image in run)
    return {
        image: {
            m: float(np.mean([run[image][m] for run in runs if image in run])) for m in MEASURES
        }
        for image in images
    }


if __name__ == "__main__":
    main()
