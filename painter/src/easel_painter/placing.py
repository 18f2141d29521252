"""Paint a figure into a place: the outline of a pose swells into a body. It looks like no real person."""

import numpy as np

from easel_painter.canvas import Scene, Window
from easel_painter.close.figure import COATS, HAIR
from easel_painter.close.form import lamp, model
from easel_painter.media.base import Medium
from easel_painter.media.surface import luma
from easel_painter.noise import Field, blur, smoothstep
from easel_painter.palette import mix
from easel_painter.reading import Colour
from generator.engines.base import Mask, Pixels

_THIN = 0.15
"""A figure of which less than this remains within its rim is one of lines."""

_LEGS = 4.1
"""From the top of a face to the legs, in heights of a face: where a standing person's hips are, and a sitting one's."""

_SKIN: Colour = (0.78, 0.58, 0.46)


def body_of(pose: Field, face: Field) -> Field:
    """Return the body of a pose, 0 to 1; lines become limbs."""
    rows = np.flatnonzero((pose > 0.5).any(1))
    limb = max(2.0, 0.045 * len(rows))
    if (blur(pose, limb / 2) > 0.95).sum() < _THIN * (pose > 0.5).sum():
        pose = smoothstep(0.06, 0.20, blur(pose, limb))
    return np.clip(np.maximum(pose, face), 0, 1).astype(np.float32)


def shades_of(pose: Pixels, figure: Mask) -> Field:
    """Return how bright each part of a figure is, beside its usual brightness: 1 elsewhere and for lines.

    So an arm before the chest, or what is held, can be seen.
    """
    light = luma(pose.astype(np.float32) / 255)
    inside = (figure > 0) & (blur((figure > 0).astype(np.float32), 2) > 0.95)
    if inside.sum() < _THIN * max(1, (figure > 0).sum()):
        return np.ones_like(light)
    usual = max(0.05, float(np.median(light[inside])))
    return np.where(figure > 0, np.clip(light / usual, 0.5, 1.4), 1).astype(np.float32)


def paint_placed(scene: Scene, body: Field, face: Field, shades: Field) -> None:
    """Paint a body into the scene's picture: coat, dark legs, and a head without features."""
    rows, columns = (np.flatnonzero((body > 0.5).any(axis)) for axis in (1, 0))
    if len(rows) < 2 or len(columns) < 2:
        return
    window = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    colours = _clothing(scene, window, face[window])
    colours *= shades[window][..., None]
    colours += (np.asarray(_SKIN, dtype=np.float32) - colours) * face[window][..., None]
    model(scene, window, body[window], colours, lamp(scene))


def _clothing(scene: Scene, window: Window, face: Field) -> Field:
    """Return the colours of hair, coat and legs.

    Where the face is known, the hair is around it and the legs are as far below as a face's height says. Otherwise
    both are parts of the height, and one that does not stand upright has only a coat.
    """
    reading, rng = scene.reading, scene.stream("placed")
    tall, wide = (side.stop - side.start for side in window)
    named = [reading.paints[name] for name in ("clothes", "woman", "man", "people") if name in reading.paints]
    coats = [*named, *(colour for colour, _ in reading.colours), COATS[int(rng.integers(len(COATS)))]]
    hair = reading.paints.get("hair") or HAIR[int(rng.integers(len(HAIR)))]
    colours = np.empty((tall, wide, 3), dtype=np.float32)
    colours[:] = coats[0]
    legs = mix(coats[0], (0.05, 0.05, 0.07), 0.6)
    if (face > 0.5).any():
        rows, columns = (np.flatnonzero((face > 0.5).any(axis)) for axis in (1, 0))
        height, middle = len(rows), float(columns.mean())
        colours[round(rows[0] + _LEGS * height) :] = legs
        beside = np.abs(np.arange(wide) - middle) < 0.8 * height
        colours[: round(rows[-1] - 0.15 * height), beside] = hair
        colours[round(rows[-1] - 0.15 * height) : rows[-1] + max(1, height // 6), beside] = _SKIN
    elif tall > wide:
        colours[: round(tall * 0.13)] = hair
        colours[round(tall * 0.55) :] = legs
    return colours


class Placed(Medium):
    """A medium that covers a place only where a figure is."""

    def __init__(self, medium: Medium, place: Field, share: Field) -> None:
        super().__init__(medium.draft)
        self._medium, self._place, self._share = medium, place, share[..., None]

    def step(self, number: int) -> None:
        """Do one step of the medium."""
        self._medium.step(number)

    def picture(self) -> Field:
        """Return the place, with the medium's present picture at the figure."""
        return np.asarray(self._place + (np.clip(self._medium.picture(), 0, 1) - self._place) * self._share)
