"""Compose a whole scene from a reading: positions, and the order of painting."""

from collections.abc import Callable

import numpy as np

from easel_painter import abstract, air, aloft, landside, peaks, plants, sky, space, waterside, woods
from easel_painter.canvas import Scene
from easel_painter.close import closeup
from easel_painter.noise import Field, cppn, line, resize, stream
from easel_painter.palette import Palette, choose, mix
from easel_painter.reading import Reading
from generator.engines.base import ImageRequest


def paint_scene(request: ImageRequest, reading: Reading, report: Callable[[], None] = lambda: None) -> Scene:
    """Paint the finished picture, before a medium breaks it into strokes.

    `report` is called regularly and may raise `Stopped`.
    """
    seed = (request.seed, " ".join(sorted(reading.motifs)), " ".join(reading.unknown))
    palette = choose(reading, *seed)
    if is_abstract(reading):
        return abstract.paint_abstract(request, reading, palette, seed, report)
    scene = _set_out(request, reading, palette, seed)
    scene.report = report
    if closeup.is_wanted(reading):
        closeup.paint(scene, _landscape)
    else:
        _landscape(scene)
        air.paint_weather(scene)
    air.light_lamps(scene)
    air.grade(scene)
    return scene


def empty_scene(request: ImageRequest, reading: Reading) -> Scene:
    """Return an empty canvas in the light that the words ask for."""
    seed = (request.seed, " ".join(sorted(reading.motifs)), " ".join(reading.unknown))
    return _set_out(request, reading, choose(reading, *seed), seed)


def _landscape(scene: Scene) -> None:
    """Paint sky, land or water and everything in it, without the weather in front."""
    reading = scene.reading
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


def is_abstract(reading: Reading) -> bool:
    """Return whether there is nothing to paint by name."""
    if closeup.is_wanted(reading):
        return False
    # Only an hour or a season means a landscape.
    nothing = not reading.motifs and bool(reading.times or reading.seasons)
    return reading.has("abstract") or (abstract.is_wanted(reading) and not nothing)


def _set_out(request: ImageRequest, reading: Reading, palette: Palette, seed: tuple[object, ...]) -> Scene:
    """Create the empty canvas with horizon and light. A tall picture gets more sky, a wide one a lower horizon."""
    rng = stream("layout", *seed)
    width, height = request.width, request.height
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
    """Paint what is behind the land or the water."""
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
    """Paint a low line of distant hills, so that the horizon is not a straight line."""
    rng = scene.stream("distance")
    high = float(rng.uniform(0.02, 0.075))
    for layer in range(2):
        crest = scene.horizon - scene.short * high * (1 - 0.4 * layer) * line(rng, scene.width, 3 + layer, 4) * 1.5
        tone = scene.palette.far(mix(scene.palette.rock, scene.palette.foliage, 0.5), 0.78 - 0.16 * layer)
        scene.paint(np.clip(scene.rows() - crest[None, :] + 0.5, 0, 1), tone)


def paint_ground_idea(request: ImageRequest, palette: Palette, zoom: float = 1.3) -> Field:
    """Return the ground under every picture: the output of a small random network, in the palette's colours."""
    rng = stream("ground idea", request.seed, request.prompt)
    width, height = max(16, request.width // 4), max(16, request.height // 4)
    network = cppn(rng, width, height, zoom=zoom)
    colours = (palette.zenith, palette.middle, palette.horizon, palette.lit(palette.foliage), palette.cloud_lit)
    small = abstract.through(network[..., 0], colours) * (0.75 + 0.5 * network[..., 1:2])
    return np.clip(np.stack([resize(small[..., c], request.width, request.height) for c in range(3)], axis=-1), 0, 1)
