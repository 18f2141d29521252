"""Pencil: hatching that follows tone and form, contour lines, the grain of the paper."""

import numpy as np

from generator.engines.painter.media.base import Draft
from generator.engines.painter.media.contours import contours
from generator.engines.painter.media.layers import Layers
from generator.engines.painter.media.surface import directions, even_out, flow, luma, paper, soften
from generator.engines.painter.noise import Field, fbm, smoothstep

_PAPER = np.asarray((0.965, 0.955, 0.93), dtype=np.float32)
_GRAPHITE = np.asarray((1.0, 0.985, 0.95), dtype=np.float32)


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
        draft.tell()
        near = soften(grey, short / 380)
        # Half by rank: a night is drawn with lights, a mist with darks.
        self._dark = 1 - (near * np.float32(0.45) + even_out(near) * np.float32(0.55))
        draft.tell()
        self._angle = directions(near, short / 100, short / 36, rest=-0.9, pull=4e-5)
        wobble = (patches - 0.5) * np.float32(short * 0.010)
        self._lines = contours(near, max(0.9, short / 420), 34, 0.008)
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
        """Strokes over all that is darker than this hatching's level; every other one runs across the forms."""
        draft, short = self.draft, self.draft.short
        turn = np.float32((0.0, 0.55, -0.45, 1.1, 0.2)[number % 5])
        noise = draft.stream(f"hatching {number}").random((draft.height, draft.width), dtype=np.float32)
        coarse = soften(noise, max(0.55, short / 900))
        strokes = even_out(flow(coarse, self._angle + turn, short / 17, 14))
        level = (number + 0.35) / (self._hatches + 0.9)
        wanted = smoothstep(level - 0.22, level + 0.30, self._dark) * np.float32(0.78)
        return np.asarray(smoothstep(-0.14, 0.14, wanted - strokes) * np.float32(1.9 / self._hatches), dtype=np.float32)

    def picture(self) -> Field:
        """Graphite on paper: it stays on the heights of the grain. The sparks are erased again."""
        graphite = self.amount() * (np.float32(0.62) + np.float32(0.76) * self._grain)
        graphite *= 1 - np.clip(luma(self.draft.sparks) * 1.2, 0, 1)
        # Graphite shines: however often one draws over it, it never gets black.
        covered = np.float32(0.88) * (1 - np.exp(-graphite * np.float32(1.15)))
        return np.asarray(_PAPER * (1 - covered[..., None] * _GRAPHITE) * (0.99 + 0.02 * self._grain[..., None]))
