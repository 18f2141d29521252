"""Pictures without open water: what stands on the land, from far to near."""

from easel_painter import (
    air,
    buildings,
    flowers,
    grounds,
    houses,
    land,
    peaks,
    plants,
    sacred,
    shores,
    street,
    town,
    water,
    woods,
)
from easel_painter.canvas import Scene
from easel_painter.terrain import Terrain

STANDING = ("castle", "ruins", "temple", "church", "windmill", "lighthouse", "house")
"""What is built to stand alone, the foremost first."""


def paint_landside(scene: Scene) -> None:
    """The land and all that the words put on it."""
    reading = scene.reading
    if reading.has("forest") and woods.is_inside(scene):
        woods.paint_inside(scene)
        return
    if reading.has("street"):
        street.paint_street(scene)
        return
    if reading.is_a("aloft"):
        _aloft(scene)
        return
    ground = _ground(scene)
    if reading.has("city"):
        town.paint_city(scene, scene.horizon + int(scene.short * 0.04))
        if not reading.has("road", "field", "flowers", "tree", "house", "castle", "river", "park", "garden", "bridge"):
            _wet_stone(scene)
    if reading.has("village"):
        houses.paint_village(scene, _row(scene, 0.16), scene.short * 0.11)
    if reading.has("forest") and reading.has("waterfall"):
        _trees_beside(scene)
    elif reading.has("forest"):
        woods.paint_forest(scene, _row(scene, 0.34))
    if reading.has("bridge"):
        houses.paint_bridge(scene, _row(scene, 0.0 if reading.has("canyon") else 0.30))
    _on_the_land(scene, ground)


def _trees_beside(scene: Scene) -> None:
    """Trees at both sides, so that the middle stays open."""
    scene.show("forest")
    kind = woods.sort(scene)
    for near in (0.0, 0.5, 1.0):
        for side in (-1, 1):
            x = scene.width * 0.5 + side * (scene.short * (0.24 + 0.10 * near) + abs(scene.width - scene.short) * 0.2)
            tall = min(scene.short * (0.24 + 0.20 * near), scene.height * 0.5)
            plants.paint_firs(scene, x, _row(scene, 0.34 + 0.40 * near), scene.short * 0.09, tall, 5, kind)


def _row(scene: Scene, share: float) -> int:
    """A row between the horizon (0) and the lower edge (1)."""
    return scene.horizon + int((scene.height - scene.horizon) * share)


def _side(scene: Scene) -> int:
    """The side away from the light, where things stand: -1 or 1."""
    return 1 if scene.light[0] < scene.width / 2 else -1


def _ground(scene: Scene) -> Terrain:
    reading = scene.reading
    if reading.has("desert"):
        return land.paint_dunes(scene)
    if reading.has("canyon"):
        return peaks.paint_canyon(scene)
    standing = [name for name in STANDING if reading.has(name) and name != "house"]
    knoll = None
    if standing:
        at = scene.width * (0.5 + 0.17 * _side(scene))
        knoll = (at, 5.2, 0.62 if standing[0] in ("castle", "ruins", "temple") else 0.35)
    elif reading.has("tree") and scene.stream("tree hill").random() < 0.6:
        knoll = (scene.width * (0.5 + 0.10 * _side(scene)), 3.2, 0.34)
    ground = land.paint_meadow(scene, knoll)
    if reading.has("cliff"):
        peaks.paint_cliff(scene)
    if reading.has("waterfall"):
        peaks.paint_waterfall(scene)
    return ground


def _on_the_land(scene: Scene, ground: Terrain) -> None:
    """What stands in the meadow, from far to near, on the side away from the light."""
    reading = scene.reading
    side = _side(scene)
    standing = [name for name in STANDING if reading.has(name)]
    blooming = reading.has("flowers", "garden")
    if blooming and standing:
        flowers.paint_flowers(scene, ground)
    foot = -1.0
    for position, name in enumerate(standing):
        x = scene.width * (0.5 + side * (0.17 if position == 0 else -0.20 + 0.09 * (position - 1)))
        distance = 5.2 if position == 0 and name != "house" else 4.0
        spot = ground.spot(x, distance)
        share = (1.0 if position == 0 else 0.55) * min(1.5, max(0.6, reading.weight(name))) ** 0.7
        foot = max(foot, spot.y + scene.short * 0.02)
        put(scene, name, x, spot.y + scene.short * (0.020 if name == "castle" else 0.008), share)
    if reading.has("desert"):
        _in_the_desert(scene, ground)
    if reading.has("park", "garden"):
        grounds.paint_park(scene, ground)
    if blooming:
        # What blooms behind the buildings is painted before them.
        flowers.paint_flowers(scene, ground, foot)
    if reading.has("forest") and not standing:
        _frame_of_trees(scene, side)
    bare_land = not reading.has(
        "road", "river", "tree", "city", "village", "flowers", "forest", "desert", "canyon", "park"
    )
    if bare_land and not reading.has("garden", "waterfall", "cliff"):
        land.paint_foreground(scene, ground, framed=not standing and not reading.has("mountains", "volcano"))
    if not reading.has("city", "garden") or reading.has("field"):
        land.paint_tufts(scene)
    if reading.has("tree"):
        rng = scene.stream("on the land")
        size = min(1.5, max(0.7, reading.weight("tree"))) ** 0.7
        aside = 0.30 if standing else rng.uniform(0.05, 0.16)
        x = scene.width * (0.5 + side * (-aside if standing else aside))
        spot = ground.spot(x, 3.2 if not standing else 2.7)
        plants.paint_tree(scene, x, min(spot.y, scene.height * 0.94), min(scene.short * 0.74 * size, spot.y * 0.86))


def put(scene: Scene, name: str, x: float, y: float, share: float) -> None:
    """One building with its foot at row `y`, `share` times its usual size."""
    short = min(scene.short, scene.height * 0.75)
    if name == "castle":
        buildings.paint_castle(scene, x, y, short * 0.50 * share)
    elif name == "ruins":
        buildings.paint_ruins(scene, x, y, short * 0.40 * share)
    elif name == "temple":
        # Blossom in spring, pines else.
        kind = "round" if scene.palette.season in ("spring", "autumn") else "pine"
        for side in (-1, 1):
            plants.paint_firs(scene, x + side * short * 0.26 * share, y, short * 0.05, short * 0.24 * share, 3, kind)
        sacred.paint_temple(scene, x, y, short * 0.42 * share)
    elif name == "church":
        sacred.paint_church(scene, x, y, short * 0.40 * share)
    elif name == "windmill":
        houses.paint_windmill(scene, x, y, short * 0.42 * share)
    elif name == "lighthouse":
        buildings.paint_lighthouse(scene, x, y, min(short * 0.48, y * 0.8) * share)
    else:
        size = short * 0.28 * share
        plants.paint_firs(scene, x + _side(scene) * size * 1.0, y, size * 0.25, size * 1.15, 4)
        houses.paint_house(scene, x, y, size)


def _frame_of_trees(scene: Scene, side: int) -> None:
    """Dark trees at the edges lead the eye inwards."""
    rng = scene.stream("frame")
    tall = min(scene.short * 0.75, scene.height * 0.7)
    edges = [(-0.48, 0.99, 1.0), (0.48, 0.96, 0.7)] if rng.random() < 0.6 else [(-0.47, 0.98, 1.0)]
    for at, row, share in edges:
        plants.paint_firs(
            scene,
            scene.width * (0.5 + at * side),
            scene.height * row,
            scene.short * 0.05,
            tall * share,
            3,
            woods.sort(scene),
        )


def _in_the_desert(scene: Scene, ground: Terrain) -> None:
    reading = scene.reading
    choice = scene.stream("in the desert").random()
    if reading.is_a("oasis") or (choice < 0.12 and not reading.unwanted):
        grounds.paint_oasis(scene, ground)
    elif reading.is_a("caravan") or choice < 0.55:
        grounds.paint_caravan(scene, ground)


def _aloft(scene: Scene) -> None:
    """Only what rises above a sea of clouds."""
    scene.show("clouds")
    rng = scene.stream("aloft")
    side = _side(scene)
    standing = [name for name in STANDING if scene.reading.has(name)]
    level = _row(scene, 0.12)
    air.paint_cloud_sea(scene, scene.horizon, behind=True)
    for position, name in enumerate(standing[:2]):
        x = scene.width * (0.5 + side * (0.12 if position == 0 else -0.24) + rng.uniform(-0.03, 0.03))
        half = scene.short * (0.34 if position == 0 else 0.2)
        shores.paint_rock(scene, x, level + scene.short * 0.30, half, scene.short * 0.34)
        put(scene, name, x, level + scene.short * 0.03, 0.95 if position == 0 else 0.6)
    air.light_lamps(scene)
    air.paint_cloud_sea(scene, level + scene.short * 0.10, behind=False)


def _wet_stone(scene: Scene) -> None:
    """In front of a city without anything else: water or wet stone that mirrors its lights."""
    air.light_lamps(scene)
    row = min(scene.height - 5, scene.horizon + int(scene.short * 0.09))
    water.paint_water(scene, row, 0.20)
