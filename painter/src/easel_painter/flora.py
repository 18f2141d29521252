"""Small trees by the dozen: where they stand on the land, and how each kind is drawn."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from easel_painter.canvas import Point, Scene
from easel_painter.palette import mix
from easel_painter.reading import Colour
from easel_painter.terrain import Spot, Terrain

Polygons = list[list[Point]]

_BELTS = 5
"""Trees are painted in so many belts from far to near, each in one colour of the air."""


@dataclass
class Parts:
    """The polygons of one or more trees: wood, leaves in shade, leaves, leaves in the light, snow."""

    wood: Polygons = field(default_factory=list)
    dark: Polygons = field(default_factory=list)
    body: Polygons = field(default_factory=list)
    bright: Polygons = field(default_factory=list)
    snow: Polygons = field(default_factory=list)

    def add(self, other: "Parts") -> None:
        """Take another tree's polygons in."""
        for name in ("wood", "dark", "body", "bright", "snow"):
            getattr(self, name).extend(getattr(other, name))


@dataclass(frozen=True)
class Coat:
    """The colours of a tree before light and air touch them."""

    leaves: Colour
    wood: Colour


Kind = Callable[[np.random.Generator, float, float, float, float], Parts]
"""Draws one tree: random numbers, foot's x and y, height in pixels, the side of the light (-1 or 1)."""


def blob(rng: np.random.Generator, x: float, y: float, radius: float, points: int = 11) -> list[Point]:
    """A lumpy disc."""
    reach = (rng.random(points) * (0.40 * radius) + 0.78 * radius).tolist()
    return [(x + r * c, y + r * s) for r, (c, s) in zip(reach, _circle(points), strict=True)]


@cache
def _circle(points: int) -> tuple[tuple[float, float], ...]:
    turns = np.linspace(0, 2 * np.pi, points, endpoint=False)
    return tuple(zip(np.cos(turns).tolist(), np.sin(turns).tolist(), strict=True))


def fir(rng: np.random.Generator, x: float, y: float, tall: float, side: float) -> Parts:
    """Boughs that hang and differ; the side towards the light is brighter, snow lies on their upper edges."""
    boughs = 5 if tall < 26 else 8 if tall < 90 else 12
    slim = float(rng.uniform(0.17, 0.25))
    left: list[Point] = []
    right: list[Point] = []
    parts = Parts(wood=[[(x - tall * 0.018, y), (x + tall * 0.018, y), (x, y - tall * 0.4)]])
    reach = rng.uniform(0.72, 1.28, (boughs + 1, 2)) * slim
    for k in range(1, boughs + 1):
        level = k / boughs
        root = y - tall * (1 - level * 0.93 + 0.035)
        tip = root + tall * (0.035 + 0.045 * level)
        a, b = (float(v) * tall * level**0.85 for v in reach[k])
        left += [(x - a, tip), (x - a * 0.42, root + tall * 0.028)]
        right += [(x + b, tip), (x + b * 0.42, root + tall * 0.028)]
        far = b if side > 0 else -a
        parts.bright.append(
            [(x + far * 0.12, root - tall * 0.05), (x + far * 0.86, tip - tall * 0.012), (x + far * 0.30, root)]
        )
        for end in (-a, b):
            parts.snow.append(
                [(x, root - tall * 0.075), (x + end * 0.94, tip - tall * 0.006), (x + end * 0.45, root - tall * 0.004)]
            )
    parts.body.append([(x, y - tall), *right, *reversed(left)])
    return parts


def pine(rng: np.random.Generator, x: float, y: float, tall: float, side: float) -> Parts:
    """A bare trunk with flat clouds of needles on top."""
    lean = float(rng.normal(0, 0.03)) * tall
    half = tall * 0.017
    top = (x + lean, y - tall * 0.86)
    parts = Parts(wood=[[(x - half, y), (x + half, y), (top[0] + half * 0.4, top[1]), (top[0] - half * 0.4, top[1])]])
    for _ in range(int(rng.integers(4, 7))):
        level = float(rng.uniform(0.58, 0.97))
        cx = x + lean * level + float(rng.normal(0, tall * 0.085))
        cy, size = y - tall * level, tall * float(rng.uniform(0.07, 0.13)) * (1.35 - 0.55 * level)
        for heap, dx, dy, share in (
            (parts.dark, 0, 0.25, 1.0),
            (parts.body, 0.1, 0, 0.95),
            (parts.bright, 0.3, -0.3, 0.55),
        ):
            flat = blob(rng, cx + side * dx * size, cy, size * share, 9)
            heap.append([(px, cy + (py - cy) * 0.50 + dy * size) for px, py in flat])
        parts.snow.append([(px, cy - size * 0.2 + (py - cy) * 0.25) for px, py in blob(rng, cx, cy, size * 0.8, 8)])
    return parts


def round_tree(rng: np.random.Generator, x: float, y: float, tall: float, side: float) -> Parts:
    """A crown of a few clumps, each with its light and its shadow."""
    half = tall * 0.028
    parts = Parts(
        wood=[[(x - half, y), (x + half, y), (x + half * 0.4, y - tall * 0.5), (x - half * 0.4, y - tall * 0.5)]]
    )
    clumps = 3 if tall < 14 else 6 if tall < 50 else 15 if tall < 140 else 28
    wide = float(rng.uniform(0.12, 0.18))
    near = clumps > 6
    small = {15: 0.66, 28: 0.50}.get(clumps, 1.0)
    for k in range(clumps):
        cx = x + float(rng.normal(0, tall * wide))
        cy = y - tall * float(rng.uniform(0.42, 0.80)) if k else y - tall * 0.72
        size = tall * float(rng.uniform(0.15, 0.24)) * small
        points = 17 if near else 9
        parts.dark.append(blob(rng, cx - side * size * 0.12, cy + size * 0.20, size, points))
        parts.body.append(blob(rng, cx, cy - size * 0.05, size * 0.86, points))
        parts.bright.append(blob(rng, cx + side * size * 0.30, cy - size * 0.34, size * (0.30 if near else 0.46), 8))
        parts.snow.append(blob(rng, cx + side * size * 0.1, cy - size * 0.5, size * 0.40, 7))
        if near:
            tufts(rng, parts, cx, cy, size, side)
    return parts


def tufts(
    rng: np.random.Generator, parts: Parts, x: float, y: float, size: float, side: float, *, flat: float = 0.85
) -> None:
    """Single tufts of leaves over a near clump, lit by where they are in it: it has no smooth face and no edge."""
    count = int(np.clip(size * 2.2, 10, 64))
    turn, reach = rng.uniform(0, 2 * np.pi, count), size * 1.12 * np.sqrt(rng.random(count))
    dx, dy = reach * np.cos(turn), reach * np.sin(turn) * flat
    facing = (dx * side * 0.7 - dy) / max(size, 1e-6) + rng.normal(0, 0.30, count)
    corners = rng.uniform(0, 2 * np.pi, (count, 1)) + np.linspace(0, 2 * np.pi, 5, endpoint=False)
    radius = size * rng.uniform(0.055, 0.13, (count, 1)) * rng.uniform(0.6, 1.3, (count, 5))
    xs, ys = (x + dx)[:, None] + radius * np.cos(corners), (y + dy)[:, None] + radius * np.sin(corners) * flat
    for px, py, towards in zip(xs.tolist(), ys.tolist(), facing.tolist(), strict=True):
        heap = parts.bright if towards > 0.42 else parts.body if towards > -0.30 else parts.dark
        heap.append(list(zip(px, py, strict=True)))


def bush(rng: np.random.Generator, x: float, y: float, tall: float, side: float) -> Parts:
    """A heap of leaves on the ground."""
    parts = Parts()
    for _ in range(3):
        cx, size = x + float(rng.normal(0, tall * 0.45)), tall * float(rng.uniform(0.35, 0.6))
        parts.dark.append(blob(rng, cx, y - size * 0.45, size, 8))
        parts.body.append(blob(rng, cx + side * size * 0.1, y - size * 0.68, size * 0.78, 8))
        parts.bright.append(blob(rng, cx + side * size * 0.3, y - size * 0.95, size * 0.42, 7))
        parts.snow.append(blob(rng, cx, y - size * 1.1, size * 0.5, 7))
    return parts


def poplar(rng: np.random.Generator, x: float, y: float, tall: float, side: float) -> Parts:
    """A slender flame of leaves: poplar or cypress."""
    half = tall * float(rng.uniform(0.065, 0.10))
    at = np.linspace(0, 1, 9)
    swell = np.sin(np.pi * (0.08 + 0.90 * at) ** 0.75) * half * rng.uniform(0.85, 1.15, 9)
    ys = y - tall * (0.04 + 0.96 * at)
    left = list(zip((x - swell).tolist(), ys.tolist(), strict=True))
    right = list(zip((x + swell).tolist(), ys.tolist(), strict=True))
    lit = list(zip((x + side * swell * 0.85).tolist(), ys.tolist(), strict=True))
    inner = list(zip((x + side * swell * 0.15).tolist(), ys.tolist(), strict=True))
    return Parts(
        wood=[[(x - half * 0.2, y), (x + half * 0.2, y), (x, y - tall * 0.2)]],
        dark=[[*left, *reversed(right)]],
        body=[[*inner, *reversed(lit)]],
        snow=[[*inner[5:], *reversed(lit[5:])]],
    )


def birch(rng: np.random.Generator, x: float, y: float, tall: float, side: float) -> Parts:
    """A thin light trunk under a loose crown that hangs."""
    parts = round_tree(rng, x, y, tall, side)
    half = max(0.7, tall * 0.014)
    parts.wood = [[(x - half, y), (x + half, y), (x + half * 0.5, y - tall * 0.85), (x - half * 0.5, y - tall * 0.85)]]
    return parts


def bare(rng: np.random.Generator, x: float, y: float, tall: float, side: float) -> Parts:
    """A tree without leaves: a trunk that leans a little to the light, and thin branches."""
    half = tall * 0.022
    x += side * half * 0.2
    parts = Parts(wood=[[(x - half, y), (x + half, y), (x, y - tall)]])
    for _ in range(9):
        level, turn = float(rng.uniform(0.30, 0.85)), float(rng.choice([-1.0, 1.0]))
        long = tall * float(rng.uniform(0.16, 0.34)) * (1.15 - level)
        root = (x, y - tall * level)
        tip = (x + turn * long, y - tall * level - long * float(rng.uniform(0.6, 1.3)))
        parts.wood.append([(root[0], root[1] + half * 0.7), (root[0], root[1] - half * 0.7), tip])
    parts.snow = [[(px, py - half * 0.3) for px, py in branch] for branch in parts.wood[1:]]
    return parts


KINDS: dict[str, Kind] = {
    "fir": fir,
    "pine": pine,
    "round": round_tree,
    "bush": bush,
    "poplar": poplar,
    "birch": birch,
    "bare": bare,
}


def coat(scene: Scene, kind: str, rng: np.random.Generator | None = None) -> Coat:
    """A kind's colours in this season and by the words of the prompt."""
    palette = scene.palette
    own = scene.reading.paints.get("forest") or scene.reading.paints.get("tree")
    wood: Colour = {"birch": (0.86, 0.85, 0.80), "pine": (0.52, 0.32, 0.20)}.get(kind, (0.28, 0.20, 0.15))
    if kind in ("fir", "pine", "poplar"):
        leaves = own or mix((0.10, 0.24, 0.16), palette.foliage, 0.18 if palette.season != "autumn" else 0.06)
    else:
        leaves = own or palette.foliage
        if palette.season == "spring" and scene.reading.has("temple", "garden"):
            leaves = own or (0.95, 0.68, 0.76)
        if palette.season == "autumn" and rng is not None and not own:
            hues: list[Colour] = [(0.72, 0.24, 0.10), (0.88, 0.48, 0.12), (0.93, 0.72, 0.20), (0.50, 0.44, 0.16)]
            leaves = mix(leaves, hues[int(rng.integers(len(hues)))], 0.75)
    return Coat(leaves, wood)


def draw(scene: Scene, parts: Parts, dress: Coat, air: float, light: float = 1.0) -> None:
    """Lay trees into the picture, `air` 0 (near) to 1 (lost in haze); `light` 0 leaves them in the shade."""
    palette = scene.palette
    night = palette.hour == "night"
    leaves = palette.lit(dress.leaves)
    dark = mix(leaves, mix((0.02, 0.03, 0.06), palette.zenith, 0.25), 0.52)
    bright = mix(leaves, palette.light, (0.10 if night else 0.24) * light)
    snow = mix(palette.lit(palette.snow), palette.light, 0.15)
    layers: list[tuple[Polygons, Colour]] = [
        (parts.wood, mix(palette.lit(dress.wood), (0.02, 0.02, 0.04), 0.25)),
        (parts.dark, dark),
        (parts.body, mix(leaves, dark, 0.35)),
        (parts.bright, bright),
    ]
    if palette.season == "winter":
        layers.append((parts.snow, mix(snow, palette.zenith, 0.10)))
    for polygons, colour in layers:
        if polygons:
            scene.shape(polygons, mix(colour, palette.haze, air))


def plant(
    scene: Scene, land: Terrain, spots: Sequence[Spot], kind: str, tall: float, clear: float, name: str = "trees"
) -> None:
    """Trees of one kind on these spots (far to near), `tall` units high, in the air of that land."""
    rng = scene.stream(f"{name} {kind}")
    kinds = KINDS["bare" if scene.palette.season == "winter" and kind in ("round", "birch") else kind]
    for belt in np.array_split(np.arange(len(spots)), min(len(spots), _BELTS)) if spots else []:
        heaps: dict[int, Parts] = {}
        chosen = [spots[int(k)] for k in belt]
        for spot in chosen:
            heap = heaps.setdefault(int(rng.integers(3)), Parts())
            high = max(2.0, tall * spot.scale * float(rng.uniform(0.70, 1.25)))
            heap.add(kinds(rng, spot.x, spot.y + 1, high, land.side))
        air = land.haze_at(float(np.mean([spot.distance for spot in chosen])), clear)
        for heap in heaps.values():
            draw(scene, heap, coat(scene, kind, rng), air)
