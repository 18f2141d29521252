"""Beyond the air: nebulae and galaxies, planets with rings, over a landscape or alone."""

import numpy as np

from easel_painter.canvas import Scene, disc
from easel_painter.noise import Field, fbm, smoothstep
from easel_painter.palette import mix
from easel_painter.reading import Colour
from easel_painter.sky import paint_stars
from easel_painter.terrain import blend

_GASES: list[tuple[Colour, Colour, Colour]] = [
    ((0.10, 0.20, 0.62), (0.82, 0.26, 0.56), (1.0, 0.80, 0.56)),
    ((0.06, 0.36, 0.52), (0.30, 0.72, 0.66), (1.0, 0.86, 0.62)),
    ((0.32, 0.12, 0.56), (0.92, 0.40, 0.24), (1.0, 0.90, 0.66)),
    ((0.08, 0.16, 0.48), (0.46, 0.42, 0.92), (0.92, 0.86, 1.0)),
]


def paint_space(scene: Scene) -> bool:
    """Nebula and planet, as asked. True if that is the whole picture and no land is to be painted."""
    reading = scene.reading
    if not reading.has("nebula", "planet"):
        return False
    companions = set(reading.motifs) - {"nebula", "planet", "stars", "sun", "moon", "clouds"}
    alone = not companions
    if alone:
        scene.rgb[:] = np.asarray((0.010, 0.014, 0.045), dtype=np.float32)
        scene.sparks[:] = 0
        scene.lamps.clear()
        # The sky as a whole: nothing stands in it any more but what follows.
        scene.shown.clear()
        scene.horizon = scene.height
    if reading.has("nebula") or alone:
        _nebula(scene, alone)
    if alone or scene.palette.hour == "night":
        paint_stars(scene)
        scene.show("stars")
    if reading.has("planet"):
        _planets(scene, alone)
    return alone


def _nebula(scene: Scene, alone: bool) -> None:
    """Glowing gas in filaments with dark lanes; sometimes the arms of a galaxy."""
    if scene.reading.has("nebula"):
        scene.show("nebula")
    rng = scene.stream("nebula")
    own = [colour for colour, _ in scene.reading.colours]
    gas: list[Colour] = list(_GASES[int(rng.integers(len(_GASES)))])
    for k, colour in enumerate(own[:3]):
        gas[k % 3] = colour
    wide, tall = scene.width / scene.short, scene.height / scene.short
    x, y = scene.columns() / scene.width - 0.5, scene.rows() / max(1, scene.horizon) - 0.5
    turn = float(rng.uniform(-0.9, 0.9))
    across = (x * np.float32(np.sin(turn)) + y * np.float32(np.cos(turn))) / np.float32(0.26)
    clouds = fbm(rng, scene.width, scene.height, (3 * wide, 3 * tall), 7, 0.58)
    threads = 1 - np.abs(2 * fbm(rng, scene.width, scene.height, (4 * wide, 4 * tall), 6, 0.55) - 1)
    body = np.exp(-((across + (clouds - 0.5) * 1.6) ** 2)).astype(np.float32)
    if alone and rng.random() < 0.35:
        body = _spiral(rng, scene, clouds)
    dust = smoothstep(0.42, 0.72, fbm(rng, scene.width, scene.height, (5 * wide, 5 * tall), 6, 0.58))
    glow = body * (0.25 + 0.95 * threads**2 * clouds * 1.6) * (1 - 0.72 * dust * body)
    strength = np.float32(2.6 if alone else 1.2 if scene.palette.hour == "night" else 0.40)
    # Bright gas comes near to white and never reaches it.
    shine = 1 - np.exp(-glow * strength)
    tone = blend(gas[0], gas[1], smoothstep(0.15, 0.75, clouds * 0.5 + shine * 0.5))
    tone = blend(tone, gas[2], smoothstep(0.55, 1.0, shine) * 0.85)
    scene.rgb += (shine * (0.35 + 0.55 * shine))[..., None] * tone * (1 - np.clip(scene.rgb, 0, 1))


def _spiral(rng: np.random.Generator, scene: Scene, clouds: Field) -> Field:
    """Two arms that wind around a bright heart, seen at a slant."""
    tilt, turn = float(rng.uniform(0.40, 0.75)), float(rng.random() * 3)
    px = (scene.columns() - np.float32(scene.width * 0.5)) / np.float32(scene.short)
    py = (scene.rows() - np.float32(scene.height * 0.48)) / np.float32(scene.short)
    u = px * np.float32(np.cos(turn)) + py * np.float32(np.sin(turn))
    v = (py * np.float32(np.cos(turn)) - px * np.float32(np.sin(turn))) / np.float32(tilt)
    reach = np.sqrt(u * u + v * v) + np.float32(1e-3)
    arms = np.cos(2 * np.arctan2(v, u) - np.log(reach) * 5.5 + (clouds - 0.5) * 2.4)
    heart = np.exp(-((reach / 0.07) ** 2)) * 1.6
    return np.asarray(smoothstep(-0.5, 1.0, arms) * np.exp(-((reach / 0.34) ** 2)) * 1.25 + heart, dtype=np.float32)


def _planets(scene: Scene, alone: bool) -> None:
    scene.show("planet")
    rng = scene.stream("planet")
    weight = min(1.6, max(0.6, scene.reading.weight("planet"))) ** 0.7
    side = 1 if scene.light[0] < scene.width / 2 else -1
    radius = scene.short * weight * float(rng.uniform(0.20, 0.27) if alone else rng.uniform(0.13, 0.18))
    x = scene.width * (0.5 + side * float(rng.uniform(0.04, 0.16)))
    y = scene.height * float(rng.uniform(0.42, 0.54)) if alone else scene.horizon * float(rng.uniform(0.34, 0.46))
    if rng.random() < 0.7:
        _planet(scene, rng, x - side * scene.short * 0.32, y - scene.short * 0.19, radius * 0.20, False)
    _planet(scene, rng, x, y, radius, bool(rng.random() < 0.75))


def _planet(scene: Scene, rng: np.random.Generator, x: float, y: float, radius: float, ringed: bool) -> None:
    """A ball with bands, lit from one side, with or without a ring that passes behind and before it."""
    base: Colour = [(0.86, 0.66, 0.44), (0.42, 0.60, 0.82), (0.78, 0.42, 0.32), (0.52, 0.72, 0.60), (0.66, 0.54, 0.78)][
        int(rng.integers(5))
    ]
    base = scene.reading.paints.get("planet") or base
    tilt = float(rng.uniform(-0.45, 0.45))
    if ringed:
        _ring(scene, x, y, radius, tilt, base, behind=True)
    window, mask = disc(scene, x, y, radius)
    if mask.size:
        dx = (np.arange(window[1].start, window[1].stop, dtype=np.float32)[None, :] - np.float32(x)) / np.float32(
            radius
        )
        dy = (np.arange(window[0].start, window[0].stop, dtype=np.float32)[:, None] - np.float32(y)) / np.float32(
            radius
        )
        dz = np.sqrt(np.clip(1 - dx * dx - dy * dy, 0, 1))
        side = 1.0 if scene.light[0] > x else -1.0
        light = np.clip(dx * np.float32(0.72 * side) - dy * np.float32(0.38) + dz * np.float32(0.52), 0, 1)
        height, width = mask.shape
        swirl = fbm(rng, width, height, (4, 7), 4) - 0.5
        level = dy * np.float32(np.cos(tilt)) - dx * np.float32(np.sin(tilt))
        bands = np.sin(level * 11 + swirl * 2.2) * 0.5 + 0.5
        tone = blend(
            mix(base, (0.20, 0.12, 0.14), 0.35), mix(base, (1.0, 0.95, 0.85), 0.45), np.clip(bands * 0.8 + swirl, 0, 1)
        )
        rim = (1 - dz) ** 3 * light
        colour = tone * (0.03 + 1.05 * light)[..., None] + rim[..., None] * np.asarray(
            (0.35, 0.50, 0.80), dtype=np.float32
        )
        by_day = scene.palette.hour in ("day", "golden", "dawn") and scene.horizon < scene.height
        scene.put(window, mask * np.float32(0.55 if by_day else 1.0), colour)
    if ringed:
        _ring(scene, x, y, radius, tilt, base, behind=False)


def _ring(scene: Scene, x: float, y: float, radius: float, tilt: float, base: Colour, behind: bool) -> None:
    reach = radius * 2.25
    top, bottom = int(max(0, y - reach)), int(min(scene.height, y + reach + 1))
    left, right = int(max(0, x - reach)), int(min(scene.width, x + reach + 1))
    if bottom <= top or right <= left:
        return
    dx = (np.arange(left, right, dtype=np.float32)[None, :] - np.float32(x)) / np.float32(radius)
    dy = (np.arange(top, bottom, dtype=np.float32)[:, None] - np.float32(y)) / np.float32(radius)
    u = dx * np.float32(np.cos(tilt)) + dy * np.float32(np.sin(tilt))
    v = (dy * np.float32(np.cos(tilt)) - dx * np.float32(np.sin(tilt))) / np.float32(0.26)
    away = np.sqrt(u * u + v * v)
    grooves = 0.62 + 0.38 * np.sin(away * 46) * np.sin(away * 17)
    mask = (
        smoothstep(1.30, 1.38, away)
        * smoothstep(2.20, 2.08, away)
        * grooves
        * (1 - 0.85 * np.exp(-(((away - 1.86) / 0.035) ** 2)))
    )
    half = v < 0 if behind else v >= 0
    night = scene.horizon >= scene.height or scene.palette.hour == "night"
    colour = mix(mix(base, (1.0, 0.94, 0.82), 0.55), scene.palette.haze, 0.0 if night else 0.3)
    scene.put(
        (slice(top, bottom), slice(left, right)),
        (mask * half * np.float32(0.85 if night else 0.5)).astype(np.float32),
        colour,
    )
