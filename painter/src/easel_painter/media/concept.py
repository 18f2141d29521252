"""Concept art: broad, confident strokes, worked out only where the light falls."""

import numpy as np

from easel_painter.media.strokes import Handling, Strokes
from easel_painter.media.surface import detail, luma, saturate, soften
from easel_painter.noise import Field, blur


class Concept(Strokes):
    """A painter's first picture of a place that does not exist yet."""

    handling = Handling(
        largest=1 / 4,
        smallest=1 / 95,
        length=(3.2, 3.8),
        cover=0.24,
        wobble=0.08,
        tone=0.06,
        hue=0.026,
        glaze=0.30,
        plain=0.0,
        hardness=7.0,
    )

    def interest(self, grey: Field) -> Field:
        """Detail counts most on the light side and near what is bright."""
        draft = self.draft
        x = (np.arange(draft.width, dtype=np.float32)[None, :] - np.float32(draft.light[0])) / np.float32(draft.short)
        y = (np.arange(draft.height, dtype=np.float32)[:, None] - np.float32(draft.light[1])) / np.float32(draft.short)
        lit = np.float32(0.08) + np.exp(-(x * x + y * y) * np.float32(2.4)) + blur(grey, draft.short // 12 + 1) * 0.5
        return np.asarray(detail(grey, max(2, draft.short // 200)) * lit, dtype=np.float32)

    def picture(self) -> Field:
        """The strokes in stronger light than they were laid in: warm lights, deep darks."""
        paint = super().picture()
        tone = luma(paint)
        contrast = np.float32(0.5) * (tone - soften(tone, self.draft.short / 9))
        tint = np.asarray((0.030, 0.008, -0.024), dtype=np.float32)
        return np.asarray(saturate(paint, 1.12) + contrast[..., None] * 0.5 + tint * (tone[..., None] - 0.4) * 2)
