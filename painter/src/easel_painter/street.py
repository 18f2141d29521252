"""A street seen from within: fronts on both sides run to one point, wet stone mirrors them."""

import numpy as np

from easel_painter import air
from easel_painter.buildings import LAMP, box
from easel_painter.canvas import Point, Scene
from easel_painter.noise import fbm, smoothstep
from easel_painter.palette import mix
from easel_painter.reading import Colour
from easel_painter.town import NEON

_FRONTS: list[Colour] = [
    (0.86, 0.78, 0.66),
    (0.76, 0.62, 0.50),
    (0.66, 0.44, 0.36),
    (0.80, 0.76, 0.72),
    (0.60, 0.62, 0.64),
    (0.84, 0.68, 0.46),
]


def paint_street(scene: Scene) -> None:
    """Houses on both sides, lamps, walkers, and the pavement with their reflections."""
    scene.show("street")
    rng = scene.stream("street")
    vanish = (scene.width * float(rng.uniform(0.38, 0.62)), scene.horizon + scene.short * 0.02)
    _far_end(scene, vanish)
    tall_city = scene.reading.has("city") or scene.reading.is_a("neon")
    # How much of the width the street itself takes at the lower edge, on each side of the vanishing point.
    foot = scene.width * float(rng.uniform(0.30, 0.42))
    _pavement(scene, vanish, foot)
    for side in (-1, 1):
        _row_of_houses(scene, rng, vanish, foot, side, tall_city)
    if scene.reading.has("tree"):
        scene.show("tree")
    air.light_lamps(scene)
    _lamps(scene, vanish, foot)
    if scene.may("people"):
        _walkers(scene, rng, vanish, foot)
    lamps = list(scene.lamps)
    air.light_lamps(scene)
    _reflect(scene, vanish, foot, lamps)


def _far_end(scene: Scene, vanish: Point) -> None:
    """Haze at the end of the street, and perhaps a tower over the roofs."""
    rng = scene.stream("far end")
    palette = scene.palette
    tone = mix(palette.haze, palette.lit((0.5, 0.48, 0.52)), 0.35)
    blocks = []
    for _ in range(9):
        x, wide = vanish[0] + float(rng.normal(0, scene.short * 0.09)), scene.short * float(rng.uniform(0.02, 0.05))
        blocks.append(box(x - wide, vanish[1] - scene.short * float(rng.uniform(0.06, 0.16)), x + wide, vanish[1] + 2))
    scene.shape(blocks, tone)
    if rng.random() < 0.6:
        x, half = vanish[0] + float(rng.normal(0, scene.short * 0.03)), scene.short * 0.018
        top = vanish[1] - scene.short * float(rng.uniform(0.24, 0.34))
        scene.shape(
            [
                [
                    (x - half * 1.6, vanish[1]),
                    (x - half, top + scene.short * 0.08),
                    (x, top),
                    (x + half, top + scene.short * 0.08),
                    (x + half * 1.6, vanish[1]),
                ]
            ],
            mix(tone, (0.05, 0.05, 0.1), 0.12),
        )


def _pavement(scene: Scene, vanish: Point, foot: float) -> None:
    palette = scene.palette
    top = int(vanish[1])
    rows = scene.height - top
    if rows < 2:
        return
    stone = scene.reading.paints.get("street") or (0.40, 0.39, 0.42)
    if palette.season == "winter":
        stone = mix(stone, palette.snow, 0.6)
    depth = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    grain = fbm(scene.stream("stones"), scene.width, rows, (14 * scene.width / scene.short, 30), 3)
    near = np.asarray(palette.lit(stone), dtype=np.float32)
    far = np.asarray(palette.far(stone, 0.5), dtype=np.float32)
    tone = far * (1 - depth[..., None] ** 0.5) + near * depth[..., None] ** 0.5
    # Courses of stone crowd together towards the end of the street.
    z = 1 / np.maximum(depth, np.float32(0.02))
    across = (scene.columns() - np.float32(vanish[0])) * z / np.float32(foot)
    joints = np.maximum(np.sin(z * 22) * (z < 9), np.sin(across * 26) * (z < 7))
    light = 0.86 + 0.3 * (grain - 0.5) - 0.12 * smoothstep(0.6, 1.0, joints)
    scene.paint(np.ones((rows, scene.width), dtype=np.float32), tone * light[..., None], top)


def _at(scene: Scene, vanish: Point, foot: float, side: int, depth: float, up: float) -> Point:
    """A point of a row of fronts: `depth` 1 is at the lower edge, large is far; `up` in units of the half width."""
    x = vanish[0] + side * foot / depth
    y = vanish[1] + (scene.height - vanish[1]) / depth - up * foot / depth
    return (x, y)


def _row_of_houses(
    scene: Scene, rng: np.random.Generator, vanish: Point, foot: float, side: int, high_city: bool
) -> None:
    depth = 0.30
    fronts = []
    while depth < 14:
        wide = float(rng.uniform(0.35, 0.75)) * (0.6 + 0.5 * depth**0.9)
        high = float(rng.uniform(1.7, 2.6)) if not high_city else float(rng.uniform(2.6, 6.0))
        columns = max(2, int(wide / (0.10 + 0.04 * depth))) if depth < 1.5 else int(rng.integers(3, 6))
        fronts.append((depth, depth + wide, high, _FRONTS[int(rng.integers(len(_FRONTS)))], columns))
        depth += wide
    for front in reversed(fronts):
        _front(scene, rng, vanish, foot, side, front, high_city)


def _front(
    scene: Scene,
    rng: np.random.Generator,
    vanish: Point,
    foot: float,
    side: int,
    front: tuple[float, float, float, Colour, int],
    high_city: bool,
) -> None:
    near, far, high, wall, columns = front
    palette = scene.palette

    def at(depth: float, up: float) -> Point:
        return _at(scene, vanish, foot, side, depth, up)

    wall = scene.reading.paints.get("house") or wall
    if high_city:
        wall = mix(wall, (0.30, 0.31, 0.38), 0.65)
    sunny = (scene.light[0] - scene.width / 2) * side < 0
    lit = mix(palette.lit(wall), palette.light, 0.16 if sunny else 0.0)
    base = mix(lit, (0.04, 0.05, 0.12), 0.12 if sunny else 0.40)
    colour = mix(base, palette.haze, min(0.72, 0.055 * (near + far) / 2))
    scene.shape([[at(near, 0), at(near, high), at(far, high), at(far, 0)]], colour)
    if not high_city:
        roof = palette.lit(palette.snow if palette.season == "winter" else (0.34, 0.33, 0.38))
        scene.shape(
            [[at(near, high), at(near, high + 0.30), at(far, high + 0.30), at(far, high)]],
            mix(roof, palette.haze, 0.04 * near),
        )
        scene.shape(
            [[at(near, high), at(near, high + 0.05), at(far, high + 0.05), at(far, high)]],
            mix(colour, palette.light, 0.25),
            0.7,
        )
    dark: list[list[Point]] = []
    glowing: list[list[Point]] = []
    for level in range(max(2, int(high / 0.34))):
        low, top = 0.38 + level * 0.34, 0.38 + level * 0.34 + 0.19
        if top > high - 0.04:
            break
        for column in range(columns):
            a = near + (far - near) * (column + 0.30) / columns
            b = near + (far - near) * (column + 0.70) / columns
            chance = 0.42 if palette.is_dark else 0.14 if scene.reading.has("rain", "fog") else 0.03
            (glowing if rng.random() < chance else dark).append([at(a, low), at(a, top), at(b, top), at(b, low)])
    scene.shape(dark, mix(palette.lit((0.16, 0.19, 0.25)), palette.haze, min(0.6, 0.05 * near)), 0.75)
    scene.shape(glowing, mix((1.0, 0.80, 0.46), palette.haze, min(0.4, 0.03 * near)), 0.92)
    _shop(scene, rng, at, (near, far), high)


def _shop(scene: Scene, rng: np.random.Generator, at: object, span: tuple[float, float], high: float) -> None:
    """A shop window at the street with an awning, or a sign of coloured light."""
    near, far = span
    assert callable(at)
    if rng.random() < 0.75:
        a, b = near + (far - near) * 0.12, near + (far - near) * 0.88
        bright = scene.palette.is_dark or scene.reading.has("rain")
        glass = (1.0, 0.78, 0.44) if bright else scene.palette.lit((0.30, 0.36, 0.42))
        scene.shape(
            [[at(a, 0.02), at(a, 0.22), at(b, 0.22), at(b, 0.02)]],
            mix(glass, scene.palette.haze, min(0.5, 0.04 * near)),
            0.9,
        )
        cloth = scene.palette.lit(
            [(0.62, 0.14, 0.14), (0.14, 0.32, 0.26), (0.80, 0.70, 0.50), (0.18, 0.24, 0.42)][int(rng.integers(4))]
        )
        scene.shape(
            [[at(a, 0.22), at(a, 0.30), at(b, 0.30), at(b, 0.22)]],
            mix(cloth, scene.palette.haze, min(0.6, 0.05 * near)),
        )
        if bright and near < 8:
            x, y = at((a + b) / 2, 0.1)
            scene.lamps.append((float(x), float(y), scene.short * 0.16 / max(0.6, near), LAMP, 0.22))
    if scene.reading.is_a("neon") and near < 9:
        for _ in range(2):
            colour = NEON[int(rng.integers(len(NEON)))]
            a = near + (far - near) * float(rng.uniform(0.1, 0.7))
            b, low = a + (far - near) * 0.10, float(rng.uniform(0.4, max(0.5, high * 0.6)))
            scene.shape([[at(a, low), at(a, low + 0.5), at(b, low + 0.5), at(b, low)]], colour, 0.95)
            x, y = at(a, low + 0.25)
            scene.lamps.append((float(x), float(y), scene.short * 0.22 / max(0.6, near), colour, 0.35))


def _lamps(scene: Scene, vanish: Point, foot: float) -> None:
    """Street lamps along both kerbs."""
    dark = scene.palette.is_dark or scene.reading.has("rain", "fog")
    iron = mix(scene.palette.lit((0.14, 0.14, 0.16)), scene.palette.haze, 0.1)
    for depth in (9.0, 5.4, 3.3, 2.0):
        for side in (-1, 1):
            x, y = _at(scene, vanish, foot * 0.82, side, depth + 0.3 * side, 0)
            tall = foot * 0.95 / depth
            half = max(0.6, tall * 0.014)
            scene.shape(
                [box(x - half, y - tall, x + half, y), box(x - half * 3, y - tall * 0.05, x + half * 3, y)], iron
            )
            head = tall * 0.055
            glass = (1.0, 0.88, 0.60) if dark else scene.palette.lit((0.85, 0.84, 0.78))
            scene.shape(
                [
                    [
                        (x - head * 0.6, y - tall),
                        (x + head * 0.6, y - tall),
                        (x + head, y - tall - head * 2),
                        (x - head, y - tall - head * 2),
                    ]
                ],
                glass,
            )
            scene.shape(
                [
                    [
                        (x - head * 1.2, y - tall - head * 2),
                        (x + head * 1.2, y - tall - head * 2),
                        (x, y - tall - head * 3.2),
                    ]
                ],
                iron,
            )
            if dark:
                scene.lamps.append((x, y - tall - head, head * 2.6, (1.0, 0.90, 0.62), 0.9))
                scene.lamps.append((x, y - tall - head, tall * 0.42, LAMP, 0.30))


def _walkers(scene: Scene, rng: np.random.Generator, vanish: Point, foot: float) -> None:
    """A few figures as dark shapes, with umbrellas in the rain."""
    rain = scene.reading.has("rain")
    for depth in sorted((float(v) for v in rng.uniform(2.0, 8.0, int(rng.integers(3, 7)))), reverse=True):
        x, y = _at(scene, vanish, foot * float(rng.uniform(0.1, 0.75)), int(rng.choice([-1, 1])), depth, 0)
        tall = foot * 0.40 / depth
        coat: Colour = [(0.10, 0.10, 0.13), (0.20, 0.12, 0.12), (0.10, 0.14, 0.20)][int(rng.integers(3))]
        tone = mix(scene.palette.lit(coat), scene.palette.haze, min(0.6, 0.06 * depth))
        w = tall * 0.13
        body = [
            (x - w * 0.7, y),
            (x - w * 1.1, y - tall * 0.45),
            (x - w * 0.8, y - tall * 0.80),
            (x + w * 0.8, y - tall * 0.80),
            (x + w * 1.1, y - tall * 0.45),
            (x + w * 0.6, y),
        ]
        turns = np.linspace(0, 2 * np.pi, 9, endpoint=False)
        head = [(x + w * 0.55 * float(np.cos(t)), y - tall * 0.90 + w * 0.62 * float(np.sin(t))) for t in turns]
        scene.shape([body, head], tone)
        if rain:
            cloth: Colour = [(0.72, 0.14, 0.16), (0.12, 0.12, 0.16), (0.86, 0.66, 0.20), (0.16, 0.30, 0.50)][
                int(rng.integers(4))
            ]
            top = y - tall * 1.06
            dome = [
                (x - w * 2.6 * float(np.cos(t)), top - w * 1.5 * float(np.sin(t))) for t in np.linspace(0, np.pi, 10)
            ]
            scene.shape([dome], mix(scene.palette.lit(cloth, 0.7), scene.palette.haze, min(0.6, 0.05 * depth)))


def _reflect(scene: Scene, vanish: Point, foot: float, lamps: list[tuple[float, float, float, Colour, float]]) -> None:
    """Wet stone: what stands above is drawn out downwards, most under the lights."""
    wet = 1.0 if scene.reading.has("rain") else 0.55 if scene.palette.is_dark else 0.0
    top = int(vanish[1])
    rows = scene.height - top
    if not wet or rows < 8 or scene.palette.season == "winter":
        return
    ripple = fbm(scene.stream("puddles"), scene.width, rows, (9 * scene.width / scene.short, 34), 3) - 0.5
    below = np.arange(rows, dtype=np.float32)[:, None]
    up = np.clip(top - below * 0.95 + ripple * scene.short * 0.05, 0, scene.height - 1).astype(np.int64)
    over = np.clip(scene.columns() + ripple * scene.short * 0.03, 0, scene.width - 1).astype(np.int64)
    mirror = np.take(scene.rgb.reshape(-1, 3), up * scene.width + over, axis=0)
    puddles = smoothstep(-0.12, 0.18, fbm(scene.stream("puddle places"), scene.width, rows, (3, 9), 4) - 0.5)
    # Only the street is wet, not the walls beside it.
    floor = np.abs(scene.columns() - np.float32(vanish[0])) <= np.float32(foot) * below / np.float32(rows) + 1
    own = scene.rgb[top:]
    bright = np.clip(mirror - own * 0.6, 0, 1)
    own += bright * ((0.30 + 0.75 * puddles) * floor)[..., None] * np.float32(wet)
    for x, y, radius, colour, strength in lamps:
        dx = (scene.columns() - np.float32(x) - ripple * scene.short * 0.06) / np.float32(max(1.5, radius * 0.30))
        column = np.exp(-dx * dx) * np.exp(-below / np.float32(max(8.0, (top - y) * 1.4 + radius)))
        scene.glow((column * np.float32(strength * 0.55 * wet) * floor).astype(np.float32), colour, top)
