"""Stained glass: pieces that follow the colours, lead between them, light from behind."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from easel_painter.media.base import Draft, Medium
from easel_painter.media.cells import Labels, Lattice, Spread, cell_means
from easel_painter.media.surface import luma, relief, saturate, soften
from easel_painter.noise import Field, fbm, resize, smoothstep

_ROUNDS = 7
_GRID_PX = 260
_LEAD = np.asarray((0.075, 0.075, 0.085), dtype=np.float32)
_SHEET = np.asarray((0.86, 0.83, 0.76), dtype=np.float32)


class StainedGlass(Medium):
    """A window. First the drawing of the leads on pale paper, then piece after piece of glass, then the light."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft)
        self._lit = draft.target + draft.sparks * (1 - draft.target)
        across = 6 + 12 * min(1.0, draft.refinement)
        lattice = Lattice(draft.stream("pieces"), draft.width, draft.height, across, 0.30)
        colours = self._settle(lattice)
        draft.report()
        soft = soften(self._lit, draft.short / across / 5)
        small_pieces, _, _ = _divide(lattice, colours, soft, draft.report)
        pieces = _joined(colours.reshape(lattice.rows, lattice.columns, 3))[small_pieces]
        draft.report()
        self._lead, self._round = self._leads(pieces)
        draft.report()
        self._glass = self._panes(pieces, lattice.count)
        rng = draft.stream("order")
        x, y = lattice.x.ravel() * draft.short, lattice.y.ravel() * draft.short
        away = np.hypot(x - draft.light[0], y - draft.light[1]) / max(draft.width, draft.height)
        self._arrival = (0.55 * rng.random(lattice.count) + 0.45 * away / away.max()).astype(np.float32)[pieces]
        self._share = 0.0

    def _settle(self, lattice: Lattice) -> Field:
        """Move the seeds until their pieces follow the colours; answers each piece's colour: count x 3."""
        draft = self.draft
        scale = min(1.0, _GRID_PX / draft.short)
        width, height = max(8, round(draft.width * scale)), max(8, round(draft.height * scale))
        small = np.stack([resize(self._lit[..., c], width, height, Image.Resampling.BOX) for c in range(3)], axis=-1)
        short = min(width, height)
        places = np.empty((height, width, 5), dtype=np.float32)
        places[..., 0] = (np.arange(width, dtype=np.float32)[None, :] + 0.5) / short
        places[..., 1] = (np.arange(height, dtype=np.float32)[:, None] + 0.5) / short
        places[..., 2:] = small
        row = np.clip((lattice.y * short).astype(np.int64), 0, height - 1)
        column = np.clip((lattice.x * short).astype(np.int64), 0, width - 1)
        colours = small[row, column].reshape(-1, 3)
        for _ in range(_ROUNDS):
            pieces, _, _ = _divide(lattice, colours, small, draft.report)
            means = cell_means(places, pieces, lattice.count)
            filled = np.bincount(pieces.ravel(), minlength=lattice.count) > 0
            colours = np.where(filled[:, None], means[:, 2:], colours)
            x = np.where(filled, means[:, 0], lattice.x.ravel())
            lattice.move(x, np.where(filled, means[:, 1], lattice.y.ravel()))
        return np.asarray(colours)

    def _leads(self, pieces: Labels) -> tuple[Field, Field]:
        """How much lead covers each pixel, and how round it is; the frame too."""
        draft = self.draft
        border = np.zeros(pieces.shape, dtype=np.float32)
        border[:, :-1] = pieces[:, :-1] != pieces[:, 1:]
        border[:-1] = np.maximum(border[:-1], pieces[:-1] != pieces[1:])
        half = max(0.8, draft.short / 260)
        profile = soften(border, half) * np.float32(half)
        x = np.minimum(np.arange(draft.width), draft.width - 1 - np.arange(draft.width)).astype(np.float32)
        y = np.minimum(np.arange(draft.height), draft.height - 1 - np.arange(draft.height)).astype(np.float32)
        inwards = np.minimum(x[None, :], y[:, None]) / np.float32(max(2.0, draft.short / 48))
        frame = np.clip(1.5 - inwards, 0, 1) * np.clip(inwards * 2 + 0.5, 0, 1)
        lead = np.maximum(smoothstep(0.17, 0.27, profile), smoothstep(0.45, 0.55, np.clip(1.5 - inwards, 0, 1)))
        return np.asarray(lead), np.asarray(np.maximum(profile * 2, frame))

    def _panes(self, pieces: Labels, count: int) -> Field:
        """The glass with the light behind it: clear colours, streaks, each piece a little different."""
        draft = self.draft
        rng = draft.stream("glass")
        colour = cell_means(self._lit, pieces, count)
        colour = np.clip(saturate(colour, 1.55), 0.015, 1) ** np.float32(0.80)
        colour *= rng.normal(1, 0.09, (count, 1)).astype(np.float32)
        draft.report()
        # A part of the drawing is painted on the glass: without it towers and windows would be lost.
        grey = luma(self._lit)
        own = luma(colour)[pieces] * np.float32(0.62) + grey * np.float32(0.38)
        tint = saturate(np.clip(soften(self._lit, draft.short / 200), 0.015, 1), 1.4)
        pane = colour[pieces] * np.float32(0.62) + tint * np.float32(0.38)
        painted = np.clip(0.42 + np.float32(0.58) * (grey + 0.12) / (own + 0.12), 0.45, 1.55)
        draft.report()
        streaks = fbm(
            rng, draft.width, draft.height, (draft.width / draft.short * 4, draft.height / draft.short * 22), 4
        )
        seeds = fbm(
            rng, draft.width, draft.height, (draft.width / draft.short * 40, draft.height / draft.short * 40), 2
        )
        body = np.float32(0.72) + np.float32(0.42) * streaks + np.float32(0.20) * seeds
        x = (np.arange(draft.width, dtype=np.float32)[None, :] - np.float32(draft.light[0])) / max(
            draft.width, draft.height
        )
        y = (np.arange(draft.height, dtype=np.float32)[:, None] - np.float32(draft.light[1])) / max(
            draft.width, draft.height
        )
        sun = np.float32(0.86) + np.float32(0.44) * np.exp(-(x * x + y * y) * np.float32(7))
        shade = 1 - np.float32(0.55) * soften(self._lead, draft.short / 80)
        return np.asarray(pane * (painted * body * sun * shade)[..., None], dtype=np.float32)

    def step(self, number: int) -> None:
        """Set some more pieces."""
        self._share = self.done(number)

    def picture(self) -> Field:
        """The window as far as it is glazed; where glass is missing, the paper with the drawing shows."""
        share = self._share
        set_in = np.clip((np.float32(share * 1.06) - self._arrival) * 18, 0, 1)[..., None]
        glow = np.float32(0.85 + 0.15 * share)
        drawing = _SHEET * np.float32(0.9) + np.float32(0.1) * self.draft.under
        picture = drawing + (self._glass * glow - drawing) * set_in
        metal = _LEAD + np.clip(relief(self._round, self.draft.short / 300), -0.1, 1)[..., None] * np.float32(0.30)
        cover = self._lead[..., None] * np.float32(min(1.0, 0.55 + share))
        return np.asarray(picture + (metal - picture) * cover, dtype=np.float32)


def _divide(
    lattice: Lattice, colours: Field, picture: Field, report: Callable[[], None]
) -> tuple[Labels, Field, Field]:
    """Pixels go to the piece that is near and of like colour."""
    height, width = picture.shape[:2]
    around = lattice.around(width, height, report)
    tint = colours.reshape(lattice.rows, lattice.columns, 3)
    scale = np.float32(1 / lattice.size**2)

    def distance(spread: Spread) -> Field:
        far = ((around.x - spread(lattice.x)) ** 2 + (around.y - spread(lattice.y)) ** 2) * scale
        for c in range(3):
            far += (picture[..., c] - spread(tint[..., c])) ** 2 * np.float32(6.0)
        return far

    return around.divide(distance)


def _joined(colours: Field) -> NDArray[np.int32]:
    """For each small piece (row by row) the number of the piece it belongs to: neighbours of like colour are one."""
    rows, columns = colours.shape[:2]
    number = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    joined = np.zeros((rows, columns), dtype=bool)
    for high, wide, unlike in ((2, 3, 0.09), (3, 2, 0.09), (2, 2, 0.12), (1, 2, 0.17), (2, 1, 0.17)):
        for top in range(0, rows - high + 1, 1 if high == 1 else high):
            # Blocks of one row stand above the joints of the next.
            for left in range((top // high + high) % wide, columns - wide + 1, wide):
                block = (slice(top, top + high), slice(left, left + wide))
                if not joined[block].any() and np.ptp(colours[block], axis=(0, 1)).max() < unlike:
                    number[block] = number[top, left]
                    joined[block] = True
    return number.ravel()
