"""The hall: floor with markings, walls with windows and doors, pillars, pipes and lamps."""

import numpy as np

from . import finishes
from .blender import pose, put
from .finishes import HOUSINGS, PALETTE, any_of, flat, glowing, paint
from .geometry import QUARTER, Shape, box, circle, cylinder, prism, sweep, torus, tube

WALL_Y, HALL_HALF, HALL_HEIGHT = 4.6, 11.0, 6.0

FLOORS = (
    ((0.30, 0.30, 0.29), (0.22, 0.22, 0.215)),
    ((0.16, 0.24, 0.19), (0.12, 0.19, 0.15)),
    ((0.22, 0.25, 0.29), (0.16, 0.19, 0.23)),
    ((0.38, 0.36, 0.32), (0.29, 0.27, 0.24)),
)
WALLS = (
    ((0.60, 0.60, 0.56), (0.10, 0.20, 0.30)),
    ((0.52, 0.55, 0.57), (0.30, 0.31, 0.32)),
    ((0.58, 0.56, 0.50), (0.12, 0.27, 0.20)),
    ((0.55, 0.50, 0.44), (0.35, 0.17, 0.10)),
)


def build(rng: np.random.Generator) -> None:
    """Build the floor with its markings, the walls, windows, pillars, pipes and lamps."""
    floor = Shape().add(box(2 * HALL_HALF, 2 * HALL_HALF, 0.1), at=(0, 0, -0.1))
    put(floor, [finishes.concrete(*any_of(rng, FLOORS), rng)], "floor")
    _markings(rng)
    _walls(rng)
    _pillars(rng)
    _pipes(rng)


def _markings(rng: np.random.Generator) -> None:
    colors = [finishes.tape((0.72, 0.47, 0.03)), finishes.tape((0.65, 0.65, 0.62))]
    lanes = Shape()
    for y in (-1.15, -2.6, 3.6):
        lanes.add(box(2 * HALL_HALF, 0.09, 0.004), at=(0, y, 0))
    for x in np.arange(-9, 9, 3.0) + rng.uniform(0, 3):
        lanes.add(box(0.07, 1.0, 0.004), at=(x, -3.3, 0))
    put(lanes, [any_of(rng, colors)], "marking")
    pads = Shape()
    for x in np.arange(-8, 9, 4.0) + rng.uniform(-1, 1):
        pads.add(box(1.2, 0.16, 0.005), at=(x, -0.95, 0))
        pads.add(box(1.5, 0.16, 0.005), at=(x, 3.3, 0))
    put(pads, [finishes.hazard(width=4.0)], "marking")


def _walls(rng: np.random.Generator) -> None:
    upper, lower = any_of(rng, WALLS)
    material = finishes.two_tone(upper, lower, rng.uniform(1.0, 1.5), rng.uniform(0.25, 0.6))
    back = Shape().add(box(2 * HALL_HALF, 0.2, HALL_HEIGHT), at=(0, WALL_Y + 0.1, 0))
    put(back, [material], "wall")
    for side in (-1, 1):
        turned = Shape().add(box(2 * HALL_HALF, 0.2, HALL_HEIGHT))
        put(turned, [material], "wall", 0, pose((side * HALL_HALF, 0, 0), (0, 0, QUARTER)))
    frame, pane = Shape(), Shape()
    for x in np.arange(-9, 10, 3.0) + rng.uniform(-1, 1):
        frame.add(box(1.7, 0.1, 1.2), at=(x, WALL_Y - 0.03, 2.5))
        for column in (-1, 0, 1):
            pane.add(box(0.48, 0.02, 1.04), at=(x + column * 0.53, WALL_Y - 0.09, 2.58))
    put(frame, [flat("frame", PALETTE["grey"])], "wall", 0, bevel=0.01)
    put(pane, [glowing("daylight", (0.75, 0.87, 1.0), rng.uniform(0.8, 3.0))], "wall")
    _doors(rng)


def _doors(rng: np.random.Generator) -> None:
    """Add a roller door, a notice board and an extinguisher-red cabinet to the back wall."""
    x = rng.uniform(-4, 4)
    door = Shape().add(box(1.9, 0.06, 2.2), at=(x, WALL_Y - 0.02, 0))
    for height in np.arange(0.1, 2.2, 0.16).tolist():
        door.add(box(1.8, 0.05, 0.12), 1, at=(x, WALL_Y - 0.05, height))
    put(door, [paint(rng, HOUSINGS), paint(rng, ("steel", "grey", "white"))], "wall")
    board = Shape().add(box(1.3, 0.04, 0.85), at=(x + 2.1, WALL_Y - 0.02, 1.25))
    for column in range(4):
        for row in range(2):
            at = (x + 1.66 + column * 0.29, WALL_Y - 0.05, 1.32 + row * 0.38)
            board.add(box(0.21, 0.01, 0.29), 1 + (column * 3 + row) % 3, at=at)
    sheets = [
        flat("sheet", color, 0.8)
        for color in ((0.75, 0.74, 0.7), (0.7, 0.62, 0.25), (0.35, 0.5, 0.65))
    ]
    put(board, [flat("board", (0.1, 0.16, 0.12), 0.7), *sheets], "wall")
    cabinet = Shape().add(box(0.34, 0.22, 0.7), at=(x - 1.5, WALL_Y - 0.1, 0.9))
    put(cabinet, [flat("red", PALETTE["red"], 0.3)], "wall", 0, bevel=0.01)


def _pillars(rng: np.random.Generator) -> None:
    material, stripe = paint(rng, ("grey", "teal", "blue", "white")), finishes.hazard(width=5.0)
    for x in np.arange(-8, 9, 4.0) + rng.uniform(-1.5, 1.5):
        pillar = Shape()
        for side in (-1, 1):
            pillar.add(box(0.28, 0.03, HALL_HEIGHT), at=(0, side * 0.14, 0))
        pillar.add(box(0.03, 0.28, HALL_HEIGHT))
        pillar.add(box(0.3, 0.33, 0.9), 1)
        put(pillar, [material, stripe], "pillar", 0, pose((x, WALL_Y - 0.45, 0)))


def _pipes(rng: np.random.Generator) -> None:
    """Run pipes along the back wall, with flanges, drops and a duct above."""
    for level in range(int(rng.integers(2, 5))):
        height, radius = 3.95 - 0.3 * level + rng.uniform(-0.04, 0.04), rng.uniform(0.04, 0.09)
        y = WALL_Y - 0.25 - 0.05 * level
        pipe = Shape().add(
            cylinder(radius, 2 * HALL_HALF, 20), at=(-HALL_HALF, y, height), turn=(0, QUARTER, 0)
        )
        for x in np.arange(-9, 10, 2.5) + rng.uniform(0, 2):
            pipe.add(cylinder(radius * 1.6, 0.06, 20), at=(x, y, height), turn=(0, QUARTER, 0))
        drop = rng.uniform(-6, 6)
        path = [(drop, y, height), (drop, y, height - 0.6), (drop, y, 1.5), (drop, y, 0.0)]
        pipe.add(sweep(np.array(path), radius * 0.8, 16))
        pipe.add(torus(0.14, 0.018, 32, 8), 1, at=(drop, y - 0.16, 1.3), turn=(QUARTER, 0, 0))
        names = ("steel", "yellow", "green", "blue", "red", "grey", "copper")
        put(pipe, [paint(rng, names), flat("wheel", PALETTE["red"])], "pipe")


def lamps(instance: int, xs, y: float, height: float, color, strength: float) -> int:
    """Hang high-bay lamps; return the next free instance id."""
    for x in xs:
        lamp = Shape().add(cylinder(0.012, 2.5, 8), 1, at=(0, 0, 0.25))
        lamp.add(tube(0.24, 0.2, 0.12, 32), 1).add(prism(circle(0.22, 32), 0.1), 1, at=(0, 0, 0.12))
        lamp.add(cylinder(0.2, 0.02, 32), 0, at=(0, 0, 0.03))
        materials = [glowing("bulb", color, strength), flat("shade", PALETTE["grey"], 0.4)]
        put(lamp, materials, "lamp", instance, pose((float(x), y, height)))
        instance += 1
    return instance
