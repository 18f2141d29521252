"""Which near subject stands where, and the setting behind it."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from easel_painter import air, water
from easel_painter.canvas import Scene
from easel_painter.close import (
    beasts,
    bird,
    cat,
    figure,
    fish,
    owl,
    portrait,
    settings,
    still_life,
    swimmers,
    underwater,
    waterfowl,
)
from easel_painter.close.form import Lamp, lamp
from easel_painter.close.outline import Stand
from easel_painter.palette import mix
from easel_painter.reading import Reading

Landscape = Callable[[Scene], None]
"""Paints all that lies behind: sky, land or water and what stands there."""

_LANDS = ("mountains", "forest", "city", "house", "castle", "road", "desert", "field", "tree")
_WATERS = ("sea", "lake", "lighthouse", "island", "boat")
PLACES = (*_LANDS, *_WATERS)
"""The motifs that say where something near stands."""

_SKY = ("mountains", "sea", "city", "lighthouse", "castle", "desert", "island", "boat", "clouds", "sun", "aurora")
_TABLE = ("fruit", "still life", "bowl", "vase", "bottle", "bread", "teapot", "table")
_WEATHER = ("rain", "snow", "fog", "flowers", "stars", "moon", "sun", "clouds", "fire", "aurora")


def subject(reading: Reading) -> str | None:
    """The near subject that a picture is about, None for a landscape."""
    place = reading.has(*PLACES)
    person = reading.has("woman", "man", "child")
    if reading.has("portrait") and (person or not reading.has("cat", "dog", "horse", "bird", "fish")):
        return "portrait"
    for name in ("cat", "dog", "horse", "fish", "bird"):
        if reading.has(name):
            return name
    if reading.has("hair", "beard", "royal") or (reading.has("woman", "man", "child", "crown", "hat") and not place):
        return "portrait"
    if person or reading.has("people"):
        return "figure"
    orchard = reading.has("tree", "forest") and not reading.has("table", "bowl", "still life", "vase")
    if (is_still_life(reading) and not orchard) or (reading.has("candle", "book") and not place):
        return "still life"
    if reading.has("window") and not reading.has("house", "city", "castle"):
        return "window"
    return "branch" if reading.has("branch") else None


def is_still_life(reading: Reading) -> bool:
    """Whether the words name things on a table, or the two words "still life"."""
    return reading.has(*_TABLE) or ("life" in reading.unknown and "calm" in reading.moods)


def is_wanted(reading: Reading) -> bool:
    """Whether the picture is about something near."""
    return subject(reading) is not None


def paint(scene: Scene, landscape: Landscape) -> None:
    """The near subject in its setting, with the weather where it belongs."""
    name = subject(scene.reading)
    if name == "fish":
        _paint_fish(scene)
    elif name == "portrait":
        _behind(scene, landscape)
        portrait.paint_portrait(scene, outdoors=scene.reading.has(*PLACES))
    elif name == "still life":
        _behind(scene, landscape)
        still_life.paint_still_life(scene)
    elif name == "window":
        _look_out(scene, landscape)
    elif name == "cat":
        _paint_cat(scene, landscape)
    elif name in ("dog", "horse"):
        _paint_beast(scene, landscape, name)
    elif name == "figure":
        _paint_figure(scene, landscape)
    else:
        _paint_bird(scene, landscape)


def _says(reading: Reading, *beginnings: str) -> bool:
    return any(word.startswith(beginnings) for word in reading.unknown)


def _with_place(scene: Scene, *choices: str) -> None:
    """Where the words name no place, one by the seed stands behind."""
    if not scene.reading.has(*PLACES):
        place = str(scene.stream("place").choice(choices))
        scene.reading = replace(scene.reading, motifs=scene.reading.motifs | {place: 0.9})


def _behind(scene: Scene, landscape: Landscape) -> None:
    """A wall, or the landscape out of focus where the words name one."""
    if not scene.reading.has(*PLACES, *_WEATHER) or (
        subject(scene.reading) == "still life" and not scene.reading.has(*PLACES)
    ):
        portrait.paint_backdrop(scene)
        return
    if subject(scene.reading) == "still life":
        _look_out(scene, landscape)
        return
    landscape(scene)
    air.paint_weather(scene)
    air.light_lamps(scene)
    settings.soften(scene, max(2.0, scene.short / 42))
    scene.rgb *= np.float32(0.80)


def _look_out(scene: Scene, landscape: Landscape) -> float:
    """The landscape through a window, and a bird before it; answers the row on which things stand."""
    _with_place(scene, "city", "field", "forest", "mountains", "sea")
    landscape(scene)
    air.paint_weather(scene)
    air.light_lamps(scene)
    if scene.reading.has("cat") and scene.reading.has("bird"):
        _beside(scene, 0.26)
    return settings.paint_window(scene)


def _paint_cat(scene: Scene, landscape: Landscape) -> None:
    reading = scene.reading
    rng = scene.stream("cat's place")
    open_air = reading.has(*PLACES, "fire", "flowers", "roof", "snow")
    setting = "window" if reading.has("window") else "roof" if reading.has("roof") else "ground"
    if not open_air and setting == "ground" and rng.random() < 0.5:
        setting = "roof" if scene.palette.hour == "night" and rng.random() < 0.4 else "window"
    if setting == "window":
        foot = _look_out(scene, landscape)
        poses = ["back", "back", "front", "side", "lying"]
    else:
        if setting == "roof":
            _with_place(scene, "city")
        landscape(scene)
        air.paint_weather(scene)
        foot = settings.paint_roof(scene) if setting == "roof" else scene.height * 0.93
        poses = list(cat.POSES) if setting == "ground" else ["back", "front", "side", "walking"]
    small = "kitten" if _says(reading, "kitten", "little", "small", "маленьк") else ""
    size = (
        min(scene.short * 0.60, foot * 0.62)
        * (0.78 if small else 1.0)
        * min(1.3, max(0.8, reading.weight("cat"))) ** 0.5
    )
    pose = _pose(reading, str(rng.choice(poses)))
    if reading.has("portrait"):
        pose, foot, size = "front", scene.height * 1.30, scene.short * 1.02
    side = float(rng.choice([-1.0, 1.0]))
    x = scene.width * (0.5 + float(rng.uniform(-0.10, 0.10)))
    light = _window_light(scene) if setting == "window" else lamp(scene)
    if reading.has("fire") and setting == "ground":
        side = 1.0 if scene.stream("fire at").uniform(0.35, 0.65) > 0.5 else -1.0
        x = scene.width * (0.5 - 0.22 * side)
        light = Lamp(
            (0.72 * side, -0.1, 0.68), (1.0, 0.62, 0.30), mix(light.fill, (0.20, 0.12, 0.12), 0.3), (0.55, 0.28, 0.10)
        )
    cat.paint_cat(scene, Stand(x, foot, size, side), pose, light)
    if reading.has("bird") and not reading.has("portrait") and setting != "window":
        _beside(scene, 0.34 if x < scene.width / 2 else -0.34)


def _paint_beast(scene: Scene, landscape: Landscape, kind: str) -> None:
    """A dog or a horse in the landscape."""
    landscape(scene)
    air.paint_weather(scene)
    rng = scene.stream("beast's place")
    share = 0.58 if kind == "dog" else 0.60
    size = min(scene.short * share, scene.height * 0.62) * min(1.25, max(0.8, scene.reading.weight(kind))) ** 0.5
    x = scene.width * (0.5 + float(rng.uniform(-0.08, 0.08)))
    side = float(rng.choice([-1.0, 1.0]))
    stand = Stand(x - (0.08 * size * side if kind == "horse" else 0.0), scene.height * 0.93, size, side)
    beasts.paint_beast(scene, stand, kind, lamp(scene))


def _pose(reading: Reading, otherwise: str) -> str:
    if _says(reading, "walk", "stroll", "идёт", "идет", "гуля", "runn"):
        return "walking"
    if _says(reading, "lying", "sleep", "asleep", "rest", "nap", "леж", "спит", "спящ"):
        return "lying"
    if _says(reading, "sit", "сид") and otherwise in ("lying", "walking"):
        return "side"
    return otherwise


def _window_light(scene: Scene) -> Lamp:
    """Daylight from behind with the room's own glow in front."""
    light = lamp(scene)
    room = (0.42, 0.30, 0.20) if scene.palette.is_dark else (0.30, 0.28, 0.27)
    return Lamp(
        light.direction, light.key, mix(light.fill, room, 0.6), mix(scene.palette.horizon, (0.9, 0.9, 1.0), 0.3)
    )


def _beside(scene: Scene, shift: float) -> None:
    """A bird on a branch in the upper part, `shift` widths beside the middle."""
    way = 1.0 if shift > 0 else -1.0
    perch = (scene.width * (0.5 + shift), scene.height * 0.30)
    light = lamp(scene)
    settings.paint_branch(scene, perch, scene.short * 0.014, light)
    bird.paint_perched(scene, Stand(*perch, scene.short * 0.20, -way), light)
    _name_bird(scene)


def _name_bird(scene: Scene) -> None:
    kinds = [
        name for name in ("owl", "raven", "swan", "duck", "gull", "parrot", "bullfinch") if scene.reading.has(name)
    ]
    for name in kinds or ["bird"]:
        scene.show(name)


def _paint_bird(scene: Scene, landscape: Landscape) -> None:
    reading = scene.reading
    if subject(reading) == "branch":
        _perch(scene, landscape, with_bird=False)
        return
    kind = next((name for name in ("swan", "duck") if reading.has(name)), None)
    flying = _says(reading, "fly", "flight", "flock", "soar", "wing", "парит", "парящ") or reading.has("flock")
    if kind and not (flying and _says(reading, "fly", "flight", "soar", "летящ")):
        _swim(scene, landscape, kind)
    elif not reading.has("owl", "branch") and (flying or reading.has("gull", *_SKY)):
        _fly(scene, landscape)
    else:
        _perch(scene, landscape, with_bird=True)
    _name_bird(scene)


def _swim(scene: Scene, landscape: Landscape, kind: str) -> None:
    if not scene.reading.has("sea", "lake", "island", "boat"):
        scene.reading = replace(scene.reading, motifs=scene.reading.motifs | {"lake": 0.9})
    landscape(scene)
    rng = scene.stream("swim")
    count = 2 if _says(scene.reading, "two", "pair", "две", "пара") else 3 if scene.reading.has("flock") else 1
    side = float(rng.choice([-1.0, 1.0]))
    room = scene.height - scene.horizon
    for k in range(count):
        near = 0.56 - 0.20 * (count - 1 - k)
        size = scene.short * (0.40 if kind == "swan" else 0.30) * (0.60 + 0.40 * (k + 1) / count)
        x = scene.width * (0.5 + side * (0.10 - 0.25 * (count - 1 - k)))
        waterfowl.paint_swimming(scene, Stand(x, scene.horizon + room * near, size, side), kind)
    air.paint_weather(scene)


def _fly(scene: Scene, landscape: Landscape) -> None:
    landscape(scene)
    air.paint_weather(scene)
    rng = scene.stream("fly")
    reading = scene.reading
    many = reading.has("flock") or _says(reading, "flock", "стая")
    if many or rng.random() < 0.35:
        bird.paint_flock(scene, int(rng.integers(9, 22)) if many else 4, scene.horizon * 0.14, scene.horizon * 0.80)
    side = float(rng.choice([-1.0, 1.0]))
    away = 1.0 if scene.light[0] < scene.width / 2 else -1.0
    size = scene.short * (0.30 if reading.has(*PLACES) else 0.44) * min(1.5, max(0.7, reading.weight("bird")))
    x = scene.width * (0.5 - (0.20 if reading.has("castle", "city", "lighthouse") else 0.05) * away)
    bird.paint_flying(
        scene, Stand(x, scene.horizon * float(rng.uniform(0.42, 0.58)), size, side, float(rng.uniform(-0.25, 0.1)))
    )
    if many:
        for k in range(int(rng.integers(1, 3))):
            spot = Stand(
                x - away * scene.short * (0.30 + 0.16 * k),
                scene.horizon * float(rng.uniform(0.3, 0.75)),
                size * 0.5,
                side,
                float(rng.uniform(-0.3, 0.1)),
            )
            bird.paint_flying(scene, spot)


def _perch(scene: Scene, landscape: Landscape, with_bird: bool) -> None:
    reading = scene.reading
    rng = scene.stream("perch")
    _with_place(scene, "forest", "forest", "field")
    asked = set(reading.motifs)
    landscape(scene)
    air.light_lamps(scene)
    night = scene.palette.hour == "night"
    settings.soften(scene, max(2.0, scene.short / (60 if night else 26)))
    scene.shown[:] = [name for name in scene.shown if name in asked]
    light = lamp(scene)
    if night:
        light = Lamp(
            light.direction,
            mix(light.key, (0.72, 0.80, 0.98), 0.6),
            mix(light.fill, (0.22, 0.26, 0.36), 0.5),
            light.rim,
        )
    is_owl = reading.has("owl")
    size = (
        min(scene.short * (0.66 if is_owl else 0.52), scene.height * 0.55)
        * min(1.25, max(0.8, reading.weight("bird"))) ** 0.5
    )
    perch = (scene.width * (0.5 + float(rng.uniform(-0.06, 0.06))), scene.height * (0.79 if is_owl else 0.68))
    settings.paint_branch(scene, perch, scene.short * (0.034 if is_owl else 0.020), light)
    if with_bird:
        stand = Stand(
            perch[0],
            perch[1] + scene.short * 0.006,
            size,
            float(rng.choice([-1.0, 1.0])),
            float(rng.uniform(-0.12, 0.12)),
        )
        if is_owl:
            owl.paint_owl(scene, replace(stand, turn=0.0), light)
        else:
            bird.paint_perched(scene, stand, light)
    air.paint_weather(scene)


def _paint_fish(scene: Scene) -> None:
    reading = scene.reading
    rng = scene.stream("shoal")
    pond = reading.has("lake") and not reading.has("sea", *swimmers.KINDS) and rng.random() < 0.35
    if reading.has("koi") or pond:
        _paint_pond(scene, rng)
        return
    underwater.paint_depths(scene)
    light = underwater.water_lamp(scene)
    side = float(rng.choice([-1.0, 1.0]))
    large = next((name for name in swimmers.KINDS if reading.has(name)), None)
    middle = (scene.width * (0.5 + 0.03 * side), scene.height * 0.48)
    size = scene.short * 0.60 * min(1.25, max(0.8, reading.weight("fish")))
    main = Stand(*middle, size, side, float(rng.uniform(-0.15, 0.10)))
    if large:
        swimmers.paint_large(scene, replace(main, size=size * 1.33), light, large)
    else:
        for k in range(int(rng.integers(1, 5))):
            x, level = scene.width * float(rng.uniform(0.12, 0.88)), float(rng.uniform(0.0, 0.13))
            y = scene.height * (level + (0.14 if rng.random() < 0.5 else 0.66))
            small = Stand(x, y, scene.short * float(rng.uniform(0.12, 0.24)), side, float(rng.normal(0, 0.12)))
            fish.paint_fish(scene, small, light, k + 1)
        fish.paint_fish(scene, main, light)
    underwater.paint_before(scene)


def _paint_pond(scene: Scene, rng: np.random.Generator) -> None:
    """Koi that circle under lily pads."""
    underwater.paint_pond(scene)
    light = lamp(scene)
    turn = float(rng.uniform(0, 2 * np.pi))
    count = int(rng.integers(3, 6))
    wide, tall = (scene.short * 0.25 * max(1.0, side / scene.short * 0.8) for side in (scene.width, scene.height))
    for k in range(count):
        angle = turn + 2 * np.pi * k / count
        x, y = scene.width * 0.5 + wide * float(np.cos(angle)), scene.height * 0.5 + tall * float(np.sin(angle))
        heading = angle - 1.4 + float(rng.normal(0, 0.35))
        fish.paint_koi(scene, Stand(x, y, scene.short * float(rng.uniform(0.32, 0.44)), 1.0, heading), light, k)
    underwater.paint_lilies(scene)


def _paint_figure(scene: Scene, landscape: Landscape) -> None:
    reading = scene.reading
    name = next(name for name in ("woman", "man", "people", "child") if reading.has(name))
    landscape(scene)
    rng = scene.stream("figure's place")
    at_water = reading.has("sea", "lake", "island", "boat", "lighthouse") and not reading.has("field", "road")
    x, y, size = scene.width * (0.5 + float(rng.uniform(-0.16, 0.16))), scene.height * 0.86, scene.short * 0.30
    if at_water:
        water.paint_beach(scene)
        y, size = scene.height * 0.965, scene.short * 0.34
    elif reading.has("road"):
        x = scene.width * 0.5
    figure.paint_group(scene, "people" if name == "child" else name, x, y, min(size, scene.height * 0.5))
    air.paint_weather(scene)
