"""What lies over a finished scene: fog, rain, snow, the glow of lamps, the grading of the whole."""

import numpy as np

from easel_painter.canvas import Point, Scene
from easel_painter.noise import Field, blur, fbm, smoothstep
from easel_painter.palette import mix
from easel_painter.terrain import Terrain, blend


def paint_weather(scene: Scene) -> None:
    """Fog, rain and falling snow, as the words ask."""
    if scene.reading.has("fog"):
        _fog(scene)
    if scene.reading.has("rain"):
        _rain(scene)
    if scene.reading.has("snow"):
        _snowfall(scene)


def _fog(scene: Scene) -> None:
    scene.show("fog")
    rng = scene.stream("fog")
    banks = fbm(rng, scene.width, scene.height, (2.5, 9), 5, 0.55)
    at = (scene.rows() - scene.horizon) / scene.height
    body = np.exp(-((at / 0.26) ** 2)).astype(np.float32)
    weight = min(1.5, scene.reading.weight("fog"))
    mask = np.clip((0.12 + 0.72 * body * smoothstep(0.15, 0.75, banks)) * np.float32(weight), 0, 0.93)
    scene.paint(mask, mix(scene.palette.haze, scene.palette.light, 0.12))


def _rain(scene: Scene) -> None:
    scene.show("rain")
    rng = scene.stream("rain")
    weight = min(1.6, scene.reading.weight("rain"))
    veil = fbm(rng, scene.width, scene.height, (7, 1.6), 3)
    scene.paint(np.clip(veil - 0.45, 0, 1) * np.float32(0.55 * weight), scene.palette.haze)
    tone = mix(scene.palette.haze, (0.90, 0.95, 1.0), 0.45)
    lean = rng.uniform(-0.22, 0.22)
    for share, strength in ((1.0, 0.16), (0.45, 0.32)):
        drops: list[list[Point]] = []
        for _ in range(int(420 * weight * share * scene.width * scene.height / scene.short**2)):
            x, y = rng.random() * scene.width, rng.random() * scene.height
            long = scene.short * rng.uniform(0.025, 0.07)
            half = max(0.45, scene.short * 0.0009)
            drops.append(
                [(x - half, y), (x + half, y), (x + half + lean * long, y + long), (x - half + lean * long, y + long)]
            )
        scene.sprinkle(drops, tone, strength)


def _snowfall(scene: Scene) -> None:
    scene.show("snow")
    rng = scene.stream("snow")
    weight = min(1.6, scene.reading.weight("snow"))
    area = scene.width * scene.height / scene.short**2
    for size, count, strength in ((0.0022, 520, 0.62), (0.0042, 190, 0.72), (0.0085, 46, 0.55)):
        flakes: list[list[Point]] = []
        for _ in range(int(count * area * weight)):
            x, y = rng.random() * scene.width, rng.random() * scene.height
            r = max(0.8, scene.short * size * rng.uniform(0.6, 1.2))
            flakes.append(
                [
                    (x, y - r),
                    (x + r * 0.8, y - r * 0.4),
                    (x + r * 0.8, y + r * 0.4),
                    (x, y + r),
                    (x - r * 0.8, y + r * 0.4),
                    (x - r * 0.8, y - r * 0.4),
                ]
            )
        scene.sprinkle(flakes, mix((0.97, 0.98, 1.0), scene.palette.haze, 0.18), strength)


def light_lamps(scene: Scene) -> None:
    """Add every glow that the motifs left behind, each in a window of its own size."""
    for x, y, radius, colour, strength in scene.lamps:
        reach = radius * 2.6
        left, right = max(0, int(x - reach)), min(scene.width, int(x + reach) + 1)
        top, bottom = max(0, int(y - reach)), min(scene.height, int(y + reach) + 1)
        if right <= left or bottom <= top:
            continue
        dx = (np.arange(left, right, dtype=np.float32)[None, :] - np.float32(x)) / np.float32(radius)
        dy = (np.arange(top, bottom, dtype=np.float32)[:, None] - np.float32(y)) / np.float32(radius)
        mask = np.clip(np.exp(-(dx * dx + dy * dy)) - np.float32(0.0012), 0, 1) * np.float32(strength)
        part = scene.rgb[top:bottom, left:right]
        part += mask[..., None] * np.asarray(colour, dtype=np.float32) * (1 - np.clip(part, 0, 1))
    scene.lamps.clear()


def grade(scene: Scene) -> None:
    """Bloom of the bright, contrast, saturation, darker corners."""
    rgb = scene.rgb
    bright = np.clip(rgb - np.float32(0.72), 0, 1)
    rgb += blur(bright, max(2, scene.short // 26)) * np.float32(0.55)
    palette = scene.palette
    grey = _luma(rgb)[..., None]
    np.add(grey, (rgb - grey) * np.float32(1.10 * palette.saturation), out=rgb)
    pivot = np.float32(0.42)
    np.add(pivot, (rgb - pivot) * np.float32(1.06 * palette.contrast), out=rgb)
    dx = scene.columns() / scene.width - 0.5
    dy = scene.rows() / scene.height - 0.5
    rgb *= (1 - np.float32(0.50) * np.clip(dx * dx + dy * dy - np.float32(0.12), 0, 1))[..., None]
    np.clip(rgb, 0, 1, out=rgb)


def _luma(rgb: Field) -> Field:
    red, green, blue = (np.float32(share) for share in (0.299, 0.587, 0.114))
    return np.asarray(rgb[..., 0] * red + rgb[..., 1] * green + rgb[..., 2] * blue, dtype=np.float32)


def paint_cloud_sea(scene: Scene, row: float, behind: bool) -> None:
    """A level of clouds seen from above: `behind` covers it all, else only what lies nearer than row `row`."""
    rng = scene.stream("cloud sea")
    palette = scene.palette
    view = Terrain(scene, 70.0 if behind else max(3.0, scene.short * 0.95 / max(4.0, row - scene.horizon)))
    size = float(rng.uniform(5.0, 8.0))
    broad = view.noise("cloud sea", size, 3, 0.5)
    puffs = 1 - np.abs(2 * view.noise("puffs", size * 0.45, 5, 0.55) - 1)
    height = (0.25 + 0.055 * view.z) * (broad * 0.8 + puffs * 0.45 - 0.25)
    height = np.asarray(np.minimum(height, 0.20 + 0.10 * view.z), dtype=np.float32)
    light = view.light(height, 0.9, 0.45)
    share = np.clip(0.16 + 0.62 * light * (0.55 + 0.6 * broad), 0, 1)
    dark = mix(mix(palette.cloud_dark, palette.haze, 0.35), palette.zenith, 0.15)
    tone = blend(dark, mix(palette.cloud_lit, (0.94, 0.95, 0.97), 0.35), share) * np.float32(0.94)
    # The near level ends in wisps around whatever rises from it.
    edge = smoothstep(float(view.z[-1, 0]), float(view.z[-1, 0]) * 0.72, view.z + (puffs - 0.5) * 1.2)
    solid = np.ones_like(height) if behind else np.asarray(edge, dtype=np.float32)
    view.lay(height, view.in_air(tone, 42, 0.80, 1.5), solid)
