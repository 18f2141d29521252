"""Pictures without things: marbled paint, geometry, colour fields, ribbons and mandalas."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from easel_painter import air
from easel_painter.canvas import Point, Scene
from easel_painter.noise import Field, cppn, fbm, line, resize, smoothstep, stream
from easel_painter.palette import Palette, mix
from easel_painter.reading import Colour, Reading
from generator.engines.base import ImageRequest

_Lay = Callable[[list[Point], float, float, float, Colour, float], None]
"""Lays an outline: its middle as shares of the picture, its turn, colour and strength."""

KINDS = ("abstract", "geometry", "colour field", "ribbons", "mandala")
"""The motifs that ask for no thing."""


@dataclass(frozen=True)
class Scheme:
    """The colours of one picture: its ground and what is laid on it, the most important first."""

    ground: Colour
    colours: tuple[Colour, ...]


_SCHEMES = (
    Scheme(
        (0.93, 0.89, 0.80),
        ((0.76, 0.30, 0.18), (0.12, 0.22, 0.36), (0.88, 0.66, 0.26), (0.20, 0.44, 0.44), (0.10, 0.09, 0.10)),
    ),
    Scheme(
        (0.08, 0.12, 0.22),
        ((0.92, 0.46, 0.34), (0.94, 0.88, 0.76), (0.16, 0.52, 0.56), (0.90, 0.70, 0.30), (0.40, 0.20, 0.40)),
    ),
    Scheme(
        (0.84, 0.80, 0.74),
        ((0.46, 0.54, 0.42), (0.70, 0.36, 0.24), (0.90, 0.72, 0.66), (0.20, 0.21, 0.24), (0.62, 0.60, 0.52)),
    ),
    Scheme(
        (0.92, 0.86, 0.72),
        ((0.82, 0.16, 0.12), (0.09, 0.09, 0.10), (0.12, 0.28, 0.58), (0.95, 0.76, 0.16), (0.55, 0.52, 0.48)),
    ),
    Scheme(
        (0.16, 0.10, 0.14),
        ((0.80, 0.22, 0.30), (0.96, 0.58, 0.30), (0.50, 0.20, 0.46), (0.98, 0.84, 0.62), (0.20, 0.30, 0.46)),
    ),
    Scheme(
        (0.88, 0.92, 0.92),
        ((0.14, 0.42, 0.56), (0.52, 0.74, 0.74), (0.94, 0.62, 0.42), (0.08, 0.20, 0.32), (0.98, 0.86, 0.60)),
    ),
)


def is_wanted(reading: Reading) -> bool:
    """Whether the words name no thing at all; a colour field is no meadow."""
    field = any(word.startswith(("colour", "color", "цвет")) for word in reading.unknown)
    return all(name in KINDS or (field and name == "field") for name in reading.motifs)


def through(field: Field, colours: tuple[Colour, ...]) -> Field:
    """A field's values 0..1 as a walk through colours."""
    table = np.asarray(colours, dtype=np.float32)
    stops = np.linspace(0, 1, len(table))
    return np.stack([np.interp(field, stops, table[:, c]) for c in range(3)], axis=-1).astype(np.float32)


def paint_abstract(
    request: ImageRequest, reading: Reading, palette: Palette, seed: tuple[object, ...], report: Callable[[], None]
) -> Scene:
    """Paint a picture without objects; words choose its kind, else the seed does. Named colours dominate.

    `report` is called from time to time.
    """
    rgb = np.zeros((request.height, request.width, 3), dtype=np.float32)
    scene = Scene(
        rgb, palette, reading, seed, request.height // 2, (request.width * 0.3, request.height * 0.2), report=report
    )
    scheme = choose_scheme(scene)
    kind = next((name for name in KINDS[1:] if reading.has(name)), None)
    if kind is None and ("calm" in reading.moods or reading.has("field")):
        kind = "colour field"
    if kind is None:
        kind = str(
            scene.stream("kind").choice(["marbled", "marbled", "geometry", "ribbons", "colour field", "mandala"])
        )
    paint = {"geometry": _geometry, "colour field": _fields, "ribbons": _ribbons, "mandala": _mandala}.get(
        kind, _marbled
    )
    paint(scene, scheme)
    scene.report()
    _weave(scene)
    air.grade(scene)
    return scene


def choose_scheme(scene: Scene) -> Scheme:
    """Named colours with their lighter and darker sisters; without any, a scheme by seed and words."""
    rng = scene.stream("scheme")
    reading, palette = scene.reading, scene.palette
    own = tuple(colour for colour, weight in reading.colours if weight >= 0.3)
    dark = palette.hour == "night" or "gloomy" in reading.moods
    if own:
        pale = mix(own[-1], (0.97, 0.95, 0.90), 0.72)
        ground = mix(own[0], (0.03, 0.04, 0.07), 0.72) if dark or (max(own[0]) > 0.9 and rng.random() < 0.3) else pale
        sisters = (mix(own[0], (1.0, 0.97, 0.90), 0.38), mix(own[-1], (0.04, 0.04, 0.08), 0.45))
        return Scheme(ground, (*own, *own, *sisters))
    scheme = _SCHEMES[int(rng.integers(len(_SCHEMES)))]
    order = rng.permutation(len(scheme.colours))
    colours = [scheme.colours[int(k)] for k in order]
    for word in reading.unknown[:2]:
        r, g, b = (float(v) for v in 0.12 + 0.8 * stream("accent", word).random(3))
        colours.insert(1, (r, g, b))
    ground = mix(scheme.ground, (0.05, 0.06, 0.11), 0.8) if dark and sum(scheme.ground) > 1.5 else scheme.ground
    return Scheme(ground, tuple(mix(colour, palette.middle, 0.08) for colour in colours))


def _weave(scene: Scene) -> None:
    """The grain of canvas and uneven paint."""
    rng = scene.stream("weave")
    grain = fbm(rng, scene.width, scene.height, (70 * scene.width / scene.short, 70 * scene.height / scene.short), 2)
    broad = fbm(rng, scene.width, scene.height, (3, 3), 4)
    scene.rgb *= (1 + 0.07 * (grain - 0.5) + 0.14 * (broad - 0.5))[..., None]


def _marbled(scene: Scene, scheme: Scheme) -> None:
    """Paint that flowed: bands along the level lines of a small random network, softly modelled."""
    rng = scene.stream("marble")
    width, height = scene.width, scene.height
    # What the network sees is smooth, so it need not be asked for every pixel.
    factor = max(2, max(width, height) // 256)
    network = cppn(rng, max(2, width // factor), max(2, height // factor), hidden=9, layers=3, zoom=1.05)
    scene.report()
    fields = [resize(network[..., c], width, height) for c in range(3)]
    grain = fbm(rng, width, height, (4, 4), 5)
    flow = fields[0] * 1.3 + 0.35 * fields[1] + 0.20 * (grain - 0.5)
    bands = (np.sin(flow * np.float32(8.0)) * 0.5 + 0.5).astype(np.float32)
    ramp = (scheme.colours[0], scheme.ground, *scheme.colours[1:4], scheme.colours[0])
    value = np.clip(fields[1] * 0.62 + bands * 0.38, 0, 1)
    colour = through(np.asarray(value, np.float32), ramp)
    scene.report()
    dy, dx = np.gradient(flow + bands * np.float32(0.04))
    relief = np.clip((dx * 0.7 - dy) * np.float32(scene.short * 0.05), -0.6, 0.7)
    scene.rgb[:] = colour * (1 + 0.20 * relief)[..., None]


def _textured(
    scene: Scene, rng: np.random.Generator, polygons: list[list[Point]], colour: Colour, strength: float
) -> None:
    """A flat form laid with an uneven brush, lighter on one side."""
    window, mask = scene.cut(polygons)
    if not mask.size:
        return
    grain = fbm(rng, mask.shape[1], mask.shape[0], (4, 4), 4) - 0.5
    slope = np.linspace(-0.5, 0.5, mask.shape[1], dtype=np.float32)[None, :] * np.float32(rng.choice([-1.0, 1.0]))
    tone = np.asarray(colour, np.float32) * (1 + 0.26 * grain + 0.22 * slope)[..., None]
    scene.put(window, mask * np.float32(strength), tone)


def _turned(points: list[Point], x: float, y: float, angle: float) -> list[Point]:
    c, s = float(np.cos(angle)), float(np.sin(angle))
    return [(x + px * c - py * s, y + px * s + py * c) for px, py in points]


def _arc(radius: float, start: float, end: float, inner: float = 0.0) -> list[Point]:
    turns = np.linspace(start, end, 60)
    outer = [(radius * float(np.cos(t)), radius * float(np.sin(t))) for t in turns]
    return [*outer, *[(inner * float(np.cos(t)), inner * float(np.sin(t))) for t in turns[::-1]]] if inner else outer


def _geometry(scene: Scene, scheme: Scheme) -> None:
    """Circles, bars and triangles balanced about a diagonal."""
    rng = scene.stream("geometry")
    scene.rgb[:] = scheme.ground
    tilt = float(rng.choice([-1.0, 1.0]) * rng.uniform(0.35, 0.95))
    side = float(rng.choice([-1.0, 1.0]))

    def lay(outline: list[Point], across: float, down: float, turn: float, colour: Colour, strength: float) -> None:
        x, y = scene.width * (0.5 + side * across), scene.height * (0.5 + down)
        _textured(scene, rng, [_turned(outline, x, y, turn)], colour, strength)

    _great_forms(scene, scheme, rng, lay, tilt)
    _small_forms(scene, scheme, rng, lay, tilt)


def _great_forms(scene: Scene, scheme: Scheme, rng: np.random.Generator, lay: _Lay, tilt: float) -> None:
    """Half the ground in another colour, a circle, a triangle."""
    w, h, short, colours = scene.width, scene.height, scene.short, scheme.colours
    half: list[Point] = [(-w - h, 0.0), (w + h, 0.0), (w + h, w + h), (-w - h, w + h)]
    lay(half, 0.0, float(rng.uniform(0.05, 0.2)), tilt, mix(colours[1], scheme.ground, 0.25), 1.0)
    great = short * float(rng.uniform(0.27, 0.34))
    lay(_arc(great, 0, 2 * np.pi), -0.14, -0.10, 0.0, colours[0], 0.96)
    lay(_arc(great, 0, np.pi), -0.14, -0.10, tilt, mix(colours[0], (0.03, 0.03, 0.06), 0.35), 0.75)
    reach = short * float(rng.uniform(0.26, 0.36))
    top = reach * float(rng.uniform(-0.6, 0.6))
    lay([(-reach, reach * 0.6), (reach, reach * 0.6), (top, -reach)], 0.22, 0.16, tilt * 0.4, colours[2], 0.90)


def _small_forms(scene: Scene, scheme: Scheme, rng: np.random.Generator, lay: _Lay, tilt: float) -> None:
    """Bars, rings, a handful of squares and thin lines."""
    short, colours = scene.short, scheme.colours
    for k in range(int(rng.integers(3, 6))):
        across, down = float(rng.uniform(-0.36, 0.40)), float(rng.uniform(-0.38, 0.40))
        bar = _bar(short * float(rng.uniform(0.25, 0.75)), short * float(rng.uniform(0.012, 0.06)))
        lay(bar, across, down, tilt + (np.pi / 2 if k % 2 else 0.0), colours[(k + 3) % len(colours)], 0.92)
    for k in range(int(rng.integers(2, 5))):
        outer = short * (0.17 - 0.036 * k)
        ring = _arc(outer, 0, np.pi * float(rng.choice([1.0, 2.0])), outer * 0.82)
        lay(ring, 0.18, -0.26, tilt + 1.57 * k, colours[(k + 1) % len(colours)], 0.92)
    cell = short * 0.055
    for row, column in ((0, 0), (0, 2), (1, 1), (2, 0), (2, 2)):
        square = [(x + cell * column, y + cell * row) for x, y in _bar(cell, cell)]
        lay(square, -0.26, 0.28, tilt, colours[(row * 2 + column) % len(colours)], 0.92)
    thread = _bar(short * 2, max(1.6, short * 0.0044))
    ink = mix(colours[-1], (0.08, 0.08, 0.10), 0.7)
    for _ in range(4):
        across, down = float(rng.uniform(-0.3, 0.3)), float(rng.uniform(-0.3, 0.3))
        lay(thread, across, down, tilt + float(rng.choice([0.0, 1.57])), ink, 0.85)


def _bar(long: float, wide: float) -> list[Point]:
    return [(-long / 2, -wide / 2), (long / 2, -wide / 2), (long / 2, wide / 2), (-long / 2, wide / 2)]


def _fields(scene: Scene, scheme: Scheme) -> None:
    """Two to four fields of colour that breathe at their edges."""
    rng = scene.stream("fields")
    w, h = scene.width, scene.height
    own = bool(scene.reading.colours)
    ground = mix(scheme.colours[0], scheme.ground, 0.35) if own else mix(scheme.ground, scheme.colours[0], 0.35)
    scene.rgb[:] = ground
    count = int(rng.integers(2, 5))
    shares = rng.uniform(0.6, 1.6, count)
    ends = np.concatenate([[0.0], np.cumsum(shares / shares.sum())])
    lengthwise = w > 1.5 * h
    x, y = scene.columns() / w, scene.rows() / h
    across, along = (y + 0 * x, x + 0 * y) if lengthwise else (x + 0 * y, y + 0 * x)
    fray = (fbm(rng, w, h, (9, 9), 5, 0.6) - 0.5) * 0.05
    for k in range(count):
        start, end = 0.06 + 0.88 * float(ends[k]) + 0.012, 0.06 + 0.88 * float(ends[k + 1]) - 0.012
        inside = np.minimum(np.minimum(along - start, end - along), np.minimum(across - 0.075, 0.925 - across)) + fray
        mask = smoothstep(-0.006, 0.030, np.asarray(inside, np.float32))
        cloud = fbm(rng, w, h, (4, 4), 5, 0.55) - 0.5
        deep = smoothstep(0.0, 0.16, np.asarray(inside, np.float32))
        colour = scheme.colours[k % len(scheme.colours)]
        glow = np.asarray(mix(colour, (1.0, 0.96, 0.88), 0.16), np.float32)
        tone = (np.asarray(colour, np.float32) * (1 - 0.5 * deep[..., None]) + glow * 0.5 * deep[..., None]) * (
            1 + 0.30 * cloud
        )[..., None]
        scene.paint(mask * np.float32(0.94), tone.astype(np.float32))


def _ribbons(scene: Scene, scheme: Scheme) -> None:
    """Ribbons that wave across the picture, each lit from above and throwing a soft shadow on the next."""
    rng = scene.stream("ribbons")
    upright = scene.height > scene.width * 1.15
    long, wide = (scene.height, scene.width) if upright else (scene.width, scene.height)
    canvas = np.empty((wide, long, 3), dtype=np.float32)
    rows = np.arange(wide, dtype=np.float32)[:, None] / np.float32(wide)
    at = np.linspace(0, 1, long, dtype=np.float32)
    fall = fbm(rng, long, wide, (2, 2), 3)[..., None]
    canvas[:] = np.asarray(scheme.ground, np.float32) * (0.80 + 0.35 * fall)
    count = int(rng.integers(8, 13))
    phase, pace = float(rng.random() * 6), float(rng.uniform(3.5, 7.5)) * min(2.0, long / wide)
    for k in range(count):
        scene.report()
        t = k / (count - 1)
        swing = 0.10 * np.sin(at * pace + phase + 1.7 * t) + 0.06 * np.sin(at * pace * 2.1 + phase * 2 - 2.6 * t)
        centre = 0.10 + 0.80 * t + (swing + 0.20 * (line(rng, long, 2.5, 2) - 0.5)).astype(np.float32)
        half = (0.016 + 0.075 * line(rng, long, 2.2, 2) * (0.6 + 0.8 * float(rng.random()))).astype(np.float32)
        v = (rows - centre[None, :]) / half[None, :]
        shadow = np.exp(-(((v - 0.65) / 1.15) ** 2)) * 0.42
        canvas *= (1 - shadow)[..., None]
        mask = np.clip((1 - np.abs(v)) * half[None, :] * wide + 0.5, 0, 1)
        bend = np.gradient(centre) * long / wide
        light = 0.92 - 0.26 * v + 0.30 * bend[None, :] * 0.5 + 0.20 * np.clip(1 - ((v + 0.45) / 0.30) ** 2, 0, 1)
        fibres = line(rng, 256, 46, 2)
        light = light + 0.16 * (np.interp(np.clip(v * 0.5 + 0.5, 0, 1), np.linspace(0, 1, 256), fibres) - 0.5)
        a, b = scheme.colours[k % len(scheme.colours)], scheme.colours[(k + 1) % len(scheme.colours)]
        tone = through(at, (a, a, mix(a, b, 0.55)))[None] * light[..., None]
        canvas += mask[..., None] * (tone - canvas)
    scene.rgb[:] = np.clip(canvas.transpose(1, 0, 2) if upright else canvas, 0, 1.1)


def _mandala(scene: Scene, scheme: Scheme) -> None:
    """Rings of petals about a middle, or arms of a spiral, in the scheme's colours with fine light edges."""
    rng = scene.stream("mandala")
    w, h, short = scene.width, scene.height, scene.short
    x, y = (scene.columns() - w / 2) / short, (scene.rows() - h / 2) / short
    radius, angle = np.sqrt(x * x + y * y), np.arctan2(y, x)
    fold = int(rng.choice([6, 8, 10, 12]))
    twist = float(rng.choice([0.0, 0.0, 1.0])) * float(rng.uniform(1.5, 3.5)) * float(rng.choice([-1.0, 1.0]))
    angle = angle + twist * np.log(radius + 0.15)
    scene.rgb[:] = mix(scheme.ground, scheme.colours[0], 0.2)
    reach = float(np.hypot(w, h)) / short / 2
    rings = int(rng.integers(7, 10))
    sizes = [reach * ((rings - k) / rings) ** 1.5 for k in range(rings)]
    for k, size in enumerate(sizes):
        lobes = fold * (2 if k % 3 == 1 else 1)
        wave = np.cos(lobes * angle + np.pi * (k % 2))
        petal = np.abs(np.cos(lobes * angle / 2 + np.pi / 2 * (k % 2)))
        edge = size * (0.86 + (0.13 * wave if k % 2 else 0.24 * petal**0.8 - 0.06))
        inside = np.asarray(edge - radius, dtype=np.float32)
        mask = np.clip(inside * short + 0.5, 0, 1)
        fall = np.exp(-np.clip(inside, 0, None) / np.float32(0.05 + 0.12 * size))
        colour = np.asarray(scheme.colours[k % len(scheme.colours)], np.float32)
        veins = 0.10 * np.cos(lobes * 3 * angle) * np.clip(inside / 0.08, 0, 1)
        tone = colour * (0.66 + 0.44 * fall + veins)[..., None]
        scene.paint(mask.astype(np.float32), tone.astype(np.float32))
        rim = np.clip(1 - np.abs(inside) / np.float32(0.006 + 0.006 * size), 0, 1)
        scene.paint(
            (rim * np.float32(0.8)).astype(np.float32),
            mix(scheme.colours[(k + 1) % len(scheme.colours)], (1.0, 0.95, 0.82), 0.55),
        )
        if k % 4 == 0:
            beads = np.hypot(
                (np.mod(angle * lobes / (2 * np.pi), 1.0) - 0.5) * radius * 2 * np.pi / lobes, radius - size * 0.80
            )
            dot = np.clip((size * 0.028 + 0.003 - beads) * short + 0.5, 0, 1)
            scene.paint(
                dot.astype(np.float32), mix(scheme.colours[(k + 2) % len(scheme.colours)], (1.0, 0.96, 0.88), 0.35)
            )
