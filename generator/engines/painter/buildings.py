"""What people build: lighthouse, castle, house, city, boat."""

import numpy as np

from generator.engines.painter.canvas import Point, Scene, Window
from generator.engines.painter.noise import Field
from generator.engines.painter.palette import mix
from generator.engines.painter.reading import Colour

LAMP: Colour = (1.0, 0.82, 0.45)


def box(left: float, top: float, right: float, bottom: float) -> list[Point]:
    """A rectangle's corners."""
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def _sides(scene: Scene, x: float, colour: Colour) -> tuple[Colour, Colour]:
    """A wall's colour at its left and right edge: bright towards the light."""
    lit = mix(scene.palette.lit(colour), scene.palette.light, 0.12)
    dark = mix(scene.palette.lit(colour), (0.04, 0.05, 0.12), 0.48)
    return (dark, lit) if scene.light[0] > x else (lit, dark)


def _solid(scene: Scene, polygons: list[list[Point]], colour: Colour, x: float) -> tuple[Window, Field]:
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
    _solid(scene, [[(x - half_top, top), (x + half_top, top), (x + half_low, y), (x - half_low, y)]], white, x)
    for k in range(3):
        a, b = (0.14 + 0.30 * k), (0.29 + 0.30 * k)
        wa, wb = half_top + (half_low - half_top) * a, half_top + (half_low - half_top) * b
        ya, yb = top + (y - top) * a, top + (y - top) * b
        _solid(scene, [[(x - wa, ya), (x + wa, ya), (x + wb, yb), (x - wb, yb)]], band, x)
    deck = half_top * 1.45
    _solid(scene, [box(x - deck, top - tall * 0.02, x + deck, top + tall * 0.015)], (0.22, 0.22, 0.25), x)
    room = half_top * 0.80
    lamp_y = top - tall * 0.07
    shining = scene.palette.is_dark or scene.reading.has("fog", "rain")
    glass = (1.0, 0.93, 0.66) if shining else scene.palette.lit((0.55, 0.66, 0.72))
    scene.shape([box(x - room, top - tall * 0.12, x + room, top - tall * 0.02)], glass)
    roof = [(x - room * 1.25, top - tall * 0.12), (x + room * 1.25, top - tall * 0.12), (x, top - tall * 0.21)]
    _solid(scene, [roof], band, x)
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


def _window(scene: Scene, left: float, top: float, right: float, bottom: float) -> None:
    if scene.palette.is_dark:
        scene.shape([box(left, top, right, bottom)], (1.0, 0.80, 0.42))
        scene.lamps.append(((left + right) / 2, (top + bottom) / 2, max(2.0, (bottom - top) * 1.6), LAMP, 0.45))
    else:
        scene.shape([box(left, top, right, bottom)], scene.palette.lit((0.24, 0.30, 0.38)))


def paint_house(scene: Scene, x: float, y: float, size: float) -> None:
    """A house with a pitched roof, a chimney with smoke and lit windows in the evening."""
    scene.show("house")
    rng = scene.stream(f"house {x:.0f}")
    wall = (
        scene.reading.paints.get("house")
        or [(0.90, 0.85, 0.75), (0.72, 0.50, 0.36), (0.80, 0.74, 0.66)][int(rng.integers(3))]
    )
    roof: Colour = [(0.55, 0.22, 0.16), (0.34, 0.27, 0.27), (0.62, 0.36, 0.18)][int(rng.integers(3))]
    if scene.palette.season == "winter":
        roof = scene.palette.snow
    w, h = size * 0.62, size * 0.40
    chimney = box(x + w * 0.30, y - h * 2.05, x + w * 0.48, y - h * 1.2)
    _solid(scene, [chimney], (0.45, 0.28, 0.24), x)
    _solid(scene, [box(x - w, y - h, x + w, y)], wall, x)
    # The end wall stands towards the viewer, so the roof shows one slope and one gable.
    gable = x - w * 0.36
    _solid(
        scene, [[(x - w, y - h), (gable, y - h), ((x - w + gable) / 2, y - h * 1.95)]], mix(wall, (0, 0, 0), 0.12), x
    )
    ridge = (x - w + gable) / 2
    slope = [
        (ridge, y - h * 1.98),
        (x + w * 0.92, y - h * 1.98),
        (x + w * 1.10, y - h * 0.94),
        (gable + w * 0.06, y - h * 0.94),
    ]
    _solid(scene, [slope], roof, x)
    eave = [(ridge, y - h * 2.02), (ridge, y - h * 1.84), (x - w * 1.03, y - h * 0.86), (x - w * 1.10, y - h * 0.96)]
    _solid(scene, [eave], mix(roof, (0, 0, 0), 0.15), x)
    for at in (-0.10, 0.32, 0.74):
        _window(scene, x + w * at - w * 0.09, y - h * 0.70, x + w * at + w * 0.09, y - h * 0.32)
    _window(scene, ridge - w * 0.08, y - h * 1.24, ridge + w * 0.08, y - h * 0.94)
    scene.shape([box(ridge - w * 0.10, y - h * 0.58, ridge + w * 0.10, y)], scene.palette.lit((0.30, 0.18, 0.12)))
    smoke = mix(scene.palette.haze, (1.0, 1.0, 1.0), 0.2)
    for puff in range(7):
        drift = x + w * 0.39 + size * 0.05 * puff**1.3
        scene.lamps.append((drift, y - h * 2.2 - size * 0.11 * puff, size * (0.05 + 0.018 * puff), smoke, 0.26))


def paint_castle(scene: Scene, x: float, y: float, size: float) -> None:
    """Towers with pointed roofs behind a crenellated wall."""
    scene.show("castle")
    rng = scene.stream("castle")
    stone = scene.reading.paints.get("castle") or mix(scene.palette.rock, (0.72, 0.64, 0.56), 0.55)
    roof: Colour = [(0.22, 0.26, 0.42), (0.48, 0.20, 0.18), (0.20, 0.33, 0.33)][int(rng.integers(3))]
    towers = [(-0.20, 0.62, 0.085), (0.17, 0.78, 0.095), (-0.03, 1.0, 0.11), (-0.50, 0.58, 0.085), (0.48, 0.66, 0.09)]
    for offset, high, half in towers:
        _tower(scene, x + offset * size, y, size * high * rng.uniform(0.9, 1.05), size * half, stone, roof)
    _solid(
        scene,
        [_battlement(x - size * 0.5, x + size * 0.48, y - size * 0.28, y, size * 0.035)],
        mix(stone, (0, 0, 0), 0.06),
        x,
    )
    gate = size * 0.075
    arch = [(x - gate + 2 * gate * t, y - size * 0.12 - gate * float(np.sin(np.pi * t))) for t in np.linspace(0, 1, 9)]
    scene.shape(
        [[(x - gate, y), *arch, (x + gate, y)]], (0.10, 0.07, 0.07) if not scene.palette.is_dark else (0.85, 0.52, 0.20)
    )
    for k in range(4):
        at = x + size * (-0.36 + 0.22 * k)
        _window(scene, at - size * 0.012, y - size * 0.19, at + size * 0.012, y - size * 0.13)


def _tower(scene: Scene, x: float, y: float, tall: float, half: float, stone: Colour, roof: Colour) -> None:
    top = y - tall * 0.72
    _solid(scene, [box(x - half, top, x + half, y)], stone, x)
    _solid(
        scene, [_battlement(x - half * 1.2, x + half * 1.2, top - half * 0.35, top + half * 0.3, half * 0.3)], stone, x
    )
    _solid(scene, [[(x - half * 1.12, top - half * 0.1), (x + half * 1.12, top - half * 0.1), (x, y - tall)]], roof, x)
    for k in range(2):
        level = top + tall * (0.10 + 0.22 * k)
        _window(scene, x - half * 0.16, level, x + half * 0.16, level + half * 0.55)
    scene.shape(
        [[(x, y - tall * 1.10), (x + half * 0.7, y - tall * 1.07), (x, y - tall * 1.04)]],
        scene.palette.lit((0.80, 0.20, 0.18)),
    )


def _battlement(left: float, right: float, top: float, bottom: float, tooth: float) -> list[Point]:
    points: list[Point] = [(left, bottom), (left, top)]
    count = max(2, int((right - left) / tooth / 2))
    step = (right - left) / (2 * count - 1)
    for k in range(2 * count - 1):
        level = top - (tooth if k % 2 == 0 else 0)
        points += [(left + k * step, level), (left + (k + 1) * step, level)]
    return [*points, (right, bottom)]


def paint_city(scene: Scene, base: int) -> None:
    """Three rows of buildings, the far ones in haze, with lit windows in the dark."""
    scene.show("city")
    rng = scene.stream("city")
    palette = scene.palette
    weight = min(1.5, max(0.7, scene.reading.weight("city")))
    wall = scene.reading.paints.get("city") or (0.44, 0.43, 0.50)
    if palette.is_dark:
        # The light of a town stands over it.
        halo = np.exp(-np.abs(scene.rows() - base) / (scene.short * 0.22)).astype(np.float32) * np.float32(0.42)
        scene.glow(np.broadcast_to(halo, scene.rgb.shape[:2]), (0.95, 0.55, 0.38))
    for layer in range(3):
        near = layer / 2
        foot = base + scene.short * 0.03 * layer
        x = -scene.short * 0.05
        while x < scene.width:
            wide = scene.short * rng.uniform(0.05, 0.11) * (0.8 + 0.3 * near)
            centre = np.exp(-(((x / scene.width - 0.5 - 0.08 * np.sin(layer * 2)) / 0.26) ** 2))
            tall = scene.short * weight * rng.uniform(0.09, 0.24) * (0.75 + 1.15 * float(centre)) * (1.12 - 0.30 * near)
            tint = mix(wall, (0.62, 0.50, 0.44), float(rng.random()) * 0.4)
            colour = palette.far(tint, 0.66 * (1 - near))
            _block(scene, rng, (x, foot - tall, x + wide, float(foot)), colour, near)
            x += wide * rng.uniform(0.84, 1.12)
        mist = np.exp(-(((scene.rows() - foot) / (scene.short * 0.09)) ** 2)).astype(np.float32) * np.float32(
            0.34 * (1 - near)
        )
        scene.paint(np.broadcast_to(mist, scene.rgb.shape[:2])[:base], palette.haze)


def _block(
    scene: Scene, rng: np.random.Generator, frame: tuple[float, float, float, float], colour: Colour, near: float
) -> None:
    left, top, right, foot = frame
    wide, tall = right - left, foot - top
    bright, dark = mix(colour, scene.palette.light, 0.16), mix(colour, (0.02, 0.03, 0.09), 0.30)
    shape = [box(left, top, right, foot)]
    style = rng.random()
    if style < 0.25:
        shape.append(box(left + wide * 0.2, top - tall * 0.12, right - wide * 0.2, top))
    elif style < 0.40:
        shape.append([(left, top), (right, top), ((left + right) / 2, top - wide * 0.6)])
    elif style < 0.52:
        shape.append(box((left + right) / 2 - wide * 0.03, top - tall * 0.22, (left + right) / 2 + wide * 0.03, top))
    window, mask = scene.cut(shape)
    if not mask.size:
        return
    ends = (dark, bright) if scene.light[0] > left else (bright, dark)
    scene.put(window, mask, scene.ramp(window, *ends))
    pitch = max(3.0, scene.short * 0.0125)
    dark_hour = scene.palette.is_dark
    lit: list[list[Point]] = []
    unlit: list[list[Point]] = []
    for column in np.arange(left + pitch * 0.6, right - pitch * 0.6, pitch):
        for row in np.arange(top + pitch * 0.6, foot - pitch * 0.6, pitch * 1.25):
            pane = box(float(column), float(row), float(column + pitch * 0.5), float(row + pitch * 0.62))
            (lit if rng.random() < (0.42 if dark_hour else 0.05) else unlit).append(pane)
    if lit and dark_hour:
        tint = mix((1.0, 0.80, 0.45), (0.75, 0.90, 1.0), float(rng.random()) * 0.5)
        scene.shape(lit, tint, 0.20 + 0.25 * near)
        scene.sprinkle(lit, tint, 0.30 + 0.5 * near)
    if unlit:
        scene.shape(unlit, mix(colour, (0.08, 0.11, 0.18), 0.5), 0.12 + 0.38 * near)


def paint_boat(scene: Scene, x: float, y: float, size: float) -> None:
    """A sailing boat with its broken reflection."""
    scene.show("boat")
    palette = scene.palette
    hull = scene.reading.paints.get("boat") or (0.46, 0.24, 0.15)
    _reflect_boat(scene, x, y, size)
    mast = x - size * 0.04
    scene.shape(
        [box(mast - size * 0.010, y - size * 1.08, mast + size * 0.010, y - size * 0.08)],
        palette.lit((0.30, 0.20, 0.14)),
    )
    sail = mix(palette.lit((0.97, 0.94, 0.87)), palette.light, 0.28)
    shade = mix(sail, palette.zenith, 0.30)
    main: list[Point] = [
        (mast + size * 0.02, y - size * 1.02),
        (mast + size * 0.46, y - size * 0.20),
        (mast + size * 0.02, y - size * 0.17),
    ]
    jib: list[Point] = [
        (mast - size * 0.03, y - size * 0.92),
        (mast - size * 0.38, y - size * 0.17),
        (mast - size * 0.03, y - size * 0.17),
    ]
    scene.shape([main], sail)
    scene.shape([jib], shade)
    body = [
        (x - size * 0.50, y - size * 0.14),
        (x + size * 0.54, y - size * 0.14),
        (x + size * 0.36, y),
        (x - size * 0.36, y),
    ]
    _solid(scene, [body], hull, x)
    scene.shape(
        [box(x - size * 0.50, y - size * 0.15, x + size * 0.54, y - size * 0.12)],
        mix(palette.lit((0.95, 0.90, 0.80)), hull, 0.2),
    )
    if palette.is_dark:
        scene.lamps.append((x + size * 0.30, y - size * 0.20, size * 0.10, LAMP, 0.9))


def _reflect_boat(scene: Scene, x: float, y: float, size: float) -> None:
    rng = scene.stream("boat")
    tone = mix(scene.palette.lit((0.85, 0.80, 0.72)), scene.palette.water, 0.35)
    dark = mix(scene.palette.lit((0.25, 0.16, 0.12)), scene.palette.water, 0.3)
    bars: list[list[Point]] = []
    hull: list[list[Point]] = []
    for k in range(18):
        at = y + size * (0.02 + 0.05 * k)
        half = size * (0.30 - 0.014 * k) * rng.uniform(0.5, 1.1)
        shift = rng.normal(0, size * 0.05)
        (hull if k < 4 else bars).append(box(x - half + shift, at, x + half + shift, at + size * 0.022))
    scene.shape(hull, dark, 0.65)
    scene.shape(bars, tone, 0.38)
