"""Land as a field of heights seen in perspective: ranges, hills, dunes, canyons and high waves all lie on it.

The world is measured in heights of the eye above the ground. A grid of points holds what lies before the eye: its
rows are distances from near to far, its columns are those of the picture. So a field's heights, slopes, shadows and
colours cost as much as the grid, and each pixel only looks up which point it sees.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from easel_painter.canvas import Scene
from easel_painter.noise import Field
from easel_painter.palette import mix
from easel_painter.reading import Colour

_LATTICE = 64
_ELEVATION = {"day": 0.95, "golden": 0.48, "dawn": 0.42, "sunset": 0.36, "night": 0.62}
"""How steeply the light falls: its rise for one step sideways."""


@dataclass(frozen=True)
class Spot:
    """A visible place on the ground: pixel, pixels for one unit of the world, distance, and its point in the grid."""

    x: float
    y: float
    scale: float
    distance: float
    point: tuple[int, int]


class Terrain:
    """The ground between two distances from the eye."""

    def __init__(self, scene: Scene, far: float, near: float | None = None, eye: float = 1.0) -> None:
        self.scene = scene
        self.eye = eye
        self.focal = scene.short * 0.95
        below = max(4.0, scene.height - scene.horizon)
        start = near if near is not None else self.focal * eye / below * 0.98
        count = int(np.clip(0.55 * scene.height, 90, 420))
        steps = np.linspace(0, 1, count)
        self.z = (start * (max(far, start * 1.5) / start) ** steps).astype(np.float32)[:, None]
        across = (scene.columns() - np.float32(scene.width / 2)) / np.float32(self.focal)
        self.x: Field = across * self.z
        self.side = 1.0 if scene.light[0] > scene.width / 2 else -1.0
        self.rows: Field = np.zeros_like(self.x)
        self.crest: Field = self.rows
        self.height: Field = self.rows

    def noise(self, name: str, size: float, octaves: int = 5, gain: float = 0.5, sharp: bool = False) -> Field:
        """About 0 to 1 in lumps of `size` units; sharp ones meet in ridges; what is finer than a pixel is left out."""
        grid = self.scene.stream(name).random((_LATTICE, _LATTICE), dtype=np.float32)
        u, v = self.x / np.float32(size) + np.float32(31.7), self.z / np.float32(size) + np.float32(17.3)
        total, weights = np.zeros_like(self.x), 0.0
        weight, previous = 1.0, np.ones((1, 1), dtype=np.float32)
        pixel = self.z / np.float32(self.focal)
        for octave in range(octaves):
            seen = np.clip(np.float32(size / 2.0**octave) / pixel / 2 - 0.5, 0, 1)
            value = _lattice(grid, u, v)
            if sharp:
                value = 1 - np.abs(2 * value - 1)
                value = value * value
            total += np.float32(weight) * ((value - 0.5) * seen * previous + 0.5)
            if sharp:
                previous = 0.35 + 0.65 * np.clip(value * 1.6, 0, 1)
            weights += weight
            weight *= gain
            # Each octave is turned, else the lattice would show as a grain.
            u, v = (u * 0.8 - v * 0.6) * 2.03 + 11.1, (u * 0.6 + v * 0.8) * 2.03 + 5.7
        return np.asarray(np.clip((total / np.float32(weights) - 0.5) * np.float32(1.35) + 0.5, 0, 1))

    def slopes(self, height: Field) -> tuple[Field, Field]:
        """How much the ground rises for one unit to the right, and for one unit away from the eye."""
        across = np.gradient(height, axis=1).astype(np.float32) * np.float32(self.focal) / self.z
        along = np.gradient(height, axis=0).astype(np.float32) / np.gradient(self.z, axis=0).astype(np.float32)
        # Columns fan out from the eye: their own sideways step is taken off.
        return across, along - across * self.x / self.z

    def light(self, height: Field, strength: float = 1.0, shadows: float = 1.0) -> Field:
        """How much direct light each point gets: 1 on level ground, 0 in shade, up to 1.7 on a lit slope."""
        rise = _ELEVATION[self.scene.palette.hour]
        across, along = self.slopes(height)
        away = 0.10 if self.scene.light_shown else -0.30
        steep = np.sqrt(1 + (across * across + along * along) * np.float32(strength**2))
        facing = (rise - np.float32(strength) * (across * np.float32(self.side) + along * np.float32(away))) / steep
        lit: Field = np.clip(facing / np.float32(rise), 0, 1.7)
        if not shadows:
            return lit
        edge = np.float32(rise * 0.8) * self.x
        if self.side > 0:
            above = np.maximum.accumulate((height - edge)[:, ::-1], axis=1)[:, ::-1] + edge
        else:
            above = np.maximum.accumulate(height + edge, axis=1) - edge
        soft = np.clip((above - height) / (np.float32(0.012) * self.z + 1e-6), 0, 1)
        return np.asarray(lit * (1 - np.float32(shadows) * soft), dtype=np.float32)

    def shaded(self, colour: Field, light: Field, depth: float = 0.62) -> Field:
        """Colours of things in this light: warm where it falls, towards the sky's colour in the shade."""
        palette = self.scene.palette
        night = palette.hour == "night"
        ambient = np.asarray(palette.ambient, dtype=np.float32)
        warm = np.asarray(mix((1, 1, 1), palette.light, 0.35), dtype=np.float32) * np.float32(1.25 if night else 1.04)
        grey = sum(palette.ambient) / 3
        sky = mix(palette.ambient, (grey * 0.72, grey * 0.92, grey * 1.30), 0.60)
        cool = np.asarray(sky, dtype=np.float32) * np.float32(1 - depth)
        bright = np.clip(light, 0, 1.7)[..., None]
        # Bright slopes come near to white without reaching it.
        share = np.float32(1.45) * bright / (bright + np.float32(0.55))
        out: Field = colour * (cool * np.clip(1 - share, 0, 1) + ambient * warm * share)
        return out

    def in_air(self, colour: Field, clear: float, most: float = 0.92, power: float = 1.2) -> Field:
        """Colours seen through the air: at the distance `clear` a good half is haze."""
        air = np.float32(most) * (1 - np.exp(-((self.z / np.float32(clear)) ** np.float32(power))))
        haze = np.asarray(self.scene.palette.haze, dtype=np.float32)
        return np.asarray(colour * (1 - air[..., None]) + haze * air[..., None], dtype=np.float32)

    def haze_at(self, distance: float, clear: float, most: float = 0.92, power: float = 1.2) -> float:
        """The share of haze over a thing at a distance."""
        return float(most * (1 - np.exp(-((distance / clear) ** power))))

    def lay(self, height: Field, colour: Field, solid: Field | None = None, open_below: bool = False) -> None:
        """Put the ground into the picture; where `solid` is 0 it is left out, `open_below` also below its near end."""
        scene = self.scene
        self.height = height
        self.rows = np.float32(scene.horizon) + np.float32(self.focal) * (np.float32(self.eye) - height) / self.z
        self.crest = np.minimum.accumulate(self.rows, axis=0)
        top = int(np.clip(np.floor(self.crest.min()) - 1, 0, scene.height))
        tall, wide = scene.height - top, scene.width
        if tall < 1:
            return
        slots = np.clip(np.ceil(self.crest) - top, 0, tall).astype(np.int64)
        hits = np.bincount((slots * wide + np.arange(wide)).ravel(), minlength=(tall + 1) * wide)
        seen = len(self.z) - np.cumsum(hits.reshape(tall + 1, wide)[:-1], axis=0)
        mask = np.clip(np.arange(top, scene.height, dtype=np.float32)[:, None] - self.crest[-1][None, :] + 1, 0, 1)
        if open_below:
            near_end = np.maximum(self.rows[0], self.crest[-1])
            rows = np.arange(top, scene.height, dtype=np.float32)[:, None]
            mask = mask * np.clip(near_end[None, :] - rows + 0.5, 0, 1)
        self._cover(top, mask, np.minimum(seen, len(self.z) - 1), colour, solid)

    def _cover(self, top: int, mask: Field, seen: NDArray[np.int64], colour: Field, solid: Field | None) -> None:
        """Look up each pixel's colour between the point that it sees and the one before it."""
        wide = self.scene.width
        this = seen * wide + np.arange(wide)
        before = np.maximum(seen - 1, 0) * wide + np.arange(wide)
        flat = self.crest.ravel()
        near, far = flat[before], flat[this]
        rows = np.arange(top, self.scene.height, dtype=np.float32)[:, None]
        share = np.clip((near - rows) / np.maximum(near - far, np.float32(1e-3)), 0, 1)[..., None]
        table = colour.reshape(-1, 3)
        if solid is not None:
            mask = mask * solid.ravel()[this]
        self.scene.paint(mask.astype(np.float32), table[before] * (1 - share) + table[this] * share, top)

    def horizon_at(self, height: float, distance: float) -> float:
        """The row at which a point of this height and distance is seen."""
        return self.scene.horizon + self.focal * (self.eye - height) / distance

    def spots(self, name: str, count: int, wanted: Field, least: float = 0.0, bias: float = 1.15) -> list[Spot]:
        """Up to `count` visible places, from far to near, more where `wanted` (0 to 1) is high; after `lay` only.

        A low `bias` puts more of them near the eye.
        """
        rng = self.scene.stream(name)
        slices, wide = self.x.shape
        # Far slices lie close together; a place is chosen by the ground that it covers.
        share = np.cumsum(self.z[:, 0].astype(np.float64) ** bias)
        rows = np.searchsorted(share, rng.random(count) * share[-1]).clip(0, slices - 1)
        columns = rng.integers(0, wide, count)
        keep = rng.random(count) < wanted[rows, columns]
        keep &= self.rows[rows, columns] <= self.crest[rows, columns] + 0.02 * self.focal / self.z[rows, 0] + 1
        keep &= self.z[rows, 0] >= least
        chosen = np.flatnonzero(keep)
        chosen = chosen[np.argsort(-rows[chosen], kind="stable")]
        found = []
        for r, c in zip(rows[chosen].tolist(), columns[chosen].tolist(), strict=True):
            z = float(self.z[r, 0])
            found.append(Spot(float(c), float(self.rows[r, c]), self.focal / z, z, (r, c)))
        return found

    def spot(self, x: float, z: float) -> Spot:
        """The place at column `x` (pixels) and distance `z`, whether it is hidden or not; after `lay` only."""
        r = int(np.clip(np.searchsorted(self.z[:, 0], z), 0, len(self.z) - 1))
        c = int(np.clip(x, 0, self.scene.width - 1))
        return Spot(x, float(self.rows[r, c]), self.focal / float(self.z[r, 0]), float(self.z[r, 0]), (r, c))


def _lattice(grid: Field, u: Field, v: Field) -> Field:
    """A table of random numbers between its points, repeated without end."""
    i, j = np.floor(u), np.floor(v)
    fu, fv = u - i, v - j
    fu, fv = fu * fu * (3 - 2 * fu), fv * fv * (3 - 2 * fv)
    i0, j0 = i.astype(np.int32) & (_LATTICE - 1), j.astype(np.int32) & (_LATTICE - 1)
    i1, j1 = (i0 + 1) & (_LATTICE - 1), ((j0 + 1) & (_LATTICE - 1)) * _LATTICE
    j0 = j0 * _LATTICE
    flat = grid.ravel()
    low = flat[j0 + i0] * (1 - fu) + flat[j0 + i1] * fu
    high = flat[j1 + i0] * (1 - fu) + flat[j1 + i1] * fu
    return np.asarray(low * (1 - fv) + high * fv, dtype=np.float32)


def blend(below: Field | Colour, above: Field | Colour, share: Field) -> Field:
    """From one colour or field of colours (share 0) to another (1), point by point."""
    a, b = np.asarray(below, dtype=np.float32), np.asarray(above, dtype=np.float32)
    return np.asarray(a + (b - a) * share[..., None], dtype=np.float32)
