"""Pixel art: large square pixels, a small palette, ordered dithering, dark outlines."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from easel_painter.media.base import Draft, Medium
from easel_painter.media.surface import luma, saturate, soften
from easel_painter.noise import Field, resize

_BAYER = np.asarray([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], dtype=np.float32) / 16 - 0.47
_STAGES = ((8, 6), (4, 10), (2, 16), (1, 32))
"""For each stage: the side of its squares in cells, and at most how many colours it has."""


class PixelArt(Medium):
    """A hundred-odd cells on the shorter side. Coarse squares give way to finer ones, few colours to more."""

    may_be_reduced = False

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft)
        self._cell = max(2, round(draft.short / 116))
        self._columns, self._rows = -(-draft.width // self._cell), -(-draft.height // self._cell)
        lit = draft.target + draft.sparks * (1 - draft.target)
        small = np.stack([self._reduced(lit[..., c], draft.sparks[..., c]) for c in range(3)], axis=-1)
        # Outlines are drawn around things, not around stars.
        self._forms = self._reduced(luma(draft.target), np.zeros_like(draft.sparks[..., 0]))
        draft.report()
        crisp = small + (small - soften(small, 1.2)) * np.float32(0.55)
        self._small = np.clip(saturate(crisp, 1.16), 0, 1)
        # In few steps the finest stages are not reached; one step makes plain large pixels.
        last = len(_STAGES) if draft.steps > 7 else 3 if draft.steps > 1 else 2
        colours = int(np.clip(10 + 16 * draft.refinement, 12, 28))
        self._stages = [(square, min(most, colours)) for square, most in _STAGES[:last]]
        order = draft.stream("cells").random((self._rows // 4 + 1, self._columns // 4 + 1))
        order = 0.55 * order + 0.45 * np.linspace(0, 1, order.shape[0])[:, None]
        self._order = np.repeat(np.repeat(order, 4, 0), 4, 1)[: self._rows, : self._columns]
        self._below = self._coarse(16, 4)
        self._above = self._below
        self._stage, self._share = -1, 1.0

    def _reduced(self, channel: Field, sparks: Field) -> Field:
        wide, high = self._columns * self._cell, self._rows * self._cell
        margins = ((0, high - channel.shape[0]), (0, wide - channel.shape[1]))
        whole, points = (np.pad(field, margins, mode="edge") for field in (channel, sparks))
        mean = resize(np.ascontiguousarray(whole), self._columns, self._rows, Image.Resampling.BOX)
        # A star must not drown in the sky around it.
        peak = points.reshape(self._rows, self._cell, self._columns, self._cell).max(axis=(1, 3))
        return np.asarray(np.maximum(mean, peak * np.float32(0.8)))

    def _coarse(self, square: int, colours: int) -> Field:
        """The picture in squares of several cells, each cell of one of so many colours."""
        wide, high = max(2, -(-self._columns // square)), max(2, -(-self._rows // square))
        if square == 1:
            squares = self._small
        else:
            squares = np.stack(
                [resize(np.ascontiguousarray(self._small[..., c]), wide, high, Image.Resampling.BOX) for c in range(3)],
                axis=-1,
            )
        palette = _palette(squares.reshape(-1, 3), colours)
        picture = palette[_nearest(_dithered(squares, palette), palette)]
        if square == 1:
            picture = _outlined(picture, self._forms, palette)
        large = np.repeat(np.repeat(picture, square, 0), square, 1)
        return np.asarray(large[: self._rows, : self._columns])

    def step(self, number: int) -> None:
        """Let the squares of the present stage replace the coarser ones, from above and one by one."""
        at = self.done(number) * len(self._stages)
        stage = min(len(self._stages) - 1, int(at - 1e-9))
        while self._stage < stage:
            self._stage += 1
            self._below, self._above = self._above, self._coarse(*self._stages[self._stage])
            self.draft.report()
        self._share = at - stage

    def picture(self) -> Field:
        """Each cell as a square of whole pixels."""
        shown = np.where((self._order <= self._share)[..., None], self._above, self._below)
        large = np.repeat(np.repeat(shown, self._cell, 0), self._cell, 1)
        return np.asarray(large[: self.draft.height, : self.draft.width], dtype=np.float32)


def _palette(colours: Field, count: int, rounds: int = 7) -> Field:
    """The colours that stand best for many: k-means from an even spread over the sorted brightness."""
    sample = colours[:: max(1, len(colours) // 6000)]
    order = np.argsort(luma(sample), kind="stable")
    places = np.linspace(0, len(order) - 1, count).astype(np.int64)
    centres = sample[order][places] + np.linspace(-1, 1, count, dtype=np.float32)[:, None] * 1e-4
    for _ in range(rounds):
        nearest = _nearest(sample, centres)
        counts = np.bincount(nearest, minlength=count)
        for c in range(3):
            sums = np.bincount(nearest, weights=sample[:, c], minlength=count)
            centres[:, c] = np.where(counts > 0, sums / np.maximum(counts, 1), centres[:, c])
        # A colour that nobody needs goes where the picture is served worst.
        idle = np.flatnonzero(counts == 0)
        if idle.size:
            worst = np.argsort(-((sample - centres[nearest]) ** 2).sum(axis=1), kind="stable")
            centres[idle] = sample[worst[: idle.size * 7 : 7]][: idle.size] if len(worst) > idle.size * 7 else sample[0]
    return np.asarray(centres, dtype=np.float32)


def _nearest(colours: Field, palette: Field) -> NDArray[np.int64]:
    """For each colour the number of the nearest in the palette."""
    best = np.full(colours.shape[:-1], np.inf, dtype=np.float32)
    number = np.zeros(colours.shape[:-1], dtype=np.int64)
    for k, entry in enumerate(palette):
        off = colours - entry
        distance = off[..., 0] ** 2 * np.float32(0.9) + off[..., 1] ** 2 * np.float32(1.4) + off[..., 2] ** 2 * 0.7
        closer = distance < best
        best = np.where(closer, distance, best)
        number[closer] = k
    return number


def _dithered(squares: Field, palette: Field) -> Field:
    """The squares with a fixed pattern added, so that two colours mix where neither fits."""
    rows, columns = squares.shape[:2]
    pattern = np.tile(_BAYER, (rows // 4 + 1, columns // 4 + 1))[:rows, :columns]
    # Colours lie apart by about this much; the pattern bridges half of it.
    spread = np.float32(0.42 / max(2.0, len(palette) ** 0.62))
    return np.asarray(squares + (pattern * spread)[..., None], dtype=np.float32)


def _outlined(picture: Field, grey: Field, palette: Field) -> Field:
    """The picture with the darker side of each strong edge drawn in a darker shade of its own colour."""
    grey = np.pad(grey, 1, mode="edge")
    middle = grey[1:-1, 1:-1]
    around = np.stack([grey[:-2, 1:-1], grey[2:, 1:-1], grey[1:-1, :-2], grey[1:-1, 2:]])
    edge = (around.max(axis=0) - middle > 0.20) & (middle - around.min(axis=0) < 0.10)
    darker = palette[_nearest(picture * np.float32(0.42), palette)]
    return np.where(edge[..., None], darker, picture)
