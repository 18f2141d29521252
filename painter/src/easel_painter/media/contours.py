"""Lines along the edges of forms, as a pencil or a brush draws them."""

import numpy as np

from easel_painter.media.surface import luma, soften
from easel_painter.noise import Field


def contours(grey: Field, width_px: float, sharpness: float = 24.0, threshold: float = 0.012) -> Field:
    """Draw lines along edges: 0 where there is no line, 1 in its middle.

    A line is about `width_px` wide and on the darker side of its edge. An extended difference of two Gaussians: its
    sign changes at an edge, its size is the strength of the edge.
    """
    narrow, wide = soften(grey, width_px * 0.5), soften(grey, width_px * 0.5 * 1.6)
    difference = wide - narrow
    return np.asarray(np.clip(np.tanh((difference - np.float32(threshold)) * np.float32(sharpness)), 0, 1))


def outline_tone(rgb: Field) -> Field:
    """Return the values from which lines are drawn: brightness, and blue, which separates a low sun from the sky."""
    return np.asarray((luma(rgb) + rgb[..., 2]) * np.float32(0.5), dtype=np.float32)
