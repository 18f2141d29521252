"""What hangs in the sky before the clouds: a rainbow, balloons, lightning."""

import numpy as np

from easel_painter.canvas import Point, Scene
from easel_painter.palette import mix
from easel_painter.reading import Colour

_BOW: list[Colour] = [
    (0.95, 0.22, 0.20),
    (0.98, 0.58, 0.16),
    (0.98, 0.92, 0.30),
    (0.30, 0.82, 0.36),
    (0.22, 0.55, 0.95),
    (0.50, 0.28, 0.85),
]
_SILKS: list[Colour] = [
    (0.86, 0.20, 0.16),
    (0.96, 0.72, 0.18),
    (0.20, 0.42, 0.72),
    (0.94, 0.92, 0.86),
    (0.24, 0.56, 0.38),
    (0.58, 0.26, 0.56),
]
_GORES = 8


def paint_aloft(scene: Scene) -> None:
    """All of them that the words ask for, over the far land and behind the near one."""
    reading = scene.reading
    if reading.has("rainbow"):
        _rainbow(scene)
    if reading.has("lightning"):
        _lightning(scene)
    if reading.has("balloon"):
        _balloons(scene)


def _rainbow(scene: Scene) -> None:
    """A bow opposite the sun, and a paler one around it."""
    scene.show("rainbow")
    rng = scene.stream("rainbow")
    side = 1 if scene.light[0] < scene.width / 2 else -1
    x = scene.width * (0.5 + side * float(rng.uniform(0.05, 0.22)))
    radius = min(scene.short * 0.62, scene.horizon * 0.88)
    y = scene.horizon + scene.short * float(rng.uniform(0.02, 0.14))
    wide = scene.short * 0.055
    away = np.sqrt((scene.columns() - np.float32(x)) ** 2 + (scene.rows() - np.float32(y)) ** 2)
    rows = np.clip((scene.horizon + scene.short * 0.03 - scene.rows()) / np.float32(scene.short * 0.10), 0, 1)
    night = 0.45 if scene.palette.hour == "night" else 1.0
    for reach, strength, turned in ((radius, 0.62, False), (radius * 1.22, 0.20, True)):
        at = (np.float32(reach) - away) / np.float32(wide)
        at = 1 - at if turned else at
        stops = np.linspace(0, 1, len(_BOW))
        colour = np.stack([np.interp(at, stops, [hue[c] for hue in _BOW]) for c in range(3)], axis=-1).astype(
            np.float32
        )
        band = np.clip(1 - np.abs(at - 0.5) * 2, 0, 1) ** 0.6 * rows
        part = scene.rgb
        part += (band * np.float32(strength * night))[..., None] * (colour * 0.9 + 0.1 - part * 0.55) * np.float32(0.75)
    inside = np.clip((np.float32(radius - wide) - away) / np.float32(radius), 0, 1) ** 0.5 * rows
    scene.glow((inside * np.float32(0.10 * night)).astype(np.float32), (1.0, 1.0, 1.0))


def _lightning(scene: Scene) -> None:
    """Forked bolts from the clouds to the horizon, and the light that they throw."""
    scene.show("lightning")
    rng = scene.stream("lightning")
    tint: Colour = (0.86, 0.88, 1.0)
    for number in range(int(rng.integers(1, 3))):
        x = scene.width * float(rng.uniform(0.15, 0.85))
        bolts: list[list[Point]] = []
        _fork(rng, bolts, (x, scene.horizon * 0.05), scene.horizon * 0.96, scene.short * (0.0062 - 0.002 * number), 2)
        scene.shape(bolts, (1.0, 1.0, 1.0))
        scene.sprinkle(bolts, (1.0, 1.0, 1.0), 0.9)
        for k in range(5):
            scene.lamps.append((x, scene.horizon * (0.1 + 0.2 * k), scene.short * 0.10, tint, 0.14))
        scene.lamps.append((x, scene.horizon * 0.12, scene.short * 0.40, (0.55, 0.55, 0.90), 0.22))


def _fork(
    rng: np.random.Generator, bolts: list[list[Point]], start: Point, end: float, wide: float, levels: int
) -> None:
    """A crooked line downwards, drawn as thin quadrilaterals, with branches."""
    x, y = start
    lean = float(rng.normal(0, 0.25))
    step = max(2.0, (end - y) / 16)
    while y < end:
        length = step * float(rng.uniform(0.5, 1.4))
        nx, ny = x + length * (lean + float(rng.normal(0, 0.65))), min(end, y + length)
        half = max(0.6, wide)
        bolts.append([(x - half, y), (x + half, y), (nx + half * 0.9, ny), (nx - half * 0.9, ny)])
        if levels and rng.random() < 0.22:
            _fork(rng, bolts, (nx, ny), ny + (end - ny) * float(rng.uniform(0.25, 0.6)), wide * 0.5, levels - 1)
        x, y = nx, ny


def _balloons(scene: Scene) -> None:
    """Hot-air balloons at several distances."""
    scene.show("balloon")
    rng = scene.stream("balloon")
    weight = min(1.6, max(0.6, scene.reading.weight("balloon")))
    side = 1 if scene.light[0] < scene.width / 2 else -1
    places = [(0.5 + 0.20 * side, 0.40, 0.30 * weight)]
    count = int(rng.integers(2, 6))
    far = zip(
        rng.uniform(0.06, 0.94, count), rng.uniform(0.15, 0.85, count), rng.uniform(0.05, 0.13, count), strict=True
    )
    places += [(float(at), float(row), float(size)) for at, row, size in far]
    for at, row, size in sorted(places, key=lambda place: place[2]):
        tall = min(scene.short * size, scene.horizon * 0.62)
        _balloon(scene, rng, scene.width * at, max(tall * 0.55, scene.horizon * row), tall)


def _balloon(scene: Scene, rng: np.random.Generator, x: float, y: float, size: float) -> None:
    """One balloon of `size` pixels from top to basket, its middle at row `y`."""
    palette = scene.palette
    air = min(0.55, max(0.0, 0.42 - size / scene.short * 1.5))
    mouth, low = _envelope(scene, rng, (x, y), size, air)
    rope, foot, basket = max(0.4, size * 0.004), y + size * 0.47, size * 0.055
    ropes = [
        [
            (x + s * mouth, low),
            (x + s * mouth + rope, low),
            (x + s * basket * 0.8 + rope, foot),
            (x + s * basket * 0.8, foot),
        ]
        for s in (-1, 1)
    ]
    scene.shape(ropes, mix(palette.lit((0.2, 0.15, 0.12)), palette.haze, air), 0.7)
    deep = foot + basket * 1.3
    hold = [(x - basket, foot), (x + basket, foot), (x + basket * 0.8, deep), (x - basket * 0.8, deep)]
    scene.shape([hold], mix(palette.lit((0.44, 0.28, 0.16)), palette.haze, air))
    if palette.is_dark:
        scene.lamps.append((x, low, size * 0.16, (1.0, 0.62, 0.22), 0.6))


def _envelope(scene: Scene, rng: np.random.Generator, middle: Point, size: float, air: float) -> tuple[float, float]:
    """The silk in coloured gores; answers half the width of its mouth and the row where it hangs."""
    palette = scene.palette
    (x, y), half = middle, size * 0.36
    own = scene.reading.paints.get("balloon")
    pick = [_SILKS[int(k)] for k in rng.permutation(len(_SILKS))[:3]]
    stripes: list[Colour] = [own, mix(own, (1, 1, 1), 0.75)] if own else pick[: int(rng.integers(2, 4))]
    t = np.linspace(0, 1, 22)
    round_part = np.sqrt(np.clip(1 - (np.clip(t / 0.85, 0, 1) - 0.44) ** 2 / 0.3136, 0, 1))
    wide = half * round_part * np.where(t < 0.44, 1, 1 - (t - 0.44) ** 2 * 1.35)
    wide[0] = 0
    ys = y - size * 0.45 + size * 0.76 * t
    side = 1.0 if scene.light[0] > x else -1.0
    edges = np.sin(np.linspace(-np.pi / 2, np.pi / 2, _GORES + 1))
    for k in range(_GORES):
        left = list(zip((x + wide * edges[k]).tolist(), ys.tolist(), strict=True))
        right = list(zip((x + wide * edges[k + 1]).tolist(), ys.tolist(), strict=True))
        facing = float((edges[k] + edges[k + 1]) / 2) * side
        tone = palette.lit(stripes[k % len(stripes)], 0.75)
        tone = mix(tone, palette.light, 0.22 * facing) if facing > 0 else mix(tone, (0.05, 0.05, 0.12), -0.40 * facing)
        scene.shape([[*left, *reversed(right)]], mix(tone, palette.haze, air))
    return float(wide[-1]), float(ys[-1])
