"""Meshes as plain arrays: the parts of which products, machines and people are put together."""

import math
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

Part = tuple[np.ndarray, list[tuple[int, ...]]]
Vector = tuple[float, float, float]
QUARTER = math.pi / 2  # of a turn


def rotation(turn: Vector) -> np.ndarray:
    """Return the 3x3 matrix that turns about x, then y, then z (radians)."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(turn), np.sin(turn)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def shifted(point: np.ndarray, x: float, y: float, z: float) -> np.ndarray:
    """Return a point moved along the axes."""
    return point + np.array([x, y, z])


@dataclass
class Shape:
    """A mesh under construction; every face belongs to a numbered material slot."""

    blocks: list[np.ndarray] = field(default_factory=list)
    faces: list[tuple[int, ...]] = field(default_factory=list)
    slots: list[int] = field(default_factory=list)
    size: int = 0

    def add(self, part: Part, slot: int = 0, at: Vector = (0, 0, 0), turn: Vector = (0, 0, 0)):
        """Add a part, turned and moved, and return the shape itself."""
        points, faces = part
        self.blocks.append(points @ rotation(turn).T + np.asarray(at, float))
        self.faces += [tuple(index + self.size for index in face) for face in faces]
        self.slots += [slot] * len(faces)
        self.size += len(points)
        return self

    @property
    def points(self) -> np.ndarray:
        """All vertices, one row each."""
        return np.concatenate(self.blocks)


def skin(rows: np.ndarray, wrap: bool = False, caps: bool = True) -> Part:
    """Join loops of equal length to a surface: a tube, closed by caps or wrapped to a torus."""
    count, length = rows.shape[:2]
    faces: list[tuple[int, ...]] = []
    for row in range(count if wrap else count - 1):
        here, there = row * length, (row + 1) % count * length
        for column in range(length):
            after = (column + 1) % length
            faces.append((here + column, here + after, there + after, there + column))
    if caps and not wrap:
        faces.append(tuple(reversed(range(length))))
        faces.append(tuple(range((count - 1) * length, count * length)))
    return rows.reshape(-1, 3), faces


def circle(radius: float, count: int) -> np.ndarray:
    """Return points of a circle in the plane, counter-clockwise."""
    angles = np.arange(count) * 2 * math.pi / count
    return radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def loop(points: np.ndarray, height: float) -> np.ndarray:
    """Lift points of the plane to a height."""
    return np.column_stack([points, np.full(len(points), height)])


def lathe(profile: list[tuple[float, float]], count: int = 48, wrap: bool = False) -> Part:
    """Turn a profile of (radius, height), from bottom to top, about the z axis."""
    rows = [loop(circle(max(radius, 1e-4), count), height) for radius, height in profile]
    return skin(np.array(rows), wrap=wrap)


def cylinder(radius: float, height: float, count: int = 32) -> Part:
    """Return a cylinder that stands on the origin."""
    return lathe([(radius, 0), (radius, height)], count)


def tube(outer: float, inner: float, height: float, count: int = 48) -> Part:
    """Return a ring with a rectangular section that stands on the origin."""
    profile = [(outer, 0), (outer, height), (inner, height), (inner, 0)]
    return lathe(profile, count, wrap=True)


def torus(radius: float, thickness: float, count: int = 48, sides: int = 10) -> Part:
    """Return a torus about the z axis."""
    angles = np.arange(sides) * 2 * math.pi / sides
    profile = [(radius + thickness * math.cos(a), thickness * math.sin(a)) for a in angles.tolist()]
    return lathe(profile, count, wrap=True)


def ball(radius: float, count: int = 24, rings: int = 12) -> Part:
    """Return a sphere about the origin."""
    angles = np.linspace(-math.pi / 2, math.pi / 2, rings + 1)
    return lathe([(radius * math.cos(a), radius * math.sin(a)) for a in angles.tolist()], count)


def prism(outline: np.ndarray, height: float, bore: np.ndarray | None = None) -> Part:
    """Raise an outline; with a bore of as many points it becomes a ring."""
    if bore is None:
        return skin(np.array([loop(outline, 0), loop(outline, height)]))
    rows = [loop(outline, 0), loop(outline, height), loop(bore, height), loop(bore, 0)]
    return skin(np.array(rows), wrap=True)


def box(width: float, depth: float, height: float) -> Part:
    """Return a box that stands on the origin."""
    x, y = width / 2, depth / 2
    return prism(np.array([[-x, -y], [x, -y], [x, y], [-x, y]]), height)


def sweep(path: np.ndarray, radii: np.ndarray | float, sides: int = 12) -> Part:
    """Move a circle along a path; its radius may change on the way."""
    path = np.asarray(path, float)
    sizes = np.broadcast_to(np.asarray(radii, float), len(path))
    tangents = np.gradient(path, axis=0)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    side = np.cross(tangents[0], [0.31, 0.17, 0.93])
    rows = []
    for point, tangent, size in zip(path, tangents, sizes, strict=True):
        side = side - tangent * (side @ tangent)
        side /= np.linalg.norm(side)
        other = np.cross(tangent, side)
        ring = circle(size, sides)
        rows.append(point + ring[:, :1] * side + ring[:, 1:] * other)
    return skin(np.array(rows))


def capsule(start: Vector, end: Vector, first: float, last: float, sides: int = 16) -> Part:
    """Return a limb: a cone between two points with round ends."""
    start_point, end_point = np.asarray(start, float), np.asarray(end, float)
    along = end_point - start_point
    along /= np.linalg.norm(along)
    angles = np.linspace(0.12, math.pi / 2, 5)
    head = [(start_point - along * first * math.cos(a), first * math.sin(a)) for a in angles]
    tail = [(end_point + along * last * math.cos(a), last * math.sin(a)) for a in angles[::-1]]
    points, radii = zip(*head, *tail, strict=True)
    return sweep(np.array(points), np.array(radii), sides)


def pierced_ring(outer: float, inner: float, height: float, holes: int, rows: int, hole: float):
    """Return a flat ring with `rows` circles of `holes` round through holes."""
    steps = 6
    shape = Shape()
    edges = np.linspace(inner, outer, rows + 1)
    width = 2 * math.pi / holes
    for row, (low, high) in enumerate(pairwise(edges)):
        for number in range(holes):
            start = (number + 0.5 * (row % 2)) * width
            shape.add(_pierced_cell(low, high, start, width, height, hole, steps))
    count = holes * steps * 2
    shape.add(skin(np.array([loop(circle(outer, count), h) for h in (0, height)]), caps=False))
    shape.add(skin(np.array([loop(circle(inner, count), h) for h in (height, 0)]), caps=False))
    return shape.points, shape.faces


def _pierced_cell(low, high, start, width, height, hole, steps) -> Part:
    """Return one sector of a ring with a hole in its middle, open at its sides."""
    ramp = np.arange(steps) / steps
    radius = np.concatenate(
        [
            low + (high - low) * ramp,
            np.full(steps, high),
            high - (high - low) * ramp,
            np.full(steps, low),
        ]
    )
    angle = start + width * np.concatenate([np.zeros(steps), ramp, np.ones(steps), 1 - ramp])
    border = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    middle_angle, middle_radius = start + width / 2, (low + high) / 2
    middle = middle_radius * np.array([math.cos(middle_angle), math.sin(middle_angle)])
    away = border - middle
    round_hole = middle + hole * away / np.linalg.norm(away, axis=1, keepdims=True)
    rows = [loop(border, height), loop(round_hole, height), loop(round_hole, 0), loop(border, 0)]
    return skin(np.array(rows), caps=False)
