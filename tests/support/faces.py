"""Photos of people who do not exist: heads in shades of light, which a detector takes for faces."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from tests.support.photos import encode

Shades = npt.NDArray[np.float64]

SIDE_PX = 640
_HAIR, _SKIN, _SHIRT = (52, 36, 28), (222, 170, 140), (55, 65, 95)
_Y, _X = np.mgrid[0:SIDE_PX, 0:SIDE_PX].astype(float)


def people(*heads: tuple[int, int, int], seed: int = 0) -> bytes:
    """Return a photo with heads, each given by the middle of its face and half its width, in pixels of 640."""
    waves = 0.8 + 0.25 * np.sin(_X / (170 - 20 * seed)) * np.cos(_Y / (230 - 25 * seed))
    picture = np.array((140.0, 150.0, 150.0)) * waves[..., None]
    for x, y, radius in heads:
        picture = _Head(x, y, radius).on(picture)
    picture += np.random.default_rng(seed).normal(0, 6, picture.shape)
    image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.6))
    return encode(image, "PNG")


def person(seed: int = 0) -> bytes:
    """Return a photo of one person; another seed gives another place and background."""
    return people((250 + 35 * seed, 300 - 12 * seed, 140 + 12 * (seed % 3)), seed=seed)


class _Head:
    """A head, drawn in units of half its width around the middle of its face."""

    def __init__(self, x: int, y: int, radius: int) -> None:
        self.u, self.v = (_X - x) / radius, (_Y - y) / radius

    def on(self, picture: Shades) -> Shades:
        picture = _laid(picture, self._disc(0, 2.9, 2.1, 1.35), _SHIRT)
        neck = np.clip((0.5 - abs(self.u)) * 16 + 0.5, 0, 1) * ((self.v > 0.7) & (self.v < 1.9))
        picture = _laid(picture, neck, [0.62 * value for value in _SKIN])
        picture = _laid(picture, self._disc(0, -0.25, 1.12, 1.3), _HAIR)
        depth = np.sqrt(np.clip(1 - (1.08 * self.u) ** 2 - (self.v / 1.32) ** 2, 0, 1))
        light = np.clip(0.25 - 0.28 * self.u - 0.2 * self.v + 0.65 * depth, 0, 1.15)
        face = self._disc(0, 0.05, 0.88, 1.2, 0.04)
        picture = picture * (1 - face[..., None]) + np.array(_SKIN) * (light * face)[..., None]
        picture = _laid(picture, self._disc(0, -1.15, 0.85, 0.5, 0.3) * face, _HAIR)
        for side in (-1, 1):
            picture = self._eye(picture, side)
        return self._mouth(self._nose(picture))

    def _eye(self, picture: Shades, side: int) -> Shades:
        x, y = side * 0.36, -0.12
        picture = _darker(picture, self._glow(x, y - 0.05, 0.3, 0.2), 0.28)
        picture = _laid(picture, self._disc(x, y, 0.18, 0.085, 0.2), (225, 222, 218))
        picture = _laid(picture, self._disc(x, y, 0.085, 0.085, 0.2), (45, 32, 25))
        picture = _laid(picture, self._disc(x, y - 0.09, 0.21, 0.035, 0.5), (40, 26, 22))
        picture = _laid(picture, 0.9 * self._disc(x + side * 0.02, y - 0.27, 0.27, 0.05, 0.5), (50, 34, 26))
        return _laid(picture, 0.25 * self._glow(side * 0.5, 0.35, 0.22, 0.2), (225, 130, 110))

    def _nose(self, picture: Shades) -> Shades:
        for side in (-1, 1):
            picture = _laid(picture, 0.8 * self._disc(side * 0.1, 0.37, 0.05, 0.03, 0.6), (80, 40, 35))
        picture = _darker(picture, self._glow(0.14, 0.12, 0.06, 0.25), 0.14)
        return _darker(picture, self._glow(0, 0.43, 0.17, 0.05), 0.2)

    def _mouth(self, picture: Shades) -> Shades:
        picture = _laid(picture, self._disc(0, 0.62, 0.32, 0.07, 0.5), (165, 85, 80))
        picture = _laid(picture, self._disc(0, 0.72, 0.26, 0.07, 0.5), (185, 100, 92))
        return _laid(picture, self._disc(0, 0.665, 0.32, 0.018, 0.8), (85, 38, 36))

    def _distance(self, x: float, y: float, width: float, height: float) -> Shades:
        distance: Shades = np.hypot((self.u - x) / width, (self.v - y) / height)
        return distance

    def _disc(self, x: float, y: float, width: float, height: float, soft: float = 0.06) -> Shades:
        return np.clip((1 - self._distance(x, y, width, height)) / soft + 0.5, 0, 1)

    def _glow(self, x: float, y: float, width: float, height: float) -> Shades:
        return np.exp(-(self._distance(x, y, width, height) ** 2))


def _laid(picture: Shades, mask: Shades, colour: Sequence[float]) -> Shades:
    return picture * (1 - mask[..., None]) + np.array(colour) * mask[..., None]


def _darker(picture: Shades, mask: Shades, share: float) -> Shades:
    return picture * (1 - share * mask[..., None])
