"""Towers of stone: lighthouse, castle, ruins; and what every building needs: lit walls and windows."""

from dataclasses import dataclass

import numpy as np

from easel_painter.canvas import Point, Scene, Window
from easel_painter.noise import Field
from easel_painter.palette import mix
from easel_painter.reading import Colour

LAMP: Colour = (1.0, 0.82, 0.45)
_STONES: list[Colour] = [(0.72, 0.64, 0.56), (0.62, 0.62, 0.66), (0.86, 0.80, 0.70), (0.60, 0.48, 0.42)]
_ROOFS: list[Colour] = [(0.22, 0.26, 0.42), (0.48, 0.20, 0.18), (0.20, 0.33, 0.33), (0.30, 0.28, 0.32)]


def box(left: float, top: float, right: float, bottom: float) -> list[Point]:
    """A rectangle's corners."""
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def _sides(scene: Scene, x: float, colour: Colour) -> tuple[Colour, Colour]:
    """A wall's colour at its left and right edge: bright towards the light."""
    lit = mix(scene.palette.lit(colour), scene.palette.light, 0.12)
    dark = mix(scene.palette.lit(colour), (0.04, 0.05, 0.12), 0.48)
    return (dark, lit) if scene.light[0] > x else (lit, dark)


def solid(scene: Scene, polygons: list[list[Point]], colour: Colour, x: float) -> tuple[Window, Field]:
    """Polygons shaded from one side to the other."""
    window, mask = scene.cut(polygons)
    if mask.size:
        scene.put(window, mask, scene.ramp(window, *_sides(scene, x, colour)))
    return window, mask


def paint_lighthouse(scene: Scene, x: float, y: float, tall: float) -> None:
    """A banded tower whose lamp shines when it is dark."""
    scene.show("lighthouse")
    half_low, half_top = tall * 0.105, tall * 0.062
    top = y - tall * 0.80
    white: Colour = (0.94, 0.92, 0.88)
    band = scene.reading.paints.get("lighthouse") or (0.78, 0.16, 0.13)
    solid(scene, [[(x - half_top, top), (x + half_top, top), (x + half_low, y), (x - half_low, y)]], white, x)
    for k in range(3):
        a, b = (0.14 + 0.30 * k), (0.29 + 0.30 * k)
        wa, wb = half_top + (half_low - half_top) * a, half_top + (half_low - half_top) * b
        ya, yb = top + (y - top) * a, top + (y - top) * b
        solid(scene, [[(x - wa, ya), (x + wa, ya), (x + wb, yb), (x - wb, yb)]], band, x)
    deck = half_top * 1.45
    solid(scene, [box(x - deck, top - tall * 0.02, x + deck, top + tall * 0.015)], (0.22, 0.22, 0.25), x)
    room = half_top * 0.80
    lamp_y = top - tall * 0.07
    shining = scene.palette.is_dark or scene.reading.has("fog", "rain")
    glass = (1.0, 0.93, 0.66) if shining else scene.palette.lit((0.55, 0.66, 0.72))
    scene.shape([box(x - room, top - tall * 0.12, x + room, top - tall * 0.02)], glass)
    roof = [(x - room * 1.25, top - tall * 0.12), (x + room * 1.25, top - tall * 0.12), (x, top - tall * 0.21)]
    solid(scene, [roof], band, x)
    scene.shape(
        [box(x - half_low * 0.18, y - tall * 0.10, x + half_low * 0.18, y)], scene.palette.lit((0.25, 0.18, 0.15))
    )
    if shining:
        _beam(scene, x, lamp_y, tall)


def _beam(scene: Scene, x: float, y: float, tall: float) -> None:
    scene.lamps.append((x, y, tall * 0.10, (1.0, 0.92, 0.66), 1.0))
    scene.lamps.append((x, y, tall * 0.42, LAMP, 0.40))
    side = 1 if x < scene.width / 2 else -1
    dx = (scene.columns() - np.float32(x)) * np.float32(side)
    dy = scene.rows() - np.float32(y) + dx * np.float32(0.07)
    spread = np.maximum(dx * 0.085, 0) + tall * 0.008
    inside = np.exp(-((dy / spread) ** 2)) * (dx > 0) * np.exp(-np.maximum(dx, 0) / (scene.short * 0.75))
    back = np.exp(-((dy / (np.maximum(-dx * 0.085, 0) + tall * 0.008)) ** 2)) * (dx <= 0)
    back = back * np.exp(np.minimum(dx, 0) / (scene.short * 0.22))
    strength = 0.60 if scene.palette.hour == "night" else 0.38
    scene.glow(((inside + 0.7 * back) * strength).astype(np.float32), (1.0, 0.90, 0.62))


def window_tone(scene: Scene) -> Colour:
    """The colour of a window pane: lamp light in the dark, dim glass by day."""
    return (1.0, 0.80, 0.42) if scene.palette.is_dark else scene.palette.lit((0.24, 0.30, 0.38))


def light_window(scene: Scene, left: float, top: float, right: float, bottom: float) -> None:
    """A window; after dusk it shines."""
    scene.shape([box(left, top, right, bottom)], window_tone(scene))
    if scene.palette.is_dark:
        scene.lamps.append(((left + right) / 2, (top + bottom) / 2, max(2.0, (bottom - top) * 1.6), LAMP, 0.32))


def roof_tone(scene: Scene, colour: Colour) -> Colour:
    """A roof's colour; in winter snow lies on it."""
    return mix(colour, scene.palette.snow, 0.88) if scene.palette.season == "winter" else colour


@dataclass(frozen=True)
class _Castle:
    """What the parts of one castle share."""

    scene: Scene
    rng: np.random.Generator
    x: float
    y: float
    size: float
    stone: Colour
    roof: Colour
    pointed: bool

    def tower(self, offset: float, high: tuple[float, float], half: tuple[float, float], pointed: bool) -> None:
        """A tower at an offset from the middle; all in sizes of the castle, from a range each."""
        tall, wide = self.size * float(self.rng.uniform(*high)), self.size * float(self.rng.uniform(*half))
        _tower(self, self.x + offset * self.size, tall, wide, pointed)


def paint_castle(scene: Scene, x: float, y: float, size: float) -> None:
    """Towers of different height behind a crenellated wall, laid out anew by each seed."""
    scene.show("castle")
    rng = scene.stream("castle")
    stone = scene.reading.paints.get("castle") or mix(
        scene.palette.rock, _STONES[int(rng.integers(len(_STONES)))], float(rng.uniform(0.5, 0.75))
    )
    roof = roof_tone(scene, _ROOFS[int(rng.integers(len(_ROOFS)))])
    castle = _Castle(scene, rng, x, y, size, stone, roof, bool(rng.random() < 0.72))
    left, right = -0.5, 0.48
    keep = float(rng.uniform(-0.22, 0.22))
    count = int(rng.integers(2, 5))
    for offset in np.linspace(left * 0.8, right * 0.8, count) + rng.normal(0, 0.06, count):
        castle.tower(float(offset), (0.55, 0.82), (0.06, 0.09), castle.pointed)
    _hall(scene, rng, x + (keep + 0.2 * (1 if keep < 0 else -1)) * size, y, size, stone, roof)
    castle.tower(keep, (0.95, 1.12), (0.09, 0.12), pointed=True)
    wall_top = y - size * float(rng.uniform(0.22, 0.30))
    wall = _battlement(x + left * size, x + right * size, wall_top, y, size * 0.035)
    solid(scene, [wall], mix(stone, (0, 0, 0), 0.06), x)
    for offset in (left, right):
        castle.tower(offset, (0.48, 0.70), (0.075, 0.10), castle.pointed)
    _gate(scene, x + float(rng.uniform(-0.15, 0.15)) * size, y, size)
    for k in range(4):
        at = x + size * (-0.36 + 0.22 * k)
        light_window(scene, at - size * 0.012, y - size * 0.17, at + size * 0.012, y - size * 0.11)


def _gate(scene: Scene, x: float, y: float, size: float) -> None:
    half = size * 0.07
    arch = [(x - half + 2 * half * t, y - size * 0.11 - half * float(np.sin(np.pi * t))) for t in np.linspace(0, 1, 9)]
    tone: Colour = (0.10, 0.07, 0.07) if not scene.palette.is_dark else (0.85, 0.52, 0.20)
    scene.shape([[(x - half, y), *arch, (x + half, y)]], tone)


def _hall(scene: Scene, rng: np.random.Generator, x: float, y: float, size: float, stone: Colour, roof: Colour) -> None:
    """A long house with a steep roof between the towers."""
    half, high = size * float(rng.uniform(0.14, 0.22)), size * float(rng.uniform(0.36, 0.46))
    solid(scene, [box(x - half, y - high, x + half, y)], mix(stone, (1, 1, 1), 0.06), x)
    rise = size * 0.15
    solid(
        scene,
        [_saddle(x, y - high, half, rise)],
        roof,
        x,
    )
    for at in (-0.6, -0.2, 0.2, 0.6):
        light_window(
            scene, x + half * at - size * 0.010, y - high * 0.88, x + half * at + size * 0.010, y - high * 0.74
        )


def _saddle(x: float, y: float, half: float, rise: float) -> list[Point]:
    """A roof seen from its long side, its eaves at row `y`."""
    return [(x - half * 1.06, y), (x - half * 0.8, y - rise), (x + half * 0.8, y - rise), (x + half * 1.06, y)]


def _tower(castle: _Castle, x: float, tall: float, half: float, pointed: bool) -> None:
    scene, y, stone, roof = castle.scene, castle.y, castle.stone, castle.roof
    top = y - tall * (0.72 if pointed else 0.92)
    solid(scene, [box(x - half, top, x + half, y)], stone, x)
    crown = _battlement(x - half * 1.2, x + half * 1.2, top - half * 0.35, top + half * 0.3, half * 0.3)
    solid(scene, [crown], stone, x)
    if pointed:
        solid(
            scene, [[(x - half * 1.12, top - half * 0.1), (x + half * 1.12, top - half * 0.1), (x, y - tall)]], roof, x
        )
    for k in range(2):
        level = top + tall * (0.10 + 0.22 * k)
        light_window(scene, x - half * 0.16, level, x + half * 0.16, level + half * 0.55)
    if pointed and castle.rng.random() < 0.5:
        flag = [(x, y - tall * 1.10), (x + half * 0.7, y - tall * 1.07), (x, y - tall * 1.04)]
        scene.shape([flag, box(x - 0.5, y - tall * 1.10, x + 0.5, y - tall)], scene.palette.lit((0.80, 0.20, 0.18)))


def paint_ruins(scene: Scene, x: float, y: float, size: float) -> None:
    """A broken tower, a wall with empty arches, columns and fallen stones."""
    scene.show("ruins")
    rng = scene.stream("ruins")
    stone = scene.reading.paints.get("ruins") or mix(scene.palette.rock, (0.74, 0.68, 0.58), 0.65)
    half = size * 0.16
    at = np.linspace(-1, 1, 9)
    top = y - size * (0.72 + 0.24 * at * float(rng.choice([-1.0, 1.0]))) + rng.normal(0, size * 0.03, 9)
    solid(scene, [[(x - half, y), *zip((x + half * at).tolist(), top.tolist(), strict=True), (x + half, y)]], stone, x)
    dark = mix(scene.palette.lit(stone), (0.03, 0.03, 0.06), 0.7)
    for level in (0.25, 0.50):
        scene.shape([box(x - half * 0.18, y - size * (level + 0.09), x + half * 0.18, y - size * level)], dark)
    turn = float(rng.choice([-1.0, 1.0]))
    for k in range(3):
        cx = x + turn * size * (0.30 + 0.22 * k)
        high = size * float(rng.uniform(0.26, 0.42)) * (1 - 0.18 * k)
        wide = size * 0.115
        rim = [
            (cx - wide * 0.62 * float(np.cos(t)), y - high * 0.45 - high * 0.28 * float(np.sin(t)))
            for t in np.linspace(0, np.pi, 9)
        ]
        broken = [(cx + wide * float(t), y - high * float(rng.uniform(0.82, 1.08))) for t in np.linspace(1, -1, 5)]
        wall = [(cx - wide, y), (cx - wide * 0.62, y), *rim, (cx + wide * 0.62, y), (cx + wide, y), *broken]
        solid(scene, [wall], stone, x)
    for k in range(3):
        cx = x - turn * size * (0.32 + 0.14 * k)
        high, thick = size * float(rng.uniform(0.10, 0.42)), size * 0.028
        solid(
            scene,
            [box(cx - thick, y - high, cx + thick, y), box(cx - thick * 1.5, y - size * 0.02, cx + thick * 1.5, y)],
            stone,
            x,
        )
    for _ in range(12):
        cx, r = x + float(rng.normal(0, size * 0.5)), size * float(rng.uniform(0.015, 0.04))
        low = y + float(rng.uniform(0, 0.05)) * size
        solid(scene, [[(cx - r, low), (cx - r * 0.6, low - r), (cx + r * 0.5, low - r * 1.2), (cx + r, low)]], stone, x)


def _battlement(left: float, right: float, top: float, bottom: float, tooth: float) -> list[Point]:
    points: list[Point] = [(left, bottom), (left, top)]
    count = max(2, int((right - left) / tooth / 2))
    step = (right - left) / (2 * count - 1)
    for k in range(2 * count - 1):
        level = top - (tooth if k % 2 == 0 else 0)
        points += [(left + k * step, level), (left + (k + 1) * step, level)]
    return [*points, (right, bottom)]
