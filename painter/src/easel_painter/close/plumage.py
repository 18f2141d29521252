"""The feathers of birds: kinds and colours, down, and the eye that all small creatures have."""

from dataclasses import dataclass

import numpy as np

from easel_painter.canvas import Scene
from easel_painter.close.form import Lamp
from easel_painter.close.outline import Stand, fur
from easel_painter.noise import Field
from easel_painter.palette import mix
from easel_painter.reading import Colour

_BEAK: Colour = (0.30, 0.26, 0.22)


@dataclass(frozen=True)
class Plumage:
    """A bird's colours and build."""

    back: Colour
    breast: Colour
    head: Colour
    wing: Colour
    beak: Colour = _BEAK
    bill: float = 1.0
    """The beak's length; small seed eaters have 1."""

    tail: float = 1.0
    crest: bool = False
    hooked: bool = False


_KINDS: dict[str, Plumage] = {
    "sparrow": Plumage((0.50, 0.35, 0.22), (0.80, 0.74, 0.66), (0.46, 0.30, 0.20), (0.42, 0.28, 0.18)),
    "robin": Plumage((0.42, 0.37, 0.28), (0.86, 0.40, 0.16), (0.62, 0.36, 0.20), (0.36, 0.32, 0.26)),
    "tit": Plumage((0.42, 0.52, 0.34), (0.94, 0.82, 0.30), (0.14, 0.18, 0.26), (0.30, 0.42, 0.58)),
    "bullfinch": Plumage((0.44, 0.46, 0.50), (0.84, 0.24, 0.20), (0.06, 0.06, 0.08), (0.12, 0.12, 0.15), bill=0.8),
    "raven": Plumage(
        (0.07, 0.07, 0.09), (0.08, 0.08, 0.10), (0.07, 0.07, 0.09), (0.06, 0.06, 0.09), (0.08, 0.08, 0.09), 2.0
    ),
    "parrot": Plumage(
        (0.14, 0.56, 0.24),
        (0.92, 0.72, 0.14),
        (0.84, 0.16, 0.12),
        (0.12, 0.36, 0.74),
        (0.22, 0.2, 0.2),
        1.4,
        1.9,
        hooked=True,
    ),
    "gull": Plumage(
        (0.70, 0.73, 0.77), (0.96, 0.96, 0.95), (0.97, 0.97, 0.96), (0.62, 0.65, 0.70), (0.95, 0.70, 0.16), 1.6
    ),
}


def choose_plumage(scene: Scene) -> Plumage:
    """The colours that the words name, else a kind by the seed."""
    reading = scene.reading
    named = next((name for name in ("bullfinch", "raven", "parrot", "gull") if reading.has(name)), None)
    own = reading.paints.get(named or "bird") or reading.paints.get("bird")
    if own is None:
        return _KINDS[named or str(scene.stream("kind").choice(["sparrow", "robin", "tit"]))]
    dark = mix(own, (0.04, 0.04, 0.07), 0.42)
    if named:
        known = _KINDS[named]
        return Plumage(
            own, mix(own, known.breast, 0.2), own, dark, known.beak, known.bill, known.tail, hooked=known.hooked
        )
    crest = own[0] > 0.6 and own[1] < 0.3
    beak: Colour = (0.92, 0.52, 0.20) if crest else _BEAK
    return Plumage(mix(own, dark, 0.35), mix(own, (1.0, 0.98, 0.92), 0.08), own, dark, beak, crest=crest, tail=1.15)


def lay_down(scene: Scene, stand: Stand, rng: np.random.Generator, window: tuple[slice, slice], mask: Field) -> None:
    """Small feathers over a body that take up its light."""
    length = stand.size * 0.055
    if length > 2:
        angle = 2.25 if stand.side > 0 else np.pi - 2.25
        fur(
            scene,
            rng,
            window,
            mask,
            count=700,
            length=length,
            angle=angle,
            spread=0.4,
            tint=0.10,
            thick=0.16,
            strength=0.55,
        )


def as_lit(colour: Colour, light: Lamp, lit: float) -> Colour:
    """A colour as the lamp shows it on a face turned half towards it."""
    a, b, c = (value * (f + k * lit) for value, f, k in zip(colour, light.fill, light.key, strict=True))
    return a, b, c


def paint_eye(scene: Scene, eye: Stand, radius: float, light: Lamp, iris: Colour | None = None) -> None:
    """A round eye with its catchlight."""
    scene.shape(
        [eye.oval(0, 0, radius * 1.25, radius * 1.2)], mix(iris or (0.35, 0.3, 0.26), (0.05, 0.04, 0.04), 0.6), 0.8
    )
    if iris:
        scene.shape([eye.oval(0, 0, radius, radius)], iris)
    scene.shape(
        [eye.oval(0, 0, radius * (0.58 if iris else 1.0), radius * (0.58 if iris else 1.0))], (0.02, 0.02, 0.025)
    )
    turn = light.side * eye.side
    scene.sprinkle([eye.oval(radius * 0.34 * turn, -radius * 0.38, radius * 0.26, radius * 0.26)], (1, 1, 1), 0.95)
