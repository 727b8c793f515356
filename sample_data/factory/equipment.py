"""What stands in the hall: conveyors, machines, robots, crates and pallets."""

import math

import numpy as np

from . import finishes
from .blender import pose, put
from .finishes import BLACK, HOUSINGS, PALETTE, any_of, flat, glowing, paint
from .geometry import QUARTER, Shape, ball, box, capsule, cylinder, shifted, sweep

BELT_HEIGHT, BELT_WIDTH, LINE_LENGTH = 0.85, 0.92, 16.0

BELTS = (
    (0.02, 0.021, 0.023),
    (0.02, 0.075, 0.055),
    (0.03, 0.06, 0.12),
    (0.13, 0.13, 0.13),
    (0.3, 0.29, 0.26),
)
FRAMES = ("steel", "blue", "grey", "yellow", "teal", "white", "orange")


def conveyor(y: float, rng: np.random.Generator) -> None:
    """Build a belt or roller conveyor along x with rails, legs and drive motors."""
    frame = paint(rng, FRAMES, 0.32)
    body = Shape()
    for side in (-1, 1):
        edge = side * (BELT_WIDTH / 2 + 0.035)
        body.add(box(LINE_LENGTH, 0.06, 0.17), at=(0, y + edge, BELT_HEIGHT - 0.13))
        for x in np.arange(-LINE_LENGTH / 2, LINE_LENGTH / 2, 1.6).tolist():
            body.add(box(0.07, 0.07, BELT_HEIGHT - 0.1), at=(x, y + edge, 0))
            body.add(box(0.13, 0.11, 0.02), 1, at=(x, y + edge, 0))
            body.add(
                cylinder(0.02, 0.02, 12),
                1,
                (x + 0.8, y + edge + side * 0.03, BELT_HEIGHT - 0.05),
                (-side * QUARTER, 0, 0),
            )
    for x in np.arange(-LINE_LENGTH / 2, LINE_LENGTH / 2, 1.6).tolist():
        body.add(box(0.05, BELT_WIDTH, 0.05), at=(x, y, 0.3))
        body.add(box(0.34, 0.22, 0.2), 1, at=(x + 0.5, y - BELT_WIDTH / 2 + 0.05, 0.5))
    put(body, [frame, flat("dark", PALETTE["dark_steel"], 0.4, 0.6)], "conveyor", 0, bevel=0.008)
    if rng.random() < 0.72:
        _belt(y, rng)
    else:
        _rollers(y, rng)


def _belt(y: float, rng: np.random.Generator) -> None:
    band = Shape().add(box(LINE_LENGTH, BELT_WIDTH, 0.05), at=(0, y, BELT_HEIGHT - 0.05))
    put(band, [finishes.belt(any_of(rng, BELTS), rng)], "conveyor")


def _rollers(y: float, rng: np.random.Generator) -> None:
    rollers = Shape()
    for x in np.arange(-LINE_LENGTH / 2, LINE_LENGTH / 2, 0.098).tolist():
        rollers.add(
            cylinder(0.045, BELT_WIDTH, 14),
            0,
            (x, y - BELT_WIDTH / 2, BELT_HEIGHT - 0.045),
            (-QUARTER, 0, 0),
        )
    rollers.add(box(LINE_LENGTH, BELT_WIDTH, 0.02), 1, at=(0, y, BELT_HEIGHT - 0.2))
    steel = finishes.draw_finish(rng, "brushed")
    put(rollers, [steel, flat("dark", BLACK)], "conveyor")


def _panel(shape: Shape, at, rng: np.random.Generator) -> None:
    """Add a control panel that faces -y: screen (slot 3), buttons (4 and 5), frame (2)."""
    x, y, z = at
    shape.add(box(0.46, 0.05, 0.62), 2, at=(x, y, z))
    shape.add(box(0.36, 0.02, 0.22), 3, at=(x, y - 0.025, z + 0.34))
    for column in range(4):
        slot = int(rng.integers(4, 6))
        shape.add(
            cylinder(0.024, 0.03, 16),
            slot,
            (x - 0.14 + column * 0.093, y - 0.02, z + 0.24),
            (QUARTER, 0, 0),
        )
        shape.add(box(0.05, 0.02, 0.03), 1, at=(x - 0.14 + column * 0.093, y - 0.025, z + 0.12))


def _stack_light(shape: Shape, at) -> None:
    """Add a signal column: slots 4 (red) and 5 (green)."""
    x, y, z = at
    shape.add(cylinder(0.018, 0.2, 12), 2, at=at)
    for number, slot in enumerate((5, 1, 4)):
        shape.add(cylinder(0.045, 0.085, 20), slot, at=(x, y, z + 0.2 + number * 0.09))


def _machine_materials(rng: np.random.Generator) -> list:
    screen = any_of(rng, ((0.05, 0.35, 0.6), (0.05, 0.45, 0.2), (0.5, 0.4, 0.1)))
    return [
        paint(rng, HOUSINGS, 0.35),
        paint(rng, ("yellow", "orange", "red", "white"), 0.35),
        flat("dark", (0.05, 0.052, 0.056), 0.4),
        glowing("screen", screen, 1.6),
        glowing("red light", (0.8, 0.05, 0.03), 0.8),
        glowing("green light", (0.05, 0.7, 0.15), 1.2),
        finishes.draw_finish(rng, "brushed"),
        finishes.hazard(),
    ]


def press(instance: int, x: float, y: float, rng: np.random.Generator) -> None:
    """Put a press that straddles a line: columns, head, ram, cylinder and panel."""
    half = BELT_WIDTH / 2 + 0.26
    height = rng.uniform(1.55, 1.75)
    shape = Shape()
    for side in (-1, 1):
        shape.add(box(0.5, 0.24, height + 0.2), at=(0, side * half, 0))
        shape.add(box(0.52, 0.26, 0.14), 7, at=(0, side * half, BELT_HEIGHT + 0.12))
    shape.add(box(0.64, 2 * half + 0.3, 0.48), at=(0, 0, height))
    shape.add(box(0.5, 2 * half - 0.1, 0.1), 1, at=(0, 0, height - 0.08))
    ram = rng.uniform(0.12, 0.3)
    shape.add(cylinder(0.08, ram + 0.1, 24), 6, at=(0, 0, height - 0.08 - ram))
    shape.add(box(0.36, 0.5, 0.09), 2, at=(0, 0, height - 0.14 - ram))
    shape.add(cylinder(0.15, 0.4, 28), 6, at=(0, 0, height + 0.48))
    _panel(shape, (0.0, -half - 0.14, 1.12), rng)
    _stack_light(shape, (0.2, -half, height + 0.48))
    put(shape, _machine_materials(rng), "machine", instance, pose((x, y, 0)), bevel=0.012)


def tunnel(instance: int, x: float, y: float, rng: np.random.Generator) -> None:
    """Put an inspection tunnel over a line: a hood with curtains, vents and a panel."""
    half, length, top = BELT_WIDTH / 2 + 0.14, rng.uniform(0.8, 1.2), 1.5
    shape = Shape()
    for side in (-1, 1):
        shape.add(box(length, 0.12, top), at=(0, side * half, 0))
        for strip in range(9):
            at = (side * (length / 2 + 0.005), (strip - 4) * BELT_WIDTH / 9, 1.28)
            shape.add(box(0.012, BELT_WIDTH / 9 - 0.012, 0.22), 2, at=at)
    shape.add(box(length + 0.1, 2 * half + 0.2, 0.34), at=(0, 0, top))
    shape.add(box(length + 0.12, 2 * half + 0.22, 0.05), 1, at=(0, 0, top + 0.08))
    for slat in range(6):
        shape.add(
            box(0.05, 0.02, 0.3), 2, at=((slat - 5) * 0.08 + length * 0.3, -half - 0.06, 0.35)
        )
    _panel(shape, (0, -half - 0.08, 0.98), rng)
    shape.add(cylinder(0.16, 0.7, 24), 6, at=(length * 0.2, 0.2, top + 0.3))
    _stack_light(shape, (-length * 0.35, -half + 0.05, top + 0.34))
    put(shape, _machine_materials(rng), "machine", instance, pose((x, y, 0)), bevel=0.012)


def cabinet(instance: int, x: float, y: float, rng: np.random.Generator) -> None:
    """Put a free-standing machine: a housing with a window, doors, a panel and vents."""
    width, depth, height = rng.uniform(1.1, 1.7), rng.uniform(0.7, 0.9), rng.uniform(1.5, 2.1)
    front = -depth / 2
    shape = (
        Shape()
        .add(box(width, depth, height), at=(0, 0, 0.08))
        .add(box(width - 0.1, depth - 0.1, 0.08), 2)
    )
    shape.add(box(width + 0.02, depth + 0.02, 0.1), 1, at=(0, 0, height * 0.5))
    shape.add(box(width * 0.5, 0.03, height * 0.32), 2, at=(-width * 0.18, front, height * 0.58))
    shape.add(
        box(width * 0.44, 0.02, height * 0.25), 3, at=(-width * 0.18, front - 0.015, height * 0.62)
    )
    _panel(shape, (width * 0.26, front - 0.02, height * 0.58), rng)
    for slat in range(7):
        shape.add(
            box(width * 0.36, 0.02, 0.022), 2, at=(-width * 0.2, front - 0.005, 0.25 + slat * 0.05)
        )
    shape.add(cylinder(0.2, 0.3, 28), 6, at=(width * 0.2, 0.1, height + 0.08))
    _stack_light(shape, (-width * 0.35, front + 0.12, height + 0.08))
    put(shape, _machine_materials(rng), "machine", instance, pose((x, y, 0)), bevel=0.014)


def robot(instance: int, base, target, rng: np.random.Generator) -> None:
    """Put an articulated arm on a plinth; its gripper hangs over the target."""
    body = any_of(rng, ((0.8, 0.25, 0.01), (0.78, 0.55, 0.02), (0.7, 0.7, 0.68), (0.03, 0.14, 0.4)))
    materials = [
        flat("robot", finishes.jitter(body, rng), 0.3),
        flat("joint", (0.05, 0.05, 0.055), 0.4),
        finishes.draw_finish(rng, "brushed"),
        finishes.hazard(),
    ]
    foot = np.asarray((base[0], base[1], 0.0))
    shoulder = shifted(foot, 0, 0, 1.15)
    wrist = shifted(np.asarray(target, float), 0, 0, 0.34)
    reach = wrist - shoulder
    distance = float(np.linalg.norm(reach))
    bow = math.sqrt(max(0.85**2 - (distance / 2) ** 2, 0.02))
    elbow = shoulder + reach / 2 + [0, 0, bow]
    shape = (
        Shape()
        .add(box(0.62, 0.62, 0.4), 3, tuple(foot))
        .add(cylinder(0.24, 0.3, 36), 1, tuple(shifted(foot, 0, 0, 0.4)))
    )
    shape.add(cylinder(0.21, 0.36, 36), 0, tuple(shifted(foot, 0, 0, 0.62)))
    sideways = np.cross(reach, [0, 0, 1.0])
    sideways /= np.linalg.norm(sideways)
    for joint, size in ((shoulder, 0.16), (elbow, 0.125), (wrist, 0.08)):
        ends = [tuple(joint + sideways * size * side * 1.15) for side in (-1, 1)]
        shape.add(capsule(*ends, size, size, 28), 1)
    shape.add(capsule(tuple(shoulder), tuple(elbow), 0.14, 0.105, 24), 0)
    shape.add(capsule(tuple(elbow), tuple(wrist), 0.105, 0.065, 24), 0)
    _gripper(shape, np.asarray(target, float))
    hose = [
        shoulder + sideways * 0.2,
        elbow + sideways * 0.2 + [0, 0, 0.16],
        wrist + sideways * 0.12 + [0, 0, 0.08],
    ]
    shape.add(sweep(_curve(hose), 0.02, 10), 1)
    put(shape, materials, "robot", instance)


def _curve(points, count: int = 24) -> np.ndarray:
    """Return a smooth curve from the first through near the second to the third point."""
    first, middle, last = (np.asarray(point) for point in points)
    t = np.linspace(0, 1, count)[:, None]
    return (1 - t) ** 2 * first + 2 * t * (1 - t) * middle + t**2 * last


def _gripper(shape: Shape, target: np.ndarray) -> None:
    shape.add(cylinder(0.05, 0.2, 20), 2, tuple(shifted(target, 0, 0, 0.16)))
    shape.add(box(0.24, 0.09, 0.06), 1, tuple(shifted(target, 0, 0, 0.12)))
    for side in (-1, 1):
        shape.add(box(0.025, 0.07, 0.14), 2, tuple(shifted(target, side * 0.1, 0, 0.0)))
    shape.add(ball(0.055, 16, 8), 1, tuple(shifted(target, 0, 0, 0.34)))


def pallet(instance: int, x: float, y: float, turn: float, rng: np.random.Generator) -> float:
    """Put a wooden pallet on the floor and return the height of its top."""
    shape = Shape()
    for row in (-1, 0, 1):
        for column in (-1, 0, 1):
            shape.add(box(0.14, 0.12, 0.09), at=(column * 0.5, row * 0.33, 0.02))
        shape.add(box(1.15, 0.11, 0.02), at=(0, row * 0.33, 0))
    for column in range(7):
        shape.add(box(0.13, 0.8, 0.022), at=((column - 3) * 0.17, 0, 0.11))
    color = finishes.jitter((0.42, 0.27, 0.14), rng)
    put(
        shape,
        [finishes.wood(color, rng)],
        "pallet",
        instance,
        pose((x, y, 0), (0, 0, turn)),
        bevel=0.004,
    )
    return 0.132


def crate(instance: int, at, turn: float, rng: np.random.Generator) -> tuple[float, float]:
    """Put a plastic crate or a wooden box; return its top and, for a crate, its inner floor."""
    width, depth, height = rng.uniform(0.5, 0.62), rng.uniform(0.38, 0.44), rng.uniform(0.24, 0.32)
    shape = Shape().add(box(width, depth, 0.02))
    for side in (-1, 1):
        shape.add(box(width, 0.022, height), at=(0, side * depth / 2, 0))
        shape.add(box(0.022, depth, height), at=(side * width / 2, 0, 0))
        shape.add(box(width + 0.05, 0.05, 0.035), at=(0, side * depth / 2, height - 0.03))
        shape.add(box(0.05, depth + 0.05, 0.035), at=(side * width / 2, 0, height - 0.03))
        for rib in range(5):
            at_rib = ((rib - 2) * width / 5.2, side * (depth / 2 + 0.014), 0.02)
            shape.add(box(0.022, 0.02, height - 0.06), at=at_rib)
        shape.add(box(0.16, 0.01, 0.09), 1, at=(0, side * (depth / 2 + 0.027), height * 0.4))
    if rng.random() < 0.75:
        material = paint(rng, ("blue", "grey", "green", "red", "yellow", "teal", "orange"), 0.45)
    else:
        material = finishes.wood(finishes.jitter((0.45, 0.29, 0.15), rng), rng)
    materials = [material, flat("label", (0.7, 0.69, 0.64), 0.8)]
    put(shape, materials, "crate", instance, pose(at, (0, 0, turn)), bevel=0.004)
    return at[2] + height, at[2] + 0.02
