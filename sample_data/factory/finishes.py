"""Procedural finishes: metal, paint, plastic, concrete and the defects laid over them."""

from dataclasses import dataclass

import bpy
import numpy as np

# Linear RGB. Products of every class draw from this one palette.
PALETTE = {
    "steel": (0.56, 0.57, 0.58),
    "dark_steel": (0.12, 0.125, 0.13),
    "brass": (0.70, 0.44, 0.14),
    "copper": (0.62, 0.26, 0.13),
    "red": (0.50, 0.03, 0.025),
    "blue": (0.02, 0.12, 0.45),
    "green": (0.03, 0.26, 0.09),
    "yellow": (0.75, 0.45, 0.03),
    "orange": (0.75, 0.20, 0.02),
    "white": (0.72, 0.72, 0.69),
    "grey": (0.25, 0.26, 0.28),
    "teal": (0.02, 0.28, 0.30),
}
METALS = ("steel", "dark_steel", "brass", "copper")
PRODUCT_FINISHES = (
    "brushed",
    "brushed",
    "cast",
    "painted",
    "painted",
    "plastic",
    "rusty",
    "striped",
)
HOUSINGS = ("white", "grey", "blue", "teal", "green", "orange", "yellow")
RUST, GREASE = (0.16, 0.05, 0.015), (0.012, 0.008, 0.005)
BLACK, BARE_METAL = (0.012, 0.012, 0.014), (0.85, 0.85, 0.85)


@dataclass(frozen=True)
class Defect:
    """A surface defect around a spot in the object's own coordinates."""

    kind: str
    spot: tuple[float, float, float]
    across: tuple[float, float, float]
    size: float


class Graph:
    """A material's nodes under construction."""

    def __init__(self, source: str | bpy.types.Material) -> None:
        """Start a new material with this name, or go on with an existing one."""
        if isinstance(source, str):
            source = bpy.data.materials.new(source)
            source.use_nodes = True
        self.material = source
        self.tree = source.node_tree
        self.bsdf = self.tree.nodes["Principled BSDF"]
        self.place = self.node("ShaderNodeTexCoord").outputs["Object"]

    def node(self, kind: str, inputs: dict | None = None, **properties):
        """Add a node; inputs are values or sockets to link."""
        node = self.tree.nodes.new(kind)
        for name, value in properties.items():
            setattr(node, name, value)
        for key, value in (inputs or {}).items():
            self.feed(node.inputs[key], value)
        return node

    def feed(self, socket, value) -> None:
        """Set an input to a value or link it to another node's output."""
        if isinstance(value, bpy.types.NodeSocket):
            self.tree.links.new(value, socket)
        else:
            socket.default_value = value

    def math(self, operation: str, first, second=0.0):
        """Return the result of a scalar operation."""
        return self.node("ShaderNodeMath", {0: first, 1: second}, operation=operation).outputs[0]

    def vector(self, operation: str, first, second, result: str = "Vector"):
        """Return the result of a vector operation."""
        node = self.node("ShaderNodeVectorMath", {0: first, 1: second}, operation=operation)
        return node.outputs[result]

    def noise(self, scale: float, detail: float = 2.0, stretch=(1, 1, 1), offset: float = 0.0):
        """Return noise around 0.5 in the object's own coordinates."""
        place = self.node(
            "ShaderNodeMapping",
            {
                "Vector": self.place,
                "Scale": stretch,
                "Location": (offset, offset * 1.7, offset * 0.6),
            },
        )
        inputs = {"Vector": place.outputs[0], "Scale": scale, "Detail": detail}
        return self.node("ShaderNodeTexNoise", inputs).outputs[0]

    def ramp(self, value, low: float, high: float, to_low: float = 0.0, to_high: float = 1.0):
        """Map a value's range to another, clamped."""
        inputs = {0: value, 1: low, 2: high, 3: to_low, 4: to_high}
        return self.node("ShaderNodeMapRange", inputs).outputs[0]

    def mix(self, factor, first, second):
        """Return a blend of two colours."""
        inputs = {0: factor, 6: opaque(first), 7: opaque(second)}
        return self.node("ShaderNodeMix", inputs, data_type="RGBA").outputs[2]

    def bump(self, height, strength: float, distance: float = 0.01) -> None:
        """Disturb the normal by a height."""
        inputs = {"Height": height, "Strength": strength, "Distance": distance}
        self.feed(self.bsdf.inputs["Normal"], self.node("ShaderNodeBump", inputs).outputs[0])

    def surface(self, color, metallic: float, roughness) -> None:
        """Set the main inputs of the surface."""
        self.feed(self.bsdf.inputs["Base Color"], opaque(color))
        self.feed(self.bsdf.inputs["Metallic"], metallic)
        self.feed(self.bsdf.inputs["Roughness"], roughness)

    def color(self):
        """Return what feeds the base colour now."""
        socket = self.bsdf.inputs["Base Color"]
        return socket.links[0].from_socket if socket.links else tuple(socket.default_value)


def opaque(color):
    """Add an alpha of one to a bare RGB tuple; leave sockets and RGBA alone."""
    return (*color, 1.0) if isinstance(color, tuple) and len(color) == 3 else color


def jitter(color, rng: np.random.Generator, amount: float = 0.18) -> tuple[float, float, float]:
    """Vary a colour's brightness and, a little, its hue."""
    factors = rng.uniform(1 - amount, 1 + amount) * rng.uniform(0.94, 1.06, 3)
    return tuple(float(c) for c in np.clip(np.asarray(color) * factors, 0.005, 0.85))


def draw_finish(rng: np.random.Generator, kind: str | None = None) -> bpy.types.Material:
    """Draw a product's finish from the shared palette."""
    kind = kind or str(rng.choice(PRODUCT_FINISHES))
    names = METALS if kind in ("brushed", "cast") else tuple(PALETTE)
    first, second = (jitter(PALETTE[str(rng.choice(names))], rng) for _ in range(2))
    graph = Graph(kind)
    FINISHES[kind](graph, first, second, rng)
    return graph.material


def brushed(graph: Graph, color, _second, rng: np.random.Generator) -> None:
    """Machined metal with fine lines."""
    lines = graph.noise(30, 2, stretch=(1, 1, 12), offset=rng.uniform(0, 50))
    graph.surface(color, 1.0, graph.ramp(lines, 0.3, 0.7, 0.2, 0.45))


def cast(graph: Graph, color, _second, rng: np.random.Generator) -> None:
    """Rough cast metal."""
    grain = graph.noise(70, 2, offset=rng.uniform(0, 50))
    shade = graph.mix(graph.ramp(grain, 0.3, 0.7), tuple(0.6 * c for c in color), color)
    graph.surface(shade, 0.75, 0.55)


def painted(graph: Graph, color, _second, rng: np.random.Generator) -> None:
    """Glossy paint, a little uneven."""
    cloud = graph.noise(6, 2, offset=rng.uniform(0, 50))
    graph.surface(graph.mix(cloud, tuple(0.75 * c for c in color), color), 0.0, 0.3)


def plastic(graph: Graph, color, _second, _rng: np.random.Generator) -> None:
    """Even, half-matt plastic."""
    graph.surface(color, 0.0, 0.45)


def rusty(graph: Graph, color, _second, rng: np.random.Generator) -> None:
    """Metal or paint with patches of rust; normal wear here, not a defect."""
    patches = graph.noise(9, 3, offset=rng.uniform(0, 50))
    rust = graph.mix(graph.noise(60, 1), RUST, tuple(2.2 * c for c in RUST))
    edge = rng.uniform(0.5, 0.56)
    graph.surface(graph.mix(graph.ramp(patches, edge, edge + 0.06), color, rust), 0.35, 0.55)


def striped(graph: Graph, color, second, rng: np.random.Generator) -> None:
    """Two paints in bands."""
    direction = rng.normal(size=3)
    direction = direction / np.linalg.norm(direction) * rng.uniform(10, 22)
    phase = graph.vector("DOT_PRODUCT", graph.place, tuple(direction.tolist()), "Value")
    wave = graph.math("FRACT", phase)
    graph.surface(graph.mix(graph.ramp(wave, 0.48, 0.52), color, second), 0.1, 0.38)


FINISHES = {
    "brushed": brushed,
    "cast": cast,
    "painted": painted,
    "plastic": plastic,
    "rusty": rusty,
    "striped": striped,
}


def flat(name: str, color, roughness: float = 0.5, metallic: float = 0.0) -> bpy.types.Material:
    """Return a plain material with slight wear."""
    graph = Graph(name)
    cloud = graph.noise(3, 3)
    shade = graph.mix(graph.ramp(cloud, 0.3, 0.7), tuple(0.72 * c for c in color), color)
    graph.surface(shade, metallic, roughness)
    return graph.material


def glowing(name: str, color, strength: float) -> bpy.types.Material:
    """Return a material that emits light."""
    graph = Graph(name)
    graph.surface(color, 0.0, 0.5)
    graph.feed(graph.bsdf.inputs["Emission Color"], opaque(color))
    graph.bsdf.inputs["Emission Strength"].default_value = strength
    graph.material.cycles.emission_sampling = "NONE"  # area lights beside it do the lighting
    return graph.material


def concrete(color, second, rng: np.random.Generator) -> bpy.types.Material:
    """Return a floor: sealed concrete with stains and fine joints."""
    graph = Graph("concrete")
    offset = rng.uniform(0, 50)
    shade = graph.mix(graph.ramp(graph.noise(0.7, 4, offset=offset), 0.35, 0.65), color, second)
    spots = graph.ramp(graph.noise(2.2, 4, offset=offset + 9), 0.6, 0.72, 0.0, 0.6)
    shade = graph.mix(spots, shade, tuple(0.35 * c for c in color))
    brick = graph.node(
        "ShaderNodeTexBrick",
        {
            "Vector": graph.place,
            "Scale": 0.4,
            "Mortar Size": 0.004,
            "Color1": (1, 1, 1, 1),
            "Color2": (1, 1, 1, 1),
            "Mortar": (0, 0, 0, 1),
        },
        offset=0.0,
    )
    shade = graph.mix(brick.outputs["Fac"], shade, tuple(0.3 * c for c in color))
    graph.surface(shade, 0.0, graph.ramp(graph.noise(4, 3, offset=offset), 0.3, 0.7, 0.22, 0.55))
    return graph.material


def two_tone(upper, lower, height: float, panel: float) -> bpy.types.Material:
    """Return a wall: two paints with an edge at a height, and upright ribs."""
    graph = Graph("wall")
    axes = graph.node("ShaderNodeSeparateXYZ", {0: graph.place})
    dirt = graph.ramp(graph.noise(1.2, 4), 0.3, 0.75, 0.7, 1.0)
    shade = graph.mix(graph.math("LESS_THAN", axes.outputs["Z"], height), upper, lower)
    graph.surface(graph.mix(dirt, (0.1, 0.1, 0.09), shade), 0.0, 0.6)
    ribs = graph.math("PINGPONG", graph.math("MULTIPLY", axes.outputs["X"], 1 / panel), 0.5)
    graph.bump(graph.ramp(ribs, 0.1, 0.2), 1.0, 0.06)
    return graph.material


def hazard(first=(0.75, 0.5, 0.02), second=BLACK, width: float = 9.0) -> bpy.types.Material:
    """Return slanted warning stripes."""
    graph = Graph("hazard")
    phase = graph.vector("DOT_PRODUCT", graph.place, (width, width, width), "Value")
    worn = graph.ramp(graph.noise(14, 5), 0.58, 0.68, 0.0, 0.6)
    stripes = graph.mix(graph.ramp(graph.math("FRACT", phase), 0.49, 0.51), first, second)
    graph.surface(graph.mix(worn, stripes, (0.2, 0.2, 0.2)), 0.0, 0.5)
    return graph.material


def tape(color) -> bpy.types.Material:
    """Return worn marking tape."""
    graph = Graph("tape")
    worn = graph.ramp(graph.noise(9, 6), 0.56, 0.66, 0.0, 0.75)
    graph.surface(graph.mix(worn, color, (0.22, 0.22, 0.21)), 0.0, 0.5)
    return graph.material


def wood(color, rng: np.random.Generator) -> bpy.types.Material:
    """Return sawn wood with a grain along x."""
    graph = Graph("wood")
    grain = graph.noise(5, 3, stretch=(1, 14, 14), offset=rng.uniform(0, 50))
    graph.surface(
        graph.mix(graph.ramp(grain, 0.3, 0.7), tuple(0.45 * c for c in color), color), 0.0, 0.7
    )
    return graph.material


def belt(color, rng: np.random.Generator) -> bpy.types.Material:
    """Return a rubber belt with cross ribs, dust and scuffs along its run."""
    graph = Graph("belt")
    scuffs = graph.noise(3, 4, stretch=(0.3, 8, 8), offset=rng.uniform(0, 50))
    dusty = tuple(0.6 * c + 0.06 for c in color)
    shade = graph.mix(graph.ramp(scuffs, 0.4, 0.7), color, dusty)
    graph.surface(shade, 0.0, graph.ramp(scuffs, 0.3, 0.7, 0.4, 0.65))
    axes = graph.node("ShaderNodeSeparateXYZ", {0: graph.place})
    ribs = graph.math("PINGPONG", graph.math("MULTIPLY", axes.outputs["X"], 12.0), 0.5)
    graph.bump(graph.ramp(ribs, 0.05, 0.12), 0.5, 0.01)
    return graph.material


def add_defect(material: bpy.types.Material, defect: Defect) -> None:
    """Lay a scratch or a stain over a material that `draw_finish` made."""
    graph = Graph(material)
    away = graph.vector("SUBTRACT", graph.place, defect.spot)
    distance = graph.vector("LENGTH", away, (0, 0, 0), "Value")
    draw = _stain if defect.kind == "stain" else _scratch
    graph.feed(graph.bsdf.inputs["Base Color"], draw(graph, defect, away, distance))


def _stain(graph: Graph, defect: Defect, _away, distance):
    """Return the base colour with a greasy spot."""
    wobble = graph.math("MULTIPLY", graph.math("SUBTRACT", graph.noise(22, 3), 0.5), defect.size)
    rim = graph.math("ADD", distance, wobble)
    mask = graph.ramp(rim, defect.size * 0.9, defect.size, 0.96, 0.0)
    return graph.mix(mask, graph.color(), GREASE)


def _scratch(graph: Graph, defect: Defect, away, distance):
    """Return the base colour with two bright lines that have dark edges."""
    bend = graph.math("MULTIPLY", graph.math("SUBTRACT", graph.noise(9, 2), 0.5), 0.03)
    offset = graph.math("ADD", graph.vector("DOT_PRODUCT", away, defect.across, "Value"), bend)
    lane = graph.math("ABSOLUTE", graph.math("SUBTRACT", graph.math("ABSOLUTE", offset), 0.012))
    near = graph.math("LESS_THAN", distance, defect.size)
    dark = graph.math("MULTIPLY", graph.ramp(lane, 0.005, 0.0065, 1.0, 0.0), near)
    bright = graph.math("MULTIPLY", graph.ramp(lane, 0.002, 0.003, 1.0, 0.0), near)
    return graph.mix(bright, graph.mix(dark, graph.color(), BLACK), BARE_METAL)


def any_of(rng: np.random.Generator, options):
    """Return one of a sequence."""
    return options[int(rng.integers(len(options)))]


def paint(rng: np.random.Generator, names, roughness: float = 0.38):
    """Draw a paint of the palette for something that is no product."""
    return flat("paint", jitter(PALETTE[any_of(rng, names)], rng), roughness)
