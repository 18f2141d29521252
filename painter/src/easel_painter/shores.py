"""Islands and rocks that rise from water or clouds."""

import numpy as np

from easel_painter import plants
from easel_painter.canvas import Scene
from easel_painter.noise import Field, fbm, line, smoothstep
from easel_painter.palette import mix
from easel_painter.terrain import blend


def paint_island(scene: Scene, x: float, y: float, half: float, tall: float) -> None:
    """An island with its foot at row `y`: rock under a green top, in the tropics a beach, jungle and palms."""
    tropical = scene.reading.tropical
    rng = scene.stream("island")
    at = (scene.columns()[0] - np.float32(x)) / np.float32(half)
    lumps = line(rng, scene.width, 14, 5)
    peaks = np.exp(-(((at - np.float32(rng.uniform(-0.35, 0.35))) / np.float32(rng.uniform(0.20, 0.45))) ** 2))
    rise = np.clip(1 - at * at, 0, 1) ** np.float32(0.9)
    crest = y - tall * rise * (0.35 + 0.55 * lumps + 0.45 * peaks)
    if tropical:
        _beach_ring(scene, x, y, half * 1.22, tall * 0.10)
    _body(scene, x, y, half, tall, crest, at)
    if tropical:
        _palms(scene, rng, x, y, half, tall, crest)


def _body(scene: Scene, x: float, y: float, half: float, tall: float, crest: Field, at: Field) -> None:
    palette = scene.palette
    rng = scene.stream("island rock")
    top, bottom = max(0, int(crest.min()) - 2), min(scene.height, int(y) + 2)
    if bottom - top < 2:
        return
    rows = scene.rows()[top:bottom]
    mask = np.clip(rows - crest[None, :] + 0.5, 0, 1) * (rows < y) * (np.abs(at)[None, :] < 1)
    under = (rows - crest[None, :]) / max(1.0, tall)
    cells = 12 * scene.width / half
    folds = fbm(rng, scene.width, bottom - top, (cells, 5), 5, 0.58)
    side = np.float32(np.sign(scene.light[0] - x) or 1.0)
    relief = np.gradient(folds, axis=1) * np.float32(side * half / 9)
    slope = np.gradient(crest).astype(np.float32)[None, :] * side
    light = np.clip(0.80 + np.clip(relief, -0.8, 0.8) * 0.6 + np.clip(slope, -0.6, 0.6) * 0.55, 0.22, 1.35)[..., None]
    rock = np.asarray(palette.lit(mix(palette.rock, (0.46, 0.36, 0.28), 0.45)), dtype=np.float32)
    leaf = palette.snow if palette.season == "winter" else palette.foliage
    green = blend(palette.lit(mix(leaf, (0.04, 0.10, 0.06), 0.25)), palette.lit(mix(leaf, palette.grass, 0.5)), folds)
    share = np.clip((2.6 if scene.reading.tropical else 1.5) - 4.5 * under + 2.4 * (folds - 0.5), 0, 1)
    scene.paint(mask.astype(np.float32), blend(rock, green, share) * light, top)


def _beach_ring(scene: Scene, x: float, y: float, half: float, tall: float) -> None:
    """A low bank of sand around the island, with a line of surf."""
    palette = scene.palette
    t = np.linspace(-1, 1, 40)
    ys = y - tall * (1 - t * t) ** 0.6
    sand = mix(palette.lit(palette.sand), palette.light, 0.15)
    scene.shape([[*zip((x + half * t).tolist(), ys.tolist(), strict=True), (x + half, y + 1), (x - half, y + 1)]], sand)
    thin = max(1.0, scene.short * 0.003)
    scene.shape(
        [[(x - half, y - thin), (x + half, y - thin), (x + half * 1.04, y + thin), (x - half * 1.04, y + thin)]],
        palette.lit((0.96, 0.98, 1.0)),
        0.7,
    )


def _palms(scene: Scene, rng: np.random.Generator, x: float, y: float, half: float, tall: float, crest: Field) -> None:
    count = int(rng.integers(5, 9))
    for k in range(count):
        at = float(rng.uniform(-0.92, 0.92))
        column = int(np.clip(x + at * half, 0, scene.width - 1))
        foot = min(y - tall * 0.03, float(crest[column]) + tall * (0.30 if k % 2 else 0.12))
        plants.paint_palm(scene, x + at * half, foot, scene.short * float(rng.uniform(0.11, 0.19)))


def paint_rock(scene: Scene, x: float, y: float, half: float, tall: float, flat: float = 0.62) -> None:
    """A steep rock whose `flat` top carries something; its foot at row `y` is to be hidden by water or clouds."""
    palette = scene.palette
    rng = scene.stream(f"rock {x / scene.width:.2f}")
    at = (scene.columns()[0] - np.float32(x)) / np.float32(half)
    lumps = line(rng, scene.width, 18 * scene.width / scene.short * 0.4, 5)
    rise = smoothstep(1.0, flat, np.abs(at) + (lumps - 0.5) * 0.42)
    crest = y - tall * rise * (0.94 + 0.10 * lumps)
    top, bottom = max(0, int(crest.min()) - 2), min(scene.height, int(y) + 2)
    if bottom - top < 2:
        return
    rows = scene.rows()[top:bottom]
    cells = 10 * scene.width / half
    ledges = fbm(rng, scene.width, bottom - top, (cells * 0.6, 3), 6, 0.52)
    under = (rows - crest[None, :]) / max(1.0, tall)
    side = np.float32(np.sign(scene.light[0] - x) or 1.0)
    relief = np.gradient(ledges, axis=1) * np.float32(side * half / 7)
    light = np.clip(0.76 + np.clip(relief, -0.9, 0.9) * 0.55 + 0.30 * np.clip(at * side, -1, 1)[None, :], 0.15, 1.35)
    stone = np.asarray(palette.lit(mix(palette.rock, (0.44, 0.36, 0.32), 0.4)), dtype=np.float32)
    turf = palette.lit(palette.snow if palette.season == "winter" else mix(palette.grass, palette.foliage, 0.4))
    colour = blend(stone, turf, smoothstep(0.14, 0.03, under + (ledges - 0.5) * 0.22)) * light[..., None]
    mask = np.clip(rows - crest[None, :] + 0.5, 0, 1) * (rows < y) * (rise > 0.003)[None, :]
    scene.paint(mask.astype(np.float32), colour, top)
