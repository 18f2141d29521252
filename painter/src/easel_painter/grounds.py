"""Parks and gardens, and what lives in the desert."""

import numpy as np

from easel_painter import plants
from easel_painter.buildings import LAMP, box, solid
from easel_painter.canvas import Point, Scene
from easel_painter.flora import KINDS, Parts, blob, coat, draw
from easel_painter.palette import mix
from easel_painter.terrain import Terrain


def paint_park(scene: Scene, land: Terrain) -> None:
    """Large trees on a lawn with benches and lamps; a garden has clipped hedges and cypresses too."""
    rng = scene.stream("park")
    garden = scene.reading.has("garden")
    scene.show("garden" if garden else "park")
    side = land.side
    if scene.reading.has("park") and garden:
        scene.show("park")
    for z in (14.0, 9.0, 6.2, 4.6):
        for turn in (-1, 1):
            x = scene.width / 2 + turn * land.focal * float(rng.uniform(1.1, 1.7)) * (1.0 + 0.2 * z) / z
            spot = land.spot(x, z)
            kind = str(rng.choice(["poplar", "round", "bush"] if garden else ["round", "round", "birch"]))
            tall = {"poplar": 1.9, "bush": 0.6}.get(kind, 2.0) * float(rng.uniform(0.8, 1.2))
            bare = scene.palette.season == "winter" and kind in ("round", "birch")
            parts = Parts()
            parts.add(KINDS["bare" if bare else kind](rng, x, spot.y, tall * spot.scale, side))
            draw(scene, parts, coat(scene, kind, rng), land.haze_at(z, 30))
    if garden:
        _hedges(scene, land)
    else:
        _bench(scene, land)
    _lanterns(scene, land)


def _hedges(scene: Scene, land: Terrain) -> None:
    """Clipped hedges in two lines that lead the eye to a fountain."""
    palette = scene.palette
    green = palette.lit(mix(palette.foliage, (0.06, 0.20, 0.10), 0.45))
    if palette.season == "winter":
        green = mix(green, palette.lit(palette.snow), 0.5)
    for turn in (-1, 1):
        for z0, z1 in ((9.0, 7.4), (6.8, 5.4), (4.9, 3.8)):
            near, far = (land.spot(scene.width / 2 + turn * land.focal * 1.05 / z, z) for z in (z1, z0))
            high = 0.22
            top = [(near.x, near.y - high * near.scale), (far.x, far.y - high * far.scale)]
            wide = 0.28 * turn
            lid = [
                *top,
                (far.x + wide * far.scale, far.y - high * far.scale),
                (near.x + wide * near.scale, near.y - high * near.scale),
            ]
            front = [
                (near.x, near.y),
                (near.x, top[0][1]),
                (near.x + wide * near.scale, top[0][1]),
                (near.x + wide * near.scale, near.y),
            ]
            inner = [(near.x, near.y), top[0], top[1], (far.x, far.y)]
            air = land.haze_at(near.distance, 30)
            scene.shape([inner], mix(mix(green, (0, 0.02, 0.03), 0.35), palette.haze, air))
            scene.shape([front], mix(mix(green, (0, 0.02, 0.03), 0.15), palette.haze, air))
            scene.shape([lid], mix(mix(green, palette.light, 0.20), palette.haze, air))
    spot = land.spot(scene.width / 2, 7.0)
    _fountain(scene, spot.x, spot.y, spot.scale * 0.75)


def _fountain(scene: Scene, x: float, y: float, size: float) -> None:
    stone = mix(scene.palette.rock, (0.86, 0.82, 0.74), 0.7)
    solid(scene, [box(x - size * 0.05, y - size * 0.55, x + size * 0.05, y)], stone, x)
    bowls = [(0.62, 0.0, 0.14), (0.30, 0.32, 0.09), (0.16, 0.52, 0.06)]
    for half, low, high in bowls:
        solid(
            scene,
            [
                [
                    (x - size * half, y - size * (low + high)),
                    (x + size * half, y - size * (low + high)),
                    (x + size * half * 0.7, y - size * low),
                    (x - size * half * 0.7, y - size * low),
                ]
            ],
            stone,
            x,
        )
    white = mix(scene.palette.lit((0.94, 0.97, 1.0)), scene.palette.light, 0.2)
    jets: list[list[Point]] = []
    for lean in (-0.30, -0.16, 0.16, 0.30):
        t = np.linspace(0, 1, 9)
        xs, ys = x + size * lean * t, y - size * (0.58 + 0.30 * np.sin(np.pi * t * 0.8) - 0.42 * t * t)
        jets.append(
            [
                *zip(xs.tolist(), ys.tolist(), strict=True),
                *zip((xs[::-1] + size * 0.018).tolist(), ys[::-1].tolist(), strict=True),
            ]
        )
    scene.shape(jets, white, 0.7)


def _bench(scene: Scene, land: Terrain) -> None:
    rng = scene.stream("bench")
    spot = land.spot(scene.width * (0.5 + float(rng.choice([-0.24, 0.24]))), 3.6)
    size = spot.scale * 0.42
    wood = scene.palette.lit((0.44, 0.29, 0.18))
    parts = [
        box(spot.x - size, spot.y - size * (0.42 + 0.17 * k), spot.x + size, spot.y - size * (0.32 + 0.17 * k))
        for k in range(3)
    ]
    scene.shape(
        [
            box(spot.x - size * 0.85 + s, spot.y - size * 0.72, spot.x - size * 0.78 + s, spot.y)
            for s in (0, size * 1.6)
        ],
        scene.palette.lit((0.10, 0.10, 0.11)),
    )
    scene.shape(parts, mix(wood, scene.palette.light, 0.12))


def _lanterns(scene: Scene, land: Terrain) -> None:
    iron = scene.palette.lit((0.12, 0.13, 0.14))
    for z in (8.5, 5.5, 3.9):
        for turn in (-1, 1):
            spot = land.spot(scene.width / 2 + turn * land.focal * 0.78 / z, z)
            tall, half = spot.scale * 0.72, max(0.6, spot.scale * 0.011)
            scene.shape([box(spot.x - half, spot.y - tall, spot.x + half, spot.y)], iron)
            head = spot.scale * 0.045
            glass = (1.0, 0.88, 0.60) if scene.palette.is_dark else scene.palette.lit((0.88, 0.86, 0.80))
            scene.shape([blob(scene.stream("lantern"), spot.x, spot.y - tall - head, head, 10)], glass)
            if scene.palette.is_dark:
                scene.lamps.append((spot.x, spot.y - tall - head, head * 2.4, (1.0, 0.90, 0.62), 0.9))
                scene.lamps.append((spot.x, spot.y - tall * 0.7, tall * 0.6, LAMP, 0.28))


def paint_oasis(scene: Scene, land: Terrain) -> None:
    """A pool among palms in a hollow of the sand."""
    rng = scene.stream("oasis")
    palette = scene.palette
    side = 1 if scene.light[0] < scene.width / 2 else -1
    spot = land.spot(scene.width * (0.5 + 0.12 * side), 4.2)
    half, flat = spot.scale * 1.0, spot.scale * 0.16
    turns = np.linspace(0, 2 * np.pi, 26, endpoint=False)
    for grow, colour in (
        (1.22, mix(palette.lit(palette.sand), palette.lit(palette.foliage), 0.55)),
        (1.0, mix(palette.lit((0.10, 0.42, 0.46)), palette.middle, 0.45)),
    ):
        reach = grow * rng.uniform(0.92, 1.06, 26)
        scene.shape(
            [
                [
                    (spot.x + half * float(r * np.cos(t)), spot.y + flat * float(r * np.sin(t)))
                    for r, t in zip(reach, turns, strict=True)
                ]
            ],
            colour,
        )
    for k in range(9):
        turn = float(rng.uniform(-0.15, 1.15)) * np.pi
        x, y = spot.x + half * 1.15 * float(np.cos(turn)), spot.y - flat * 1.05 * float(np.sin(turn))
        shrub = Parts()
        shrub.add(KINDS["bush"](rng, x, y + 2, spot.scale * 0.18, land.side))
        draw(scene, shrub, coat(scene, "bush", rng), 0.10)
        if k % 2 == 0:
            plants.paint_palm(scene, x, y, spot.scale * float(rng.uniform(0.9, 1.5)))


def paint_caravan(scene: Scene, land: Terrain) -> None:
    """Tiny camels and walkers in single file, with their shadows."""
    rng = scene.stream("caravan")
    tone = mix(scene.palette.lit((0.20, 0.13, 0.10)), scene.palette.haze, 0.15)
    start, z = float(rng.uniform(0.15, 0.55)) * scene.width, float(rng.uniform(8.0, 12.0))
    shapes: list[list[Point]] = []
    shadows: list[list[Point]] = []
    for k in range(int(rng.integers(4, 8))):
        column = start + k * land.focal / z * 0.60
        spot = land.spot(column, z)
        if spot.y > land.crest[spot.point] + spot.scale * 0.12:
            continue
        size = spot.scale * 0.34
        shapes += _camel(spot.x, spot.y, size)
        shadows.append(
            [
                (spot.x - size * 0.4, spot.y),
                (spot.x + size * 0.4, spot.y),
                (spot.x - land.side * size * 1.9, spot.y + size * 0.25),
            ]
        )
    scene.shape(shadows, mix(scene.palette.lit((0.25, 0.16, 0.14)), scene.palette.zenith, 0.3), 0.45)
    scene.shape(shapes, tone)


def _camel(x: float, y: float, size: float) -> list[list[Point]]:
    body: list[Point] = [
        (-0.42, -0.52),
        (-0.30, -0.66),
        (-0.12, -0.72),
        (0.0, -0.98),
        (0.12, -0.72),
        (0.30, -0.62),
        (0.42, -0.66),
        (0.52, -0.98),
    ]
    body += [(0.56, -1.06), (0.74, -1.02), (0.72, -0.94), (0.60, -0.92), (0.52, -0.54), (0.34, -0.44), (-0.34, -0.42)]
    legs = [
        [(at - 0.05, -0.48), (at + 0.05, -0.48), (at + 0.03, 0.0), (at - 0.03, 0.0)]
        for at in (-0.32, -0.20, 0.26, 0.38)
    ]
    return [[(x + px * size, y + py * size) for px, py in part] for part in ([*body], *legs)]
