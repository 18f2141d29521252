"""Vessels, bread, a candle, a book: each stands on a point of the table and takes the lamp's light."""

from collections.abc import Callable

import numpy as np

from easel_painter.canvas import Scene
from easel_painter.close.bouquet import paint_bunch
from easel_painter.close.form import Lamp, grid, illuminate, solid
from easel_painter.close.outline import Stand, fur, oval, path, smooth
from easel_painter.close.turning import ball, cast_shadow, turned
from easel_painter.palette import mix
from easel_painter.reading import Colour


def _opening(scene: Scene, stand: Stand, half: float, level: float, rim: float, colour: Colour, light: Lamp) -> None:
    """The far inside of a vessel's mouth."""
    scene.shape([stand.oval(0, level, half, rim)], mix(colour, (1.0, 0.95, 0.88), 0.22))
    solid(
        scene,
        [stand.oval(0, level + rim * 0.10, half * 0.94, rim * 0.86)],
        mix(colour, (0.03, 0.02, 0.02), 0.55),
        light,
        depth=-0.8,
    )


def bowl(scene: Scene, stand: Stand, light: Lamp, fill: Callable[[Stand], None] | None = None) -> None:
    """A bowl; `fill` paints what lies in it, on a stand at the middle of its opening."""
    scene.show("bowl")
    rng = scene.stream("bowl")
    glaze = (
        scene.reading.paints.get("bowl")
        or ((0.24, 0.36, 0.52), (0.78, 0.72, 0.62), (0.52, 0.26, 0.16))[int(rng.integers(3))]
    )
    cast_shadow(scene, stand, light, 0.56, 0.45)
    _opening(scene, stand, 0.74, -0.42, 0.13, glaze, light)
    if fill:
        fill(Stand(stand.x, stand.y - stand.size * 0.34, stand.size))
    profile = path("0.74,-0.42 0.735,-0.38 0.66,-0.22 0.48,-0.08 0.3,-0.03 0.29,0.015 0.16,0.05 0,0.06")
    turned(scene, stand, profile, glaze, light, gloss=0.5, rim=0.125)
    edge = [(0.74 * float(np.cos(t)), -0.42 + 0.13 * float(np.sin(t))) for t in np.linspace(0.05, np.pi - 0.05, 14)]
    scene.shape([stand.band(edge, (0.006, 0.013, 0.006))], mix(glaze, (1.0, 0.96, 0.88), 0.55), 0.8)


def vase(scene: Scene, stand: Stand, light: Lamp, flowers: bool) -> None:
    """A vase, with a bunch of flowers in it or alone."""
    scene.show("vase")
    rng = scene.stream("vase")
    glaze = (
        scene.reading.paints.get("vase")
        or ((0.20, 0.34, 0.42), (0.72, 0.66, 0.56), (0.16, 0.28, 0.24), (0.42, 0.18, 0.14))[int(rng.integers(4))]
    )
    cast_shadow(scene, stand, light, 0.34, 0.9)
    _opening(scene, stand, 0.155, -0.98, 0.04, glaze, light)
    if flowers:
        paint_bunch(scene, Stand(stand.x, stand.y - stand.size * 0.98, stand.size), light, rng)
    profile = path("0.155,-0.98 0.135,-0.9 0.15,-0.8 0.27,-0.6 0.335,-0.38 0.27,-0.14 0.2,-0.02 0.15,0.03 0,0.045")
    turned(scene, stand, profile, glaze, light, gloss=0.65, rim=0.038)


def bottle(scene: Scene, stand: Stand, light: Lamp) -> None:
    """A wine bottle of dark glass."""
    scene.show("bottle")
    glass = scene.reading.paints.get("bottle") or (0.08, 0.16, 0.09)
    cast_shadow(scene, stand, light, 0.22, 1.1)
    profile = path(
        "0.072,-1.42 0.085,-1.4 0.085,-1.35 0.068,-1.32 0.07,-1.08 0.1,-0.96 0.2,-0.84 "
        "0.225,-0.72 0.225,-0.2 0.222,-0.02 0.16,0.03 0,0.045"
    )
    turned(scene, stand, profile, glass, light, gloss=0.9)
    for side, strength in ((light.side, 0.55), (-light.side, 0.18)):
        scene.shape(
            [stand.band([(side * 0.13, -0.76), (side * 0.145, -0.5), (side * 0.14, -0.10)], (0.010, 0.018, 0.006))],
            mix(light.key, (0.8, 0.9, 0.8), 0.4),
            strength,
        )
    window, mask = scene.cut([stand.to(path("-0.222,-0.56 0,-0.53 0.222,-0.56 0.222,-0.2 0,-0.17 -0.222,-0.2"))])
    if mask.size:
        x, _ = grid(window)
        u = np.clip((x - stand.x) / (stand.size * 0.226), -0.98, 0.98).astype(np.float32) + 0 * mask
        scene.put(
            window,
            mask,
            illuminate(np.asarray(u / np.sqrt(1 - u * u), np.float32), np.zeros_like(mask), (0.82, 0.76, 0.62), light),
        )


def bread(scene: Scene, stand: Stand, light: Lamp) -> None:
    """A loaf with cuts in its crust."""
    scene.show("bread")
    cast_shadow(scene, stand, light, 0.60, 0.3)
    loaf = path("-0.66,-0.1 -0.6,-0.3 -0.3,-0.42 0.1,-0.44 0.46,-0.36 0.66,-0.16 0.6,0 0,0.03 -0.58,0")
    window, mask = solid(scene, [stand.curve(loaf)], (0.70, 0.42, 0.18), light, gloss=0.12)
    for x in (-0.36, -0.10, 0.16, 0.40):
        cut = stand.band([(x - 0.10, -0.36), (x, -0.30), (x + 0.07, -0.18)], (0.012, 0.042, 0.012))
        solid(scene, [cut], (0.90, 0.74, 0.50), light, depth=-0.5)
    if mask.size:
        fur(
            scene,
            scene.stream("crust"),
            window,
            mask,
            count=260,
            length=max(2.0, stand.size * 0.04),
            angle=0.0,
            spread=3.0,
            tint=0.14,
            thick=0.35,
            strength=0.4,
            clipped=True,
        )


def candle(scene: Scene, stand: Stand, light: Lamp) -> None:
    """A burning candle in a holder; its glow is added with the scene's lamps."""
    scene.show("candle")
    wax = scene.reading.paints.get("candle") or (0.92, 0.87, 0.74)
    cast_shadow(scene, stand, light, 0.24, 0.4)
    turned(
        scene, stand, [(0.26, -0.06), (0.25, -0.03), (0.12, 0.02), (0.0, 0.05)], (0.66, 0.48, 0.20), light, gloss=0.8
    )
    turned(
        scene,
        stand,
        path("0.088,-0.82 0.086,-0.6 0.088,-0.08 0.05,-0.05 0,-0.045"),
        wax,
        light,
        gloss=0.2,
    )
    solid(scene, [stand.oval(0, -0.82, 0.088, 0.024)], mix(wax, (1.0, 0.82, 0.45), 0.6), light, depth=0.3)
    scene.shape([stand.band([(0, -0.82), (0.005, -0.88)], (0.007, 0.007))], (0.06, 0.04, 0.03))
    for wide, tall, colour in (
        (0.056, 0.24, (1.0, 0.55, 0.12)),
        (0.042, 0.19, (1.0, 0.80, 0.32)),
        (0.024, 0.12, (1.0, 0.97, 0.80)),
    ):
        flame = [
            (0, -0.86),
            (wide, -0.92),
            (wide * 0.7, -0.86 - tall * 0.62),
            (0.004, -0.86 - tall),
            (-wide * 0.7, -0.86 - tall * 0.62),
            (-wide, -0.92),
        ]
        scene.shape([stand.curve(flame)], colour, 0.95)
    x, y = stand.to([(0, -0.96)])[0]
    scene.lamps.append((x, y, stand.size * 0.30, (1.0, 0.70, 0.30), 0.65))
    scene.lamps.append((x, y, stand.size * 1.2, (1.0, 0.55, 0.20), 0.34))


def teapot(scene: Scene, stand: Stand, light: Lamp) -> None:
    """A round teapot."""
    scene.show("teapot")
    rng = scene.stream("teapot")
    glaze = (
        scene.reading.paints.get("teapot")
        or ((0.84, 0.80, 0.72), (0.20, 0.36, 0.44), (0.50, 0.24, 0.14))[int(rng.integers(3))]
    )
    side = float(rng.choice([-1.0, 1.0]))
    pot = Stand(stand.x, stand.y, stand.size, side)
    cast_shadow(scene, stand, light, 0.48, 0.6)
    solid(
        scene,
        [pot.band([(-0.36, -0.62), (-0.66, -0.66), (-0.72, -0.40), (-0.40, -0.20)], (0.045, 0.05, 0.05, 0.045))],
        glaze,
        light,
        gloss=0.5,
    )
    solid(
        scene,
        [pot.band([(0.34, -0.24), (0.56, -0.36), (0.62, -0.58), (0.76, -0.68)], (0.13, 0.085, 0.055, 0.045))],
        glaze,
        light,
        gloss=0.5,
    )
    turned(
        scene,
        stand,
        path("0.19,-0.76 0.3,-0.7 0.43,-0.52 0.47,-0.34 0.4,-0.12 0.27,-0.01 0.14,0.035 0,0.045"),
        glaze,
        light,
        gloss=0.7,
    )
    turned(
        scene,
        stand,
        path("0,-0.88 0.1,-0.87 0.2,-0.8 0.235,-0.735 0.12,-0.7 0,-0.695"),
        glaze,
        light,
        gloss=0.6,
    )
    ball(scene, stand.to([(0, -0.91)])[0], (stand.size * 0.055, stand.size * 0.05), glaze, light, gloss=0.8)


def book(scene: Scene, stand: Stand, light: Lamp) -> None:
    """A closed book that lies on the table."""
    scene.show("book")
    rng = scene.stream("book")
    cover = (
        scene.reading.paints.get("book")
        or ((0.42, 0.10, 0.10), (0.12, 0.22, 0.34), (0.20, 0.26, 0.14))[int(rng.integers(3))]
    )
    cast_shadow(scene, stand, light, 0.60, 0.2)
    tone = Stand(stand.x, stand.y, stand.size, light.side)
    scene.shape(
        [tone.to([(-0.66, -0.16), (0.52, -0.16), (0.52, 0.02), (-0.66, 0.02)])], mix(cover, (0.02, 0.01, 0.02), 0.45)
    )
    scene.shape([tone.to([(-0.62, -0.135), (0.56, -0.135), (0.56, -0.005), (-0.62, -0.005)])], (0.72, 0.66, 0.52))
    lines = [
        tone.to([(-0.62, y), (0.56, y), (0.56, y + 0.006), (-0.62, y + 0.006)]) for y in (-0.11, -0.085, -0.06, -0.035)
    ]
    scene.shape(lines, (0.48, 0.42, 0.32), 0.6)
    window, mask = scene.cut([tone.to([(-0.66, -0.16), (0.56, -0.16), (0.72, -0.36), (-0.44, -0.36)])])
    if mask.size:
        lit = (cover[0] * 0.95, cover[1] * 0.95, cover[2] * 0.95)
        ends = (mix(lit, (1, 0.9, 0.7), 0.22), mix(lit, (0, 0, 0), 0.30))
        scene.put(window, mask, scene.ramp(window, *(ends if light.side < 0 else ends[::-1])))
    scene.shape(
        [tone.to(smooth([(-0.40, -0.21), (0.44, -0.21), (0.54, -0.31), (-0.30, -0.31)], steps=1))],
        mix(cover, (0.85, 0.66, 0.25), 0.55),
        0.35,
    )
    scene.shape([tone.to(oval(0.07, -0.26, 0.10, 0.03))], (0.80, 0.62, 0.26), 0.6)
