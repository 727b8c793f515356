"""The twelve products. Each builder draws its proportions and returns a shape.

Slots: 0 body, 1 second finish, 2 dark detail. Which finish a slot gets is drawn from one palette
that all classes share, so that colour does not give the class away.
"""

import math
from collections.abc import Callable

import numpy as np

from .geometry import (
    QUARTER,
    Part,
    Shape,
    ball,
    box,
    circle,
    cylinder,
    lathe,
    pierced_ring,
    prism,
    sweep,
    torus,
    tube,
)

FLAT, ON_RIM, LYING, ON_HEAD = (0, 0, 0), (QUARTER, 0, 0), (0, QUARTER, 0), (math.pi, 0, 0)

BODY, SECOND, DARK = 0, 1, 2


def _gear_outline(radius: float, teeth: int) -> np.ndarray:
    """Return the outline of a spur gear: eight points to a tooth."""
    depth = 2.3 * radius / (teeth + 2)
    shape = [
        (0.0, 0),
        (0.14, 0),
        (0.27, 0.62),
        (0.36, 1),
        (0.52, 1),
        (0.61, 0.62),
        (0.74, 0),
        (0.88, 0),
    ]
    points = []
    for tooth in range(teeth):
        for share, lift in shape:
            angle = 2 * math.pi * (tooth + share) / teeth
            size = radius - depth * (1 - lift)
            points.append((size * math.cos(angle), size * math.sin(angle)))
    return np.array(points)


def gear(rng: np.random.Generator) -> Shape:
    """A spur gear with a recessed web, a hub and a bore."""
    radius, teeth = rng.uniform(0.14, 0.19), int(rng.integers(14, 25))
    thick = rng.uniform(0.05, 0.08)
    count = teeth * 8
    inner = radius * 0.72
    hub, bore = radius * rng.uniform(0.3, 0.4), radius * 0.18
    shape = Shape().add(prism(_gear_outline(radius, teeth), thick, circle(inner, count)))
    shape.add(tube(inner, hub, thick * 0.45, 64), SECOND, at=(0, 0, thick * 0.27))
    shape.add(tube(hub, bore, thick * 1.5, 48), BODY, at=(0, 0, -thick * 0.25))
    return shape


def bearing(rng: np.random.Generator) -> Shape:
    """A ball bearing: two rings with balls between them."""
    radius = rng.uniform(0.12, 0.17)
    thick, bore = radius * rng.uniform(0.4, 0.55), radius * rng.uniform(0.42, 0.5)
    gap = radius - bore
    shape = Shape().add(tube(radius, radius - gap * 0.28, thick))
    shape.add(tube(bore + gap * 0.28, bore, thick), BODY)
    shape.add(
        tube(radius - gap * 0.29, bore + gap * 0.29, thick * 0.3), DARK, at=(0, 0, thick * 0.35)
    )
    middle, size = (radius + bore) / 2, gap * 0.24
    balls = int(math.pi * middle / size * 0.75)
    for x, y in circle(middle, balls):
        shape.add(ball(size, 16, 8), SECOND, at=(x, y, thick / 2))
    return shape


def _shank(radius: float, length: float, turns: int) -> Part:
    """Return the threaded shank of a bolt, standing on the origin."""
    pitch = length * 0.7 / turns
    profile = [(radius * 0.8, 0.0)]
    for turn in range(turns):
        profile += [(radius * 0.86, turn * pitch + 0.002), (radius, (turn + 0.5) * pitch + 0.002)]
    profile += [(radius * 0.97, length * 0.72), (radius * 0.97, length)]
    return lathe(profile, 24)


def _bolt(rng: np.random.Generator) -> tuple[Shape, float, float]:
    """Return what both bolts share, with the shank's length and the head's radius."""
    radius, length = rng.uniform(0.035, 0.046), rng.uniform(0.2, 0.27)
    head = radius * rng.uniform(1.9, 2.1)
    shape = Shape().add(_shank(radius, length, 14))
    shape.add(cylinder(head * 1.12, 0.014), SECOND, at=(0, 0, length))
    return shape, length + 0.014, head


def hex_bolt(rng: np.random.Generator) -> Shape:
    """A bolt whose head is a hexagon."""
    shape, top, head = _bolt(rng)
    shape.add(prism(circle(head, 6), head * 0.8), BODY, at=(0, 0, top))
    return shape.add(cylinder(head * 0.72, 0.004), BODY, at=(0, 0, top + head * 0.8))


def socket_bolt(rng: np.random.Generator) -> Shape:
    """A bolt whose head is round with a hexagonal recess."""
    shape, top, head = _bolt(rng)
    height, count = head * 0.95, 36
    angles = np.arange(count) * 2 * math.pi / count
    hexagon = head * 0.55 * math.cos(math.pi / 6) / np.cos(angles % (math.pi / 3) - math.pi / 6)
    recess = np.stack([np.cos(angles), np.sin(angles)], axis=1) * hexagon[:, None]
    shape.add(prism(circle(head * 0.94, count), height, recess), BODY, at=(0, 0, top))
    return shape.add(cylinder(head * 0.6, height * 0.3), DARK, at=(0, 0, top))


def _disc(rng: np.random.Generator, pierced: bool) -> Shape:
    """Return a brake disc: friction ring, hat and wheel studs; holes are the only difference."""
    radius, thick = rng.uniform(0.17, 0.21), 0.03
    inner, hat = radius * 0.58, rng.uniform(0.045, 0.065)
    shape = Shape()
    if pierced:
        shape.add(pierced_ring(radius, inner, thick, 16, 2, radius * 0.055))
    else:
        shape.add(tube(radius, inner, thick, 72))
    bore = radius * 0.2
    profile = [
        (inner, 0),
        (inner, hat),
        (bore, hat),
        (bore, hat - 0.015),
        (inner - 0.015, hat - 0.015),
    ]
    shape.add(lathe([*profile, (inner - 0.015, 0)], 64, wrap=True), SECOND)
    for x, y in circle(radius * 0.38, 5):
        shape.add(cylinder(radius * 0.05, 0.004, 16), DARK, at=(x, y, hat))
    return shape


def brake_disc(rng: np.random.Generator) -> Shape:
    """A brake disc with a plain friction ring."""
    return _disc(rng, pierced=False)


def drilled_brake_disc(rng: np.random.Generator) -> Shape:
    """The same brake disc with two circles of holes in its friction ring."""
    return _disc(rng, pierced=True)


def _flange(radius: float, thick: float, bore: float, bolts: int) -> Shape:
    """Return a flange with bolt heads on its upper face."""
    shape = Shape().add(tube(radius, bore, thick, 40))
    for x, y in circle(radius * 0.8, bolts):
        shape.add(prism(circle(radius * 0.1, 6), thick * 0.6), at=(x, y, thick))
    return shape


def _merge(shape: Shape, other: Shape, slot: int, at=(0, 0, 0), turn=(0, 0, 0)) -> None:
    """Add a whole shape as one part."""
    shape.add((other.points, other.faces), slot, at, turn)


def pump_housing(rng: np.random.Generator) -> Shape:
    """A pump housing: a round chamber, its bolted cover and an outlet at the side."""
    radius, height = rng.uniform(0.12, 0.145), rng.uniform(0.14, 0.17)
    base = [(radius * 1.05, 0), (radius * 1.05, 0.02), (radius * 0.8, 0.035)]
    dome = [(radius, height * 0.35), (radius * 1.02, height * 0.6), (radius * 0.85, height * 0.9)]
    shape = Shape().add(lathe([*base, *dome, (radius * 0.8, height)]))
    _merge(shape, _flange(radius * 0.78, 0.02, radius * 0.3, 8), SECOND, at=(0, 0, height))
    shape.add(tube(radius * 0.36, radius * 0.26, 0.07, 32), BODY, at=(0, 0, height))
    shape.add(cylinder(radius * 0.27, 0.012), DARK, at=(0, 0, height))
    outlet, offset = radius * 0.4, radius * 0.5
    reach = radius * rng.uniform(1.35, 1.6)
    shape.add(
        tube(outlet, outlet * 0.75, reach, 32), BODY, at=(0, offset, height * 0.5), turn=LYING
    )
    flange = _flange(outlet * 1.5, 0.022, outlet * 0.75, 6)
    _merge(shape, flange, SECOND, at=(reach, offset, height * 0.5), turn=LYING)
    shape.add(
        cylinder(outlet * 0.76, 0.01), DARK, at=(reach * 0.9, offset, height * 0.5), turn=LYING
    )
    return shape


def bottle(rng: np.random.Generator) -> Shape:
    """A bottle with a shoulder, a label and a screw cap."""
    radius, height = rng.uniform(0.06, 0.075), rng.uniform(0.2, 0.24)
    neck, shoulder = radius * 0.38, rng.uniform(0.04, 0.07)
    body = [(radius * 0.85, 0), (radius, 0.012), (radius, height)]
    curve = [
        (neck + (radius - neck) * math.cos(a), height + shoulder * math.sin(a))
        for a in np.linspace(0.2, QUARTER, 7).tolist()
    ]
    top = height + shoulder
    shape = Shape().add(lathe([*body, *curve, (neck, top + 0.03)]))
    shape.add(
        tube(radius * 1.015, radius * 0.97, height * 0.5, 48), SECOND, at=(0, 0, height * 0.28)
    )
    cap = prism(circle(neck * 1.3, 20), 0.035)
    return shape.add(cap, SECOND, at=(0, 0, top + 0.012))


def can(rng: np.random.Generator) -> Shape:
    """A tin can with rims, a recessed lid and a paper band."""
    radius, height = rng.uniform(0.075, 0.095), rng.uniform(0.17, 0.23)
    rim = radius * 1.03
    lower = [(rim, 0), (rim, 0.01), (radius, 0.018), (radius, height - 0.018)]
    upper = [
        (rim, height - 0.01),
        (rim, height),
        (radius * 0.93, height),
        (radius * 0.92, height - 0.012),
    ]
    shape = Shape().add(lathe([*lower, *upper, (radius * 0.3, height - 0.01)]))
    band = height * rng.uniform(0.45, 0.7)
    shape.add(tube(radius * 1.008, radius * 0.97, band), SECOND, at=(0, 0, (height - band) / 2))
    return shape.add(torus(radius * 0.62, 0.004, 40, 6), BODY, at=(0, 0, height - 0.011))


def circuit_board(rng: np.random.Generator) -> Shape:
    """A board with chips, capacitors, pin rows and a connector on a grid."""
    width, depth, thick = rng.uniform(0.28, 0.34), rng.uniform(0.2, 0.25), 0.012
    shape = Shape().add(box(width, depth, thick))
    columns, rows = 4, 3
    for column in range(columns):
        for row in range(rows):
            x = (column + 0.5) / columns * width * 0.88 - width * 0.44
            y = (row + 0.5) / rows * depth * 0.84 - depth * 0.42
            _component(shape, rng, (x, y, thick))
    shape.add(box(width * 0.5, 0.02, 0.022), SECOND, at=(0, depth / 2 - 0.008, thick))
    for x, y in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
        at = (x * (width / 2 - 0.012), y * (depth / 2 - 0.012), thick)
        shape.add(cylinder(0.007, 0.003, 16), SECOND, at=at)
    return shape


def _component(shape: Shape, rng: np.random.Generator, at: tuple[float, float, float]) -> None:
    """Put one drawn component on a board."""
    kind = rng.integers(4)
    if kind == 0:
        shape.add(box(0.05, 0.04, 0.012), DARK, at=at)
        shape.add(box(0.062, 0.034, 0.004), SECOND, at=at)
    elif kind == 1:
        shape.add(cylinder(0.017, rng.uniform(0.025, 0.05), 24), SECOND, at=at)
    elif kind == 2:
        for step in (-1, 0, 1):
            shape.add(box(0.01, 0.026, 0.012), DARK, at=(at[0] + step * 0.018, at[1], at[2]))
    else:
        shape.add(box(0.036, 0.036, 0.03), DARK, at=at)


def valve(rng: np.random.Generator) -> Shape:
    """A flanged valve with a stem and a handwheel."""
    half, radius = rng.uniform(0.12, 0.15), rng.uniform(0.038, 0.046)
    flange = radius * 2.0
    shape = Shape().add(sweep(np.array([[-half, 0, 0], [0, 0, 0], [half, 0, 0]]), radius, 32))
    shape.add(ball(radius * 1.6))
    for side in (-1, 1):
        turn = (0, side * QUARTER, 0)
        _merge(
            shape, _flange(flange, 0.02, radius * 0.7, 6), BODY, (side * (half - 0.02), 0, 0), turn
        )
        shape.add(cylinder(radius * 0.72, 0.006), DARK, (side * (half - 0.005), 0, 0), turn)
    stem, wheel = rng.uniform(0.13, 0.17), rng.uniform(0.075, 0.095)
    shape.add(cylinder(radius * 0.9, radius * 2.1), BODY)
    shape.add(cylinder(radius * 0.35, stem), DARK)
    shape.add(torus(wheel, 0.011), SECOND, at=(0, 0, stem))
    shape.add(cylinder(0.02, 0.022, 24), SECOND, at=(0, 0, stem - 0.011))
    for spoke in range(4):
        shape.add(
            box(wheel * 2, 0.012, 0.01), SECOND, (0, 0, stem - 0.005), (0, 0, spoke * QUARTER / 2)
        )
    return shape


def spring(rng: np.random.Generator) -> Shape:
    """A helical compression spring with closed ends."""
    radius, height, wire = (
        rng.uniform(0.065, 0.085),
        rng.uniform(0.19, 0.25),
        rng.uniform(0.010, 0.014),
    )
    turns = int(rng.integers(6, 9))
    time = np.linspace(0, 1, turns * 24)
    angle = 2 * math.pi * turns * time
    lift = np.clip((time - 0.9 / turns) / (1 - 1.8 / turns), 0, 1)
    rise = wire + (height - 2 * wire) * (0.9 * lift + 0.1 * time)
    path = np.stack([radius * np.cos(angle), radius * np.sin(angle), rise], axis=1)
    return Shape().add(sweep(path, wire, 10))


Builder = Callable[[np.random.Generator], Shape]
BUILDERS: dict[str, tuple[Builder, tuple[tuple[float, float, float], ...]]] = {
    "gear": (gear, (FLAT, FLAT, ON_RIM)),
    "bearing": (bearing, (FLAT, FLAT, ON_RIM)),
    "hex_bolt": (hex_bolt, (LYING, LYING, FLAT, ON_HEAD)),
    "socket_bolt": (socket_bolt, (LYING, LYING, FLAT, ON_HEAD)),
    "brake_disc": (brake_disc, (FLAT, FLAT, ON_RIM)),
    "drilled_brake_disc": (drilled_brake_disc, (FLAT, FLAT, ON_RIM)),
    "pump_housing": (pump_housing, (FLAT, FLAT, ON_RIM)),
    "bottle": (bottle, (FLAT, FLAT, LYING)),
    "can": (can, (FLAT, FLAT, LYING)),
    "circuit_board": (circuit_board, (FLAT, FLAT, ON_RIM)),
    "valve": (valve, (FLAT, FLAT, ON_RIM)),
    "spring": (spring, (FLAT, LYING)),
}
