"""What the image encoder made of an image, kept on disk: with it, a prompt is answered at once."""

import os
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from samclr_core import cache
from samclr_core.images.store import load
from samclr_core.regions.config import SegmenterConfig
from samclr_core.regions.sam.weights import pinned
from samclr_core.workspace import Workspace

MOST_FILES = 1000
"""Of 2 MB each; the ones that were not used for longest go first."""


class Embedder(Protocol):
    """A segmenter, as far as it is needed here."""

    config: SegmenterConfig

    def embed(self, image: np.ndarray) -> torch.Tensor: ...


def embedding(workspace: Workspace, image_id: str, segmenter: Embedder) -> torch.Tensor:
    """The image's embedding, float32 [1, 256, 64, 64] on the CPU, computed where it is not kept.

    It is kept as float16, which moves SAM's logits by less than they differ between two machines.

    Raises:
        UserError: the workspace has no such image.
    """
    weights = segmenter.config.weights or pinned(segmenter.config).weights
    path = workspace.cache / "embeddings" / weights / f"{image_id}.npy"
    if not path.exists():
        found = segmenter.embed(load(workspace, image_id)).cpu().numpy().astype(np.float16)
        _keep(path, found)
        return torch.from_numpy(found).float()
    os.utime(path)
    return torch.from_numpy(cache.read_one(path)).float()


def _keep(path: Path, values: np.ndarray) -> None:
    cache.write_one(path, values)
    kept = list(path.parent.parent.rglob("*.npy"))
    if len(kept) > MOST_FILES:
        min(kept, key=lambda file: file.stat().st_mtime).unlink(missing_ok=True)
