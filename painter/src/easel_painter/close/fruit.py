"""Fruit: each stands on a point of the table and takes the lamp's light."""

import numpy as np

from easel_painter.canvas import Point, Scene
from easel_painter.close.form import Lamp, solid
from easel_painter.close.outline import Stand, fur, path
from easel_painter.close.turning import ball, cast_shadow, turned
from easel_painter.noise import Field, smoothstep
from easel_painter.palette import mix
from easel_painter.reading import Colour


def apple(scene: Scene, stand: Stand, light: Lamp, name: str = "apple") -> None:
    """An apple with a blush, about 0.5 high."""
    rng = scene.stream(f"{name} {stand.x:.0f}")
    own = scene.reading.paints.get("apples") or scene.reading.paints.get("fruit")
    kinds: list[tuple[Colour, Colour]] = [
        ((0.78, 0.12, 0.10), (0.92, 0.66, 0.22)),
        ((0.70, 0.76, 0.24), (0.86, 0.50, 0.22)),
        ((0.62, 0.08, 0.12), (0.78, 0.24, 0.16)),
    ]
    skin, blush = kinds[int(rng.integers(3))]
    if own:
        skin = mix(own, (0.66, 0.76, 0.24), 0.35) if own[1] > max(own[0], own[2]) else own
        blush = mix(skin, (0.95, 0.85, 0.45), 0.25)
    turn, streak = float(rng.uniform(-0.8, 0.8)), rng.random(24).astype(np.float32)

    def tone(u: Field, v: Field) -> Field:
        around = np.arctan2(u - np.float32(0.1 * turn), -(v + 1.15))
        lines = np.interp(around, np.linspace(-np.pi, np.pi, 24), streak)
        share = smoothstep(0.15, 0.95, np.asarray(0.52 + 0.5 * turn * u + 0.3 * v + 0.20 * (lines - 0.5), np.float32))[
            ..., None
        ]
        return np.asarray(skin, np.float32) * (1 - share) + np.asarray(blush, np.float32) * share

    cast_shadow(scene, stand, light, 0.27, 0.45)
    (middle,) = stand.to([(0.0, -0.265)])
    ball(scene, middle, (stand.size * 0.29, stand.size * 0.27), tone, light, dimple=0.10)
    lean = float(rng.uniform(-0.05, 0.07))
    scene.shape(
        [stand.band([(0.0, -0.46), (lean * 0.4, -0.53), (lean, -0.60)], (0.011, 0.010, 0.016))], (0.20, 0.13, 0.07)
    )
    if rng.random() < 0.4:
        leaf = [(lean * 0.4, -0.53), (0.10, -0.62), (0.24, -0.60), (0.13, -0.53)]
        solid(scene, [stand.curve(leaf)], (0.24, 0.42, 0.15), light, gloss=0.2)


def pear(scene: Scene, stand: Stand, light: Lamp) -> None:
    """A pear, about 0.75 high."""
    rng = scene.stream(f"pear {stand.x:.0f}")
    own = scene.reading.paints.get("pears")
    skin = own or ((0.76, 0.68, 0.22), (0.62, 0.66, 0.24), (0.80, 0.56, 0.20))[int(rng.integers(3))]
    cast_shadow(scene, stand, light, 0.25, 0.6)
    profile = path("0,-0.74 0.085,-0.725 0.125,-0.64 0.15,-0.53 0.215,-0.4 0.285,-0.25 0.275,-0.11 0.17,-0.01 0,0.01")
    turned(scene, stand, profile, skin, light, gloss=0.30)
    lean = float(rng.uniform(-0.06, 0.06))
    scene.shape(
        [stand.band([(0.0, -0.72), (lean * 0.5, -0.79), (lean, -0.85)], (0.012, 0.010, 0.015))], (0.22, 0.15, 0.08)
    )


def round_fruit(scene: Scene, stand: Stand, light: Lamp, kind: str) -> None:
    """An orange, a peach or a lemon."""
    rng = scene.stream(f"{kind} {stand.x:.0f}")
    base: Colour = {"lemon": (0.94, 0.80, 0.16), "orange": (0.94, 0.50, 0.08)}.get(kind, (0.92, 0.58, 0.34))
    base = scene.reading.paints.get("lemons" if kind == "lemon" else "oranges") or base
    cast_shadow(scene, stand, light, 0.27, 0.4)
    if kind == "lemon":
        body = path(
            "-0.36,-0.2 -0.29,-0.25 -0.16,-0.38 0.08,-0.4 0.26,-0.28 0.37,-0.19 0.3,-0.12 "
            "0.12,-0.01 -0.12,-0 -0.28,-0.12"
        )
        window, mask = solid(scene, [stand.curve(body)], base, light, gloss=0.30)
    else:
        (middle,) = stand.to([(0.0, -0.26)])
        ball(scene, middle, (stand.size * 0.27, stand.size * 0.26), base, light, gloss=0.25)
        window, mask = scene.cut([stand.oval(0, -0.26, 0.25, 0.24)])
    if mask.size:
        fur(
            scene,
            rng,
            window,
            mask,
            count=220,
            length=max(2.0, stand.size * 0.022),
            angle=0.0,
            spread=3.0,
            tint=0.09,
            thick=0.4,
            strength=0.5,
            clipped=True,
        )


def grapes(scene: Scene, stand: Stand, light: Lamp) -> None:
    """A bunch that lies on the table."""
    rng = scene.stream(f"grapes {stand.x:.0f}")
    own = scene.reading.paints.get("grapes")
    base = own or ((0.24, 0.10, 0.26), (0.58, 0.66, 0.26))[int(rng.integers(2))]
    cast_shadow(scene, stand, light, 0.42, 0.35)
    rows: list[Point] = []
    for level, count in ((0.0, 7), (-0.11, 6), (-0.22, 5), (-0.32, 3), (-0.41, 2)):
        rows += [
            ((k - (count - 1) / 2) * 0.125 + float(rng.normal(0, 0.018)), level - 0.075 + float(rng.normal(0, 0.012)))
            for k in range(count)
        ]
    for x, y in sorted(rows, key=lambda at: at[1] + 0.08 * float(rng.random())):
        tone = mix(base, ((0.5, 0.5, 0.62), (0.10, 0.05, 0.10))[int(rng.integers(2))], 0.28 * float(rng.random()))
        (middle,) = stand.to([(x, y)])
        ball(scene, middle, (stand.size * 0.082, stand.size * 0.084), tone, light, gloss=0.7)
    scene.shape([stand.band([(0.02, -0.46), (0.06, -0.56), (0.14, -0.60)], (0.014, 0.012, 0.016))], (0.28, 0.20, 0.10))
