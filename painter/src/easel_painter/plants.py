"""What stands in the foreground: a single tree, a palm, a group of firs, a fire."""

import numpy as np

from easel_painter.canvas import Point, Scene
from easel_painter.flora import KINDS, Parts, blob, coat, draw
from easel_painter.palette import mix
from easel_painter.reading import Colour


def paint_tree(scene: Scene, x: float, y: float, tall: float) -> None:
    """One tree with branches; its leaves follow the season, in winter it is bare. In the tropics it is a palm."""
    scene.show("tree")
    reading = scene.reading
    if reading.tropical:
        paint_palm(scene, x, y, tall)
        return
    kind = (
        "pine" if reading.is_a("pine") else "fir" if reading.evergreen else "poplar" if reading.is_a("cypress") else ""
    )
    rng = scene.stream("tree")
    side = 1.0 if scene.light[0] > x else -1.0
    _shadow(scene, x, y, tall, side)
    if kind:
        draw(scene, KINDS[kind](rng, x, y, tall, side), coat(scene, kind), 0.0)
        return
    palette = scene.palette
    wood: Colour = (0.86, 0.85, 0.80) if reading.is_a("birch") else (0.30, 0.21, 0.15)
    bark = mix(palette.lit(wood), (0.02, 0.02, 0.03), 0.25)
    limbs: list[list[Point]] = []
    tips: list[Point] = []
    slim = 0.035 if reading.is_a("birch") else 0.085 if reading.is_a("oak") else 0.060
    lean = float(rng.normal(0, 0.10))
    _grow(rng, limbs, tips, (x, y), -np.pi / 2 + lean, tall * 0.27, tall * slim, 6)
    scene.shape([[(x - tall * 0.10, y + tall * 0.01), (x, y - tall * 0.10), (x + tall * 0.10, y + tall * 0.01)]], bark)
    if palette.season != "winter":
        _crown(scene, rng, tips, limbs, (x, y), tall, bark, side)
        return
    scene.shape(limbs, bark)
    thin = [
        [(px, py - tall * 0.004) for px, py in limb[:2]] + [(px, py - tall * 0.004) for px, py in limb[2:]]
        for limb in limbs
    ]
    scene.shape(
        [[(a[0], a[1] - tall * 0.008), (d[0], d[1] - tall * 0.008), d, a] for a, _, _, d in thin],
        palette.lit(palette.snow),
        0.7,
    )


def _shadow(scene: Scene, x: float, y: float, tall: float, side: float) -> None:
    """The tree's shadow lies on the ground away from the light."""
    turns = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    cx, long = x - side * tall * 0.22, tall * 0.36
    ring = [(cx + long * float(np.cos(t)), y + tall * 0.012 + tall * 0.030 * float(np.sin(t))) for t in turns]
    scene.shape([ring], mix(scene.palette.lit((0.05, 0.07, 0.08)), scene.palette.zenith, 0.2), 0.45)


def _crown(
    scene: Scene,
    rng: np.random.Generator,
    tips: list[Point],
    limbs: list[list[Point]],
    foot: Point,
    tall: float,
    bark: Colour,
    side: float,
) -> None:
    """Clumps of leaves around the ends of the branches: a dark body, light on the side of the sun, gaps of sky."""
    palette = scene.palette
    leaves = scene.reading.paints.get("tree") or ((0.96, 0.66, 0.76) if palette.season == "spring" else palette.foliage)
    base = palette.lit(leaves)
    night = palette.hour == "night"
    dark = mix(base, mix((0.02, 0.04, 0.06), palette.zenith, 0.3), 0.58)
    bright = mix(base, palette.light, 0.10 if night else 0.30)
    willow = scene.reading.is_a("willow")
    chosen = [tips[int(k)] for k in rng.permutation(len(tips))[:46]]
    back: list[list[Point]] = []
    heaps: list[list[list[Point]]] = [[], [], [], []]
    middle = float(np.mean([tip[1] for tip in chosen]))
    for tip_x, tip_y in chosen:
        size = tall * float(rng.uniform(0.060, 0.105))
        back.append(blob(rng, tip_x - side * size * 0.2, tip_y + size * 0.35, size * 1.05, 10))
        sunny = 0.5 + 0.5 * np.clip((tip_x - foot[0]) * side / (tall * 0.30) - (tip_y - middle) / (tall * 0.22), -1, 1)
        for _ in range(16):
            turn, reach = float(rng.random() * 2 * np.pi), size * float(rng.random() ** 0.6) * 1.15
            dx, dy = reach * float(np.cos(turn)), reach * float(np.sin(turn)) * 0.85
            facing = (dx * side * 0.8 - dy) / max(size, 1e-6)
            level = int(np.clip((facing * 0.42 + sunny - 0.12 + rng.normal(0, 0.13)) * 4, 0, 3))
            leaf = blob(rng, tip_x + dx, tip_y + dy, tall * float(rng.uniform(0.011, 0.026)), 6)
            if willow:
                leaf = [(px, py + (py - tip_y) * 1.5 + abs(tip_x - foot[0]) * 0.35) for px, py in leaf]
            heaps[level].append(leaf)
    scene.shape(back, dark, 0.95)
    scene.shape(limbs, bark, 0.9)
    for heap, colour in zip(heaps, (dark, mix(dark, base, 0.55), base, bright), strict=True):
        scene.shape(heap, colour, 0.92)


def paint_palm(scene: Scene, x: float, y: float, tall: float) -> None:
    """A leaning palm: a curved trunk and a crown of drooping fronds."""
    rng = scene.stream(f"palm {x / scene.width:.2f}")
    palette = scene.palette
    lean = float(rng.choice([-1.0, 1.0])) * tall * 0.22
    at = np.linspace(0, 1, 14)
    trunk_x, trunk_y = x + lean * at**1.8, y - tall * 0.78 * at
    half = tall * (0.030 - 0.014 * at)
    left = [(float(a - b), float(c)) for a, b, c in zip(trunk_x, half, trunk_y, strict=True)]
    right = [(float(a + b), float(c)) for a, b, c in zip(trunk_x, half, trunk_y, strict=True)]
    scene.shape([[*left, *reversed(right)]], palette.lit((0.42, 0.30, 0.20)))
    top = (float(trunk_x[-1]), float(trunk_y[-1]))
    green = palette.lit(mix((0.16, 0.40, 0.16), palette.foliage, 0.3))
    for tint in (-0.45, -0.15, 0.12, 0.30):
        fronds = []
        for angle in np.linspace(-0.45, np.pi + 0.45, 8) + rng.normal(0, 0.20, 8):
            long = tall * float(rng.uniform(0.28, 0.44))
            upper: list[Point] = []
            lower: list[Point] = []
            for t in np.linspace(0, 1, 11):
                px = top[0] + long * t * float(np.cos(angle))
                py = top[1] - long * t * float(np.sin(angle)) * 0.80 + long * 0.66 * float(t) ** 2.2
                teeth = tall * 0.026 * float(np.sin(np.pi * min(1.0, t + 0.12)))
                upper.append((px, py - teeth * 0.7))
                lower.append((px, py + teeth * float(rng.uniform(0.3, 2.0))))
            fronds.append([*upper, *reversed(lower)])
        scene.shape(fronds, mix(green, (0.02, 0.05, 0.06), -tint) if tint < 0 else mix(green, palette.light, tint))


def _grow(
    rng: np.random.Generator,
    limbs: list[list[Point]],
    tips: list[Point],
    start: Point,
    angle: float,
    length: float,
    width: float,
    levels: int,
) -> None:
    end = (start[0] + length * float(np.cos(angle)), start[1] + length * float(np.sin(angle)))
    side = (float(np.cos(angle + np.pi / 2)), float(np.sin(angle + np.pi / 2)))
    low, high = width / 2, width * 0.36
    limbs.append(
        [
            (start[0] - side[0] * low, start[1] - side[1] * low),
            (start[0] + side[0] * low, start[1] + side[1] * low),
            (end[0] + side[0] * high, end[1] + side[1] * high),
            (end[0] - side[0] * high, end[1] - side[1] * high),
        ]
    )
    if levels <= 2:
        tips.append(end)
    if levels == 0:
        return
    for turn in (-1, 1) if levels < 6 else (-1, 0.1, 1):
        lean = turn * rng.uniform(0.24, 0.52)
        _grow(rng, limbs, tips, end, angle + lean, length * rng.uniform(0.66, 0.82), width * 0.66, levels - 1)


def paint_firs(scene: Scene, x: float, y: float, spread: float, tall: float, count: int, kind: str = "fir") -> None:
    """A few trees standing together, the far ones first; firs where nothing else is said."""
    rng = scene.stream(f"firs {x / scene.width:.2f}")
    side = 1.0 if scene.light[0] > scene.width / 2 else -1.0
    bare = scene.palette.season == "winter" and kind in ("round", "birch")
    for k in range(count):
        parts = Parts()
        at = x + float(rng.normal(0, spread))
        parts.add(
            KINDS["bare" if bare else kind](rng, at, y + k * tall * 0.01, tall * float(rng.uniform(0.6, 1.1)), side)
        )
        draw(scene, parts, coat(scene, kind, rng), 0.10 * (1 - (k + 1) / count))


def paint_fire(scene: Scene, x: float, y: float, tall: float) -> None:
    """A camp fire: logs, flames in three colours, sparks and their light around."""
    scene.show("fire")
    rng = scene.stream("fire")
    for lean in (-0.28, 0.02, 0.30):
        log = [(x + tall * (lean - 0.30), y), (x + tall * (lean + 0.30), y - tall * 0.08)]
        scene.shape([[log[0], (log[0][0], y - tall * 0.07), log[1], (log[1][0], y)]], (0.16, 0.08, 0.05))
    ramp: list[tuple[Colour, float, float]] = [
        ((0.88, 0.22, 0.06), 1.0, 0.34),
        ((0.99, 0.55, 0.10), 0.72, 0.24),
        ((1.0, 0.92, 0.55), 0.44, 0.14),
    ]
    for colour, high, wide in ramp:
        tongues = []
        for _ in range(9):
            cx = x + float(rng.normal(0, tall * wide * 0.55))
            top = tall * high * float(rng.uniform(0.55, 1.0)) * max(0.3, 1 - abs(cx - x) / (tall * 0.6))
            half = tall * wide * 0.36
            bend = float(rng.normal(0, half * 0.8))
            tongues.append(
                [
                    (cx - half, y - tall * 0.05),
                    (cx - half * 0.8, y - top * 0.4),
                    (cx + bend, y - top),
                    (cx + half * 0.7, y - top * 0.35),
                    (cx + half, y - tall * 0.05),
                ]
            )
        scene.shape(tongues, colour, 0.9)
    for _ in range(40):
        rise = float(rng.random())
        sx, sy = x + float(rng.normal(0, tall * (0.12 + 0.4 * rise))), y - tall * (0.6 + 1.5 * rise)
        scene.lamps.append((sx, sy, max(1.2, tall * 0.014), (1.0, 0.62, 0.20), 0.9 * (1 - rise)))
    scene.lamps.append((x, y - tall * 0.35, tall * 0.9, (1.0, 0.55, 0.18), 0.70))
    scene.lamps.append((x, y - tall * 0.2, tall * 2.6, (1.0, 0.45, 0.14), 0.35))
