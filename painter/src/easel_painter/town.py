"""A city from afar: rows of high buildings, the far ones in haze."""

import numpy as np

from easel_painter.buildings import box
from easel_painter.canvas import Point, Scene
from easel_painter.palette import mix
from easel_painter.reading import Colour

NEON: list[Colour] = [(1.0, 0.16, 0.62), (0.10, 0.90, 0.98), (0.62, 0.30, 1.0), (1.0, 0.72, 0.12), (0.20, 1.0, 0.55)]


def paint_city(scene: Scene, base: int) -> None:
    """Three rows of buildings, the far ones in haze, with lit windows in the dark."""
    scene.show("city")
    rng = scene.stream("city")
    palette = scene.palette
    weight = min(1.5, max(0.7, scene.reading.weight("city")))
    wall = scene.reading.paints.get("city") or (0.44, 0.43, 0.50)
    heart = 0.5 + float(rng.uniform(-0.22, 0.22))
    spread = float(rng.uniform(0.16, 0.34))
    neon = scene.reading.is_a("neon")
    if palette.is_dark:
        # The light of a town stands over it.
        halo = np.exp(-np.abs(scene.rows() - base) / (scene.short * 0.22)).astype(np.float32) * np.float32(0.42)
        glow: Colour = (0.85, 0.25, 0.80) if neon else (0.95, 0.55, 0.38)
        scene.glow(np.broadcast_to(halo, scene.rgb.shape[:2]), glow)
    for layer in range(3):
        near = layer / 2
        foot = base + scene.short * 0.03 * layer
        x = -scene.short * 0.05
        while x < scene.width:
            wide = scene.short * rng.uniform(0.05, 0.11) * (0.8 + 0.3 * near)
            centre = np.exp(-(((x / scene.width - heart - 0.08 * np.sin(layer * 2)) / spread) ** 2))
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
    if scene.reading.is_a("neon") and near > 0.3:
        _neon_signs(scene, rng, frame)
    if lit and dark_hour:
        tint = mix((1.0, 0.80, 0.45), (0.75, 0.90, 1.0), float(rng.random()) * 0.5)
        scene.shape(lit, tint, 0.20 + 0.25 * near)
        scene.sprinkle(lit, tint, 0.30 + 0.5 * near)
    if unlit:
        scene.shape(unlit, mix(colour, (0.08, 0.11, 0.18), 0.5), 0.12 + 0.38 * near)


def _neon_signs(scene: Scene, rng: np.random.Generator, frame: tuple[float, float, float, float]) -> None:
    """Tubes of coloured light along an edge or as a sign on the wall."""
    left, top, right, foot = frame
    colour = NEON[int(rng.integers(len(NEON)))]
    thin = max(0.8, scene.short * 0.004)
    x = left + thin if rng.random() < 0.5 else right - thin * 2
    low = top + (foot - top) * float(rng.uniform(0.4, 0.9))
    tubes = [box(x, top, x + thin, low)]
    if rng.random() < 0.6:
        sign_x, sign_y = (
            left + (right - left) * float(rng.uniform(0.15, 0.6)),
            top + (foot - top) * float(rng.uniform(0.2, 0.6)),
        )
        tubes.append(
            box(sign_x, sign_y, sign_x + (right - left) * 0.22, sign_y + scene.short * float(rng.uniform(0.03, 0.09)))
        )
    scene.shape(tubes, colour, 0.9)
    scene.lamps.append((x, (top + low) / 2, scene.short * 0.05, colour, 0.30))
