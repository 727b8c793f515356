"""Prompts drawn from true masks, as in SAM's own training (Kirillov et al. 2023, appendix A)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from segment_anything.modeling import Sam

from samclr_core.regions.automatic.geometry import Frame

Kind = Literal["point", "box", "clicks"]
KINDS: tuple[Kind, ...] = ("point", "box", "clicks")

BOX_NOISE = 0.1
"""Standard deviation of a box's edges, as a fraction of its side ..."""
MOST_BOX_NOISE = 20.0
"""... and at most so many pixels of the model's 1024."""
INSIDE_CLICKS = 3
AROUND = 0.25
"""A click outside lies within the box, grown by this fraction of its sides."""
OUTSIDE, INSIDE, NO_CLICK = 0, 1, -1


@dataclass(frozen=True)
class Prompts:
    """Prompts of one kind on one image.

    Attributes:
        kind: a point, a box, or several clicks.
        coordinates: X, Y in the image's pixels, float64 [K, P, 2]; a box is its two corners.
        labels: 1 inside, 0 outside, -1 none, int [K, P]; not used for boxes.
    """

    kind: Kind
    coordinates: np.ndarray
    labels: np.ndarray

    @property
    def answers(self) -> slice:
        """Which of the four masks answer, as in ``regions/prompting.py``.

        A single point may mean a thing or its part: three do. Else SAM's single mask does.
        """
        return slice(1, 4) if self.kind == "point" else slice(0, 1)

    @torch.no_grad()
    def encoded(self, model: Sam, frame: Frame) -> torch.Tensor:
        """The prompt encoder's tokens, [K, T, 256]."""
        flat = frame.to_model(self.coordinates.reshape(-1, 2)).to(model.device)
        coordinates = flat.view(*self.coordinates.shape)
        labels = torch.from_numpy(self.labels).to(model.device)
        points = None if self.kind == "box" else (coordinates, labels)
        boxes = coordinates.flatten(1) if self.kind == "box" else None
        return model.prompt_encoder(points, boxes=boxes, masks=None)[0]


def draw(kind: Kind, masks: Sequence[np.ndarray], rng: np.random.Generator) -> Prompts:
    """One prompt of that kind for each mask, bool [H, W] and not empty."""
    if kind == "box":
        found = [_box(mask, rng) for mask in masks]
        return Prompts(kind, np.array(found), np.ones((len(masks), 2), np.int64))
    if kind == "point":
        found = [_points(mask, 1, rng) for mask in masks]
        return Prompts(kind, np.array(found), np.ones((len(masks), 1), np.int64))
    pairs = [_clicks(mask, rng) for mask in masks]
    return Prompts(kind, np.array([p for p, _ in pairs]), np.array([n for _, n in pairs]))


def _points(mask: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """``count`` of the mask's pixels, uniformly, X, Y [count, 2]."""
    rows, columns = np.divmod(rng.choice(np.flatnonzero(mask), count), mask.shape[1])
    return np.stack([columns, rows], axis=1).astype(np.float64)


def _box(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The mask's box with noise on its corners, [[left, top], [right, bottom]]."""
    start, stop = _ends(mask)
    most = MOST_BOX_NOISE / Frame(*mask.shape).scale
    noise = rng.normal(0, BOX_NOISE * (stop - start), (2, 2)).clip(-most, most)
    limits = np.array(mask.shape[::-1])
    return np.sort((np.stack([start, stop]) + noise).clip(0, limits), axis=0)


def _clicks(mask: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Clicks inside the mask and one close outside of it, where there is an outside."""
    inside = _points(mask, INSIDE_CLICKS, rng)
    labels = np.full(INSIDE_CLICKS + 1, INSIDE)
    start, stop = _ends(mask)
    grown = AROUND * (stop - start)
    x0, y0 = (start - grown).clip(0).astype(int)
    x1, y1 = (stop + grown).astype(int) + 1
    around = ~mask[y0:y1, x0:x1]
    if not around.any():
        labels[-1] = NO_CLICK
        return np.concatenate([inside, inside[:1]]), labels
    labels[-1] = OUTSIDE
    outside = _points(around, 1, rng) + np.array([x0, y0])
    return np.concatenate([inside, outside]), labels


def _ends(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """X, Y of the mask's first pixel and after its last, each float [2]."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    start = np.array([columns[0], rows[0]], np.float64)
    return start, np.array([columns[-1] + 1, rows[-1] + 1], np.float64)
