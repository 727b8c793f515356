"""Render a layout twice: the picture, and a pass whose colours are class and instance ids."""

import json
from pathlib import Path

import bpy
import numpy as np
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector
from PIL import Image, ImageDraw

from .cache import stem
from .catalogue import VOID
from .layout import Layout, build

SAMPLES = 7
BOUNCES = 2
EXPOSURE = 0.5
MARGIN = 200  # pixels around the picture in which a cut-off object still counts


def render_scene(kind: str, index: int, seed: int, cache: Path) -> bool:
    """Render one scene to the cache: picture, ids and what is in it. False if it is there."""
    base = stem(cache, kind, index)
    if base.with_suffix(".json").exists():
        return False
    layout = build(kind, index, seed)
    _render_picture(layout.scene, base.with_suffix(".png"))
    _render_ids(layout.scene, base.with_suffix(".ids.png"))
    facts = [
        {
            "instance": product.instance,
            "class": product.name,
            "defect": product.defect,
            "whole_area": _whole_area(layout, product.item),
        }
        for product in layout.products
    ]
    base.with_suffix(".json").write_text(json.dumps(facts), encoding="utf-8")
    return True


def _common(scene: bpy.types.Scene, path: Path) -> None:
    render = scene.render
    render.engine = "CYCLES"
    render.resolution_percentage = 100
    render.image_settings.file_format = "PNG"
    render.image_settings.color_mode = "RGB"
    render.image_settings.compression = 30
    render.filepath = str(path)


def _render_picture(scene: bpy.types.Scene, path: Path) -> None:
    _common(scene, path)
    cycles = scene.cycles
    cycles.samples, cycles.use_adaptive_sampling = SAMPLES, False
    cycles.use_denoising, cycles.denoiser = True, "OPENIMAGEDENOISE"
    cycles.denoising_prefilter, cycles.denoising_quality = "FAST", "BALANCED"
    cycles.max_bounces = cycles.glossy_bounces = BOUNCES
    cycles.diffuse_bounces = 1
    cycles.use_light_tree = False
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.sample_clamp_indirect = 4.0
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"
    scene.view_settings.exposure = EXPOSURE
    bpy.ops.render.render(write_still=True)


def _render_ids(scene: bpy.types.Scene, path: Path) -> None:
    """Render the ids: one sample at each pixel's centre, nothing that blends neighbours."""
    _common(scene, path)
    material = bpy.data.materials.new("ids")
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    nodes.clear()
    info, emit = nodes.new("ShaderNodeObjectInfo"), nodes.new("ShaderNodeEmission")
    links.new(info.outputs["Color"], emit.inputs["Color"])
    links.new(emit.outputs[0], nodes.new("ShaderNodeOutputMaterial").inputs["Surface"])
    bpy.context.view_layer.material_override = material
    background = scene.world.node_tree.nodes["Background"].inputs
    background["Color"].default_value = (VOID / 255, 0, 0, 1)
    background["Strength"].default_value = 1.0
    for item in scene.objects:
        if item.type == "LIGHT":
            item.hide_render = True
    cycles = scene.cycles
    cycles.samples, cycles.use_adaptive_sampling, cycles.use_denoising = 1, False, False
    cycles.pixel_filter_type, cycles.filter_width = "BOX", 0.01
    cycles.max_bounces = 0
    scene.camera.data.dof.use_dof = False
    scene.render.dither_intensity = 0
    scene.view_settings.view_transform = "Raw"
    scene.view_settings.look = "None"
    scene.view_settings.exposure = 0.0
    bpy.ops.render.render(write_still=True)


def _whole_area(layout: Layout, item: bpy.types.Object) -> int:
    """Return how many pixels the object would cover with nothing before it or cut off."""
    width, height = layout.scene.render.resolution_x, layout.scene.render.resolution_y
    canvas = Image.new("1", (width + 2 * MARGIN, height + 2 * MARGIN))
    draw = ImageDraw.Draw(canvas)
    evaluated = item.evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = evaluated.to_mesh()
    spots = []
    for vertex in mesh.vertices:
        at = world_to_camera_view(
            layout.scene, layout.camera, item.matrix_world @ Vector(vertex.co)
        )
        spots.append((at.x * width + MARGIN, (1 - at.y) * height + MARGIN))
    for polygon in mesh.polygons:
        draw.polygon([spots[index] for index in polygon.vertices], fill=1)
    evaluated.to_mesh_clear()
    return int(np.asarray(canvas).sum())
