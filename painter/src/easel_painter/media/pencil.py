"""Pencil: hatching that follows tone and form, contour lines, the grain of the paper."""

import numpy as np

from easel_painter.media.base import Draft
from easel_painter.media.contours import contours, outline_tone
from easel_painter.media.layers import Layers
from easel_painter.media.surface import directions, even_out, luma, paper, soften
from easel_painter.noise import Field, fbm, smoothstep

_PAPER = np.asarray((0.965, 0.955, 0.93), dtype=np.float32)
_GRAPHITE = np.asarray((1.0, 0.985, 0.95), dtype=np.float32)

_TURNS = 6
"""Directions in which a patch may be hatched."""

_SLANTS = (-0.9, 0.25, 0.55, -0.4, -1.35)
"""The angle of each hatching: of its lines, or from the run of the forms."""


class Pencil(Layers):
    """A drawing in graphite. More steps lay more and finer hatching."""

    def __init__(self, draft: Draft) -> None:
        width, height, short = draft.width, draft.height, draft.short
        patches = fbm(draft.stream("patches"), width, height, (width / short * 5, height / short * 5), 3)
        self._hatches = 2 + round(3 * min(1.0, draft.refinement))
        super().__init__(draft, self._hatches + 2, even_out(patches))
        self._patches = patches
        self._grain = paper(draft.stream("paper"), width, height, short)
        grey = luma(draft.target)
        draft.report()
        near = soften(grey, short / 380)
        # Half by rank: a night is drawn with lights, a mist with darks; much of the sheet stays free.
        tone = near * np.float32(0.40) + even_out(near - soften(near, short / 4) * np.float32(0.35)) * np.float32(0.60)
        self._dark = np.clip(1 - tone * np.float32(1.25), 0, 1) ** np.float32(1.15)
        draft.report()
        angle = directions(near, short / 70, short / 14, rest=-0.9, pull=6e-5)
        # A hand hatches whole patches in one direction.
        self._turn = np.round(angle / np.float32(np.pi / _TURNS)).astype(np.int32) % _TURNS
        wobble = (patches - 0.5) * np.float32(short * 0.010)
        self._lines = contours(outline_tone(draft.target), max(0.9, short / 400), 60, 0.004)
        rows = np.clip(np.arange(height, dtype=np.float32)[:, None] + wobble, 0, height - 1).astype(np.int32)
        columns = np.clip(np.arange(width, dtype=np.float32)[None, :] - wobble, 0, width - 1).astype(np.int32)
        self._again = self._lines[rows, columns]

    def layer(self, number: int) -> Field:
        """First a loose outline, then hatching after hatching, at last the firm lines."""
        if number == 0:
            return np.asarray(self._again * np.float32(0.5) + self._lines * np.float32(0.3), dtype=np.float32)
        if number == self.count - 1:
            return np.asarray(self._lines * (np.float32(0.5) + self._dark), dtype=np.float32)
        return self._hatching(number - 1)

    def _hatching(self, number: int) -> Field:
        """Strokes over all that is darker than this hatching's level; every other one follows the forms."""
        draft = self.draft
        rng = draft.stream(f"hatching {number}")
        spacing, length = max(1.5, draft.short / 215), draft.short / 11
        angle = np.float32(_SLANTS[number % len(_SLANTS)])
        turn = self._turn if number % 2 else np.zeros_like(self._turn)
        angles = turn.astype(np.float32) * np.float32(np.pi / _TURNS) + angle
        sine, cosine = np.sin(angles), np.cos(angles)
        x = np.arange(draft.width, dtype=np.float32)[None, :]
        y = np.arange(draft.height, dtype=np.float32)[:, None]
        across = (y * cosine - x * sine) / np.float32(spacing) + self._patches * np.float32(5)
        row = np.floor(across)
        offset = np.abs(across - row - np.float32(0.5))
        line = row.astype(np.int32) + turn * np.int32(7919)
        # Every line begins somewhere else, and each of its strokes is a little darker or lighter.
        starts, own = rng.random(8192, dtype=np.float32), rng.random(65536, dtype=np.float32)
        along = (x * cosine + y * sine) / np.float32(length) + starts[line & 8191] * 3
        stroke = np.floor(along)
        at_end = np.abs(along - stroke - np.float32(0.5))
        own_value = own[(line * np.int32(131) + stroke.astype(np.int32) * np.int32(7919)) & 65535]
        level = (number + 0.2) / (self._hatches + 0.6)
        wanted = smoothstep(level - 0.16, level + 0.34, self._dark)
        pressure = np.clip((wanted * np.float32(1.15) - own_value * np.float32(0.75)) * 2.2, 0, 1)
        width = np.float32(0.20) + np.float32(0.26) * wanted
        body = np.clip((width - offset) * np.float32(spacing) + np.float32(0.4), 0, 1)
        tapered = np.clip((np.float32(0.5) - at_end) * 9, 0, 1)
        return np.asarray(pressure * body * tapered * np.float32(2.6 / self._hatches), dtype=np.float32)

    def picture(self) -> Field:
        """Graphite on paper: it stays on the heights of the grain. The sparks are erased again."""
        graphite = self.amount() * (np.float32(0.70) + np.float32(0.60) * self._grain)
        graphite *= 1 - np.clip(luma(self.draft.sparks) * 1.2, 0, 1)
        # Graphite shines: however often one draws over it, it never gets black.
        covered = np.float32(0.88) * (1 - np.exp(-graphite * np.float32(1.15)))
        return np.asarray(_PAPER * (1 - covered[..., None] * _GRAPHITE) * (0.99 + 0.02 * self._grain[..., None]))
