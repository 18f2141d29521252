"""From a reading to a whole scene: what stands where, and in which order it is painted."""

import numpy as np

from generator.engines.base import Brief
from generator.engines.painter import air, aloft, landside, peaks, plants, sky, space, waterside, woods
from generator.engines.painter.canvas import Scene
from generator.engines.painter.noise import Field, cppn, fbm, line, resize, smoothstep, stream
from generator.engines.painter.palette import Palette, choose, mix
from generator.engines.painter.reading import Reading


def paint_scene(brief: Brief, reading: Reading) -> Scene:
    """The finished picture before it is broken into brush strokes."""
    seed = (brief.seed, " ".join(sorted(reading.motifs)), " ".join(reading.unknown))
    palette = choose(reading, *seed)
    if is_abstract(reading):
        return paint_abstract(brief, reading, palette, seed)
    scene = _set_out(brief, reading, palette, seed)
    sky.paint_sky(scene)
    # Now, so that what comes before the sun or moon also hides its glow.
    air.light_lamps(scene)
    if not space.paint_space(scene):
        _far(scene)
        aloft.paint_aloft(scene)
        if waterside.is_by_water(scene):
            waterside.paint_waterside(scene)
        else:
            landside.paint_landside(scene)
    if reading.has("fire"):
        plants.paint_fire(
            scene, scene.width * scene.stream("fire at").uniform(0.35, 0.65), scene.height * 0.90, scene.short * 0.20
        )
    air.paint_weather(scene)
    air.light_lamps(scene)
    air.grade(scene)
    return scene


def is_abstract(reading: Reading) -> bool:
    """Whether there is nothing to paint by name."""
    return reading.has("abstract") or not (reading.motifs or reading.times or reading.seasons)


def _set_out(brief: Brief, reading: Reading, palette: Palette, seed: tuple[object, ...]) -> Scene:
    """The empty canvas, its horizon and its light. A tall picture gets more sky, a wide one a calmer line."""
    rng = stream("layout", *seed)
    width, height = brief.width, brief.height
    level = {True: 0.60, False: 0.56}[height > width] + rng.uniform(-0.04, 0.05)
    if reading.has("stars", "aurora", "moon") and not reading.has("city", "castle"):
        level += 0.09
    if reading.has("flowers", "field", "road") and not reading.has("aurora", "stars"):
        level -= 0.07
    horizon = int(height * level)
    side = rng.choice([-1.0, 1.0])
    x = width * (0.5 + side * rng.uniform(0.10, 0.27))
    low = palette.hour in ("sunset", "dawn", "golden")
    y = horizon - height * (rng.uniform(0.05, 0.16) if low else rng.uniform(0.30, 0.44))
    shown = reading.has("sun", "moon") or (low and not reading.has("rain", "fog", "mountains", "forest"))
    shown = shown or (
        palette.hour == "night" and not reading.has("aurora", "stars", "rain") and bool(rng.random() < 0.6)
    )
    if reading.has("sun", "moon") and reading.has("mountains", "forest", "city"):
        # Else it would be lost behind them.
        y = min(y, horizon - height * rng.uniform(0.36, 0.44))
    body = "moon" if palette.hour == "night" or reading.has("moon") else "sun"
    shown = shown and (body not in reading.unwanted or reading.has(body)) and not reading.is_a("rough")
    rgb = np.zeros((height, width, 3), dtype=np.float32)
    return Scene(rgb, palette, reading, seed, horizon, (x, y), light_shown=shown)


def _far(scene: Scene) -> None:
    """What stands behind the land or the water."""
    reading = scene.reading
    if reading.has("forest") and woods.is_inside(scene):
        return
    if reading.has("mountains"):
        peaks.paint_mountains(scene)
    if reading.has("volcano"):
        peaks.paint_volcano(scene)
    if reading.has("mountains", "volcano", "sea", "desert", "canyon", "street"):
        return
    if reading.has(
        "lake", "river", "field", "snow", "road", "castle", "house", "church", "windmill", "flowers", "village"
    ):
        _distant_range(scene)


def _distant_range(scene: Scene) -> None:
    """A low line of far hills: a horizon that is not ruled."""
    rng = scene.stream("distance")
    high = float(rng.uniform(0.02, 0.075))
    for layer in range(2):
        crest = scene.horizon - scene.short * high * (1 - 0.4 * layer) * line(rng, scene.width, 3 + layer, 4) * 1.5
        tone = scene.palette.far(mix(scene.palette.rock, scene.palette.foliage, 0.5), 0.78 - 0.16 * layer)
        scene.paint(np.clip(scene.rows() - crest[None, :] + 0.5, 0, 1), tone)


def paint_ground_idea(brief: Brief, palette: Palette, zoom: float = 1.3) -> Field:
    """The ground under every picture: what a small random network sees, in the palette's colours."""
    rng = stream("ground idea", brief.seed, brief.prompt)
    width, height = max(16, brief.width // 4), max(16, brief.height // 4)
    network = cppn(rng, width, height, zoom=zoom)
    colours = (palette.zenith, palette.middle, palette.horizon, palette.lit(palette.foliage), palette.cloud_lit)
    small = _through(network[..., 0], colours) * (0.75 + 0.5 * network[..., 1:2])
    return np.clip(np.stack([resize(small[..., c], brief.width, brief.height) for c in range(3)], axis=-1), 0, 1)


def _through(field: Field, colours: tuple[tuple[float, float, float], ...]) -> Field:
    """A field's values 0..1 as a walk through colours."""
    table = np.asarray(colours, dtype=np.float32)
    stops = np.linspace(0, 1, len(table))
    return np.stack([np.interp(field, stops, table[:, c]) for c in range(3)], axis=-1).astype(np.float32)


def paint_abstract(brief: Brief, reading: Reading, palette: Palette, seed: tuple[object, ...]) -> Scene:
    """No things: flowing bands of the palette, lit from one side as if they were folds."""
    rng = stream("abstract", *seed)
    width, height = brief.width, brief.height
    network = cppn(rng, width // 2, height // 2, hidden=9, layers=4, zoom=1.25)
    fields = [resize(network[..., c], width, height) for c in range(3)]
    grain = fbm(rng, width, height, (4, 4), 5)
    flow = fields[0] * 1.4 + 0.35 * fields[1] + 0.16 * (grain - 0.5)
    bands = (np.sin(flow * np.float32(9.0)) * 0.5 + 0.5).astype(np.float32)
    own = tuple(colour for colour, _ in reading.colours)
    extra = tuple(
        tuple(float(v) for v in 0.15 + 0.8 * stream("accent", word).random(3)) for word in reading.unknown[:3]
    )
    ramp = (palette.zenith, palette.middle, *own, *extra, palette.light, palette.horizon, palette.cloud_dark)
    colour = _through(np.clip(fields[1] * 0.75 + bands * 0.25, 0, 1), ramp)  # type: ignore[arg-type]
    dy, dx = np.gradient(flow + bands * np.float32(0.05))
    relief = np.clip((dx * 0.7 - dy) * np.float32(brief.width * 0.055), -0.7, 0.9)
    shine = smoothstep(0.35, 0.9, relief)
    rgb = colour * (0.86 + 0.5 * relief)[..., None]
    rgb += shine[..., None] * np.asarray(palette.light, dtype=np.float32) * np.float32(0.30)
    scene = Scene(rgb.astype(np.float32), palette, reading, seed, height // 2, (width * 0.3, height * 0.2))
    air.grade(scene)
    return scene
