"""The bridge from shapes to Blender objects, with the ids that the second render pass shows."""

import bpy
import numpy as np
from mathutils import Matrix

from .catalogue import BY_NAME
from .geometry import Shape, rotation

SHARP_ANGLE = 0.6


def pose(at, turn=(0, 0, 0)) -> Matrix:
    """Return the matrix of a turn and a move."""
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(turn)
    matrix[:3, 3] = at
    return Matrix(matrix.tolist())


def put(
    shape: Shape,
    materials: list,
    class_name: str,
    instance: int = 0,
    matrix: Matrix | None = None,
    bevel: float = 0.0,
):
    """Make an object of a shape and mark it with its class and instance."""
    mesh = bpy.data.meshes.new(class_name)
    mesh.from_pydata(shape.points.tolist(), [], shape.faces)
    for material in materials:
        mesh.materials.append(material)
    mesh.polygons.foreach_set("material_index", shape.slots)
    mesh.shade_smooth()
    mesh.set_sharp_from_angle(angle=SHARP_ANGLE)
    item = bpy.data.objects.new(class_name, mesh)
    bpy.context.scene.collection.objects.link(item)
    item.color = (BY_NAME[class_name].id / 255, instance / 255, 0, 1)
    if matrix is not None:
        item.matrix_world = matrix
    if bevel:
        modifier = item.modifiers.new("bevel", "BEVEL")
        modifier.width, modifier.segments = bevel, 2
        modifier.limit_method, modifier.angle_limit = "ANGLE", SHARP_ANGLE
    return item


def reset() -> bpy.types.Scene:
    """Empty Blender and return its one scene."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    return bpy.context.scene
