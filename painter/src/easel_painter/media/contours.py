"""Lines along the edges of forms, as a pencil or a brush draws them."""

import numpy as np

from easel_painter.media.surface import luma, soften
from easel_painter.noise import Field


def contours(grey: Field, width_px: float, sharpness: float = 24.0, threshold: float = 0.012) -> Field:
    """0 where there is no line, 1 in its middle: the darker side of each edge, about `width_px` wide.

    An extended difference of two Gaussians: its sign changes at an edge, its size tells how strong the edge is.
    """
    narrow, wide = soften(grey, width_px * 0.5), soften(grey, width_px * 0.5 * 1.6)
    difference = wide - narrow
    return np.asarray(np.clip(np.tanh((difference - np.float32(threshold)) * np.float32(sharpness)), 0, 1))


def outline_tone(rgb: Field) -> Field:
    """What lines are drawn by: brightness, and blue, in which a low sun stands out from the sky around it."""
    return np.asarray((luma(rgb) + rgb[..., 2]) * np.float32(0.5), dtype=np.float32)
