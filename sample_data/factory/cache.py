"""What the renderer leaves in its cache and the exporters read from it."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

SEED_CODES = {"scenes": 0, "train": 1, "test": 2}
PHOTO_STREAM = 1


@dataclass(frozen=True)
class Rendered:
    """One rendered scene. `facts` tells of each product by its instance id."""

    picture: Image.Image
    labels: np.ndarray
    instances: np.ndarray
    facts: dict[int, dict]


def stem(cache: Path, kind: str, index: int) -> Path:
    """Return the path, less its suffix, of a scene's files."""
    return cache / f"{kind}_{index:03d}"


def scene_rng(seed: int, kind: str, index: int, *stream: int) -> np.random.Generator:
    """Return the random numbers of one scene, or of one of its later streams."""
    return np.random.default_rng([seed, SEED_CODES[kind], index, *stream])


def load(cache: Path, kind: str, index: int) -> Rendered:
    """Read a finished scene."""
    base = stem(cache, kind, index)
    with Image.open(base.with_suffix(".png")) as image:
        picture = image.convert("RGB")
    with Image.open(base.with_suffix(".ids.png")) as image:
        ids = np.asarray(image.convert("RGB"))
    facts = json.loads(base.with_suffix(".json").read_text(encoding="utf-8"))
    by_instance = {fact["instance"]: fact for fact in facts}
    return Rendered(picture, ids[..., 0], ids[..., 1], by_instance)
