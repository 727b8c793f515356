"""Lay out one seeded scene: camera, light, hall, lines, machines, people and products."""

import math
from dataclasses import dataclass, field

import bpy
import numpy as np
from mathutils import Matrix, Vector
from mathutils.bvhtree import BVHTree

from . import equipment, finishes, hall, lighting, people
from .blender import put, reset
from .cache import scene_rng
from .catalogue import PRODUCTS
from .equipment import BELT_HEIGHT, BELT_WIDTH
from .geometry import Shape, ball, rotation
from .products import BUILDERS

SCENE_SIZE, PROBE_SIZE = (960, 640), (768, 512)
DEFECT_SHARE = 0.22
DEFECT_KINDS = ("scratch", "stain", "chip")
SECOND_LINE_Y = 2.0
# The radius in metres that keeps products apart on the line; the others take DEFAULT_FOOTPRINT.
FOOTPRINT = {
    "brake_disc": 0.19,
    "drilled_brake_disc": 0.19,
    "circuit_board": 0.18,
    "gear": 0.17,
    "bottle": 0.09,
    "can": 0.1,
    "spring": 0.1,
}
DEFAULT_FOOTPRINT = 0.14
# How much of two radii must lie between two products; the rest overlaps.
CLOSENESS = {"probe_loose": 0.86, "probe_large": 0.78}
DEFAULT_CLOSENESS = 0.72
VIEWS = {
    # distance, elevation and azimuth in degrees, lens in mm, f-stop, products
    "overview": ((4.0, 4.9), (21, 31), (-38, 38), (33, 37), (2.0, 6.0), (20, 28)),
    "quarter": ((3.0, 3.9), (24, 38), (-48, 48), (34, 40), (1.4, 4.0), (15, 22)),
    "close": ((2.0, 2.6), (30, 46), (-40, 40), (36, 42), (0.9, 2.8), (11, 16)),
    "probe_loose": ((2.1, 2.7), (34, 62), (-36, 36), (34, 40), (2.0, 8.0), (34, 40)),
    "probe_large": ((2.1, 2.7), (34, 62), (-36, 36), (34, 40), (2.0, 8.0), (34, 40)),
    "probe_rounds": ((2.1, 2.7), (42, 68), (-36, 36), (34, 40), (2.0, 8.0), (34, 40)),
}
SCENE_VIEWS = ("overview", "quarter", "close")
# Each hall of the probe is packed three ways: as it comes, the large products first, and in rounds
# that give every class room before any gets it again.
PROBE_VIEWS = ("probe_loose", "probe_large", "probe_rounds")
REACH = {"overview": 2.1, "quarter": 1.5, "close": 0.95}
PROBE_REACH = 1.25


@dataclass
class Product:
    """A product of a scene, with what its crop needs to know."""

    instance: int
    name: str
    defect: bool
    item: bpy.types.Object


@dataclass
class Layout:
    """A scene in the making."""

    rng: np.random.Generator
    view: str
    scene: bpy.types.Scene
    camera: bpy.types.Object
    target: np.ndarray
    products: list[Product] = field(default_factory=list)
    next_instance: int = 1

    def take(self) -> int:
        """Return a new instance id."""
        self.next_instance += 1
        return self.next_instance - 1


def build(kind: str, index: int, seed: int) -> Layout:
    """Build the scene with this kind ("scenes", "train" or "test") and number."""
    is_probe = kind != "scenes"
    if is_probe:
        place, packing = divmod(index, len(PROBE_VIEWS))
        rng, view = scene_rng(seed, kind, place), PROBE_VIEWS[packing]
    else:
        rng, view = scene_rng(seed, kind, index), SCENE_VIEWS[index % len(SCENE_VIEWS)]
    scene = reset()
    camera, target = _camera(scene, view, rng)
    layout = Layout(rng, view, scene, camera, target)
    size = PROBE_SIZE if is_probe else SCENE_SIZE
    scene.render.resolution_x, scene.render.resolution_y = size
    hall.build(rng)
    equipment.conveyor(0.0, rng)
    layout.next_instance = lighting.light(scene, target, rng, layout.next_instance)
    if not is_probe:
        _second_line(layout)
        _machines(layout)
        _people(layout)
        _floor_goods(layout)
    _products_on_line(layout, 0.0, int(rng.integers(*VIEWS[view][5], endpoint=True)))
    return layout


def _camera(scene, view: str, rng: np.random.Generator):
    """Aim a camera with a shallow depth of field at a point on the line."""
    distance, elevation, azimuth, lens, stop, _ = (rng.uniform(*limits) for limits in VIEWS[view])
    target = np.array([rng.uniform(-1, 1), rng.uniform(-0.05, 0.2), BELT_HEIGHT + 0.12])
    if view == "overview":
        target[1] += 0.45
    up, around = math.radians(elevation), math.radians(azimuth)
    away = np.array(
        [math.sin(around) * math.cos(up), -math.cos(around) * math.cos(up), math.sin(up)]
    )
    data = bpy.data.cameras.new("camera")
    data.lens = lens
    data.dof.use_dof = True
    data.dof.aperture_fstop = stop
    data.dof.focus_distance = distance * rng.uniform(0.88, 1.08)
    camera = bpy.data.objects.new("camera", data)
    camera.location = (target + away * distance).tolist()
    look = Vector((-away).tolist()).to_track_quat("-Z", "Y").to_euler()
    look.rotate_axis("Z", math.radians(rng.uniform(-4, 4)))
    camera.rotation_euler = look
    scene.collection.objects.link(camera)
    scene.camera = camera
    bpy.context.view_layer.update()
    return camera, target


def _second_line(layout: Layout) -> None:
    """Sometimes run another line behind the first, with a few products."""
    if layout.view == "close" or layout.rng.random() < 0.4:
        return
    equipment.conveyor(SECOND_LINE_Y, layout.rng)
    _products_on_line(layout, SECOND_LINE_Y, int(layout.rng.integers(5, 9)))


def _machines(layout: Layout) -> None:
    """Straddle the line with one machine, stand others behind, and let a robot reach in."""
    rng, x = layout.rng, float(layout.target[0])
    side = rng.choice([-1, 1])
    offset = {"overview": 1.75, "quarter": 1.45, "close": 1.15}[layout.view]
    straddling = (equipment.press, equipment.tunnel)[int(rng.integers(2))]
    straddling(layout.take(), x + side * rng.uniform(offset, offset + 0.4), 0.0, rng)
    for step in (-1, 1):
        at = x + step * rng.uniform(1.2, 2.6)
        equipment.cabinet(layout.take(), at, rng.uniform(3.2, 3.6), rng)
    if rng.random() < 0.75:
        at = x - side * rng.uniform(0.1, 0.8)
        over = (
            at + rng.uniform(-0.25, 0.25),
            rng.uniform(-0.1, 0.2),
            BELT_HEIGHT + rng.uniform(0.3, 0.45),
        )
        equipment.robot(layout.take(), (at, 1.02), over, rng)


def _people(layout: Layout) -> None:
    """Stand up to three figures behind, beside or in front of the line."""
    rng, x = layout.rng, float(layout.target[0])
    count = int(rng.choice([0, 1, 2, 3], p=[0.1, 0.3, 0.36, 0.24]))
    slots = rng.permutation([-1.25, -0.5, 0.6, 1.35])[:count]
    for number, offset in enumerate(slots.tolist()):
        at_x = x + offset + rng.uniform(-0.15, 0.15)
        place = rng.random()
        if place < 0.6 or layout.view == "close":
            hands, at, heading = people.reaching_hands(rng), (at_x, 0.78, 0), math.pi
            lean = 0.16
        elif place < 0.75 and number == 0:
            hands, at, heading = people.reaching_hands(rng), (at_x, -0.8, 0), 0.0
            lean = 0.14
        else:
            hands, at = people.standing_hands(rng), (at_x * 1.5, rng.uniform(2.6, 2.9), 0)
            heading, lean = rng.uniform(0, 2 * math.pi), 0.02
        people.person(layout.take(), at, heading + rng.uniform(-0.3, 0.3), hands, lean, rng)


def _floor_goods(layout: Layout) -> None:
    """Stand pallets with crates before and behind the line; fill the open crates."""
    rng = layout.rng
    if layout.view == "close":
        return
    for side in rng.permutation([-1, 1])[: int(rng.integers(1, 3))].tolist():
        x = float(layout.target[0]) + side * rng.uniform(0.7, 1.6)
        y = rng.uniform(-1.55, -1.25)
        turn = rng.uniform(-0.3, 0.3)
        top = equipment.pallet(layout.take(), x, y, turn, rng)
        for step in (-1, 1):
            at = (x + step * 0.3 * math.cos(turn), y + step * 0.3 * math.sin(turn), top)
            upper, inner = equipment.crate(layout.take(), at, turn + rng.uniform(-0.1, 0.1), rng)
            if rng.random() < 0.35:
                at = (at[0], at[1], upper)
                upper, inner = equipment.crate(
                    layout.take(), at, turn + rng.uniform(-0.1, 0.1), rng
                )
            for shift in (-0.11, 0.11):
                spot = np.array([at[0] + shift, at[1], inner + 0.06])
                _product(layout, str(rng.choice(PRODUCTS)), spot)


def _products_on_line(layout: Layout, line_y: float, count: int) -> None:
    """Scatter products over the visible stretch of a line, close enough to hide one another."""
    rng = layout.rng
    reach = REACH.get(layout.view, PROBE_REACH)
    names = [str(name) for name in np.resize(rng.permutation(PRODUCTS), count)]
    closeness = CLOSENESS.get(layout.view, DEFAULT_CLOSENESS)
    if layout.view == "probe_large":
        names = _largest_first(names)
    if layout.view == "probe_rounds":
        names = _largest_first_in_rounds(names)
    taken: list[tuple[float, float, float]] = []
    for name in names:
        for _ in range(40):
            x = layout.target[0] + rng.uniform(-reach, reach)
            y = rng.uniform(-BELT_WIDTH / 2 + 0.14, BELT_WIDTH / 2 - 0.14)
            radius = FOOTPRINT.get(name, DEFAULT_FOOTPRINT)
            if all(math.hypot(x - a, y - b) > closeness * (radius + r) for a, b, r in taken):
                taken.append((x, y, radius))
                _product(layout, name, np.array([x, line_y + y, BELT_HEIGHT]))
                break


def _largest_first(names: list[str]) -> list[str]:
    """Order names so that the small products fill the gaps that the large ones leave."""
    return sorted(names, key=lambda name: -FOOTPRINT.get(name, DEFAULT_FOOTPRINT))


def _largest_first_in_rounds(names: list[str]) -> list[str]:
    """Do so within each round of all classes, so that every class finds room."""
    starts = range(0, len(names), len(PRODUCTS))
    rounds = [_largest_first(names[start : start + len(PRODUCTS)]) for start in starts]
    return [name for part in rounds for name in part]


def _product(layout: Layout, name: str, spot: np.ndarray) -> None:
    """Put one product on a spot, in one of its poses, perhaps with a defect."""
    rng = layout.rng
    builder, poses = BUILDERS[name]
    shape = builder(rng)
    turn = poses[int(rng.integers(len(poses)))]
    lean = rng.uniform(-0.06, 0.06) if turn != (0, 0, 0) else 0.0
    matrix = np.eye(4)
    matrix[:3, :3] = (
        rotation((0, 0, rng.uniform(0, 2 * math.pi)))
        @ rotation((turn[0] + lean, turn[1], turn[2]))
        @ rotation((0, 0, rng.uniform(0, 2 * math.pi) if turn[0] + turn[1] else 0.0))
    )
    turned = shape.points @ matrix[:3, :3].T
    centre = (turned.max(axis=0) + turned.min(axis=0)) / 2
    matrix[:3, 3] = spot - [centre[0], centre[1], turned[:, 2].min()]
    materials = [finishes.draw_finish(rng), finishes.draw_finish(rng), _dark_detail(rng)]
    instance = layout.take()
    item = put(shape, materials, name, instance, Matrix(matrix.tolist()), bevel=0.0025)
    defect = bool(rng.random() < DEFECT_SHARE)
    if defect:
        _spoil(layout, item, shape)
    layout.products.append(Product(instance, name, defect, item))


def _dark_detail(rng: np.random.Generator):
    return finishes.flat("detail", tuple([float(rng.uniform(0.012, 0.05))] * 3), 0.5)


def _spoil(layout: Layout, item, shape: Shape) -> None:
    """Scratch, stain or chip a product where the camera sees it."""
    rng = layout.rng
    kind = str(rng.choice(DEFECT_KINDS))
    spot, normal = _visible_spot(layout, item, shape, outermost=kind == "chip")
    extent = float(np.linalg.norm(np.ptp(shape.points, axis=0)))
    if kind == "chip":
        _chip(item, spot, extent * rng.uniform(0.11, 0.15), rng)
        return
    across = np.cross(normal, rng.normal(size=3))
    across /= np.linalg.norm(across)
    size = extent * (rng.uniform(0.24, 0.34) if kind == "scratch" else rng.uniform(0.10, 0.15))
    defect = finishes.Defect(kind, tuple(spot.tolist()), tuple(across.tolist()), size)
    for slot in item.material_slots:
        finishes.add_defect(slot.material, defect)


def _visible_spot(layout: Layout, item, shape: Shape, outermost: bool):
    """Return a point that a ray from the camera hits and its normal, both in local coordinates."""
    tree = BVHTree.FromPolygons(shape.points.tolist(), shape.faces)
    eye = np.array(item.matrix_world.inverted() @ layout.camera.location)
    points = shape.points
    hits = []
    while len(hits) < 8:
        aim = points[layout.rng.integers(len(points))] * 0.97 + points.mean(axis=0) * 0.03
        where, normal, _, _ = tree.ray_cast(eye.tolist(), (aim - eye).tolist())
        if where is not None:
            hits.append((np.array(where), np.array(normal)))
    if outermost:
        middle = points.mean(axis=0)
        return max(hits, key=lambda hit: float(np.linalg.norm(hit[0] - middle)))
    return hits[0]


def _chip(item, spot: np.ndarray, size: float, rng: np.random.Generator) -> None:
    """Bite a jagged lump out of a product."""
    points, faces = ball(size, 9, 6)
    rough = points * rng.uniform(0.75, 1.2, (len(points), 1))
    tool = put(Shape().add((rough, faces)), [], "machine")
    tool.matrix_world = item.matrix_world @ Matrix.Translation(spot.tolist())
    tool.hide_render = True
    modifier = item.modifiers.new("chip", "BOOLEAN")
    # The drilled ring is made of unjoined cells, which the fast solver for closed meshes refuses.
    solver = "FLOAT" if item.name.startswith("drilled") else "MANIFOLD"
    modifier.operation, modifier.solver = "DIFFERENCE", solver
    modifier.object = tool
