"""Houses of several kinds, a village, a windmill, a bridge."""

import numpy as np

from easel_painter import air, sacred
from easel_painter.buildings import box, light_window, roof_tone, solid, window_tone
from easel_painter.canvas import Point, Scene
from easel_painter.palette import mix
from easel_painter.reading import Colour

_WALLS: list[Colour] = [
    (0.92, 0.88, 0.80),
    (0.80, 0.70, 0.58),
    (0.86, 0.72, 0.52),
    (0.74, 0.52, 0.42),
    (0.72, 0.76, 0.78),
]
_ROOFS: list[Colour] = [(0.62, 0.26, 0.17), (0.36, 0.28, 0.27), (0.66, 0.40, 0.20), (0.34, 0.36, 0.40)]


def paint_house(scene: Scene, x: float, y: float, size: float) -> None:
    """A house: cottage, half-timbered, chalet, hut or farm with a barn, by the words, else by the seed."""
    scene.show("house")
    rng = scene.stream("house")
    reading = scene.reading
    kinds = ("cottage", "half-timbered", "chalet", "hut", "barn")
    kind = next((name for name in kinds if reading.is_a(name)), str(rng.choice(["cottage", "cottage", *kinds])))
    turn = 1.0 if rng.random() < 0.5 else -1.0
    own = reading.paints.get("house")
    wall = own or _WALLS[int(rng.integers(len(_WALLS)))]
    roof = _ROOFS[int(rng.integers(len(_ROOFS)))]
    if kind in ("chalet", "hut"):
        wall, roof = own or (0.50, 0.33, 0.20), (0.32, 0.24, 0.20)
    if kind == "half-timbered":
        wall = own or (0.93, 0.89, 0.80)
    if kind == "barn":
        barn = own or (0.62, 0.18, 0.14)
        _gabled(scene, x + turn * size * 0.85, y - size * 0.02, size * 0.8, -turn, barn, (0.36, 0.30, 0.30), "barn")
    _gabled(scene, x, y, size * (0.72 if kind == "hut" else 1.0), turn, wall, roof, kind)
    if kind != "barn":
        _fence(scene, rng, x, y + size * 0.06, size)


def _gabled(scene: Scene, x: float, y: float, size: float, turn: float, wall: Colour, roof: Colour, kind: str) -> None:
    """The gable end looks to the viewer at one side, the long side with its eaves runs to the other."""
    low = kind in ("chalet", "hut")
    half, high = size * 0.56, size * (0.36 if low else 0.42)
    rise = high * (0.72 if low else 1.05)
    corner = x - turn * half * 0.28
    ridge = (x - turn * half + corner) / 2
    dark = mix(wall, (0.02, 0.02, 0.05), 0.26 if scene.light[0] * turn > x * turn else 0.06)
    shadow = [
        (x - half, y + 1),
        (x + half, y + 1),
        (x + half * 1.1, y + size * 0.05),
        (x - half * 1.1, y + size * 0.05),
    ]
    scene.shape([shadow], scene.palette.lit((0.10, 0.12, 0.08)), 0.4)
    if kind != "barn":
        _chimney(scene, x + turn * half * 0.45, y - high - rise, size)
    solid(scene, [box(min(corner, x + turn * half), y - high, max(corner, x + turn * half), y)], wall, x)
    left = x - turn * half
    gable: list[Point] = [(left, y), (left, y - high), (ridge, y - high - rise), (corner, y - high), (corner, y)]
    solid(scene, [gable], dark, x)
    if kind == "half-timbered":
        _beams(scene, left, corner, ridge, y, high, rise, x + turn * half)
    if low:
        _planks(scene, x - half, x + half, y, high)
    _openings(scene, y, half, high, rise, turn, corner, ridge, kind)
    over = half * 0.10
    cover = roof_tone(scene, roof)
    slope: list[Point] = [
        (ridge, y - high - rise - size * 0.02),
        (x + turn * (half - over * 0.5), y - high - rise - size * 0.02),
        (x + turn * (half + over), y - high + size * 0.03),
        (corner + turn * over * 0.4, y - high + size * 0.03),
    ]
    solid(scene, [slope], cover, x)
    for k in range(1, 5):
        row = y - high + size * 0.03 - (rise + size * 0.05) * k / 5
        scene.shape(
            [box(min(ridge, x + turn * half), row, max(ridge, x + turn * half), row + max(0.6, size * 0.006))],
            mix(scene.palette.lit(cover), (0.04, 0.03, 0.06), 0.5),
            0.22,
        )
    verge: list[Point] = [
        (ridge, y - high - rise - size * 0.045),
        (ridge, y - high - rise + size * 0.02),
        (left - turn * over * 0.9, y - high + size * 0.07),
        (left - turn * over * 1.2, y - high + size * 0.02),
    ]
    solid(scene, [verge], mix(cover, (0, 0, 0), 0.18), x)


def _openings(
    scene: Scene,
    y: float,
    half: float,
    high: float,
    rise: float,
    turn: float,
    corner: float,
    ridge: float,
    kind: str,
) -> None:
    wood = scene.palette.lit((0.30, 0.19, 0.12))
    if kind == "barn":
        gate = half * 0.26
        scene.shape([box(ridge - gate, y - high * 0.85, ridge + gate, y)], mix(wood, (0, 0, 0), 0.2))
        light_window(scene, ridge - gate * 0.3, y - high - rise * 0.5, ridge + gate * 0.3, y - high - rise * 0.2)
        return
    for at in (0.16, 0.44, 0.72):
        cx = corner + turn * (half * 1.28) * at
        light_window(scene, cx - half * 0.085, y - high * 0.74, cx + half * 0.085, y - high * 0.34)
        scene.shape([box(cx - half * 0.11, y - high * 0.34, cx + half * 0.11, y - high * 0.29)], wood)
    light_window(scene, ridge - half * 0.08, y - high - rise * 0.42, ridge + half * 0.08, y - high - rise * 0.08)
    scene.shape([box(ridge - half * 0.11, y - high * 0.66, ridge + half * 0.11, y)], wood)


def _beams(
    scene: Scene, left: float, corner: float, ridge: float, y: float, high: float, rise: float, end: float
) -> None:
    """The dark timber of a frame."""
    tone = scene.palette.lit((0.26, 0.16, 0.10))
    thick = max(0.8, high * 0.055)
    bars = [box(min(left, end), y - high * r - thick, max(left, end), y - high * r) for r in (0.0, 0.5, 0.97)]
    bars += [box(float(px) - thick / 2, y - high, float(px) + thick / 2, y) for px in np.linspace(left, end, 8)]
    for a, b in ((left, ridge), (corner, ridge)):
        bars.append([(a, y - high), (a + (b - a) * 0.2, y - high), (b, y - high - rise * 0.9), (b, y - high - rise)])
    bars.append(box(ridge - thick / 2, y - high - rise, ridge + thick / 2, y - high))
    scene.shape(bars, tone, 0.9)


def _planks(scene: Scene, left: float, right: float, y: float, high: float) -> None:
    rows = [box(left, y - high * k / 7, right, y - high * k / 7 + max(0.6, high * 0.02)) for k in range(1, 7)]
    scene.shape(rows, scene.palette.lit((0.16, 0.10, 0.07)), 0.35)


def _chimney(scene: Scene, x: float, y: float, size: float) -> None:
    solid(scene, [box(x - size * 0.035, y - size * 0.10, x + size * 0.035, y + size * 0.2)], (0.48, 0.31, 0.26), x)
    smoke = mix(scene.palette.haze, (1.0, 1.0, 1.0), 0.2)
    for puff in range(7):
        drift = x + size * 0.045 * puff**1.35
        scene.lamps.append((drift, y - size * (0.13 + 0.11 * puff), size * (0.035 + 0.017 * puff), smoke, 0.24))


def _fence(scene: Scene, rng: np.random.Generator, x: float, y: float, size: float) -> None:
    """A fence of pales before the house, sometimes."""
    if rng.random() < 0.45:
        return
    tone = mix(scene.palette.lit((0.80, 0.74, 0.64)), scene.palette.light, 0.1)
    high, half = size * 0.10, max(0.6, size * 0.010)
    posts = []
    for at in np.arange(-1.15, 1.15, 0.085):
        if abs(at + 0.35) > 0.10:
            px = x + float(at) * size
            posts.append(
                [(px - half, y), (px - half, y - high), (px, y - high * 1.15), (px + half, y - high), (px + half, y)]
            )
    rails = [box(x - size * 1.15, y - high * r, x + size * 1.12, y - high * r + half) for r in (0.35, 0.75)]
    scene.shape([*posts, *rails], tone, 0.9)


def paint_village(scene: Scene, base: float, size: float, spread: float = 1.0) -> None:
    """Small houses with gables that climb a slope, with a church among them."""
    scene.show("village")
    rng = scene.stream("village")
    side = 1 if scene.light[0] < scene.width / 2 else -1
    middle = scene.width * (0.5 + 0.16 * side)
    reach = min(scene.width * 0.46, scene.short * 0.62) * spread
    tower = float(rng.uniform(-0.3, 0.3))
    for row in range(4):
        near = row / 3
        # What the next row hides must not shine through it.
        air.light_lamps(scene)
        count = int((5 + 3 * near) * reach / (scene.short * 0.45)) + 2
        if row == 1 and scene.may("church"):
            sacred.paint_nave(scene, middle + tower * reach, base - size * 0.95, size * 2.0)
        for k in range(count):
            at = (k + float(rng.uniform(0.15, 0.85))) / count * 2 - 1
            climb = (1 - at * at) * size * 1.25 * (1 - near)
            x = middle + at * reach * (0.62 + 0.38 * near)
            y = base - climb + size * 0.42 * near
            _small_house(scene, rng, x, y, size * float(rng.uniform(0.75, 1.15)), 0.34 * (1 - near))


def _small_house(scene: Scene, rng: np.random.Generator, x: float, y: float, size: float, air: float) -> None:
    palette = scene.palette
    wall = _WALLS[int(rng.integers(len(_WALLS)))] if rng.random() < 0.75 else (0.82, 0.52, 0.46)
    wall = scene.reading.paints.get("village") or wall
    roof = roof_tone(scene, _ROOFS[int(rng.choice([0, 0, 2, 1]))])
    half, high = size * float(rng.uniform(0.34, 0.50)), size * float(rng.uniform(0.50, 0.95))
    rise = size * float(rng.uniform(0.30, 0.50))
    haze = palette.haze
    side = 1.0 if scene.light[0] > x else -1.0
    bright, dark = mix(palette.lit(wall), palette.light, 0.10), mix(palette.lit(wall), (0.04, 0.05, 0.12), 0.42)
    if rng.random() < 0.5:
        scene.shape(
            [[(x - half, y), (x - half, y - high), (x, y - high - rise), (x + half, y - high), (x + half, y)]],
            mix(mix(dark, bright, 0.6), haze, air),
        )
        for turn in (-1, 1):
            edge = [
                (x, y - high - rise * 1.16),
                (x, y - high - rise * 0.92),
                (x + turn * half * 1.12, y - high + rise * 0.06),
                (x + turn * half * 1.16, y - high - rise * 0.12),
            ]
            scene.shape([edge], mix(mix(palette.lit(roof), (0, 0, 0), 0.0 if turn == side else 0.3), haze, air))
    else:
        scene.shape([box(x - half, y - high, x + half, y)], mix(mix(dark, bright, 0.35), haze, air))
        scene.shape([box(min(x, x + side * half), y - high, max(x, x + side * half), y)], mix(bright, haze, air), 0.5)
        scene.shape(
            [
                [
                    (x - half * 1.1, y - high),
                    (x - half * 0.85, y - high - rise * 0.8),
                    (x + half * 0.85, y - high - rise * 0.8),
                    (x + half * 1.1, y - high),
                ]
            ],
            mix(palette.lit(roof), haze, air),
        )
    panes: list[list[Point]] = []
    for level in range(1 + int(high > size * 0.7)):
        for at in (-0.5, 0.0, 0.5):
            if rng.random() < 0.8:
                cx, cy = x + at * half * 1.1, y - size * (0.34 + 0.34 * level)
                panes.append(box(cx - half * 0.13, cy - size * 0.08, cx + half * 0.13, cy + size * 0.07))
    if panes:
        scene.shape(panes, mix(window_tone(scene), haze, air * 0.5), 0.9)
        if palette.is_dark:
            scene.lamps.append((x, y - size * 0.4, size * 0.55, (1.0, 0.70, 0.36), 0.20))


def paint_windmill(scene: Scene, x: float, y: float, size: float) -> None:
    """A tapering tower with a cap and four sails."""
    scene.show("windmill")
    rng = scene.stream("windmill")
    wall = (
        scene.reading.paints.get("windmill")
        or [(0.92, 0.89, 0.82), (0.55, 0.42, 0.32), (0.74, 0.54, 0.42)][int(rng.integers(3))]
    )
    low, top = size * 0.17, size * 0.105
    solid(scene, [[(x - low, y), (x - top, y - size * 0.60), (x + top, y - size * 0.60), (x + low, y)]], wall, x)
    cap = [
        (x - top * 1.2, y - size * 0.59),
        (x - top * 0.9, y - size * 0.70),
        (x, y - size * 0.76),
        (x + top * 0.9, y - size * 0.70),
        (x + top * 1.2, y - size * 0.59),
    ]
    solid(scene, [cap], roof_tone(scene, (0.36, 0.24, 0.20)), x)
    for level in (0.18, 0.38):
        light_window(scene, x - size * 0.022, y - size * (level + 0.06), x + size * 0.022, y - size * level)
    scene.shape([box(x - size * 0.035, y - size * 0.12, x + size * 0.035, y)], scene.palette.lit((0.26, 0.17, 0.12)))
    hub = (x - top * 0.2, y - size * 0.64)
    start = float(rng.uniform(0.2, 1.3))
    spars: list[list[Point]] = []
    cloths: list[list[Point]] = []
    for k in range(4):
        angle = start + k * np.pi / 2
        c, s = float(np.cos(angle)), float(np.sin(angle))
        long, wide, thin = size * 0.46, size * 0.085, max(0.6, size * 0.009)

        def at(along: float, off: float, c: float = c, s: float = s) -> Point:
            return (hub[0] + c * along - s * off, hub[1] + s * along + c * off)

        spars.append([at(0, -thin), at(long, -thin * 0.6), at(long, thin * 0.6), at(0, thin)])
        spars += [
            [at(long * t, 0), at(long * t, wide), at(long * t + thin, wide), at(long * t + thin, 0)]
            for t in np.linspace(0.2, 0.97, 7)
        ]
        cloths.append(
            [at(long * 0.18, thin), at(long * 0.98, thin), at(long * 0.98, wide), at(long * 0.18, wide * 0.8)]
        )
    scene.shape(cloths, mix(scene.palette.lit((0.93, 0.88, 0.76)), scene.palette.light, 0.12), 0.82)
    scene.shape(spars, scene.palette.lit((0.26, 0.18, 0.13)), 0.95)


def paint_bridge(scene: Scene, row: float, left: float | None = None, right: float | None = None) -> None:
    """A stone bridge with arches whose deck runs across at about this row; its feet stand below."""
    scene.show("bridge")
    rng = scene.stream("bridge")
    stone = scene.reading.paints.get("bridge") or mix(scene.palette.rock, (0.72, 0.62, 0.50), 0.6)
    a = scene.width * -0.02 if left is None else left
    b = scene.width * 1.02 if right is None else right
    arches = max(1, round((b - a) / (scene.short * float(rng.uniform(0.26, 0.42)))))
    high, deck = scene.short * 0.135, scene.short * 0.028
    hump = scene.short * float(rng.uniform(0.0, 0.05))
    foot = row + high
    at = np.linspace(0, 1, 40)
    top = row - hump * np.sin(np.pi * at)
    crown = list(zip((a + (b - a) * at).tolist(), top.tolist(), strict=True))
    outline: list[Point] = [*crown, (b, foot)]
    span = (b - a) / arches
    for k in reversed(range(arches)):
        low, up = a + span * (k + 0.10), a + span * (k + 0.90)
        middle, radius = (low + up) / 2, (up - low) / 2
        lift = min(radius, high * 0.92)
        outline += [
            (middle + radius * float(np.cos(t)), foot - lift * float(np.sin(t))) for t in np.linspace(0, np.pi, 15)
        ]
    outline.append((a, foot))
    solid(scene, [outline], stone, (a + b) / 2)
    inner: list[list[Point]] = []
    for k in range(arches):
        low, up = a + span * (k + 0.10), a + span * (k + 0.90)
        middle, radius = (low + up) / 2, (up - low) / 2
        lift = min(radius, high * 0.92)
        rim = [(middle + radius * float(np.cos(t)), foot - lift * float(np.sin(t))) for t in np.linspace(0, np.pi, 15)]
        inner.append([*rim, *[(middle + (px - middle) * 0.92, foot - (foot - py) * 0.90) for px, py in reversed(rim)]])
    scene.shape(inner, mix(scene.palette.lit(stone), (0.03, 0.03, 0.07), 0.55), 0.8)
    rail = [*crown, *[(px, py - deck * 0.7) for px, py in reversed(crown)]]
    solid(scene, [rail], mix(stone, (1, 1, 1), 0.12), (a + b) / 2)
