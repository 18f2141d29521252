"""A swan or a duck on the water."""

import numpy as np

from easel_painter.canvas import Point, Scene
from easel_painter.close.form import Lamp, lamp, solid
from easel_painter.close.outline import Stand, hatch, oval, path, smooth
from easel_painter.close.plumage import as_lit, paint_eye
from easel_painter.palette import mix
from easel_painter.reading import Colour


def paint_swimming(scene: Scene, stand: Stand, kind: str, light: Lamp | None = None) -> None:
    """A swan or a duck on the water with its broken reflection; its water line is at the stand."""
    light = light or lamp(scene)
    rng = scene.stream("swimming")
    own = scene.reading.paints.get(kind) or scene.reading.paints.get("bird")
    colour: Colour = own or ((0.97, 0.96, 0.94) if kind == "swan" else (0.50, 0.38, 0.27))
    _mirrored(scene, stand, kind, colour, rng)
    body = path(
        "-0.62,-0.22 -0.5,-0.14 -0.42,0 -0.1,0.02 0.24,0.01 0.4,-0.1 0.34,-0.26 0.1,-0.33 -0.2,-0.34 -0.44,-0.26"
    )
    solid(scene, [stand.curve(body)], colour, light)
    neck = (
        path("0.3,-0.16 0.4,-0.36 0.26,-0.58 0.24,-0.8 0.38,-0.9")
        if kind == "swan"
        else [(0.28, -0.16), (0.34, -0.34), (0.38, -0.46)]
    )
    head_at = (0.40, -0.90) if kind == "swan" else (0.40, -0.48)
    green: Colour = (0.08, 0.36, 0.22)
    solid(
        scene,
        [stand.band(neck, (0.13, 0.075, 0.055, 0.048, 0.05) if kind == "swan" else (0.13, 0.08, 0.07))],
        colour if kind == "swan" or own else green,
        light,
    )
    beak: Colour = (0.92, 0.46, 0.12) if kind == "swan" else (0.90, 0.70, 0.20)
    head = stand.part(*head_at, 1.0, 0.15)
    solid(scene, [head.curve([(0.06, -0.03), (0.20, 0.035), (0.21, 0.06), (0.06, 0.05)])], beak, light, gloss=0.2)
    solid(scene, [head.oval(0.0, 0.0, 0.092, 0.066)], colour if kind == "swan" or own else green, light)
    if kind == "swan":
        scene.shape([head.to([(0.03, -0.022), (0.095, -0.03), (0.10, 0.03), (0.07, 0.02)])], (0.05, 0.05, 0.06), 0.9)
    paint_eye(scene, head.part(0.03, -0.015, 1.0), 0.014, light)
    _raised_wing(scene, stand, rng, colour, light)


def _raised_wing(scene: Scene, stand: Stand, rng: np.random.Generator, colour: Colour, light: Lamp) -> None:
    wing = path("0.22,-0.2 0.2,-0.36 0,-0.46 -0.28,-0.46 -0.62,-0.38 -0.46,-0.24 -0.2,-0.1 0.06,-0.1")
    solid(scene, [stand.curve(wing)], colour, light, depth=0.8)
    strokes: list[list[Point]] = []
    tones: list[Colour] = []
    for row, (count, long) in enumerate(((8, 0.38), (8, 0.24), (7, 0.15))):
        for k in range(count):
            t = k / (count - 1)
            x, y = -0.02 + 0.06 * row - 0.08 * t, -0.40 + 0.28 * t
            ex, ey = x - long * (1 - 0.2 * t), y - 0.05 + 0.10 * t
            strokes.append(
                stand.to(smooth([(x, y - 0.02), (ex, ey - 0.012), (ex - 0.02, ey + 0.012), (x, y + 0.03)], steps=3))
            )
            tones.append(
                as_lit(mix(colour, (0.45, 0.50, 0.62), 0.05 + 0.30 * float(rng.random())), light, 0.8 - 0.5 * t)
            )
    hatch(scene, strokes, np.asarray(tones, dtype=np.float32), 0.55)


def _mirrored(scene: Scene, stand: Stand, kind: str, colour: Colour, rng: np.random.Generator) -> None:
    """The reflection: the figure upside down in level strokes that spread with distance."""
    tone = mix(scene.palette.lit(colour), scene.palette.lit(scene.palette.water), 0.35)
    bars: list[list[Point]] = []
    for k in range(30):
        down = (k + 0.5) / 30
        half, middle = (0.50 * (1 - down), -0.05) if down < 0.34 else (0.09, 0.30)
        if kind == "duck" and down > 0.55:
            break
        sway = float(rng.normal(0, 0.02 + 0.05 * down))
        half *= float(rng.uniform(0.6, 1.15))
        bars.append(stand.to(oval(middle + sway, 0.01 + 0.75 * down, half, 0.011)))
    scene.shape(bars, tone, 0.55)
    rings = [stand.to(oval(0.0, 0.02 + 0.02 * k, 0.58 + 0.12 * k, 0.006)) for k in range(2)]
    scene.shape(rings, mix(scene.palette.haze, (1, 1, 1), 0.3), 0.35)
