"""People-like figures of capsules: helmet, vest, and arms that reach where they are told."""

import math

import numpy as np

from . import finishes
from .blender import pose, put
from .geometry import Shape, ball, box, capsule, lathe, shifted, tube

SKINS = ((0.55, 0.33, 0.22), (0.36, 0.20, 0.12), (0.16, 0.08, 0.045), (0.62, 0.42, 0.31))
VESTS = ((0.85, 0.28, 0.01), (0.55, 0.72, 0.02), (0.80, 0.55, 0.02), (0.03, 0.15, 0.42))
HELMETS = (
    (0.75, 0.75, 0.72),
    (0.8, 0.5, 0.02),
    (0.03, 0.15, 0.5),
    (0.6, 0.05, 0.03),
    (0.05, 0.3, 0.12),
)
OVERALLS = ((0.03, 0.05, 0.11), (0.10, 0.11, 0.12), (0.04, 0.09, 0.16), (0.17, 0.13, 0.08))

SKIN, OVERALL, VEST, BAND, HELMET, DARK, GLOVE = range(7)
UPPER_ARM, FOREARM = 0.31, 0.30


def person(instance: int, at, heading: float, hands, lean: float, rng: np.random.Generator):
    """Put a figure at a place on the floor. `hands` are two points in its own frame.

    Its own frame: x to its left, y to its front, z up, the origin between the feet.
    """
    shape = Shape()
    _legs(shape, rng)
    chest = np.array([0.0, lean, 1.38])
    _torso(shape, chest)
    _head(shape, chest, rng)
    for side, hand in zip((-1, 1), hands, strict=True):
        _arm(shape, shifted(chest, side * 0.21, 0.0, 0.06), np.asarray(hand, float), side)
    scale = rng.uniform(0.94, 1.06)
    matrix = pose(at, (0, 0, heading))
    for axis in range(3):
        for row in range(3):
            matrix[row][axis] *= scale
    return put(shape, _wardrobe(rng), "person", instance, matrix)


def _wardrobe(rng: np.random.Generator) -> list:
    """Draw the materials of a figure, in slot order."""
    return [
        finishes.flat("skin", SKINS[rng.integers(len(SKINS))], 0.55),
        finishes.flat("overall", OVERALLS[rng.integers(len(OVERALLS))], 0.85),
        finishes.flat("vest", VESTS[rng.integers(len(VESTS))], 0.7),
        finishes.glowing("band", (0.8, 0.8, 0.75), 0.15),
        finishes.flat("helmet", HELMETS[rng.integers(len(HELMETS))], 0.25),
        finishes.flat("dark", (0.02, 0.02, 0.022), 0.5),
        finishes.flat("glove", finishes.PALETTE[str(rng.choice(["grey", "yellow", "blue"]))], 0.8),
    ]


def _legs(shape: Shape, rng: np.random.Generator) -> None:
    stride = rng.uniform(-0.12, 0.12)
    for side in (-1, 1):
        foot = (side * 0.12, side * stride, 0.09)
        knee = (side * 0.12, side * stride * 0.6 + 0.03, 0.48)
        shape.add(capsule((side * 0.1, 0, 0.9), knee, 0.105, 0.078), OVERALL)
        shape.add(capsule(knee, foot, 0.076, 0.058), OVERALL)
        toe = (foot[0], foot[1] + 0.15, 0.05)
        shape.add(capsule((foot[0], foot[1] - 0.03, 0.055), toe, 0.055, 0.048), DARK)


def _torso(shape: Shape, chest: np.ndarray) -> None:
    hips = np.array([0.0, 0.0, 0.92])
    up = shifted(chest, 0, 0, 0.13) - hips
    sections = [
        (0.0, 0.165, 0.125, OVERALL),
        (0.18, 0.165, 0.12, VEST),
        (0.42, 0.175, 0.125, BAND),
        (0.52, 0.18, 0.128, VEST),
        (0.80, 0.205, 0.13, VEST),
        (0.95, 0.165, 0.105, VEST),
    ]
    ends = [*sections[1:], (1.04, 0.06, 0.06, VEST)]
    for (low, wide, deep, slot), (high, wide_up, deep_up, _) in zip(sections, ends, strict=True):
        rows = [_oval(hips + up * low, wide, deep), _oval(hips + up * high, wide_up, deep_up)]
        shape.add((np.concatenate(rows), _band_faces()), slot)
    for side in (-1, 1):
        top, bottom = hips + up * 0.97, hips + up * 0.2
        for front in (-1, 1):
            start = shifted(top, side * 0.11, front * 0.08, 0.0)
            mid = hips + up * 0.75 + [side * 0.1, front * 0.125, 0.0]
            end = shifted(bottom, side * 0.09, front * 0.112, 0.0)
            shape.add(capsule(tuple(start), tuple(mid), 0.02, 0.02, 8), BAND)
            shape.add(capsule(tuple(mid), tuple(end), 0.02, 0.02, 8), BAND)


def _oval(centre: np.ndarray, wide: float, deep: float, count: int = 24) -> np.ndarray:
    angles = np.arange(count) * 2 * math.pi / count
    flat = np.stack([wide * np.cos(angles), deep * np.sin(angles), np.zeros(count)], axis=1)
    return centre + flat


def _band_faces(count: int = 24) -> list[tuple[int, ...]]:
    return [(i, (i + 1) % count, count + (i + 1) % count, count + i) for i in range(count)]


def _head(shape: Shape, chest: np.ndarray, rng: np.random.Generator) -> None:
    turn = (-rng.uniform(0.1, 0.5), 0, rng.uniform(-0.5, 0.5))
    neck = shifted(chest, 0, 0.02, 0.14)
    head = shifted(neck, 0, 0.035, 0.17)
    shape.add(capsule(tuple(neck), tuple(head), 0.058, 0.055), SKIN)
    shape.add(capsule((0, 0, -0.045), (0, 0, 0.045), 0.085, 0.1), SKIN, tuple(head), turn)
    shape.add(ball(0.02, 10, 6), SKIN, tuple(shifted(head, 0, 0.1, -0.02)), (0, 0, 0))
    dome = [(0.122, 0.04), (0.12, 0.08), (0.1, 0.13), (0.06, 0.16), (0.01, 0.17)]
    shape.add(lathe(dome, 28), HELMET, tuple(head), turn)
    shape.add(tube(0.155, 0.11, 0.012, 28), HELMET, tuple(shifted(head, 0, 0.02, 0.04)), turn)
    shape.add(box(0.15, 0.03, 0.035), DARK, tuple(shifted(head, 0, 0.088, 0.0)), turn)


def _arm(shape: Shape, shoulder: np.ndarray, hand: np.ndarray, side: int) -> None:
    """Bend the elbow so that the hand arrives, or as near as the arm reaches."""
    reach = hand - shoulder
    distance = min(float(np.linalg.norm(reach)), UPPER_ARM + FOREARM - 0.01)
    direction = reach / np.linalg.norm(reach)
    hand = shoulder + direction * distance
    along = (UPPER_ARM**2 - FOREARM**2 + distance**2) / (2 * distance)
    off = math.sqrt(max(UPPER_ARM**2 - along**2, 0.0))
    down = np.array([side * 0.5, -0.2, -1.0])
    down -= direction * (down @ direction)
    elbow = shoulder + direction * along + off * down / np.linalg.norm(down)
    shape.add(capsule(tuple(shoulder), tuple(elbow), 0.07, 0.052), OVERALL)
    shape.add(capsule(tuple(elbow), tuple(hand), 0.05, 0.038), OVERALL)
    ahead = (hand - elbow) / np.linalg.norm(hand - elbow)
    shape.add(capsule(tuple(hand), tuple(hand + ahead * 0.09), 0.045, 0.032), GLOVE)


def standing_hands(rng: np.random.Generator) -> list[tuple[float, float, float]]:
    """Return hands that hang at the sides or hold something at the chest."""
    if rng.random() < 0.5:
        return [(-0.3, 0.08, 0.86), (0.3, 0.08, 0.86)]
    return [(-0.1, 0.32, 1.12), (0.1, 0.32, 1.15)]


def reaching_hands(rng: np.random.Generator) -> list[tuple[float, float, float]]:
    """Return hands that reach forward over a line at working height."""
    return [
        (side * rng.uniform(0.08, 0.25), rng.uniform(0.48, 0.66), rng.uniform(0.98, 1.12))
        for side in (-1, 1)
    ]
