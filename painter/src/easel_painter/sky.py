"""The sky with sun, moon, stars and aurora."""

import numpy as np

from easel_painter import clouds
from easel_painter.canvas import Scene, disc
from easel_painter.noise import fbm, line, smoothstep
from easel_painter.palette import mix
from easel_painter.reading import Colour


def paint_sky(scene: Scene) -> None:
    """Everything above the horizon that is not land."""
    _gradient(scene)
    night = scene.palette.hour == "night"
    clear = not scene.reading.has("rain", "fog") or scene.reading.has("stars")
    if scene.reading.has("stars") or (night and clear and scene.may("stars")):
        paint_stars(scene)
        scene.show("stars")
    if scene.reading.has("aurora"):
        _aurora(scene)
    if scene.light_shown:
        if night or scene.reading.has("moon"):
            _moon(scene)
        else:
            _sun(scene)
    if not scene.reading.has("fog") and scene.may("clouds"):
        clouds.paint_clouds(scene)


def _gradient(scene: Scene) -> None:
    palette = scene.palette
    at = np.clip(scene.rows() / max(1, scene.horizon), 0, 1)
    wobble = fbm(scene.stream("air"), scene.width, scene.height, (2, 2), 2) - 0.5
    t = np.clip(at + wobble * 0.22, 0, 1)[..., None]
    zenith, middle, horizon = (
        np.asarray(c, dtype=np.float32) for c in (palette.zenith, palette.middle, palette.horizon)
    )
    low = np.clip(t / 0.6, 0, 1)
    high = np.clip((t - 0.6) / 0.4, 0, 1) ** 1.25
    scene.rgb[:] = (zenith * (1 - low) + middle * low) * (1 - high) + horizon * high
    x, y = scene.light
    dx, dy = (scene.columns() - x) / scene.short, (scene.rows() - y) / scene.short
    distance = np.sqrt(dx * dx * 0.8 + dy * dy)
    strength = 0.30 if palette.hour == "night" else 0.60 if scene.light_shown else 0.34
    scene.glow(np.float32(strength) * np.exp(-distance / np.float32(0.30)), palette.light)


def _sun(scene: Scene) -> None:
    scene.show("sun")
    x, y = scene.light
    size = scene.short * 0.045 * scene.reading.motifs.get("sun", 1.0) ** 0.6
    if scene.palette.hour in ("sunset", "dawn"):
        size *= 1.35
    window, mask = disc(scene, x, y, size)
    scene.put(window, mask, mix(scene.palette.light, (1.0, 1.0, 0.92), 0.6))
    scene.lamps.append((x, y, size * 2.6, scene.palette.light, 0.55))
    scene.lamps.append((x, y, size * 7, scene.palette.light, 0.24))


def _moon(scene: Scene) -> None:
    scene.show("moon")
    x, y = scene.light
    size = scene.short * 0.058 * scene.reading.motifs.get("moon", 1.0) ** 0.6
    window, mask = disc(scene, x, y, size)
    height, width = mask.shape
    if not mask.size:
        return
    rng = scene.stream("moon")
    seas = smoothstep(0.45, 0.7, fbm(rng, width, height, (4, 4), 3))[..., None]
    face = np.asarray((1.0, 0.98, 0.90), dtype=np.float32) * (1 - 0.22 * seas)
    if scene.reading.is_a("crescent") or (rng.random() < 0.3 and not scene.reading.is_a("full moon")):
        # A crescent: the same disc without what a second one, to its side, covers.
        dx = np.arange(window[1].start, window[1].stop, dtype=np.float32)[None, :] - np.float32(x + size * 0.6)
        dy = np.arange(window[0].start, window[0].stop, dtype=np.float32)[:, None] - np.float32(y - size * 0.25)
        mask = mask * np.clip(np.sqrt(dx * dx + dy * dy) - np.float32(size * 0.95), 0, 1)
    scene.put(window, mask, face)
    scene.lamps.append((x, y, size * 2.2, (0.70, 0.78, 1.0), 0.34))
    scene.lamps.append((x, y, size * 6, (0.40, 0.52, 0.86), 0.26))


def paint_stars(scene: Scene) -> None:
    """Stars as points, the brightest with rays; the Milky Way where stars are asked for."""
    rng = scene.stream("stars")
    weight = scene.reading.motifs.get("stars", 0.5)
    area = scene.width / scene.short * scene.height / scene.short
    strong = scene.palette.hour in ("night",) or scene.reading.has("stars")
    if scene.reading.has("stars"):
        tilt = rng.uniform(-0.6, 0.6)
        across = (scene.rows() / scene.height - 0.42) + (scene.columns() / scene.width - 0.5) * tilt
        cloud = fbm(rng, scene.width, scene.height, (5, 5), 5)
        band = np.exp(-((across / 0.17) ** 2)).astype(np.float32) * smoothstep(0.30, 0.85, cloud)
        scene.glow(band * np.float32(0.42), mix((0.55, 0.62, 0.95), (0.92, 0.66, 0.82), float(rng.random())))
    count = int(area * 420 * min(2.0, weight + 0.3)) if strong else 80
    xs, ys = (
        rng.random(count) * (scene.width - 2),
        rng.random(count) ** 1.15 * max(3, min(scene.horizon, scene.height - 2)),
    )
    power = (0.25 + 0.75 * rng.random(count) ** 3).astype(np.float32)
    tint = rng.choice(np.asarray([(1, 1, 1), (0.80, 0.88, 1), (1, 0.92, 0.78)], dtype=np.float32), count)
    rows, cols = ys.astype(np.int64), xs.astype(np.int64)
    size = max(1, round(scene.short / 512))
    for dy in range(size):
        for dx in range(size):
            r, c = np.minimum(rows + dy, scene.height - 1), np.minimum(cols + dx, scene.width - 1)
            scene.sparks[r, c] = tint * power[:, None]
    for index in np.argsort(power)[-max(6, count // 45) :]:
        _twinkle(scene, float(xs[index]), float(ys[index]), scene.short * float(rng.uniform(0.003, 0.0065)))


def _twinkle(scene: Scene, x: float, y: float, radius: float) -> None:
    """A bright star: a point with four short rays."""
    thin = max(0.45, radius * 0.22)
    rays = [[(x - radius * 2, y), (x, y - thin), (x + radius * 2, y), (x, y + thin)]]
    rays.append([(x, y - radius * 2), (x + thin, y), (x, y + radius * 2), (x - thin, y)])
    scene.sprinkle(rays, (0.86, 0.92, 1.0), 0.85)


def _aurora(scene: Scene) -> None:
    scene.show("aurora")
    rng = scene.stream("aurora")
    x = scene.columns()[0] / scene.width
    y = scene.rows() / max(1, scene.horizon)
    hues: list[Colour] = [(0.20, 1.0, 0.55), (0.16, 0.85, 0.75), (0.45, 0.95, 0.40)]
    if scene.reading.colours:
        hues = [colour for colour, _ in scene.reading.colours]
    total = np.zeros((scene.height, scene.width, 3), dtype=np.float32)
    for number in range(3):
        base = 0.42 + 0.14 * number + 0.42 * (line(rng, scene.width, 2.5, 3) - 0.5)
        base = base + 0.05 * np.sin(x * 14 + rng.random() * 6).astype(np.float32)
        tall = 0.16 + 0.34 * line(rng, scene.width, 5, 3)
        rays = 0.35 + 0.65 * line(rng, scene.width, 55, 2) * smoothstep(0.2, 0.65, line(rng, scene.width, 3, 2))
        above = base[None, :] - y
        body = np.where(above > 0, np.exp(-above / tall[None, :]), np.exp(above / np.float32(0.022))) * rays[None, :]
        rise = np.clip(above / (tall[None, :] * 1.8), 0, 1)[..., None]
        low = np.asarray(hues[number % len(hues)], dtype=np.float32)
        top = np.asarray((0.62, 0.22, 0.80), dtype=np.float32)
        total += body[..., None] * (low * (1 - rise) + top * rise)
    strength = np.float32(0.85 * min(1.3, max(0.6, scene.reading.weight("aurora"))))
    scene.rgb += np.clip(total * strength, 0, 1) * (1 - np.clip(scene.rgb, 0, 1))
