"""Ink: few grey washes on warm paper, brush lines of changing width, a dry brush in the darks."""

import numpy as np

from easel_painter.media.base import Draft
from easel_painter.media.contours import contours, outline_tone
from easel_painter.media.layers import Layers
from easel_painter.media.surface import directions, even_out, flow, luma, paper, soften
from easel_painter.noise import Field, fbm, smoothstep

_PAPER = np.asarray((0.955, 0.935, 0.885), dtype=np.float32)
_INK = np.asarray((1.0, 0.99, 0.95), dtype=np.float32)
_WASHES = ((0.34, 0.30), (0.56, 0.42), (0.80, 0.80))
"""For each wash: the share of the sheet left free by it, and how dark it is."""


class Ink(Layers):
    """A drawing in ink. Of all colours only one remains, if the words ask for it."""

    takes_colours = False

    def __init__(self, draft: Draft) -> None:
        width, height, short = draft.width, draft.height, draft.short
        clouds = fbm(draft.stream("wet"), width, height, (width / short * 6, height / short * 6), 4)
        super().__init__(draft, 5, clouds)
        self._grain = paper(draft.stream("paper"), width, height, short)
        grey = luma(draft.target)
        draft.report()
        # Only what differs from its surroundings is worth ink; most of the sheet stays free.
        near = soften(grey, short / 300)
        local = near - soften(grey, short / 5) * np.float32(0.38)
        self._tone = even_out(local + (clouds - 0.5) * np.float32(0.10))
        self._tone = soften(self._tone, short / 500)
        draft.report()
        angle = directions(near, short / 110, short / 45)
        hairs = draft.stream("hairs").random((height, width), dtype=np.float32)
        self._hairs = even_out(flow(soften(hairs, short / 800), angle, short / 14, 12))
        draft.report()
        draft.report()
        tone = outline_tone(draft.target)
        fine, bold = contours(tone, short / 330, 60, 0.006), contours(tone, short / 110, 34, 0.014)
        pressure = np.float32(0.6) + np.float32(0.8) * clouds
        self._lines = np.clip(np.maximum(fine * 0.85, bold) * pressure, 0, 1)
        self._clouds = clouds
        draft.report()
        self._sheet = self._free_border()
        self._accent = self._coloured()

    def _free_border(self) -> Field:
        """1 where the brush goes; it leaves the rim of the sheet, streaky on its way out."""
        draft = self.draft
        x = np.abs(np.linspace(-1, 1, draft.width, dtype=np.float32))[None, :]
        y = np.abs(np.linspace(-1, 1, draft.height, dtype=np.float32))[:, None]
        outwards = np.maximum(x, y) + (self._clouds - 0.5) * np.float32(0.13) + (self._hairs - 0.5) * np.float32(0.09)
        return 1 - smoothstep(0.90, 0.935, outwards)

    def layer(self, number: int) -> Field:
        """Light wash, fine lines with it, middle wash, dark wash with a dry brush, last accents."""
        if number == 1:
            return np.asarray(self._lines * self._sheet * np.float32(1.9))
        if number == 4:
            dry = smoothstep(0.25, 0.35, self._hairs) * smoothstep(0.5, 0.9, 1 - self._tone)
            return np.asarray(self._lines * dry * np.float32(0.9))
        free, depth = _WASHES[(0, 0, 1, 2)[number]]
        cover = smoothstep(free, free + 0.10, 1 - self._tone)
        if number == 3:
            # The brush has run dry at its sides and leaves streaks.
            body = smoothstep(free - 0.14, free + 0.22, 1 - self._tone)
            cover = smoothstep(0.42, 0.58, body * np.float32(0.95) + self._hairs * np.float32(0.35) - 0.15) * body
        pooled = cover + np.clip(cover - soften(cover, self.draft.short / 90), 0, 1) * np.float32(0.35)
        return np.asarray(pooled * self._sheet * np.float32(depth) * (0.75 + 0.5 * self._clouds), dtype=np.float32)

    def picture(self) -> Field:
        """Ink on paper. The sparks stay free of it."""
        draft = self.draft
        ink = self.amount() * (1 + np.float32(0.30) * (0.5 - self._grain))
        ink *= 1 - np.clip(luma(draft.sparks) * 1.3, 0, 1)
        fibres = (np.float32(1) - np.float32(0.035) * self._grain)[..., None]
        sheet = _PAPER * fibres
        drawn = sheet * np.exp(-ink[..., None] * _INK)
        if self._accent is None:
            return np.asarray(drawn, dtype=np.float32)
        where, colour = self._accent
        share = (where * np.float32(min(1.0, self._finished / 2)))[..., None]
        tinted = sheet * np.exp(-(ink[..., None] * np.float32(0.45) + 0.5) * colour)
        return np.asarray(drawn + (tinted - drawn) * share, dtype=np.float32)

    def _coloured(self) -> tuple[Field, Field] | None:
        """Where the one colour goes, and its absorbance: on what has that hue in the scene, if it stands out."""
        draft = self.draft
        if draft.accent is None:
            return None
        wanted = np.asarray(draft.accent, dtype=np.float32)
        wanted = wanted - wanted.mean()
        size = np.float32(np.sqrt((wanted**2).sum()))
        if size < 0.15:
            return None
        chroma = draft.target - draft.target.mean(axis=-1, keepdims=True)
        strength = np.sqrt((chroma**2).sum(axis=-1))
        likeness = (chroma * wanted).sum(axis=-1) / (strength * size + np.float32(0.02))
        where = smoothstep(0.80, 0.93, likeness) * smoothstep(0.12, 0.30, strength)
        # A colour that is everywhere would be no accent.
        if where.mean() > 0.35:
            return None
        absorbed = -np.log(np.clip(np.asarray(draft.accent, dtype=np.float32), 0.06, 0.97))
        return soften(where, draft.short / 300) * self._sheet, absorbed
