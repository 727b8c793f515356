"""The light of a scene: four moods, each with drawn places, colours and strengths."""

import math

import bpy
import numpy as np
from mathutils import Vector

from . import finishes, hall
from .blender import put
from .geometry import Shape, box

MOODS = {  # share of the scenes, strength of the ambient light
    "daylight": (0.3, 0.7),
    "sun": (0.32, 0.4),
    "lamps": (0.24, 0.36),
    "dim": (0.14, 0.17),
}


def _lamp(kind: str, at, aim, energy: float, color, size: float, **properties):
    """Add a light that the camera does not see."""
    data = bpy.data.lights.new(kind, kind)
    data.energy, data.color = energy, color
    setattr(data, {"AREA": "size", "SUN": "angle"}.get(kind, "shadow_soft_size"), size)
    for name, value in properties.items():
        setattr(data, name, value)
    light = bpy.data.objects.new(kind, data)
    light.location = at
    light.rotation_euler = (Vector(aim) - Vector(at)).to_track_quat("-Z", "Y").to_euler()
    light.visible_camera = False
    bpy.context.scene.collection.objects.link(light)


def _warmth(rng: np.random.Generator) -> tuple[float, float, float]:
    """Draw a light colour between lamplight and a cloudy sky."""
    share = rng.uniform(0, 1)
    warm, cold = np.array([1.0, 0.78, 0.52]), np.array([0.72, 0.86, 1.0])
    return tuple((warm * (1 - share) + cold * share).tolist())


def light(scene: bpy.types.Scene, target: np.ndarray, rng: np.random.Generator, instance: int):
    """Draw one of four moods of light, hang the lamps, and return the next free instance id."""
    mood = str(rng.choice(list(MOODS), p=[share for share, _ in MOODS.values()]))
    _ambient(scene, MOODS[mood][1], rng)
    side, color = rng.choice([-1, 1]), _warmth(rng)
    if mood == "sun":
        _sun(target, side, rng)
    if mood in ("sun", "daylight"):
        _skylight(target, side, color, rng)
    if mood == "lamps":
        _ceiling_lamps(target, color, rng)
    if mood == "dim":
        _spotlight(target, side, color, rng)
    xs = target[0] + np.array([-3.6, -1.2, 1.2, 3.6]) + rng.uniform(-0.6, 0.6)
    bright = 3.0 if mood == "dim" else 9.0
    return hall.lamps(instance, xs, 3.0, 2.9, color, bright)


def _ambient(scene: bpy.types.Scene, strength: float, rng: np.random.Generator) -> None:
    """Light the hall evenly from all around."""
    strength *= rng.uniform(0.8, 1.25)
    world = bpy.data.worlds.new("ambient")
    world.use_nodes = True
    background = world.node_tree.nodes["Background"]
    background.inputs["Color"].default_value = (*_warmth(rng), 1)
    background.inputs["Strength"].default_value = strength
    scene.world = world


def _sun(target: np.ndarray, side: int, rng: np.random.Generator) -> None:
    """Let low sun in through a barred roof."""
    x, y, _ = target
    at = (x + side * rng.uniform(3, 7), y - rng.uniform(0, 5), rng.uniform(5, 8))
    energy, color = rng.uniform(2.0, 4.0), (1.0, 0.88, 0.72)
    _lamp("SUN", at, (x, y, 0.8), energy, color, rng.uniform(0.005, 0.05))
    _roof_bars(rng)


def _skylight(target: np.ndarray, side: int, color, rng: np.random.Generator) -> None:
    """Hang one large soft light to a side."""
    x, y, _ = target
    at = (x + side * rng.uniform(1, 4), y + rng.uniform(-3, 2), rng.uniform(3.2, 5))
    _lamp("AREA", at, (x, y, 0.8), rng.uniform(90, 260), color, rng.uniform(0.8, 2.5))


def _ceiling_lamps(target: np.ndarray, color, rng: np.random.Generator) -> None:
    """Hang three small lights over the line."""
    x, y, _ = target
    for step in (-1, 0, 1):
        at = (x + step * 2.6 + rng.uniform(-0.4, 0.4), y + rng.uniform(-0.8, 0.8), 3.4)
        _lamp("AREA", at, (at[0], at[1], 0), rng.uniform(70, 150), color, 0.45)


def _spotlight(target: np.ndarray, side: int, color, rng: np.random.Generator) -> None:
    """Leave the hall dim but for a spot on the line."""
    x, y, _ = target
    at = (x + side * rng.uniform(0.6, 1.6), y - rng.uniform(-0.4, 1.0), rng.uniform(2.8, 3.6))
    cone = {"spot_size": math.radians(rng.uniform(50, 75)), "spot_blend": 0.5}
    _lamp("SPOT", at, (x, y, 0.8), rng.uniform(420, 700), color, 0.12, **cone)
    _lamp("AREA", (x - side * 5, y - 2, 3.5), (x, y, 0.8), 60, _warmth(rng), 2.0)


def _roof_bars(rng: np.random.Generator) -> None:
    """Put bars under the roof, outside the picture, whose shadows fall on floor and line."""
    material = finishes.flat("beam", (0.2, 0.2, 0.2))
    for x in np.arange(-10, 11, rng.uniform(0.9, 1.8)).tolist():
        bar = Shape().add(box(rng.uniform(0.1, 0.3), 16, 0.1), at=(x, -4, 4.6))
        item = put(bar, [material], "pipe")
        item.visible_camera = False
