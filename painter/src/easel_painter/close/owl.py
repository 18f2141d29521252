"""An owl, face to face."""

import numpy as np

from easel_painter.canvas import Point, Scene
from easel_painter.close.form import Lamp, grid, lamp, solid
from easel_painter.close.outline import Stand, fur, hatch, path, smooth
from easel_painter.close.plumage import lay_down, paint_eye
from easel_painter.palette import mix
from easel_painter.reading import Colour


def paint_owl(scene: Scene, stand: Stand, light: Lamp | None = None) -> None:
    """An owl facing us; its feet are at the stand and its height is about the stand's size."""
    light = light or lamp(scene)
    rng = scene.stream("owl")
    own = scene.reading.paints.get("owl") or scene.reading.paints.get("bird")
    base = own or ((0.46, 0.34, 0.22), (0.55, 0.50, 0.45), (0.86, 0.84, 0.80))[int(rng.integers(3))]
    pale, dark = mix(base, (0.97, 0.93, 0.86), 0.55), mix(base, (0.08, 0.05, 0.04), 0.60)
    tail = path("-0.12,-0.1 0.12,-0.1 0.1,0.2 0,0.23 -0.1,0.2")
    solid(scene, [stand.to(tail)], dark, light)
    body = path("0,-0.8 0.2,-0.74 0.3,-0.52 0.29,-0.26 0.18,-0.06 0,0")
    outline = stand.curve([*body, *[(-x, y) for x, y in reversed(body) if x]])
    window, mask = solid(scene, [outline], mix(base, pale, 0.6), light)
    _barred(scene, stand, rng, dark, pale)
    lay_down(scene, stand, rng, window, mask)
    for side in (1, -1):
        wing = [
            (side * 0.20, -0.66),
            (side * 0.31, -0.52),
            (side * 0.33, -0.26),
            (side * 0.20, 0.06),
            (side * 0.17, -0.10),
            (side * 0.20, -0.36),
        ]
        window, mask = solid(scene, [stand.curve(wing)], base, light)
        if mask.size:
            fur(
                scene,
                rng,
                window,
                mask,
                count=170,
                length=stand.size * 0.13,
                angle=np.pi / 2,
                spread=0.12,
                tint=0.28,
                thick=0.16,
            )
        for k in range(3):
            toe = [(side * (0.04 + 0.045 * k), -0.035), (side * (0.045 + 0.05 * k), 0.03)]
            solid(scene, [stand.band(toe, (0.024, 0.016))], (0.80, 0.66, 0.40), light)
    _owl_face(scene, stand.part(0.0, -0.72, 1.0, float(rng.uniform(-0.16, 0.16))), rng, (base, pale, dark), light)


def _barred(scene: Scene, stand: Stand, rng: np.random.Generator, dark: Colour, pale: Colour) -> None:
    """The breast: rows of small feathers, each with a dark tip."""
    strokes: list[list[Point]] = []
    tones: list[Colour] = []
    for row in range(8):
        for k in range(-4, 5):
            x = (k + 0.5 * (row % 2)) * 0.052 + float(rng.normal(0, 0.006))
            y = -0.52 + row * 0.060 + 0.10 * x * x + float(rng.normal(0, 0.006))
            if abs(x) > 0.21 - 0.011 * row:
                continue
            strokes.append(stand.to(smooth([(x - 0.020, y), (x, y - 0.03), (x + 0.020, y), (x, y + 0.034)], steps=3)))
            tones.append(scene.palette.lit(mix(dark, pale, float(rng.uniform(0.05, 0.35)))))
    hatch(scene, strokes, np.asarray(tones, dtype=np.float32), 0.75)


def _owl_face(
    scene: Scene, head: Stand, rng: np.random.Generator, tones: tuple[Colour, Colour, Colour], light: Lamp
) -> None:
    base, pale, dark = tones
    crown = path("0,-0.22 0.18,-0.2 0.29,-0.06 0.27,0.12 0.14,0.22 0,0.24")
    tuft = path("0.1,-0.18 0.2,-0.27 0.29,-0.34 0.29,-0.2 0.25,-0.08")
    for side in (1, -1):
        solid(scene, [head.curve([(side * x, y) for x, y in tuft])], dark, light)
    window, mask = solid(scene, [head.curve([*crown, *[(-x, y) for x, y in reversed(crown) if x]])], base, light)
    lay_down(scene, head, rng, window, mask)
    iris: Colour = ((0.98, 0.72, 0.10), (0.96, 0.54, 0.10))[int(rng.integers(2))]
    for side in (1, -1):
        _disc(scene, head, rng, side, (pale, dark), light)
        paint_eye(scene, head.part(side * 0.12, 0.0, 1.0), 0.062, light, iris)
    brow = path("0,0.02 0.05,-0.07 0.2,-0.17 0.06,-0.14 0,-0.1 -0.06,-0.14 -0.2,-0.17 -0.05,-0.07")
    solid(scene, [head.to(brow)], mix(base, pale, 0.3), light)
    beak = path("-0.032,0.03 0,0 0.032,0.03 0.02,0.09 0,0.13 -0.02,0.09")
    solid(scene, [head.curve(beak)], (0.26, 0.22, 0.18), light, gloss=0.5)


def _disc(
    scene: Scene, head: Stand, rng: np.random.Generator, side: int, tones: tuple[Colour, Colour], light: Lamp
) -> None:
    """The pale disc around an eye, its feathers pointing outwards."""
    pale, dark = tones
    solid(scene, [head.oval(side * 0.125, 0.02, 0.142, 0.158, side * 0.25)], dark, light, depth=0.4)
    inner = head.oval(side * 0.125, 0.02, 0.124, 0.140, side * 0.25)
    window, mask = solid(scene, [inner], pale, light, depth=-0.35)
    if not mask.size:
        return
    ((cx, cy),) = head.to([(side * 0.125, 0.0)])
    x, y = grid(window)
    outward = np.arctan2(y - cy, x - cx).astype(np.float32)
    long = head.size * 0.06
    fur(scene, rng, window, mask, count=190, length=long, angle=outward, spread=0.12, tint=0.12, thick=0.10)
