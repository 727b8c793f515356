"""Make the sample data: render the scenes of the small factory and write them with their truth.

    python make.py OUT [--scenes 48] [--probe-scenes 72] [--seed 0] [--cache DIR]

The same seed gives the same scenes. Finished renderings stay in the cache, so that an
interrupted run goes on where it stopped.
"""

import argparse
import sys
import time
from pathlib import Path

from factory.check import check
from factory.export import export_scenes
from factory.probe import SPLITS, export_probe


def main() -> int:
    """Render what is missing, write everything, check it."""
    options = _options()
    cache = (options.cache or options.out / "cache") / f"seed_{options.seed}"
    cache.mkdir(parents=True, exist_ok=True)
    per_split = options.probe_scenes // len(SPLITS)
    jobs = [("scenes", index) for index in range(options.scenes)]
    jobs += [(split, index) for split in SPLITS for index in range(per_split)]
    _render(jobs, options.seed, cache)
    export_scenes(cache, options.out / "scenes", options.scenes, options.seed)
    export_probe(cache, options.out / "probe", per_split, options.seed)
    problems = check(options.out)
    print("\n".join(problems) or "All label maps, instance maps, annotations and crops agree.")
    return 1 if problems else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Make the rendered sample factory.")
    parser.add_argument("out", type=Path, help="folder that receives scenes/ and probe/")
    parser.add_argument("--scenes", type=int, default=48, help="annotated scenes")
    parser.add_argument("--probe-scenes", type=int, default=72, help="scenes to cut crops from")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache", type=Path, help="folder for renderings; OUT/cache if left out")
    return parser.parse_args()


def _render(jobs: list[tuple[str, int]], seed: int, cache: Path) -> None:
    """Render the scenes that the cache lacks."""
    from factory.render import render_scene  # needs Blender, which export alone does not

    for number, (kind, index) in enumerate(jobs, start=1):
        start = time.monotonic()
        if render_scene(kind, index, seed, cache):
            seconds = time.monotonic() - start
            print(f"{number}/{len(jobs)} {kind} {index}: {seconds:.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
