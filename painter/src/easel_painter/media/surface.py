"""Shared by the media: directions of forms, edges, paper and canvas, light on a surface."""

import numpy as np
from PIL import Image

from easel_painter.noise import Field, blur, resize

LUMA = (np.float32(0.299), np.float32(0.587), np.float32(0.114))


def luma(rgb: Field) -> Field:
    """Return how bright each pixel looks."""
    return np.asarray(rgb[..., 0] * LUMA[0] + rgb[..., 1] * LUMA[1] + rgb[..., 2] * LUMA[2], dtype=np.float32)


def saturate(rgb: Field, factor: float) -> Field:
    """Move colours away from grey by a factor; below 1 towards it."""
    grey = luma(rgb)[..., None]
    return np.asarray(grey + (rgb - grey) * np.float32(factor), dtype=np.float32)


def soften(field: Field, sigma_px: float) -> Field:
    """Apply a Gaussian blur; wide ones are computed on a smaller picture, where the result looks the same."""
    if sigma_px > 4:
        factor = int(sigma_px / 2)
        height, width = field.shape[:2]
        small = (max(2, width // factor), max(2, height // factor))
        if field.ndim == 3:
            return np.stack([soften(np.ascontiguousarray(field[..., c]), sigma_px) for c in range(3)], axis=-1)
        reduced = resize(np.ascontiguousarray(field), *small, Image.Resampling.BOX)
        return resize(soften(reduced, sigma_px * small[0] / width), width, height)
    reach = max(1, int(np.ceil(sigma_px * 2.5)))
    taps = np.exp(-0.5 * (np.arange(reach + 1) / max(sigma_px, 1e-3)) ** 2)
    taps /= taps[0] + 2 * taps[1:].sum()
    return _slide(_slide(field, taps.astype(np.float32), 0), taps.astype(np.float32), 1)


def _slide(field: Field, taps: Field, axis: int) -> Field:
    reach = len(taps) - 1
    margins = [(reach, reach) if k == axis else (0, 0) for k in range(field.ndim)]
    padded = np.pad(field, margins, mode="edge")
    size = field.shape[axis]

    def at(shift: int) -> Field:
        part = slice(reach + shift, reach + shift + size)
        return padded[part] if axis == 0 else padded[:, part]

    total = at(0) * taps[0]
    for k in range(1, reach + 1):
        total += (at(k) + at(-k)) * taps[k]
    return np.asarray(total, dtype=np.float32)


def directions(grey: Field, fine: float, reach: float, rest: float | Field = 0.0, pull: float = 2e-6) -> Field:
    """Return for each pixel the angle along which the picture changes least, height x width.

    Forms are smoothed over `fine` pixels and their directions over `reach`; flat parts turn towards the angle `rest`
    (one, or one for each pixel), the more the larger `pull` is.
    """
    dy, dx = np.gradient(blur(grey, max(1, fine)))
    xx, yy, xy = (blur(np.asarray(product, dtype=np.float32), max(1, reach)) for product in (dx * dx, dy * dy, dx * dy))
    # Across the resting direction lies the gradient that flat parts are given.
    across, up = (np.asarray(turn(2 * rest), dtype=np.float32) for turn in (np.cos, np.sin))
    angle = 0.5 * np.arctan2(2 * xy - np.float32(pull) * up, xx - yy - np.float32(pull) * across)
    return np.asarray(angle + np.float32(np.pi / 2), dtype=np.float32)


def detail(grey: Field, reach: float) -> Field:
    """Return how much detail there is at each pixel."""
    dy, dx = np.gradient(grey)
    return blur(np.asarray(np.sqrt(dx * dx + dy * dy), dtype=np.float32), max(1, reach))


def flow(noise: Field, angle: Field, length_px: float, samples: int = 8) -> Field:
    """Return noise smeared along the angles: streaks that follow the forms, like brush hairs or pencil strokes."""
    height, width = noise.shape
    down, across = np.sin(angle).astype(np.float32), np.cos(angle).astype(np.float32)
    rows = np.arange(height, dtype=np.float32)[:, None]
    columns = np.arange(width, dtype=np.float32)[None, :]
    flat = noise.ravel()
    total = np.zeros_like(noise)
    for offset in np.linspace(-length_px / 2, length_px / 2, samples, dtype=np.float32):
        y = np.clip(rows + down * offset + np.float32(0.5), 0, height - 1).astype(np.int32)
        x = np.clip(columns + across * offset + np.float32(0.5), 0, width - 1).astype(np.int32)
        total += flat[y * np.int32(width) + x]
    return np.asarray(total / np.float32(samples), dtype=np.float32)


def even_out(field: Field) -> Field:
    """Spread the field's values evenly over 0 to 1, so that a threshold covers exactly its share."""
    sample = np.sort(field.ravel()[:: max(1, field.size // 20000)])
    spread = np.interp(field, sample, np.linspace(0, 1, len(sample), dtype=np.float32))
    return np.asarray(spread, dtype=np.float32)


def paper(rng: np.random.Generator, width: int, height: int, short: int) -> Field:
    """Return the grain of rough paper: 0 in its valleys to 1 on its heights."""
    size = max(1.0, short / 520)
    layers = np.zeros((height, width), dtype=np.float32)
    for cell, weight in ((size, 0.45), (size * 2.3, 0.4), (size * 6, 0.15)):
        grid = rng.random((max(2, int(height / cell)) + 1, max(2, int(width / cell)) + 1), dtype=np.float32)
        layers += np.float32(weight) * resize(grid, width, height)
    return even_out(layers)


def weave(width: int, height: int, short: int) -> Field:
    """Return the threads of a canvas, 0 to 1."""
    thread = max(2.0, short / 190)
    x = np.arange(width, dtype=np.float32)[None, :] * np.float32(np.pi / thread)
    y = np.arange(height, dtype=np.float32)[:, None] * np.float32(np.pi / thread)
    over = np.sin(x) * np.sin(y) > 0
    return np.asarray(np.where(over, np.abs(np.sin(x)), np.abs(np.sin(y))), dtype=np.float32)


def relief(height_field: Field, strength: float) -> Field:
    """Return how much brighter (above 0) or darker a surface is under light from the upper left."""
    dy, dx = np.gradient(height_field)
    slope = (dx + dy) * np.float32(strength)
    return np.asarray(slope / np.sqrt(1 + slope * slope), dtype=np.float32)
