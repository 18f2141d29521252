"""Clouds of several kinds: fair-weather heaps, towers, high veils, bands at sunset, a storm's front."""

import numpy as np

from easel_painter.canvas import Scene
from easel_painter.noise import Field, fbm, line, smoothstep
from easel_painter.palette import mix

KINDS = ("fair", "heaps", "towers", "veil", "bands", "front")


def kind_of(scene: Scene) -> str:
    """Which clouds: by weather and hour, else by the seed; "clear" for next to none."""
    reading = scene.reading
    rng = scene.stream("kind of clouds")
    if reading.has("rain", "lightning") or reading.is_a("rough"):
        return "front"
    if "gloomy" in reading.moods:
        return str(rng.choice(["front", "bands"]))
    if reading.has("aurora", "stars", "planet", "nebula"):
        return "clear"
    if scene.palette.hour == "night":
        return str(rng.choice(["clear", "fair", "bands"])) if not reading.has("clouds") else "heaps"
    if reading.has("clouds"):
        return str(rng.choice(["heaps", "towers", "heaps", "bands"]))
    if scene.palette.hour in ("sunset", "dawn"):
        return str(rng.choice(["bands", "veil", "fair", "bands", "heaps"]))
    return str(rng.choice(["fair", "heaps", "veil", "towers", "clear"]))


def paint_clouds(scene: Scene) -> None:
    """The clouds of this picture, between the upper edge and the horizon."""
    rows = min(scene.height, scene.horizon + 2)
    if rows < 8:
        return
    if scene.reading.has("clouds"):
        scene.show("clouds")
    kind = kind_of(scene)
    weight = min(1.6, max(0.7, scene.reading.weight("clouds") or 1.0))
    if kind in ("veil", "fair", "clear"):
        _veil(scene, rows, {"veil": 0.62, "fair": 0.30, "clear": 0.22}[kind] * weight)
    if kind in ("fair", "heaps", "towers"):
        _heaps(scene, rows, kind, weight)
    elif kind == "bands":
        _bands(scene, rows, weight)
    elif kind == "front":
        _front(scene, rows)


def _veil(scene: Scene, rows: int, strength: float) -> None:
    """High ice clouds: thin threads combed by the wind."""
    rng = scene.stream("veil")
    wide = scene.width / scene.short
    slant = float(rng.uniform(-0.35, 0.35))
    threads = fbm(rng, scene.width, rows, (3.2 * wide, 17), 5, 0.55)
    lift = (np.arange(scene.width, dtype=np.float32) * np.float32(slant)).astype(np.int64)
    at = (np.arange(rows)[:, None] + lift[None, :]) % (2 * rows)
    threads = threads[np.minimum(at, 2 * rows - 1 - at), np.arange(scene.width)[None, :]]
    places = smoothstep(0.40, 0.75, fbm(rng, scene.width, rows, (2.2 * wide, 2.6), 3))
    fade = 1 - np.linspace(0, 1, rows, dtype=np.float32)[:, None] ** 3
    mask = smoothstep(0.45, 0.85, threads) * places * fade * np.float32(strength)
    scene.paint(mask.astype(np.float32), scene.palette.cloud_lit)


def _lit(scene: Scene, density: Field, reach: float) -> Field:
    """How bright each part of a cloud is: the thickness between it and the light takes it away."""
    shift = max(1, int(scene.short * reach))
    side = int(np.sign(scene.light[0] - scene.width / 2)) * shift
    low = scene.light[1] > scene.horizon * 0.62
    up = shift // 3 if low else shift
    # The edges repeat themselves, so that no seam shows where the shifted field ends.
    padded = np.pad(density, ((abs(up), abs(up)), (abs(side), abs(side))), mode="edge")
    height, width = density.shape
    towards = padded[0:height, abs(side) + side : abs(side) + side + width]
    return np.asarray(np.clip(0.55 + (density - towards) * 2.3, 0, 1), dtype=np.float32)


def _shade(scene: Scene, mask: Field, light: Field, strength: float, top: int = 0) -> None:
    palette = scene.palette
    dark, bright = (np.asarray(c, dtype=np.float32) for c in (palette.cloud_dark, palette.cloud_lit))
    share = light[..., None]
    scene.paint((mask * np.float32(strength)).astype(np.float32), dark * (1 - share) + bright * share, top)


def _heaps(scene: Scene, rows: int, kind: str, weight: float) -> None:
    """Heaps with lit heads and flat grey feet, smaller towards the horizon; towers rise from it."""
    rng = scene.stream("heaps")
    wide = scene.width / scene.short
    down = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    layers = (
        [(0.78, 5.5, 0.16), (0.52, 3.2, 0.26), (0.20, 2.2, 0.34)]
        if kind != "towers"
        else [(0.86, 6.0, 0.16), (0.62, 1.7, 0.62)]
    )
    for level, cells, deep in layers:
        if kind == "fair" and rng.random() < 0.35:
            continue
        foot = np.float32(level + rng.uniform(-0.05, 0.05))
        puffs = fbm(rng, scene.width, rows, (cells * 2.6 * wide, cells * 2.6 * rows / scene.short), 6, 0.56)
        heap = line(rng, scene.width, cells * wide * 0.6, 4, 0.5)[None, :]
        spare = 0.50 if kind == "fair" else 0.36 if kind == "heaps" else 0.30
        high = np.clip((heap - np.float32(spare / weight)) * 2.4, 0, 1) * np.float32(deep)
        above = (foot - down) / np.maximum(high, np.float32(0.008))
        body = 1 - np.abs(above * 1.25 - 0.45) - (1 - puffs) * 0.95 + 0.35
        flat = smoothstep(-0.10, 0.06, above)
        mask = smoothstep(0.05, 0.30, body) * flat * smoothstep(0.02, 0.10, high)
        light = _lit(scene, np.clip(body, 0, 1) * mask, 0.022) * (0.55 + 0.45 * smoothstep(-0.1, 0.7, above))
        _shade(scene, mask, light, 0.94 - 0.30 * float(foot) * (kind != "towers"))


def _bands(scene: Scene, rows: int, weight: float) -> None:
    """Long flat clouds that catch the low light from below."""
    rng = scene.stream("bands")
    wide = scene.width / scene.short
    field = fbm(rng, scene.width, rows, (1.6 * wide, 13), 6, 0.55)
    ragged = fbm(rng, scene.width, rows, (6 * wide, 22), 4, 0.55)
    density = field * 0.75 + ragged * 0.25
    edge = 0.56 - 0.10 * weight * float(rng.uniform(0.4, 1.2))
    mask = smoothstep(edge, edge + 0.16, density)
    down = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    step = max(1, int(scene.short * 0.010))
    below = np.vstack([density[step:], np.repeat(density[-1:], step, axis=0)])
    low = scene.palette.hour in ("sunset", "dawn", "golden")
    rise = (density - below) * (3.2 if low else -2.4)
    near = np.exp(-(((scene.columns() - np.float32(scene.light[0])) / np.float32(scene.short * 0.6)) ** 2)) * down
    light = np.clip(0.38 + rise + 0.35 * near, 0, 1)
    _shade(scene, mask * (1 - 0.45 * down**4), light.astype(np.float32), 0.90)


def _front(scene: Scene, rows: int) -> None:
    """A heavy ceiling that hangs in folds, lighter under its edge."""
    rng = scene.stream("front")
    palette = scene.palette
    wide = scene.width / scene.short
    down = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    folds = fbm(rng, scene.width, rows, (2.6 * wide, 5.0), 6, 0.55)
    edge = 0.66 + 0.30 * (line(rng, scene.width, 2.5 * wide, 4)[None, :] - 0.5)
    cover = smoothstep(0.10, -0.12, down - edge + (folds - 0.5) * 0.35)
    light = np.clip(_lit(scene, folds, 0.030) * 0.75 + 0.30 * down - 0.12, 0, 1)
    dark = mix(palette.cloud_dark, (0.05, 0.06, 0.09), 0.35)
    tone = (
        np.asarray(dark, dtype=np.float32) * (1 - light[..., None])
        + np.asarray(mix(palette.cloud_dark, palette.cloud_lit, 0.62), dtype=np.float32) * light[..., None]
    )
    scene.paint((cover * np.float32(0.92)).astype(np.float32), tone)
    gap = np.exp(-(((down - 0.93) / 0.10) ** 2)) * np.float32(0.30)
    scene.glow(np.broadcast_to(gap, (rows, scene.width)), palette.horizon)
