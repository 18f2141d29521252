"""A single tree, flowers, a road, an island, a fire: what stands in the foreground."""

import numpy as np

from generator.engines.painter.canvas import Point, Scene
from generator.engines.painter.land import blob, conifer
from generator.engines.painter.noise import fbm, line
from generator.engines.painter.palette import mix
from generator.engines.painter.reading import Colour


def paint_tree(scene: Scene, x: float, y: float, tall: float) -> None:
    """One tree with branches; its leaves follow the season, in winter it is bare. In the tropics it is a palm."""
    scene.show("tree")
    if scene.reading.tropical:
        paint_palm(scene, x, y, tall)
        return
    rng = scene.stream("tree")
    palette = scene.palette
    bark = mix(palette.lit((0.30, 0.21, 0.15)), (0.02, 0.02, 0.03), 0.25)
    limbs: list[list[Point]] = []
    tips: list[Point] = []
    _grow(rng, limbs, tips, (x, y), -np.pi / 2, tall * 0.27, tall * 0.060, 6)
    scene.shape([[(x - tall * 0.10, y + tall * 0.01), (x, y - tall * 0.10), (x + tall * 0.10, y + tall * 0.01)]], bark)
    scene.shape(limbs, bark)
    if palette.season == "winter":
        return
    leaves = scene.reading.paints.get("tree") or ((0.96, 0.66, 0.76) if palette.season == "spring" else palette.foliage)
    side = np.sign(scene.light[0] - x) or 1.0
    for tint, count, reach in (
        (0.50, 3.0, 0.066),
        (0.24, 4.0, 0.044),
        (0.04, 4.0, 0.032),
        (-0.18, 3.0, 0.024),
        (-0.40, 1.6, 0.016),
    ):
        heaps = []
        for tip_x, tip_y in tips:
            for _ in range(int(count + rng.random())):
                # Bright leaves sit up and towards the light, dark ones below.
                dx = rng.normal(0, tall * 0.058) - side * tint * tall * 0.09
                dy = rng.normal(0, tall * 0.048) + tint * tall * 0.09
                heaps.append(blob(rng, tip_x + dx, tip_y + dy, tall * reach * rng.uniform(0.5, 1.0), 8))
        base = palette.lit(leaves)
        colour = mix(base, (0.03, 0.05, 0.07), tint) if tint > 0 else mix(base, palette.light, -tint)
        scene.shape(heaps, colour, 0.92)


def paint_palm(scene: Scene, x: float, y: float, tall: float) -> None:
    """A leaning palm: a curved trunk and a crown of drooping fronds."""
    rng = scene.stream("palm")
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
    for tint in (-0.35, 0.0, 0.22):
        fronds = []
        for angle in np.linspace(-0.35, np.pi + 0.35, 9) + rng.normal(0, 0.13, 9):
            long = tall * float(rng.uniform(0.30, 0.42))
            upper: list[Point] = []
            lower: list[Point] = []
            for t in np.linspace(0, 1, 11):
                px = top[0] + long * t * float(np.cos(angle))
                py = top[1] - long * t * float(np.sin(angle)) * 0.55 + long * 0.62 * float(t) ** 2
                teeth = tall * 0.045 * float(np.sin(np.pi * min(1.0, t + 0.12)))
                upper.append((px, py - teeth * 0.4))
                lower.append((px, py + teeth * float(rng.uniform(0.5, 1.5))))
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


def paint_flowers(scene: Scene, top: float) -> None:
    """Flowers from row `top` to the lower edge, larger towards the viewer, in drifts."""
    scene.show("flowers")
    rng = scene.stream("flowers")
    palette = scene.palette
    own = scene.reading.paints.get("flowers")
    choices: list[Colour] = [
        (0.90, 0.18, 0.16),
        (0.98, 0.78, 0.20),
        (0.62, 0.36, 0.82),
        (0.97, 0.93, 0.95),
        (0.94, 0.45, 0.62),
    ]
    kinds = [own] if own else [choices[int(k)] for k in rng.permutation(len(choices))[:3]]
    weight = min(1.6, max(0.6, scene.reading.weight("flowers")))
    drift = fbm(rng, 64, 64, (4, 5), 3)
    for band in range(9):
        near = (band + 0.5) / 9
        row = top + (scene.height - top) * near**1.5
        size = scene.short * (0.0035 + 0.021 * near**1.4)
        count = int(190 * weight * scene.width / scene.short * (1.15 - 0.72 * near))
        heads: dict[tuple[int, int], list[list[Point]]] = {}
        stems: list[list[Point]] = []
        for _ in range(count):
            x = float(rng.random() * scene.width)
            y = row + float(rng.normal(0, 0.35)) * (scene.height - top) * 0.11
            place = float(drift[int(near * 63), int(x / scene.width * 63)])
            if y < top or place < 0.34 + 0.22 * (1 - near):
                continue
            kind = int(place * 37 + rng.random() * 1.3) % len(kinds)
            if size > 4:
                stems.append([(x - size * 0.08, y), (x + size * 0.08, y), (x + size * 0.2, y + size * 2.4)])
            petals = blob(rng, x, y, size * rng.uniform(0.6, 1.1), 7)
            heads.setdefault((kind, int(rng.integers(3))), []).append([(px, y + (py - y) * 0.75) for px, py in petals])
        if stems:
            scene.shape(stems, palette.lit(mix(palette.foliage, (0, 0.05, 0), 0.2)), 0.85)
        for (kind, shade), blobs in sorted(heads.items()):
            tone = palette.lit(kinds[kind], 0.75)
            colour = (mix(tone, (0.05, 0.02, 0.08), 0.25), tone, mix(tone, palette.light, 0.30))[shade]
            scene.shape(blobs, mix(colour, palette.haze, 0.35 * (1 - near)))


def paint_road(scene: Scene, start: int) -> None:
    """A road that winds from the lower edge to the horizon."""
    scene.show("road")
    rng = scene.stream("road")
    goal = scene.width * rng.uniform(0.42, 0.62)
    rows = np.linspace(start, scene.height + 4, 40)
    depth = (rows - start) / max(1.0, scene.height - start)
    swing = scene.short * 0.20 * np.sin(depth**0.6 * 6.0 + rng.random() * 6) * (0.10 + 0.9 * depth) * (1 - depth * 0.4)
    centre = goal + swing + (scene.width * 0.5 - goal) * depth
    half = scene.short * (0.004 + 0.19 * depth**1.5)
    left = [(float(c - h), float(r)) for c, h, r in zip(centre, half, rows, strict=True)]
    right = [(float(c + h), float(r)) for c, h, r in zip(centre, half, rows, strict=True)]
    earth: Colour = scene.reading.paints.get("road") or (0.70, 0.60, 0.48)
    if scene.palette.season == "winter":
        earth = (0.70, 0.74, 0.82)
    window, mask = scene.cut([[*left, *reversed(right)]])
    if not mask.size:
        return
    grain = fbm(rng, mask.shape[1], mask.shape[0], (9, 26), 4)
    tone = np.asarray(scene.palette.lit(earth), dtype=np.float32) * (0.82 + 0.40 * grain)[..., None]
    scene.put(window, mask, tone)
    for track in (-0.38, 0.38):
        inner = [(float(c + h * (track - 0.10)), float(r)) for c, h, r in zip(centre, half, rows, strict=True)]
        outer = [(float(c + h * (track + 0.10)), float(r)) for c, h, r in zip(centre, half, rows, strict=True)]
        scene.shape([[*inner, *reversed(outer)]], scene.palette.lit(mix(earth, (0.16, 0.12, 0.10), 0.45)), 0.45)


def paint_island(scene: Scene, x: float, y: float, half: float, tall: float, soft: bool = False) -> None:
    """A rocky island with a green top, its foot at row `y`; a `soft` one is a hill that ends in the meadow."""
    rng = scene.stream("island")
    palette = scene.palette
    at = (scene.columns()[0] - np.float32(x)) / np.float32(half)
    rise = np.clip(1 - at * at, 0, 1) ** np.float32(0.8)
    crest = y - tall * rise * (0.70 + 0.5 * line(rng, scene.width, 14, 5))
    rows = scene.rows()
    mask = np.clip(rows - crest[None, :] + 0.5, 0, 1) * (rows < y) * (np.abs(at)[None, :] < 1)
    if soft:
        mask = mask * np.clip((y - rows) / np.float32(tall * 0.45), 0, 1)
    under = (rows - crest[None, :]) / max(1.0, tall)
    folds = fbm(rng, scene.width, scene.height, (22 * scene.width / scene.short, 20), 4, 0.6)
    side = np.float32(np.sign(scene.light[0] - x) or 1.0)
    shade = np.clip(0.78 + 0.8 * (folds - 0.5) + 0.22 * at[None, :] * side, 0.2, 1.3)
    rock = np.asarray(palette.lit(mix(palette.rock, (0.40, 0.30, 0.24), 0.4)), dtype=np.float32)
    green = np.asarray(palette.lit(palette.foliage if palette.season != "winter" else palette.snow), dtype=np.float32)
    grass = np.clip(1.6 - 5.5 * under + 2.0 * (folds - 0.5), 0, 1)[..., None]
    scene.paint(mask.astype(np.float32), (rock * (1 - grass) + green * grass) * shade[..., None])


def paint_firs(scene: Scene, x: float, y: float, spread: float, tall: float, count: int) -> None:
    """A few firs standing together."""
    rng = scene.stream(f"firs {x:.0f}")
    tone = scene.palette.lit((0.09, 0.20, 0.14))
    trees = [
        conifer(rng, x + float(rng.normal(0, spread)), y, tall * float(rng.uniform(0.6, 1.1))) for _ in range(count)
    ]
    scene.shape(trees, tone)


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
