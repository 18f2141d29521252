"""Oil: thick strokes along the forms, their relief lit from the upper left, canvas where the paint is thin."""

import numpy as np

from easel_painter.media.base import Draft
from easel_painter.media.strokes import Handling, Strokes
from easel_painter.media.surface import luma, relief, saturate, soften, weave
from easel_painter.noise import Field


class Oil(Strokes):
    """Oil paint on canvas."""

    handling = Handling(
        largest=1 / 7,
        smallest=1 / 105,
        thinnest_px=3.0,
        length=(3.0, 4.2),
        cover=0.42,
        wobble=0.13,
        tone=0.075,
        hue=0.032,
        glaze=0.16,
        plain=0.10,
        body=True,
        hardness=3.2,
    )

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft)
        self._weave = weave(draft.width, draft.height, draft.short)

    def picture(self) -> Field:
        """The paint in raking light. The sparks are dabs of light paint."""
        draft = self.draft
        paint = super().picture()
        thickness = self.canvas[..., 3] + luma(draft.sparks) * np.float32(0.8)
        size = max(1.0, draft.short / 512)
        ground = thickness + self._weave * np.float32(0.16)
        light = relief(soften(ground, 0.6 * size), 0.55 * size)
        rich = saturate(paint, 1.08)
        # Light paint is opaque and shows its ridges; dark paint lies thin and shines.
        strength = np.float32(0.16) + np.float32(0.20) * luma(np.clip(rich, 0, 1))
        return np.asarray(rich + (light * strength)[..., None] + np.clip(light - 0.55, 0, 1)[..., None] * 0.25)
