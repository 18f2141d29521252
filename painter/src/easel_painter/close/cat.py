"""A cat: sitting with its back or its face to us, lying, or walking by."""

import numpy as np

from easel_painter.canvas import Point, Scene
from easel_painter.close.coat import Animal, Coat
from easel_painter.close.form import Lamp, lamp, shade
from easel_painter.close.outline import Stand, band, oval, path
from easel_painter.palette import mix
from easel_painter.reading import Colour

POSES = ("back", "front", "side", "lying", "walking")

_COATS: dict[str, Coat] = {
    "ginger": Coat((0.82, 0.45, 0.16), 0.55),
    "grey": Coat((0.46, 0.47, 0.50), 0.60),
    "black": Coat((0.085, 0.08, 0.10)),
    "tabby": Coat((0.52, 0.40, 0.28), 0.75),
    "white": Coat((0.93, 0.91, 0.88)),
}


def choose_coat(scene: Scene) -> Coat:
    """The coat that the words name, else one by the seed."""
    rng = scene.stream("coat")
    own = scene.reading.paints.get("cat")
    striped = any(word.startswith(("strip", "tabby", "полосат")) for word in scene.reading.unknown)
    if own is None:
        name = "tabby" if striped else str(rng.choice(sorted(_COATS)))
        return _COATS[name]
    if max(own) < 0.2:
        return Coat((0.085, 0.08, 0.10), 0.5 if striped else 0.0)
    if min(own) > 0.9:
        return Coat((0.93, 0.91, 0.88), 0.4 if striped else 0.0)
    if own[0] > 0.7 and own[2] < 0.2 and own[1] > 0.1:
        # A red cat is a ginger one.
        return Coat(mix((0.82, 0.45, 0.16), own, 0.35), 0.5)
    grey = max(own) - min(own) < 0.1
    return Coat(own, 0.75 if striped else 0.55 if grey and rng.random() < 0.6 else 0.0)


def paint_cat(scene: Scene, stand: Stand, pose: str, light: Lamp | None = None) -> None:
    """A cat whose seat is at the stand and whose height when it sits is the stand's size."""
    scene.show("cat")
    animal = Animal(scene, stand, choose_coat(scene), light or lamp(scene), "cat")
    size = stand.size
    away = -animal.light.side
    wide = {"lying": 0.62, "walking": 0.48}.get(pose, 0.36)
    shade(scene, stand.x + away * size * 0.10, stand.y, size * wide, size * 0.055, 0.55, 1.3)
    {"back": _back, "front": _front, "side": _side, "lying": _lying, "walking": _walking}[pose](animal)


def _mirrored(half: list[Point]) -> list[Point]:
    """An outline from its right half, from top to bottom."""
    return [*half, *[(-x, y) for x, y in reversed(half) if x > 1e-6]]


def _back(cat: Animal) -> None:
    stand = cat.stand
    body = path("0,-0.7 0.13,-0.65 0.19,-0.54 0.27,-0.37 0.33,-0.18 0.31,-0.04 0.2,0.01 0,0.015")
    if cat.rng.random() < 0.5:
        tail = path("0.16,-0.03 0.36,-0.01 0.52,-0.03 0.6,-0.12 0.56,-0.2")
    else:
        tail = path("0.16,-0.02 0.34,0.02 0.4,0.12 0.37,0.24 0.43,0.33")
    cat.part(stand.curve(_mirrored(body)), along=np.pi / 2)
    cat.part(stand.oval(0.19, -0.13, 0.145, 0.14), hairs=0.8, along=np.pi / 2)
    cat.part(stand.oval(-0.19, -0.13, 0.145, 0.14), hairs=0.8, along=np.pi / 2)
    cat.part(stand.band(tail, (0.055, 0.05, 0.048, 0.04, 0.025)), comb=0.2, along=0.0)
    turn = float(cat.rng.uniform(-0.22, 0.22))
    _head(cat, stand.part(0.02 + 0.06 * turn, -0.75, 0.345, turn), face=False)


def _front(cat: Animal) -> None:
    stand = cat.stand
    tail = path("0.18,-0.03 0.36,-0.02 0.42,-0.01 0.34,0.035 0.14,0.035")
    body = path("0,-0.66 0.13,-0.62 0.185,-0.5 0.25,-0.32 0.3,-0.14 0.27,-0.02 0,0.01")
    cat.part(stand.band(tail, (0.055, 0.055, 0.05, 0.045, 0.03)), comb=0.2, along=0.0)
    cat.part(stand.curve(_mirrored(body)), along=np.pi / 2)
    for side in (1, -1):
        cat.part(stand.oval(side * 0.205, -0.115, 0.115, 0.125), hairs=0.8, along=np.pi / 2)
        cat.part(stand.oval(side * 0.20, -0.018, 0.085, 0.033), cat.coat.pale, hairs=0.4, stripes=0)
    cat.part(stand.oval(0.0, -0.42, 0.13, 0.17), cat.coat.pale, hairs=1.2, stripes=0, depth=0.5)
    for side in (1, -1):
        leg = [(side * 0.075, -0.36), (side * 0.07, -0.18), (side * 0.065, -0.03)]
        cat.part(stand.band(leg, (0.07, 0.052, 0.052)), along=np.pi / 2, hairs=0.7)
        cat.part(stand.oval(side * 0.068, -0.012, 0.066, 0.036), cat.coat.pale, hairs=0.4, stripes=0)
    _head(cat, stand.part(0.0, -0.735, 0.37, float(cat.rng.uniform(-0.14, 0.14))), face=True)


def _side(cat: Animal) -> None:
    stand = cat.stand
    torso = path(
        "0.02,-0.7 0.17,-0.66 0.21,-0.5 0.18,-0.28 0.06,-0.06 -0.14,0 -0.31,-0.02 -0.365,-0.15 -0.31,-0.36 -0.17,-0.56"
    )
    if cat.rng.random() < 0.5:
        tail = path("-0.26,-0.04 -0.42,-0.01 -0.56,-0.02 -0.66,-0.09 -0.64,-0.17")
    else:
        tail = path("-0.28,-0.05 -0.38,0.02 -0.3,0.045 -0.1,0.04 0.06,0.03")
    cat.part(stand.band([(0.08, -0.36), (0.09, -0.18), (0.08, -0.03)], (0.07, 0.045, 0.045)), cat.coat.deep)
    cat.part(stand.curve(torso), comb=2.1, along=0.7)
    cat.part(stand.oval(-0.155, -0.15, 0.175, 0.15), comb=1.9, along=np.pi / 2)
    cat.part(stand.oval(0.0, -0.022, 0.115, 0.035), cat.coat.pale, hairs=0.4, stripes=0)
    cat.part(stand.band([(0.135, -0.40), (0.155, -0.20), (0.15, -0.03)], (0.078, 0.05, 0.048)), along=np.pi / 2)
    cat.part(stand.oval(0.175, -0.015, 0.07, 0.035), cat.coat.pale, hairs=0.4, stripes=0)
    cat.part(stand.band(tail, (0.05, 0.052, 0.05, 0.042, 0.028)), comb=0.2, along=0.0)
    _head(cat, stand.part(0.12, -0.765, 0.36, float(cat.rng.uniform(-0.10, 0.16))), face=True)


def _lying(cat: Animal) -> None:
    stand = cat.stand
    torso = path("-0.6,-0.02 -0.66,-0.18 -0.52,-0.36 -0.16,-0.41 0.16,-0.4 0.36,-0.28 0.38,-0.08 0.1,0 -0.3,0.01")
    tail = path("-0.56,-0.06 -0.7,-0.02 -0.62,0.035 -0.38,0.045 -0.16,0.03")
    cat.part(stand.band([(0.24, -0.10), (0.42, -0.05), (0.58, -0.045)], (0.07, 0.05, 0.048)), cat.coat.deep)
    cat.part(stand.curve(torso), comb=2.7, along=0.0)
    cat.part(stand.oval(-0.40, -0.17, 0.21, 0.175), comb=2.3, along=0.6)
    cat.part(stand.oval(-0.22, -0.025, 0.13, 0.04), cat.coat.pale, hairs=0.4, stripes=0)
    cat.part(stand.oval(0.22, -0.22, 0.15, 0.16), cat.coat.pale, stripes=0, depth=0.6)
    cat.part(stand.band([(0.20, -0.10), (0.36, -0.03), (0.50, -0.025)], (0.07, 0.052, 0.05)), along=0.0)
    cat.part(stand.band(tail, (0.05, 0.052, 0.05, 0.045, 0.03)), comb=0.2, along=0.0)
    _head(cat, stand.part(0.27, -0.44, 0.36, float(cat.rng.uniform(-0.05, 0.22))), face=True)


def _walking(cat: Animal) -> None:
    stand = cat.stand
    torso = path(
        "0.26,-0.63 0.38,-0.56 0.37,-0.4 0.2,-0.33 -0.08,-0.34 -0.3,-0.32 -0.43,-0.36 "
        "-0.46,-0.5 -0.36,-0.6 -0.12,-0.6 0.1,-0.62"
    )
    stride = float(cat.rng.uniform(0.7, 1.2))
    far = [[(0.24, -0.42), (0.22 - 0.06 * stride, -0.20), (0.16 - 0.10 * stride, -0.02)]]
    far.append(
        [(-0.34, -0.44), (-0.30 + 0.04 * stride, -0.24), (-0.32 + 0.05 * stride, -0.14), (-0.28 + 0.10 * stride, -0.02)]
    )
    near = [[(0.30, -0.44), (0.32 + 0.05 * stride, -0.22), (0.34 + 0.10 * stride, -0.02)]]
    near.append([(-0.34, -0.46), (-0.34, -0.26), (-0.44 - 0.03 * stride, -0.15), (-0.42 - 0.06 * stride, -0.02)])
    curl = float(cat.rng.uniform(-0.1, 0.14))
    tail = [(-0.42, -0.53), (-0.55, -0.60), (-0.60, -0.78), (-0.56, -0.96), (-0.60 + curl, -1.08)]
    for leg in far:
        cat.part(stand.band(leg, (0.085, 0.05, 0.04, 0.04)), cat.coat.deep, hairs=0.5)
    cat.part(stand.band(tail, (0.045, 0.042, 0.042, 0.04, 0.022)), comb=-1.5, along=np.pi / 2)
    cat.part(stand.curve(torso), comb=2.8, along=0.0)
    for leg in near:
        cat.part(stand.band(leg, (0.105, 0.06, 0.043, 0.04)), hairs=0.6, along=np.pi / 2)
        cat.part(stand.oval(leg[-1][0] + 0.025, -0.018, 0.06, 0.032), cat.coat.pale, hairs=0.3, stripes=0)
    _head(cat, stand.part(0.42, -0.69, 0.33, float(cat.rng.uniform(-0.1, 0.1))), face=True)


def _head(cat: Animal, head: Stand, face: bool) -> None:
    """The head on a stand of its own: half a unit is its radius."""
    outline = _mirrored(path("0,-0.43 0.24,-0.4 0.44,-0.2 0.52,0.08 0.46,0.24 0.26,0.4 0,0.46"))
    for side in (1, -1):
        ear = [
            (side * 0.06, -0.38),
            (side * 0.22, -0.58),
            (side * 0.41, -0.72),
            (side * 0.50, -0.48),
            (side * 0.50, -0.10),
        ]
        cat.part(head.curve(ear), cat.coat.deep if not face else None, comb=-1.5, hairs=0.6, stripes=0)
        if face:
            inner = [
                (side * 0.18, -0.36),
                (side * 0.28, -0.52),
                (side * 0.39, -0.62),
                (side * 0.43, -0.44),
                (side * 0.41, -0.24),
            ]
            pink = mix((0.80, 0.50, 0.46), cat.coat.colour, 0.45)
            cat.part(head.curve(inner), pink, hairs=0.0, stripes=0, depth=0.4)
    cat.part(head.curve(outline), comb=np.pi / 2, hairs=1.1, along=0.0, stripes=0.6)
    if face:
        _face(cat, head)


def _face(cat: Animal, head: Stand) -> None:
    scene = cat.scene
    dark = mix(cat.coat.deep, (0.03, 0.02, 0.03), 0.6)
    for side in (1, -1):
        cat.part(head.oval(side * 0.115, 0.25, 0.155, 0.12), cat.coat.pale, hairs=0.5, stripes=0, depth=0.8)
    cat.part(head.oval(0.0, 0.365, 0.11, 0.07), cat.coat.pale, hairs=0.3, stripes=0, depth=0.7)
    bridge = [(-0.07, -0.12), (0.07, -0.12), (0.06, 0.14), (-0.06, 0.14)]
    cat.part(head.curve(bridge), mix(cat.coat.colour, cat.coat.pale, 0.5), hairs=0.5, stripes=0, depth=0.6)
    asleep = any(word.startswith(("sleep", "asleep", "nap", "спит", "спящ")) for word in scene.reading.unknown)
    for side in (1, -1):
        _eye(cat, head.part(side * 0.225, 0.0, 1.0, side * 0.16), asleep)
    nose = path("-0.065,0.13 0.065,0.13 0.03,0.185 0,0.205 -0.03,0.185")
    cat.part(head.curve(nose), mix((0.62, 0.34, 0.32), cat.coat.deep, 0.35), hairs=0.0, stripes=0)
    mouth = [band([(0.0, 0.20), (0.0, 0.26)], (0.010, 0.010))]
    mouth += [band([(0.0, 0.26), (side * 0.07, 0.31), (side * 0.15, 0.29)], (0.011, 0.010, 0.004)) for side in (1, -1)]
    scene.shape([head.to(line) for line in mouth], dark, 0.8)
    whiskers: list[list[Point]] = []
    for side in (1, -1):
        for k in range(4):
            start = (side * 0.17, 0.22 + 0.03 * k)
            end = (side * (0.66 + 0.05 * float(cat.rng.random())), 0.06 + 0.115 * k)
            whiskers.append(
                head.to(
                    band(
                        [start, ((start[0] + end[0]) / 2, start[1] * 0.65 + end[1] * 0.35 - 0.03), end],
                        (0.006, 0.004, 0.002),
                    )
                )
            )
    scene.sprinkle(whiskers, (0.95, 0.94, 0.90), 0.5)


def _eye(cat: Animal, eye: Stand, asleep: bool) -> None:
    scene = cat.scene
    black: Colour = (0.03, 0.025, 0.03)
    if asleep:
        scene.shape([eye.to(band([(-0.11, 0.01), (0.0, 0.05), (0.11, 0.01)], (0.008, 0.018, 0.008)))], black, 0.9)
        return
    almond = path("-0.13,0.02 -0.06,-0.065 0.05,-0.07 0.13,-0.01 0.07,0.07 -0.06,0.075")
    iris: Colour = ((0.86, 0.68, 0.16), (0.45, 0.66, 0.24), (0.78, 0.50, 0.14))[int(scene.stream("iris").integers(3))]
    scene.shape([eye.curve(almond)], black, 0.9)
    # Eyes catch what light there is, so they are not dimmed with the coat.
    scene.shape([eye.oval(0.0, 0.003, 0.092, 0.062)], mix(iris, (0.20, 0.16, 0.05), 0.35))
    scene.shape([eye.oval(0.0, 0.028, 0.072, 0.034)], mix(iris, (1.0, 0.95, 0.6), 0.15), 0.8)
    wide = 0.050 if scene.palette.hour == "night" else 0.026
    scene.shape([eye.oval(0.0, 0.003, wide, 0.060)], black)
    light = cat.light.side * eye.side
    scene.sprinkle([eye.to(oval(0.032 * light, -0.028, 0.020, 0.018))], (1.0, 1.0, 1.0), 0.95)
    if scene.palette.is_dark:
        scene.sprinkle([eye.oval(0.0, 0.01, 0.085, 0.055)], iris, 0.35)
