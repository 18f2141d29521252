"""Enlarging: Lanczos, made to agree with the source again, then sharpened along edges only and without halos."""

from collections.abc import Callable

import numpy as np
from PIL import Image

from easel_painter.noise import Field, resize, smoothstep
from generator.engines.base import Pixels

_BAND_PIXELS = 2**21
"""Of the outcome, worked on at once: about 100 MB of float fields, whatever the size of the whole."""

_MARGIN_ROWS = 8
"""Source rows on each side of a band that its pixels may depend on."""

_ROUNDS = 2
_SHARPNESS = 0.3
_OVERSHOOT = 0.012


def enlarge(picture: Pixels, factor: int, report: Callable[[float], None]) -> Pixels:
    """The picture with `factor` times the pixels on each side; `report` hears how much is done, 0 to 1.

    Averaging each block of factor x factor pixels gives nearly the source back (iterative back-projection, Irani and
    Peleg 1991), so nothing is invented that the source contradicts.
    """
    height, width = picture.shape[:2]
    rows = max(1, _BAND_PIXELS // (width * factor * factor))
    out = np.empty((height * factor, width * factor, 3), dtype=np.uint8)
    for top in range(0, height, rows):
        end = min(height, top + rows)
        first, last = max(0, top - _MARGIN_ROWS), min(height, end + _MARGIN_ROWS)
        large = _enlarge_band(picture[first:last], factor)[(top - first) * factor : (end - first) * factor]
        out[top * factor : end * factor] = large * np.float32(255) + np.float32(0.5)
        report(end / height)
    return out


def _enlarge_band(pixels: Pixels, factor: int) -> Field:
    """A band enlarged: float32 0..1."""
    height, width = pixels.shape[:2]
    size = (width * factor, height * factor)
    sources = [pixels[..., c].astype(np.float32) / np.float32(255) for c in range(3)]
    channels = [resize(source, *size, Image.Resampling.LANCZOS).copy() for source in sources]
    for large, source in zip(channels, sources, strict=True):
        for _ in range(_ROUNDS):
            blocks = np.asarray(Image.fromarray(large).reduce(factor), dtype=np.float32)
            large += resize(source - blocks, *size)
    luma = (sources[0] + sources[1] + sources[2]) / np.float32(3)
    edges = resize(smoothstep(0.02, 0.16, _around(luma, np.ptp)), *size, Image.Resampling.BILINEAR)
    soft = resize(_around(luma, np.mean), *size)
    detail = ((channels[0] + channels[1] + channels[2]) / np.float32(3) - soft) * edges * np.float32(_SHARPNESS)
    for large, source in zip(channels, sources, strict=True):
        large += detail
        # What was never darker or brighter around here does not become so: no halos.
        low, high = (resize(_around(source, pick), *size, Image.Resampling.BILINEAR) for pick in (np.min, np.max))
        np.clip(large, low - np.float32(_OVERSHOOT), high + np.float32(_OVERSHOOT), out=large)
    return np.clip(np.stack(channels, axis=-1), 0, 1)


def _around(field: Field, summary: Callable[..., Field]) -> Field:
    """For each pixel one number about its neighbourhood of 3 x 3."""
    padded = np.pad(field, 1, mode="edge")
    height, width = field.shape
    views = [padded[dy : dy + height, dx : dx + width] for dy in range(3) for dx in range(3)]
    return np.asarray(summary(np.stack(views), axis=0), dtype=np.float32)
