"""Cut flowers."""

import numpy as np

from easel_painter.canvas import Point, Scene
from easel_painter.close.form import Lamp, solid
from easel_painter.close.outline import Stand, hatch
from easel_painter.palette import mix
from easel_painter.reading import Colour


def paint_bunch(scene: Scene, stand: Stand, light: Lamp, rng: np.random.Generator) -> None:
    """A bunch of flowers whose stems meet at the stand; about as tall as the stand's size."""
    scene.show("flowers")
    own = scene.reading.paints.get("flowers")
    kinds: list[Colour] = [
        (0.86, 0.20, 0.22),
        (0.95, 0.78, 0.28),
        (0.94, 0.90, 0.86),
        (0.86, 0.46, 0.60),
        (0.46, 0.34, 0.72),
        (0.92, 0.52, 0.18),
    ]
    choice = [own] if own else [kinds[int(k)] for k in rng.permutation(len(kinds))[:3]]
    heads = [
        (float(np.sin(a)) * r, -0.16 - float(np.cos(a)) * r * 0.92)
        for r, a in [(0.18 + 0.50 * float(rng.random()) ** 0.7, float(rng.uniform(-1.35, 1.35))) for _ in range(17)]
    ]
    stems = [
        stand.band([(0.02 * k - 0.1, 0.05), (x * 0.45, y * 0.5), (x, y)], (0.010, 0.009, 0.007))
        for k, (x, y) in enumerate(heads)
    ]
    scene.shape(stems, (0.14, 0.26, 0.10))
    for _ in range(26):
        a, r = float(rng.uniform(-1.7, 1.7)), float(rng.uniform(0.18, 0.62))
        x, y = float(np.sin(a)) * r, -0.10 - float(np.cos(a)) * r * 0.9
        leaf = stand.part(x, y, float(rng.uniform(0.7, 1.2)), a + float(rng.normal(0, 0.5)))
        solid(
            scene,
            [leaf.curve([(0, 0.08), (0.05, 0.0), (0.0, -0.16), (-0.05, 0.0)])],
            mix((0.20, 0.36, 0.14), (0.36, 0.44, 0.22), float(rng.random())),
            light,
        )
    for number, (x, y) in enumerate(sorted(heads, key=lambda at: at[1])):
        blossom(scene, stand.part(x, y, float(rng.uniform(0.12, 0.19))), choice[number % len(choice)], light, rng)


def blossom(scene: Scene, stand: Stand, colour: Colour, light: Lamp, rng: np.random.Generator) -> None:
    """One flower head of a unit's radius: rings of petals, the outer ones darker away from the light."""
    petals: list[list[Point]] = []
    tones: list[Colour] = []
    for ring, (reach, count) in enumerate(((1.0, 9), (0.74, 8), (0.48, 6), (0.26, 4))):
        for k in range(count):
            angle = 2 * np.pi * (k + 0.5 * (ring % 2) + float(rng.normal(0, 0.12))) / count
            c, s = float(np.cos(angle)), float(np.sin(angle))
            wide = reach * 0.42
            shape = [
                (0.12 * c, 0.12 * s),
                (0.55 * reach * c - wide * s, 0.55 * reach * s + wide * c),
                (reach * c, reach * s),
                (0.55 * reach * c + wide * s, 0.55 * reach * s - wide * c),
            ]
            petals.append(stand.curve([(x, y * 0.86) for x, y in shape]))
            lit = (
                0.62
                + 0.42 * (c * light.direction[0] + s * light.direction[1])
                + 0.05 * ring
                + float(rng.normal(0, 0.06))
            )
            tone = (
                mix(colour, (0.20, 0.03, 0.08), 0.35 - 0.08 * ring)
                if ring < 2
                else mix(colour, (1.0, 0.95, 0.85), 0.06 * ring)
            )
            tones.append(
                (
                    tone[0] * (light.fill[0] + light.key[0] * lit),
                    tone[1] * (light.fill[1] + light.key[1] * lit),
                    tone[2] * (light.fill[2] + light.key[2] * lit),
                )
            )
    hatch(scene, petals, np.asarray(tones, dtype=np.float32), 0.96)
