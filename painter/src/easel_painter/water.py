"""Water mirrors what stands above it."""

import numpy as np

from easel_painter.canvas import Scene
from easel_painter.noise import Field, fbm, line, perspective, smoothstep
from easel_painter.palette import mix
from easel_painter.terrain import Terrain, blend


def paint_water(scene: Scene, shore: int, rough: float) -> None:
    """Fill everything below row `shore` with water; `rough` 0 is a mirror, 1 an open sea."""
    rows = scene.height - shore
    if rows < 4:
        return
    rng = scene.stream("water")
    wide = scene.width / scene.short
    depth = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    waves = perspective(fbm(rng, scene.width, scene.height, (7 * wide, 80), 4, 0.6), shore, 0.14)
    fine = perspective(fbm(rng, scene.width, scene.height, (20 * wide, 190), 2, 0.6), shore, 0.14)
    ripple = (waves - 0.5) * 1.3 + (fine - 0.5) * 0.7
    mirror = _mirror(scene, shore, ripple, depth, rough)
    palette = scene.palette
    body = scene.reading.paints.get("sea") or scene.reading.paints.get("lake") or palette.water
    deep = np.asarray(mix(palette.lit(body), palette.zenith, 0.30), dtype=np.float32)
    # Water far away is seen flat and mirrors more than the water at one's feet.
    share = np.clip(0.86 - (0.26 + 0.34 * rough) * depth - rough * 0.55 * np.clip(ripple, 0, 1), 0.12, 0.95)[..., None]
    tone = deep * (1.0 + ripple[..., None] * (0.35 + 0.5 * rough) - 0.22 * depth[..., None])
    scene.rgb[shore:] = mirror * share + tone * (1 - share)
    _path_of_light(scene, shore, ripple, fine, depth)
    if rough > 0.5:
        _foam(scene, shore, waves, fine, depth)
    edge = np.exp(-np.arange(rows, dtype=np.float32) / max(1.5, scene.short * 0.008))[:, None]
    scene.paint(np.broadcast_to(edge * np.float32(0.45), (rows, scene.width)), palette.haze, shore)


def _mirror(scene: Scene, shore: int, ripple: Field, depth: Field, rough: float) -> Field:
    """The picture above the shore, upside down and broken by ripples."""
    rows = ripple.shape[0]
    reach = scene.short * (0.006 + 0.03 * rough)
    below = np.arange(rows, dtype=np.float32)[:, None]
    up = shore - 1 - below * (0.92 * min(1.0, shore / max(1, rows))) + ripple * reach * (0.3 + 2.2 * depth)
    over = scene.columns() + ripple * reach * (0.25 + 1.5 * depth)
    source = np.clip(up, 0, shore - 1).astype(np.int64) * scene.width + np.clip(over, 0, scene.width - 1).astype(
        np.int64
    )
    dim = np.asarray((0.84, 0.88, 0.92), dtype=np.float32)
    mirrored: Field = np.take(scene.rgb.reshape(-1, 3), source, axis=0) * dim
    return mirrored


def _path_of_light(scene: Scene, shore: int, ripple: Field, fine: Field, depth: Field) -> None:
    """The glitter under sun or moon."""
    if not scene.light_shown:
        return
    x = scene.light[0]
    spread = scene.short * (0.035 + 0.16 * depth)
    beam = np.exp(-(((scene.columns() - x) / spread) ** 2)).astype(np.float32)
    sparks = smoothstep(0.08, 0.34, ripple) * (0.4 + 0.6 * fine)
    night = scene.palette.hour == "night"
    strength = np.float32(0.75 if night else 0.95)
    scene.glow(beam * (sparks + 0.16) * strength * (1 - 0.45 * depth), scene.palette.light, shore)


def _foam(scene: Scene, shore: int, waves: Field, fine: Field, depth: Field) -> None:
    crest = smoothstep(0.66, 0.76, waves) * smoothstep(0.50, 0.72, fine) * smoothstep(0.05, 0.5, depth)
    white = mix(scene.palette.lit((0.96, 0.98, 1.0)), scene.palette.horizon, 0.2)
    scene.paint(crest * np.float32(0.62), white, shore)


def paint_beach(scene: Scene) -> None:
    """A strip of sand in front, with the surf's edge."""
    rng = scene.stream("beach")
    slope = (scene.columns()[0] / scene.width - 0.5) * scene.short * 0.10 * (1 if rng.random() < 0.5 else -1)
    crest = scene.height * 0.90 + slope + scene.short * 0.05 * (line(rng, scene.width, 3, 3) - 0.5)
    rows = scene.rows()
    grain = fbm(rng, scene.width, scene.height, (40, 60), 3)
    under = (rows - crest[None, :]) / scene.short
    sand = np.asarray(scene.palette.lit(scene.palette.sand), dtype=np.float32)
    wet = smoothstep(0.0, 0.05, under)
    tone = sand * (0.62 + 0.34 * wet + (grain - 0.5) * 0.12)[..., None]
    scene.paint(np.clip(rows - crest[None, :] + 0.5, 0, 1), tone)
    surf = np.exp(-((under / 0.009) ** 2)).astype(np.float32) + 0.5 * np.exp(-(((under + 0.022) / 0.006) ** 2)).astype(
        np.float32
    )
    scene.paint(np.clip(surf, 0, 1) * np.float32(0.8) * (0.5 + 0.5 * grain), scene.palette.lit((0.97, 0.98, 1.0)))


def paint_bank(scene: Scene) -> None:
    """A dark shore with reeds in the lower corners, which frames still water."""
    rng = scene.stream("bank")
    at = scene.columns()[0] / scene.width
    side = rng.choice([0.0, 1.0])
    rise = np.abs(at - np.float32(1 - side)) ** 3
    crest = scene.height * 1.03 - scene.short * (0.15 * rise + 0.03 * line(rng, scene.width, 6, 4))
    tone = scene.palette.lit(mix(scene.palette.foliage, (0.03, 0.05, 0.06), 0.55))
    scene.paint(np.clip(scene.rows() - crest[None, :] + 0.5, 0, 1), tone)
    reeds = []
    for _ in range(int(90 * scene.width / scene.short)):
        x = scene.width * abs((1 - side) - (1 - float(rng.random()) ** 2.2 * 0.7))
        y = float(crest[int(np.clip(x, 0, scene.width - 1))]) + 2
        tall = scene.short * rng.uniform(0.03, 0.11)
        lean = rng.normal(0.1, 0.2) * tall
        half = max(0.7, scene.short * 0.0022)
        reeds.append([(x - half, y), (x + half, y), (x + lean, y - tall)])
    scene.shape(reeds, tone)


def paint_swell(scene: Scene, rough: float) -> None:
    """A high sea: waves as hills of water that hide each other, foam on their crests and in streaks behind them."""
    rng = scene.stream("swell")
    palette = scene.palette
    view = Terrain(scene, 70.0, eye=1.15)
    turn = float(rng.uniform(-0.5, 0.5))
    along = view.x * np.float32(np.sin(turn)) + view.z * np.float32(np.cos(turn))
    bend = (view.noise("swell bend", 7.0, 3) - 0.5) * 6.5
    height = np.zeros_like(view.x)
    for size, high in ((5.2, 0.62), (2.4, 0.30), (1.1, 0.10)):
        phase = (along + bend * (size / 5.2) ** 0.5) / np.float32(size) + np.float32(rng.random())
        height += np.float32(high) * (1 - np.abs(np.sin(phase * np.float32(np.pi)))) ** np.float32(1.5)
    group = 0.65 + 0.85 * view.noise("groups", 9.0, 2)
    height = height * group * np.float32(rough) * smoothstep(0.4, 4.5, view.z) * smoothstep(75.0, 35.0, view.z)
    chop = view.noise("chop", 0.8, 4, 0.6)
    height = np.asarray(height + (chop - 0.5) * 0.10, dtype=np.float32)
    across, deep = view.slopes(height)
    body = scene.reading.paints.get("sea") or palette.water
    dark = mix(palette.lit(mix(body, (0.03, 0.09, 0.12), 0.5)), palette.zenith, 0.25)
    sky = mix(palette.horizon, palette.middle, 0.45)
    up = np.clip(0.46 - deep * 0.60 + across * np.float32(view.side * 0.25) + (chop - 0.5) * 0.5, 0, 1)
    light = view.light(height, 1.2, shadows=0.0)
    tone = blend(dark, sky, up * 0.75) * (0.50 + 0.58 * light)[..., None]
    # Thin water at a crest lets light through.
    level = height / np.float32(0.80 * rough)
    tone = blend(tone, mix(palette.lit((0.20, 0.52, 0.48)), sky, 0.25), smoothstep(0.60, 1.15, level) * 0.55)
    lace = view.noise("lace", 0.45, 4, 0.62)
    foam = smoothstep(0.52, 0.92, level + (lace - 0.5) * 0.60)
    foam = np.maximum(foam, smoothstep(0.66, 0.80, lace) * smoothstep(0.2, 0.7, level) * 0.55)
    white = mix(palette.lit((0.96, 0.98, 1.0), 0.6), palette.horizon, 0.25)
    tone = blend(tone, white, np.clip(foam, 0, 1) * 0.92)
    # The sea at one's feet is seen from above: only streaks of foam lie on it.
    near = smoothstep(4.0, 1.2, view.z)
    tone = blend(tone, blend(mix(dark, sky, 0.25), white, smoothstep(0.60, 0.85, lace) * 0.5), near * 0.7)
    view.lay(height, view.in_air(tone, 60, 0.75, 1.5))
