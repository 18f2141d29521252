"""Mosaic: small stones in rows along the forms, grout between them, no two quite alike."""

import numpy as np
from PIL import Image

from easel_painter.media.base import Draft, Medium
from easel_painter.media.cells import Around, Labels, Lattice, Spread, cell_means
from easel_painter.media.surface import directions, luma, relief, saturate, soften
from easel_painter.noise import Field, fbm, resize, smoothstep

_ROUNDS = 9
_PIXELS_A_STONE = 7
_GROUT = np.asarray((0.33, 0.31, 0.285), dtype=np.float32)


class Mosaic(Medium):
    """Stones are set one after the other on a wet ground that shows the picture faintly."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft)
        lit = draft.target + draft.sparks * (1 - draft.target)
        across = min(18 + 34 * min(1.0, draft.refinement), max(12.0, draft.short / 5))
        self._lattice = Lattice(draft.stream("stones"), draft.width, draft.height, across, 0.22)
        scale = min(1.0, across * _PIXELS_A_STONE / draft.short)
        width, height = max(8, round(draft.width * scale)), max(8, round(draft.height * scale))
        small = np.stack([resize(lit[..., c], width, height, Image.Resampling.BOX) for c in range(3)], axis=-1)
        self._turn = self._settle(small)
        around = self._lattice.around(draft.width, draft.height, draft.report)
        stones, best, second = _divide(self._lattice, self._turn, around)
        self._stone, self._thick = self._cut(best, second)
        self._colour = self._coloured(small, stones)
        draft.report()
        self._tilt = self._tilted(around, stones)
        rng = draft.stream("order")
        self._arrival = self._order(small, rng)[stones]
        shape = (draft.width / draft.short * 60, draft.height / draft.short * 60)
        self._grain = fbm(draft.stream("grain"), draft.width, draft.height, shape, 3)
        self._share = 0.0

    def _settle(self, small: Field) -> Field:
        """Move the seeds until the stones fill the ground evenly; answers how each is turned, as rows x columns."""
        lattice, draft = self._lattice, self.draft
        height, width = small.shape[:2]
        short = min(width, height)
        grey = luma(small)
        angle = directions(grey, max(1, short / 120), short / 26, pull=1e-5)
        # Stones keep off the edges of forms, and so line up along them.
        dy, dx = np.gradient(soften(grey, 1.0))
        weight = 1 / (1 + np.float32(60) * np.sqrt(dx * dx + dy * dy))
        x = ((np.arange(width, dtype=np.float32) + 0.5) / short)[None, :]
        y = ((np.arange(height, dtype=np.float32) + 0.5) / short)[:, None]
        values = np.stack([x * weight, y * weight, weight], axis=-1)
        around = lattice.around(width, height, draft.report)
        for _ in range(_ROUNDS):
            turn = _at_seeds(angle, lattice, short)
            stones, _, _ = _divide(lattice, turn, around)
            sums = cell_means(values, stones, lattice.count)
            there = sums[:, 2] > 0
            share = np.maximum(sums[:, 2], np.float32(1e-9))
            lattice.move(
                np.where(there, sums[:, 0] / share, lattice.x.ravel()),
                np.where(there, sums[:, 1] / share, lattice.y.ravel()),
                1.3,
            )
        return _at_seeds(angle, lattice, short)

    def _cut(self, best: Field, second: Field) -> tuple[Field, Field]:
        """How much of each pixel is stone, and how thick the stone is there: rounded at its sides."""
        size = np.float32(self._lattice.size)
        # To the stone's own side, or to the middle between it and its neighbour, whichever is nearer.
        inwards = np.minimum(
            np.float32(0.53) * size - best, (second - best) * np.float32(0.5) - size * np.float32(0.055)
        )
        pixel = np.float32(1 / self.draft.short)
        stone = np.clip(inwards / pixel + 0.5, 0, 1)
        return stone.astype(np.float32), smoothstep(0.0, 0.16, inwards / size)

    def _coloured(self, small: Field, stones: Labels) -> Field:
        """Each pixel's stone colour: the picture's mean there, from a box of stones that are never quite alike."""
        lattice, rng = self._lattice, self.draft.stream("colours")
        height, width = small.shape[:2]
        coarse, _, _ = _divide(lattice, self._turn, lattice.around(width, height, self.draft.report))
        colour = cell_means(small, coarse, lattice.count)
        filled = np.bincount(coarse.ravel(), minlength=lattice.count) > 0
        row = np.clip((lattice.y.ravel() * min(width, height)).astype(np.int64), 0, height - 1)
        column = np.clip((lattice.x.ravel() * min(width, height)).astype(np.int64), 0, width - 1)
        # Half the mean, half what lies under the stone's middle: else small lights would be lost.
        middle = small[row, column]
        colour = np.where(filled[:, None], colour * np.float32(0.5) + middle * np.float32(0.5), middle)
        # Stones of a night are still stones: they take some light from the room.
        colour = np.clip(saturate(colour, 1.32), 0.01, 1) ** np.float32(0.88)
        tone = rng.normal(0, 0.055, (lattice.count, 1)) + rng.normal(0, 0.018, (lattice.count, 3))
        return np.clip(colour * (1 + tone) + tone * 0.35, 0.02, 1).astype(np.float32)[stones]

    def _tilted(self, around: Around, stones: Labels) -> Field:
        """No stone lies quite flat: each is brighter towards one side."""
        lattice, rng = self._lattice, self.draft.stream("tilt")
        across, down = rng.normal(0, 0.10, (2, lattice.count)).astype(np.float32) / np.float32(lattice.size)
        x, y = around.x - lattice.x.ravel()[stones], around.y - lattice.y.ravel()[stones]
        return np.asarray(np.clip(x * across[stones] + y * down[stones], -0.12, 0.12))

    def _order(self, small: Field, rng: np.random.Generator) -> Field:
        """When each stone is set, 0 to 1: along the edges of forms first."""
        short = min(small.shape[:2])
        dy, dx = np.gradient(soften(luma(small), 1.2))
        near = _at_seeds(soften(np.sqrt(dx * dx + dy * dy), short / 40), self._lattice, short).ravel()
        rank = np.argsort(np.argsort(-near, kind="stable"), kind="stable") / max(1, len(near) - 1)
        return (0.75 * rank + 0.25 * rng.random(len(near))).astype(np.float32)

    def step(self, number: int) -> None:
        """Set some more stones."""
        self._share = self.done(number)

    def picture(self) -> Field:
        """The stones that are set, in light from the upper left, and the ground between them."""
        set_in = (self._arrival <= self._share * 1.001).astype(np.float32)
        grout = _GROUT * (np.float32(0.80) + np.float32(0.4) * self._grain[..., None])
        sketch = grout * np.float32(0.45) + self.draft.under * np.float32(0.55)
        ground = sketch + (grout - sketch) * np.float32(self._share)
        light = relief(self._thick, self.draft.short * self._lattice.size * 0.16) * np.float32(0.20)
        face = self._tilt + light + (self._grain - 0.5) * np.float32(0.07)
        stone = self._colour * (1 + face[..., None] * np.float32(1.3)) + face[..., None] * np.float32(0.12)
        return np.asarray(ground + (stone - ground) * (self._stone * set_in)[..., None], dtype=np.float32)


def _at_seeds(field: Field, lattice: Lattice, short: int) -> Field:
    """The field's values where the seeds stand: rows x columns."""
    row = np.clip((lattice.y * short).astype(np.int64), 0, field.shape[0] - 1)
    column = np.clip((lattice.x * short).astype(np.int64), 0, field.shape[1] - 1)
    return np.asarray(field[row, column])


def _divide(lattice: Lattice, turn: Field, around: Around) -> tuple[Labels, Field, Field]:
    """Pixels go to the stone to whose middle they are nearest, counted along the stone's own two sides."""
    cosine, sine = np.cos(turn).astype(np.float32), np.sin(turn).astype(np.float32)

    def distance(spread: Spread) -> Field:
        x, y = around.x - spread(lattice.x), around.y - spread(lattice.y)
        c, s = spread(cosine), spread(sine)
        return np.maximum(np.abs(x * c + y * s), np.abs(y * c - x * s))

    return around.divide(distance, reach=2)
