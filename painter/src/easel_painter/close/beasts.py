"""A dog, sitting or on its feet, and a horse."""

import numpy as np

from easel_painter.canvas import Point, Scene
from easel_painter.close.coat import Animal, Coat
from easel_painter.close.form import Lamp, shade
from easel_painter.close.outline import Stand, band, path
from easel_painter.close.plumage import paint_eye
from easel_painter.palette import mix
from easel_painter.reading import Colour

_DOGS: tuple[Colour, ...] = ((0.60, 0.38, 0.18), (0.24, 0.18, 0.15), (0.82, 0.74, 0.62), (0.46, 0.28, 0.15))
_HORSES: tuple[Colour, ...] = ((0.42, 0.22, 0.11), (0.60, 0.32, 0.14), (0.12, 0.09, 0.09), (0.84, 0.81, 0.77))
_DARK: Colour = (0.05, 0.04, 0.04)


def paint_beast(scene: Scene, stand: Stand, kind: str, light: Lamp) -> None:
    """A dog or a horse whose feet are at the stand; the stand's size is about its height."""
    scene.show(kind)
    rng = scene.stream(f"{kind}'s coat")
    choices = _DOGS if kind == "dog" else _HORSES
    own = scene.reading.paints.get(kind) or choices[int(rng.integers(len(choices)))]
    animal = Animal(scene, stand, Coat(own, hair=0.050 if kind == "dog" else 0.018), light, kind)
    shade(scene, stand.x - light.side * stand.size * 0.10, stand.y, stand.size * 0.46, stand.size * 0.05, 0.55, 1.3)
    if kind == "horse":
        _horse(animal)
    elif rng.random() < 0.5:
        _sitting_dog(animal)
    else:
        _standing_dog(animal)


def _leg(animal: Animal, line: str, widths: tuple[float, ...], colour: Colour | None = None) -> None:
    points = path(line)
    animal.part(animal.stand.band(points, widths), colour, hairs=0.5)
    x, y = points[-1]
    animal.part(
        animal.stand.oval(x + 0.018, y + 0.010, widths[-1] * 1.35, 0.026), colour or animal.coat.pale, hairs=0.2
    )


def _sitting_dog(dog: Animal) -> None:
    stand = dog.stand
    dog.part(stand.band(path("-0.28,-0.05 -0.44,-0.06 -0.56,-0.16"), (0.05, 0.045, 0.02)), comb=2.6)
    _leg(dog, "0.09,-0.36 0.1,-0.18 0.09,-0.03", (0.07, 0.05, 0.045), dog.coat.deep)
    torso = (
        "0.02,-0.7 0.18,-0.67 0.23,-0.5 0.19,-0.28 0.06,-0.06 -0.14,0 -0.31,-0.02 -0.36,-0.15 -0.29,-0.36 -0.15,-0.56"
    )
    dog.part(stand.curve(path(torso)), comb=2.0)
    dog.part(stand.oval(-0.16, -0.15, 0.17, 0.15), comb=1.9)
    dog.part(stand.oval(0.0, -0.025, 0.12, 0.036), dog.coat.pale, hairs=0.4)
    dog.part(stand.oval(0.15, -0.46, 0.075, 0.17), dog.coat.pale, hairs=1.2, depth=0.5)
    _leg(dog, "0.14,-0.42 0.16,-0.2 0.15,-0.03", (0.08, 0.055, 0.05))
    _dog_head(dog, stand.part(0.10, -0.80, 0.36, float(dog.rng.uniform(-0.25, 0.1))))


def _standing_dog(dog: Animal) -> None:
    stand = dog.stand
    for line in ("0.24,-0.46 0.22,-0.24 0.2,-0.03", "-0.3,-0.46 -0.24,-0.28 -0.3,-0.16 -0.26,-0.03"):
        _leg(dog, line, (0.075, 0.045, 0.038, 0.036), dog.coat.deep)
    dog.part(stand.band(path("-0.4,-0.58 -0.52,-0.68 -0.54,-0.84"), (0.05, 0.045, 0.018)), comb=-1.8)
    torso = "0.26,-0.68 0.36,-0.58 0.32,-0.42 0.12,-0.36 -0.12,-0.4 -0.32,-0.38 -0.42,-0.48 -0.38,-0.62 -0.12,-0.63"
    dog.part(stand.curve(path(torso)), comb=2.7)
    for line in ("0.26,-0.5 0.29,-0.26 0.29,-0.03", "-0.33,-0.5 -0.32,-0.3 -0.4,-0.18 -0.38,-0.03"):
        _leg(dog, line, (0.10, 0.055, 0.042, 0.040))
    dog.part(stand.band(path("0.24,-0.58 0.36,-0.76"), (0.15, 0.115)), comb=2.2)
    _dog_head(dog, stand.part(0.40, -0.84, 0.34, float(dog.rng.uniform(-0.2, 0.15))))


def _dog_head(dog: Animal, head: Stand) -> None:
    scene = dog.scene
    skull = "-0.36,-0.3 0,-0.44 0.24,-0.32 0.34,-0.1 0.7,0 0.8,0.12 0.74,0.27 0.4,0.35 0.1,0.42 -0.28,0.36 -0.44,0.02"
    dog.part(head.curve(path(skull)), comb=2.9, hairs=0.7)
    dog.part(head.curve(path("0.34,0.02 0.66,0.02 0.78,0.14 0.7,0.27 0.4,0.32")), dog.coat.pale, hairs=0.0, depth=0.6)
    dog.part(head.oval(0.765, 0.065, 0.075, 0.065), _DARK, hairs=0.0)
    scene.shape([head.to(band(path("0.77,0.2 0.6,0.245 0.38,0.25"), (0.008, 0.014, 0.004)))], _DARK, 0.7)
    paint_eye(scene, head.part(0.22, -0.11, 1.0), 0.050, dog.light, (0.36, 0.20, 0.08))
    dog.part(
        head.curve(path("-0.2,-0.34 0.02,-0.3 0.04,0.06 -0.08,0.34 -0.26,0.24 -0.32,-0.08")), dog.coat.deep, hairs=0.8
    )


def _horse(horse: Animal) -> None:
    stand, rng = horse.stand, horse.rng
    stride = float(rng.uniform(-0.06, 0.10))
    dark = mix(horse.coat.colour, _DARK, 0.72 if max(horse.coat.colour) < 0.7 else 0.30)
    _hoofed(horse, [(0.22, -0.50), (0.20 - stride, -0.27), (0.18 - stride, -0.04)], (0.07, 0.034, 0.026), far=True)
    _hoofed(
        horse,
        [(-0.32, -0.52), (-0.25, -0.36), (-0.30 + stride, -0.24), (-0.27 + stride, -0.04)],
        (0.10, 0.05, 0.03, 0.026),
        far=True,
    )
    tail = path("-0.42,-0.67 -0.53,-0.56 -0.53,-0.34 -0.49,-0.2")
    horse.part(stand.band(tail, (0.03, 0.05, 0.055, 0.015)), dark, comb=1.6)
    torso = (
        "0.28,-0.75 0.37,-0.62 0.31,-0.47 0.1,-0.4 -0.16,-0.4 -0.36,-0.44 -0.45,-0.58 -0.38,-0.73 -0.14,-0.71 0.1,-0.73"
    )
    _hoofed(
        horse, [(-0.36, -0.54), (-0.32, -0.36), (-0.40, -0.25), (-0.38 - stride, -0.04)], (0.12, 0.062, 0.034, 0.028)
    )
    _hoofed(horse, [(0.27, -0.52), (0.28 + stride, -0.28), (0.27 + stride, -0.04)], (0.085, 0.036, 0.028))
    horse.part(stand.curve(path(torso)), comb=2.9)
    horse.part(stand.oval(-0.31, -0.58, 0.135, 0.15), comb=1.8, depth=0.7)
    head = stand.part(0.47, -0.97, 1.0, float(rng.uniform(-0.15, 0.12)))
    horse.part(head.curve(path("-0.04,-0.02 -0.015,-0.13 0.03,-0.03")), hairs=0.2)
    horse.part(stand.band(path("0.22,-0.6 0.38,-0.8 0.47,-0.96"), (0.17, 0.105, 0.075)), comb=2.2)
    horse.part(
        head.curve(path("-0.07,-0.04 0.03,-0.075 0.14,0.06 0.235,0.2 0.22,0.26 0.15,0.265 0.06,0.16 -0.05,0.1")),
        comb=0.9,
    )
    horse.part(head.oval(0.205, 0.225, 0.034, 0.036), dark, hairs=0.0)
    paint_eye(horse.scene, head.part(0.055, 0.03, 1.0), 0.016, horse.light, (0.20, 0.11, 0.06))
    locks = [(0.52, -1.04), (0.38, -0.93), (0.27, -0.80), (0.19, -0.72)]
    horse.part(stand.band(locks, (0.022, 0.040, 0.042, 0.022)), dark, comb=1.9, hairs=1.0)


def _hoofed(horse: Animal, line: list[Point], widths: tuple[float, ...], far: bool = False) -> None:
    stand = horse.stand
    horse.part(stand.band(line, widths), horse.coat.deep if far else None, hairs=0.3)
    x, y = line[-1]
    hoof = [(x - 0.030, y + 0.042), (x - 0.022, y), (x + 0.026, y), (x + 0.040, y + 0.042)]
    horse.part(stand.to(hoof), (0.10, 0.08, 0.07), hairs=0.0, comb=np.pi / 2)
