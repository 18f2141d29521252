"""Flowers in drifts, rows and stripes: dots far away, heads on stems at the viewer's feet."""

from dataclasses import dataclass

import numpy as np

from easel_painter.canvas import Point, Scene
from easel_painter.land import CLEAR, course
from easel_painter.noise import Field, smoothstep
from easel_painter.palette import mix
from easel_painter.reading import Colour
from easel_painter.terrain import Spot, Terrain

_HUES: list[Colour] = [
    (0.90, 0.18, 0.16),
    (0.98, 0.80, 0.18),
    (0.62, 0.36, 0.82),
    (0.97, 0.94, 0.95),
    (0.94, 0.45, 0.62),
    (0.34, 0.45, 0.88),
]


@dataclass(frozen=True)
class Sort:
    """A kind of flower: its form, its size in units, its colours, whether it stands in rows."""

    form: str
    size: float
    hues: list[Colour]
    rows: bool = False


def sort(scene: Scene) -> Sort:
    """Which flowers grow here: by the words, else by the seed."""
    reading = scene.reading
    rng = scene.stream("sort of flower")
    own = reading.paints.get("flowers")
    if reading.is_a("sunflowers"):
        return Sort("sunflower", 0.105, [own or (0.98, 0.76, 0.08)])
    if reading.is_a("lavender"):
        return Sort("spike", 0.075, [own or (0.52, 0.34, 0.80)], rows=True)
    if reading.is_a("tulips"):
        hues = [own] if own else [_HUES[int(k)] for k in rng.permutation(5)[:4]]
        return Sort("cup", 0.055, hues, rows=True)
    if reading.is_a("poppies"):
        return Sort("bowl", 0.055, [own or (0.90, 0.13, 0.09)])
    if reading.is_a("roses"):
        return Sort("bowl", 0.055, [own or (0.86, 0.12, 0.22)])
    if reading.is_a("daisies"):
        return Sort("daisy", 0.045, [own or (0.98, 0.97, 0.94)])
    hues = [own] if own else [_HUES[int(k)] for k in rng.permutation(len(_HUES))[:3]]
    return Sort(str(rng.choice(["bowl", "daisy", "spike"])), 0.045, hues)


def paint_flowers(scene: Scene, land: Terrain | None, top: float = -1.0, bottom: float = 1e9) -> None:
    """Flowers between two rows of the land (or of a plain where there is none), each as large as its distance says."""
    scene.show("flowers")
    rng = scene.stream(f"flowers {top > 0}")
    view = land or Terrain(scene, 30.0)
    if land is None:
        view.rows = np.float32(scene.horizon) + np.float32(view.focal) / view.z + np.zeros_like(view.x)
        view.crest = view.rows
    kind = sort(scene)
    weight = min(1.6, max(0.6, scene.reading.weight("flowers") or 0.8))
    wanted = _growth(scene, view, kind, top, bottom)
    if kind.rows and top < 0:
        _carpet(scene, view, kind)
    count = int(2600 * weight * min(scene.width / scene.short, 5))
    spots = [spot for spot in view.spots(f"flower places {top > 0}", count, wanted, bias=0.55) if spot.distance < 26]
    for belt in np.array_split(np.arange(len(spots)), 9):
        if len(belt):
            _belt(scene, rng, view, kind, [spots[int(k)] for k in belt])


def _growth(scene: Scene, view: Terrain, kind: Sort, top: float, bottom: float) -> Field:
    """How likely a flower stands at each point."""
    drift = view.noise("drift", 3.0, 3)
    wanted = smoothstep(0.30, 0.55, drift) if not kind.rows else np.ones_like(drift)
    if kind.form == "sunflower":
        wanted = 0.35 + 0.65 * wanted
    wanted = wanted * (view.rows > top) * (view.rows <= bottom)
    if scene.reading.has("road", "river"):
        way = course(scene, view)
        wanted = wanted if way is None else wanted * (np.abs(way) > 0.9)
    if kind.rows:
        wanted = wanted * (_row_phase(scene, view) > 0.15)
    return np.asarray(wanted, dtype=np.float32)


def _row_phase(scene: Scene, view: Terrain) -> Field:
    """Waves across the rows in which flowers are planted: 1 on a row, -1 between two."""
    goal = float(scene.stream("rows of flowers").uniform(-0.25, 0.25))
    return np.asarray(np.sin((view.x - np.float32(goal) * view.z) * np.float32(7.5)), dtype=np.float32)


def _carpet(scene: Scene, view: Terrain, kind: Sort) -> None:
    """Far rows are stripes of colour: no single flower can be seen."""
    phase = smoothstep(-0.2, 0.5, _row_phase(scene, view))
    near = smoothstep(2.0, 4.0, view.z) * smoothstep(40.0, 22.0, view.z)
    goal = float(scene.stream("rows of flowers").uniform(-0.25, 0.25))
    number = np.floor((view.x - np.float32(goal) * view.z) * np.float32(7.5 / 2 / np.pi) - 0.25).astype(np.int64)
    hues = np.asarray([scene.palette.lit(hue, 0.8) for hue in kind.hues], dtype=np.float32)
    tones = hues[(number // 2) % len(hues)]
    grain = 0.72 + 0.5 * view.noise("carpet", 0.16, 3)
    # Far away the furrows run together.
    share = np.maximum(phase, smoothstep(9.0, 18.0, view.z)) * near * np.float32(0.9)
    view.lay(view.height, view.in_air(tones * grain[..., None], CLEAR, 0.80, 1.3), share.astype(np.float32))


def _belt(scene: Scene, rng: np.random.Generator, view: Terrain, kind: Sort, spots: list[Spot]) -> None:
    palette = scene.palette
    distance = float(np.mean([spot.distance for spot in spots]))
    air = view.haze_at(distance, CLEAR) * 0.8
    stems: list[list[Point]] = []
    leaves: list[list[Point]] = []
    heads: dict[tuple[int, int], list[list[Point]]] = {}
    hearts: list[list[Point]] = []
    for spot in spots:
        size = max(0.9, kind.size * spot.scale * float(rng.uniform(0.7, 1.25)))
        high = size * {"sunflower": 3.6, "spike": 2.0}.get(kind.form, 2.4)
        x, y = spot.x, spot.y - (high if size > 2.2 else size * 0.6)
        if size > 2.2:
            lean = float(rng.normal(0, 0.10)) * high
            half = max(0.5, size * 0.07)
            stems.append(
                [(x - half, spot.y + size), (x + half, spot.y + size), (x + lean + half, y), (x + lean - half, y)]
            )
            x += lean
            if kind.form == "sunflower":
                leaves += _leaves(rng, x, (y + spot.y) / 2, size)
        tone = int(x / scene.width * 37 + rng.random() * 1.4) % len(kind.hues)
        flower, heart = _head(rng, kind.form, x, y, size)
        heads.setdefault((tone, int(rng.integers(3))), []).extend(flower)
        hearts += heart
    green = palette.lit(mix(palette.foliage, (0.10, 0.26, 0.08), 0.4))
    for polygons, colour in ((stems, green), (leaves, mix(green, palette.light, 0.08))):
        if polygons:
            scene.shape(polygons, mix(colour, palette.haze, air), 0.95)
    for (tone, shade), polygons in sorted(heads.items()):
        base = palette.lit(kind.hues[tone], 0.55)
        colour = (mix(base, (0.05, 0.02, 0.08), 0.22), base, mix(base, palette.light, 0.25))[shade]
        scene.shape(polygons, mix(colour, palette.haze, air))
    if hearts:
        dark = {"daisy": (0.96, 0.74, 0.16), "sunflower": (0.24, 0.13, 0.06)}.get(kind.form, (0.12, 0.06, 0.08))
        scene.shape(hearts, mix(palette.lit(dark, 0.7), palette.haze, air))


def _leaves(rng: np.random.Generator, x: float, y: float, size: float) -> list[list[Point]]:
    found = []
    for turn in (-1.0, 1.0):
        long, drop = size * float(rng.uniform(0.9, 1.4)), size * float(rng.uniform(0.0, 0.5))
        found.append(
            [
                (x, y),
                (x + turn * long * 0.5, y - size * 0.35),
                (x + turn * long, y + drop),
                (x + turn * long * 0.4, y + size * 0.2),
            ]
        )
    return found


def _head(
    rng: np.random.Generator, form: str, x: float, y: float, size: float
) -> tuple[list[list[Point]], list[list[Point]]]:
    """Petals and hearts of one flower, as polygons."""
    if size < 2.2:
        half = size * 0.75
        return [[(x - half, y), (x, y - half), (x + half, y), (x, y + half)]], []
    if form == "spike":
        at = np.linspace(0, 1, 6)
        wide = size * 0.24 * np.sin(np.pi * (0.15 + 0.8 * at)) * rng.uniform(0.8, 1.3, 6)
        ys = y + size * 0.9 - at * size * 2.0
        left = list(zip((x - wide).tolist(), ys.tolist(), strict=True))
        return [[*left, *reversed(list(zip((x + wide).tolist(), ys.tolist(), strict=True)))]], []
    if form == "cup":
        return [_cup(x, y, size * 0.42, size * 0.95)], []
    tilt = float(rng.uniform(0.45, 0.95)) if form != "sunflower" else float(rng.uniform(0.75, 1.0))
    petals = {"daisy": 9, "sunflower": 13}.get(form, 5)
    turns = np.linspace(0, 2 * np.pi, petals * 2, endpoint=False) + float(rng.random())
    deep = 0.55 if form in ("daisy", "sunflower") else 0.82
    reach = size * 0.62 * np.where(np.arange(petals * 2) % 2 == 0, 1.0, deep) * rng.uniform(0.88, 1.1, petals * 2)
    rim = list(zip((x + reach * np.cos(turns)).tolist(), (y + reach * np.sin(turns) * tilt).tolist(), strict=True))
    core = size * {"daisy": 0.20, "sunflower": 0.21}.get(form, 0.14)
    around = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    heart = list(zip((x + core * np.cos(around)).tolist(), (y + core * np.sin(around) * tilt).tolist(), strict=True))
    return [rim], [heart]


def _cup(x: float, y: float, w: float, h: float) -> list[Point]:
    """A tulip's cup with three tips."""
    left = [(x - w * 0.6, y), (x - w, y - h * 0.5), (x - w * 0.8, y - h), (x - w * 0.3, y - h * 0.75)]
    right = [(2 * x - px, py) for px, py in reversed(left)]
    return [*left, (x, y - h * 1.05), *right]
