"""From a reading to a whole scene: what stands where, and in which order it is painted."""

import numpy as np

from generator.engines.base import Brief
from generator.engines.painter import abstract, air, buildings, land, plants, sky, water
from generator.engines.painter.canvas import Scene
from generator.engines.painter.close import closeup
from generator.engines.painter.noise import Field, cppn, line, resize, stream
from generator.engines.painter.palette import Palette, choose, mix
from generator.engines.painter.reading import Reading


def paint_scene(brief: Brief, reading: Reading) -> Scene:
    """The finished picture before it is broken into brush strokes."""
    seed = (brief.seed, " ".join(sorted(reading.motifs)), " ".join(reading.unknown))
    palette = choose(reading, *seed)
    if is_abstract(reading):
        return abstract.paint_abstract(brief, reading, palette, seed)
    scene = _set_out(brief, reading, palette, seed)
    if closeup.is_wanted(reading):
        closeup.paint(scene, _landscape)
    else:
        _landscape(scene)
        air.paint_weather(scene)
    air.light_lamps(scene)
    air.grade(scene)
    return scene


def _landscape(scene: Scene) -> None:
    """Sky, land or water and all that stands in it, without the weather in front."""
    reading = scene.reading
    sky.paint_sky(scene)
    # Now, so that what comes before the sun or moon also hides its glow.
    air.light_lamps(scene)
    _far(scene)
    if is_by_water(reading):
        _waterside(scene)
    else:
        _landside(scene)
    if reading.has("fire"):
        plants.paint_fire(
            scene, scene.width * scene.stream("fire at").uniform(0.35, 0.65), scene.height * 0.90, scene.short * 0.20
        )


def is_abstract(reading: Reading) -> bool:
    """Whether there is nothing to paint by name."""
    return not closeup.is_wanted(reading) and (reading.has("abstract") or abstract.is_wanted(reading))


def is_by_water(reading: Reading) -> bool:
    """Whether the picture's lower part is water."""
    by_itself = reading.has("lighthouse") and not reading.has("field", "road")
    return by_itself or reading.has("sea", "lake", "island", "boat")


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
    rgb = np.zeros((height, width, 3), dtype=np.float32)
    return Scene(rgb, palette, reading, seed, horizon, (x, y), light_shown=shown)


def _far(scene: Scene) -> None:
    if scene.reading.has("mountains"):
        land.paint_mountains(scene)
    elif scene.reading.has("lake", "field", "snow", "road", "castle", "house") and not scene.reading.has(
        "sea", "desert"
    ):
        _distant_range(scene)


def _distant_range(scene: Scene) -> None:
    """A low line of far hills: a horizon that is not ruled."""
    rng = scene.stream("distance")
    for layer in range(2):
        crest = scene.horizon - scene.short * (0.055 - 0.02 * layer) * line(rng, scene.width, 3 + layer, 4) * 1.5
        tone = scene.palette.far(mix(scene.palette.rock, scene.palette.foliage, 0.5), 0.74 - 0.16 * layer)
        scene.paint(np.clip(scene.rows() - crest[None, :] + 0.5, 0, 1), tone)


def _waterside(scene: Scene) -> None:
    reading = scene.reading
    open_sea = reading.has("sea", "island", "lighthouse") and not reading.has("lake")
    shore = scene.horizon
    rng = scene.stream("waterside")
    if reading.has("forest"):
        shore = scene.horizon + int(scene.short * 0.05)
        land.paint_forest(scene, shore)
    elif reading.has("field") and not open_sea:
        shore = scene.horizon + int(scene.short * 0.06)
        land.paint_hills(scene, shore)
    if reading.has("city"):
        buildings.paint_city(scene, shore)
    place = scene.width * (0.70 if scene.light[0] < scene.width / 2 else 0.30)
    _on_the_shore(scene, place, shore)
    rough = 0.75 if open_sea else 0.22
    rough *= 0.6 if "calm" in reading.moods else 1.25 if reading.has("rain") or "dramatic" in reading.moods else 1.0
    air.light_lamps(scene)
    scene.show("sea" if open_sea else "lake")
    water.paint_water(scene, shore + 1, min(1.0, rough))
    if reading.has("boat"):
        size = scene.short * 0.19 * min(1.7, max(0.6, reading.weight("boat"))) ** 0.7
        free = place if not reading.has("island", "lighthouse", "castle", "house") else scene.width - place
        x = free + scene.short * rng.uniform(-0.05, 0.05)
        buildings.paint_boat(scene, x, shore + (scene.height - shore) * rng.uniform(0.24, 0.40), size)
    if reading.has("flowers"):
        water.paint_bank(scene)
        plants.paint_flowers(scene, scene.height * 0.90)
    elif reading.has("sea") and (reading.has("house", "tree") or rng.random() < 0.45):
        water.paint_beach(scene)
    elif not open_sea:
        water.paint_bank(scene)
    if reading.has("tree"):
        if not reading.tropical:
            water.paint_bank(scene)
        plants.paint_tree(
            scene, scene.width * 0.5 + (place - scene.width * 0.5) * 0.7, scene.height * 0.97, scene.short * 0.70
        )


def _on_the_shore(scene: Scene, x: float, shore: int) -> None:
    """Island, castle, lighthouse or house: one above the other on the same spot, mirrored later."""
    reading = scene.reading
    standing = [name for name in ("lighthouse", "castle", "house") if reading.has(name)]
    if not standing and not reading.has("island"):
        return
    half = scene.short * (0.30 if standing else 0.36)
    tall = scene.short * (0.10 if standing else 0.20)
    if reading.has("lake") and not reading.has("island"):
        half, tall = scene.short * 0.36, scene.short * 0.07
    if reading.has("island"):
        scene.show("island")
    plants.paint_island(scene, x, shore + 1, half, tall)
    top = shore - tall * 0.72
    if not standing or reading.has("island"):
        plants.paint_firs(scene, x - half * 0.40, top + tall * 0.22, half * 0.14, scene.short * 0.10, 6)
    for position, name in enumerate(standing):
        size = min(1.6, max(0.6, reading.weight(name))) ** 0.7
        at = x + half * (0.42 * position - (0.20 if len(standing) > 1 else 0.0))
        if name == "lighthouse":
            buildings.paint_lighthouse(
                scene, at, top + tall * 0.10, min(scene.short * 0.44, scene.horizon * 0.72) * size
            )
        elif name == "castle":
            buildings.paint_castle(scene, at, top + tall * 0.22, scene.short * 0.36 * size)
        else:
            buildings.paint_house(scene, at, top + tall * 0.16, scene.short * 0.15 * size)


def _landside(scene: Scene) -> None:
    reading = scene.reading
    cold = scene.palette.season == "winter"
    if reading.has("desert"):
        land.paint_dunes(scene)
    else:
        land.paint_ground(scene, "snow" if cold else "grass")
        if not reading.has("city"):
            land.paint_hills(scene, scene.horizon + int(scene.short * 0.30))
    foot = scene.horizon + int(scene.height * 0.14)
    if reading.has("city"):
        buildings.paint_city(scene, scene.horizon + int(scene.short * 0.04))
        if not reading.has("road", "field", "flowers", "tree", "house", "castle"):
            _wet_street(scene)
    if reading.has("forest"):
        land.paint_forest(scene, foot)
    _on_the_land(scene)


def _on_the_land(scene: Scene) -> None:
    """What stands in the meadow, from far to near, on the side away from the light."""
    reading = scene.reading
    rng = scene.stream("on the land")
    side = 1 if scene.light[0] < scene.width / 2 else -1
    base = scene.horizon + (scene.height - scene.horizon) * 0.42
    if reading.has("road"):
        plants.paint_road(scene, scene.horizon + int(scene.short * (0.06 if not reading.has("forest") else 0.15)))
    if reading.has("castle"):
        size = scene.short * 0.50 * min(1.5, max(0.6, reading.weight("castle"))) ** 0.7
        plants.paint_island(
            scene,
            scene.width * (0.5 + 0.17 * side),
            base + scene.short * 0.05,
            scene.short * 0.50,
            scene.short * 0.22,
            soft=True,
        )
        buildings.paint_castle(scene, scene.width * (0.5 + 0.17 * side), base - scene.short * 0.10, size)
    if reading.has("lighthouse"):
        buildings.paint_lighthouse(scene, scene.width * (0.5 + 0.2 * side), base, scene.short * 0.48)
    if reading.has("forest") and not reading.has("house", "castle"):
        # Dark trees at the edge lead the eye inwards.
        tall = min(scene.short * 0.75, scene.height * 0.7)
        plants.paint_firs(scene, scene.width * (0.5 - 0.47 * side), scene.height * 0.99, scene.short * 0.05, tall, 3)
        plants.paint_firs(
            scene, scene.width * (0.5 + 0.48 * side), scene.height * 0.96, scene.short * 0.03, tall * 0.7, 3
        )
    if reading.has("house"):
        size = scene.short * 0.30 * min(1.6, max(0.6, reading.weight("house"))) ** 0.7
        x = scene.width * (0.5 - 0.14 * side)
        plants.paint_firs(scene, x + side * size * 1.1, base, size * 0.25, size * 1.2, 4)
        buildings.paint_house(scene, x, base + size * 0.1, size)
    if reading.has("flowers"):
        plants.paint_flowers(
            scene, scene.horizon + (scene.height - scene.horizon) * (0.30 if not reading.has("house") else 0.5)
        )
    if reading.has("tree"):
        size = min(1.5, max(0.7, reading.weight("tree"))) ** 0.7
        x = scene.width * (0.5 + side * rng.uniform(0.04, 0.14))
        plants.paint_tree(scene, x, scene.height * 0.90, min(scene.short * 0.80 * size, scene.height * 0.80))


def _wet_street(scene: Scene) -> None:
    """In front of a city without anything else: water or wet stone that mirrors its lights."""
    air.light_lamps(scene)
    water.paint_water(scene, min(scene.height - 5, scene.horizon + int(scene.short * 0.09)), 0.20)


def paint_ground_idea(brief: Brief, palette: Palette, zoom: float = 1.3) -> Field:
    """The ground under every picture: what a small random network sees, in the palette's colours."""
    rng = stream("ground idea", brief.seed, brief.prompt)
    width, height = max(16, brief.width // 4), max(16, brief.height // 4)
    network = cppn(rng, width, height, zoom=zoom)
    colours = (palette.zenith, palette.middle, palette.horizon, palette.lit(palette.foliage), palette.cloud_lit)
    small = abstract.through(network[..., 0], colours) * (0.75 + 0.5 * network[..., 1:2])
    return np.clip(np.stack([resize(small[..., c], brief.width, brief.height) for c in range(3)], axis=-1), 0, 1)
