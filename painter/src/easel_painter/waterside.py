"""Pictures by open water: the far shore, what rises from the water, boats, the near bank."""

from easel_painter import (
    air,
    buildings,
    flora,
    flowers,
    houses,
    land,
    landside,
    peaks,
    plants,
    ships,
    shores,
    town,
    water,
    woods,
)
from easel_painter.canvas import Scene
from easel_painter.terrain import Terrain


def is_by_water(scene: Scene) -> bool:
    """Whether the picture's lower part is water."""
    reading = scene.reading
    if reading.is_a("aloft") or (reading.has("street") and not reading.has("sea")):
        return False
    by_itself = reading.has("lighthouse") and not reading.has("field", "road")
    on_river = reading.has("bridge") and not reading.has("canyon", "field", "desert", "road")
    return by_itself or on_river or reading.has("sea", "lake", "island", "boat")


def is_open_sea(scene: Scene) -> bool:
    """Whether the water has no other shore."""
    reading = scene.reading
    kept = reading.has("lake", "river", "bridge") or (reading.has("forest") and not reading.has("sea"))
    return reading.has("sea", "island", "lighthouse", "boat") and not kept


def roughness(scene: Scene, open_sea: bool) -> float:
    """How high the water goes: 0 is a mirror, 1 a storm."""
    reading = scene.reading
    rough = 0.62 if open_sea else 0.22
    if reading.is_a("rough") or reading.has("lightning"):
        rough = 1.0 if open_sea else 0.6
    elif reading.has("rain") or "dramatic" in reading.moods:
        rough *= 1.25
    return min(1.0, rough * (0.6 if "calm" in reading.moods else 1.0))


def paint_waterside(scene: Scene) -> None:
    """The water and all that the words put at or on it."""
    reading = scene.reading
    open_sea = is_open_sea(scene)
    place = scene.width * (0.70 if scene.light[0] < scene.width / 2 else 0.30)
    shore = _far_shore(scene, open_sea)
    _on_the_shore(scene, place, shore, open_sea)
    air.light_lamps(scene)
    scene.show(
        "sea" if open_sea else "river" if reading.has("river", "bridge") and not reading.has("lake", "sea") else "lake"
    )
    rough = roughness(scene, open_sea)
    if rough > 0.85:
        water.paint_swell(scene, rough)
    else:
        water.paint_water(scene, shore + 1, rough)
    if reading.has("cliff") and open_sea and not reading.has(*landside.STANDING):
        peaks.paint_cliff(scene, sea=True)
    if reading.has("boat"):
        _boats(scene, place, shore)
    _near_bank(scene, place, open_sea)


def _far_shore(scene: Scene, open_sea: bool) -> int:
    """What lies behind the water; answers the row of its edge."""
    reading = scene.reading
    shore = scene.horizon + (0 if open_sea else int(scene.short * 0.03))
    if open_sea and not reading.has("forest", "city", "village", "field"):
        return shore
    if not reading.has("mountains", "volcano", "city") or reading.has("field", "forest", "village"):
        _low_land(scene)
    if reading.has("forest"):
        woods.paint_forest(scene, shore + int(scene.short * 0.005), deep=False)
    if reading.has("city"):
        town.paint_city(scene, shore)
    if reading.has("village"):
        houses.paint_village(scene, shore, scene.short * 0.12)
    if reading.has("waterfall"):
        peaks.paint_waterfall(scene)
    if reading.has("bridge"):
        houses.paint_bridge(scene, shore - int(scene.short * 0.125))
    return shore


def _low_land(scene: Scene) -> None:
    """Gentle hills with woods beyond still water."""
    rng = scene.stream("low land")
    ground = Terrain(scene, 60.0, near=14.0)
    high = float(rng.uniform(1.6, 4.2))
    height = ground.noise("low land", 16, 5, 0.5) * high * ((ground.z - 14) / 46) ** 0.5 + 0.02 * ground.z * 0.2
    tone = land.cover(scene, ground, "rolling", height)
    ground.lay(height, ground.in_air(ground.shaded(tone, ground.light(height, 1.2), 0.55), 42, 0.85, 1.5))
    if scene.reading.has("desert"):
        return
    kind = woods.sort(scene)
    wanted = (ground.noise("shore trees", 9, 3) > 0.48).astype("float32")
    spots = ground.spots("shore trees", int(150 * min(4, scene.width / scene.short)), wanted)
    flora.plant(scene, ground, spots, kind, 1.1, 42, "shore")


def _on_the_shore(scene: Scene, x: float, shore: int, open_sea: bool) -> None:
    """Island, castle, lighthouse or house: one above the other on the same spot, mirrored later."""
    reading = scene.reading
    standing = [name for name in landside.STANDING if reading.has(name)]
    if not standing and not reading.has("island"):
        return
    half = scene.short * (0.30 if standing else 0.34)
    tall = scene.short * (0.10 if standing else 0.17)
    if reading.has("lake") and not reading.has("island"):
        half, tall = scene.short * 0.36, scene.short * 0.07
    if reading.has("island"):
        scene.show("island")
    crag = reading.has("cliff") and open_sea
    if crag:
        scene.show("cliff")
        half, tall = scene.short * 0.27, scene.short * float(scene.stream("crag").uniform(0.17, 0.25))
        shores.paint_rock(scene, x, shore + 2, half, tall, 0.5)
    else:
        shores.paint_island(scene, x, shore + 1, half, tall)
    top = shore - tall * (0.98 if crag else 0.62)
    if reading.has("island", "lake") and not reading.tropical and not crag:
        plants.paint_firs(scene, x - half * 0.40, top + tall * 0.22, half * 0.14, scene.short * 0.10, 6)
    for position, name in enumerate(standing):
        size = min(1.6, max(0.6, reading.weight(name))) ** 0.7
        at = x + half * (0.42 * position - (0.20 if len(standing) > 1 else 0.0))
        _stand(scene, name, at, top + tall * (0.04 if crag else 0.10), size)


def _stand(scene: Scene, name: str, x: float, y: float, size: float) -> None:
    if name == "lighthouse":
        buildings.paint_lighthouse(scene, x, y, min(scene.short * 0.44, y * 0.80) * size)
    elif name == "house":
        houses.paint_house(scene, x, y, scene.short * 0.17 * size)
    else:
        landside.put(scene, name, x, y + scene.short * 0.01, min(0.74 * size, y / scene.short))


def _boats(scene: Scene, place: float, shore: int) -> None:
    reading = scene.reading
    rng = scene.stream("waterside")
    taken = reading.has("island", "cliff", "village", *landside.STANDING)
    free = scene.width - place if taken else scene.width * 0.5 + (place - scene.width * 0.5) * 0.55
    main = not taken or reading.weight("boat") > 1.2
    ships.paint_boats(scene, free + scene.short * rng.uniform(-0.06, 0.06), shore, main)


def _near_bank(scene: Scene, place: float, open_sea: bool) -> None:
    reading = scene.reading
    rng = scene.stream("near bank")
    if reading.has("flowers", "garden"):
        water.paint_bank(scene)
        flowers.paint_flowers(scene, None, scene.height * 0.86)
        if reading.has("garden"):
            scene.show("garden")
    elif open_sea:
        beach = reading.is_a("beach") or (reading.tropical and not reading.is_a("rough"))
        quiet = not reading.has("rain", "lightning", "cliff", "boat", "lighthouse") and not reading.is_a("rough")
        if beach or reading.has("house", "tree") or (quiet and rng.random() < 0.40):
            water.paint_beach(scene)
    elif rng.random() < 0.75 or reading.has("tree", "fire"):
        water.paint_bank(scene)
    if reading.has("tree", "park") and not (reading.has("island") and reading.tropical and rng.random() < 0.4):
        _near_trees(scene, place)
    elif reading.has("tree"):
        scene.show("tree")
    if reading.has("park"):
        scene.show("park")
    if reading.has("desert"):
        scene.show("desert")


def _near_trees(scene: Scene, place: float) -> None:
    """A tree at hand on the bank or the beach; palms lean over in pairs."""
    x = scene.width * 0.5 + (place - scene.width * 0.5) * (0.7 if not scene.reading.has("island") else -1.5)
    if not scene.reading.tropical:
        water.paint_bank(scene)
        plants.paint_tree(scene, x, scene.height * 0.97, min(scene.short, scene.height * 0.9) * 0.70)
        return
    scene.show("tree")
    for aside, tall in ((0.10, 0.56), (0.0, 0.74)):
        away = aside if x < scene.width / 2 else -aside
        plants.paint_palm(
            scene, x - away * scene.short, scene.height * 0.98, min(scene.short, scene.height * 0.9) * tall
        )
