"""Random fields, all in float32 and all from named streams, so that equal requests give equal pixels.

No matrix product stands here: its order of summing may change between runs with the number of threads.
"""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Field = NDArray[np.floating[Any]]
"""A float32 array: height x width, or a row of it."""


def stream(*names: object) -> np.random.Generator:
    """Random numbers that depend on the names alone, so that one motif's do not move another's."""
    text = "\x1f".join(map(str, names))
    key = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "big")
    return np.random.Generator(np.random.Philox(key=key))


def smoothstep(low: float, high: float, value: Field) -> Field:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((value - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), dtype=np.float32)


def resize(field: Field, width: int, height: int, how: Image.Resampling = Image.Resampling.BICUBIC) -> Field:
    """A field at another size."""
    return np.asarray(Image.fromarray(field, "F").resize((width, height), how), dtype=np.float32)


def blur(field: Field, radius_px: float) -> Field:
    """The field softened, by way of a smaller one; for fields of one or three channels."""
    factor = max(1, int(radius_px))
    height, width = field.shape[:2]
    small = (max(2, width // factor), max(2, height // factor))
    channels = [field] if field.ndim == 2 else [field[..., c] for c in range(field.shape[2])]
    out = [
        resize(resize(np.ascontiguousarray(channel), *small, Image.Resampling.BOX), width, height)
        for channel in channels
    ]
    return out[0] if field.ndim == 2 else np.stack(out, axis=-1)


def fbm(
    rng: np.random.Generator, width: int, height: int, cells: tuple[float, float], octaves: int = 5, gain: float = 0.5
) -> Field:
    """Cloud-like noise of about 0 to 1; `cells` says how many lumps fit across and down."""
    total = np.zeros((height, width), dtype=np.float32)
    weight, weights = 1.0, 0.0
    for octave in range(octaves):
        across, down = (max(2, round(count * 2**octave) + 1) for count in cells)
        grid = rng.random((down, across), dtype=np.float32)
        # Lumps smaller than a pixel would only cost time.
        if octave and (across > 2 * width or down > 2 * height):
            continue
        total += np.float32(weight) * resize(grid, width, height)
        weights += weight
        weight *= gain
    stretched = (total / np.float32(weights) - 0.5) * np.float32(1.5) + 0.5
    return np.asarray(np.clip(stretched, 0, 1), dtype=np.float32)


def line(rng: np.random.Generator, width: int, cells: float, octaves: int = 6, gain: float = 0.5) -> Field:
    """The same noise along a line: `width` values of about 0 to 1."""
    return fbm(rng, width, 1, (cells, 1), octaves, gain).reshape(-1)


def ridges(rng: np.random.Generator, width: int, cells: float, octaves: int = 7) -> Field:
    """A jagged line of about 0 to 1: sharp at the top, as mountains are."""
    at = np.linspace(0, 1, width, dtype=np.float32)
    total = np.zeros(width, dtype=np.float32)
    weight, weights, previous = 1.0, 0.0, np.ones(width, dtype=np.float32)
    for octave in range(octaves):
        points = max(3, round(cells * 2**octave) + 2)
        knots = rng.random(points).astype(np.float32)
        value = 1 - np.abs(2 * np.interp(at, np.linspace(0, 1, points), knots).astype(np.float32) - 1)
        total += np.float32(weight) * value * previous
        weights += weight
        previous = 0.4 + 0.6 * value
        weight *= 0.52
    return np.asarray(np.clip(total / weights * 1.25, 0, 1), dtype=np.float32)


def perspective(field: Field, horizon_row: int, near: float = 0.06) -> Field:
    """A texture laid on the ground below `horizon_row`: its rows crowd together towards the horizon."""
    height = field.shape[0]
    rows = height - horizon_row
    if rows <= 1:
        return field[-max(rows, 0) :] if rows > 0 else field[:0]
    depth = np.linspace(0, 1, rows, dtype=np.float32)
    far = 1 / (depth + near)
    at = (far - far[-1]) / (far[0] - far[-1])
    rows_of = np.clip((1 - at) * (height - 1), 0, height - 1).astype(np.int64)
    return np.asarray(field[rows_of], dtype=np.float32)


CPPN_HIDDEN, CPPN_LAYERS = 10, 3


def cppn_shapes(hidden: int = CPPN_HIDDEN, layers: int = CPPN_LAYERS) -> list[tuple[int, int]]:
    """Units out of and into each layer of `cppn`: four numbers of a point go in, three come out."""
    inner = [4] + [hidden] * (layers - 1)
    return list(zip([*inner[1:], 3], inner, strict=True))


def cppn_parameters(hidden: int = CPPN_HIDDEN, layers: int = CPPN_LAYERS) -> int:
    """How many weights and biases `cppn` draws for one picture."""
    return sum(count * inputs + count for count, inputs in cppn_shapes(hidden, layers))


def cppn(
    rng: np.random.Generator,
    width: int,
    height: int,
    hidden: int = CPPN_HIDDEN,
    layers: int = CPPN_LAYERS,
    zoom: float = 1.6,
) -> Field:
    """A small random network asked for every point of the plane: height x width x 3, smooth, 0 to 1."""
    short = min(width, height)
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :] * np.float32(width / short * zoom)
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None] * np.float32(height / short * zoom)
    x, y = np.broadcast_arrays(x, y)
    units = [x, y, np.sqrt(x * x + y * y), np.sin(2 * x + y).astype(np.float32)]
    for depth, (count, _) in enumerate(cppn_shapes(hidden, layers)):
        units = _layer(rng, units, count, depth)
    return np.stack([0.5 + 0.5 * unit for unit in units], axis=-1).astype(np.float32)


def _layer(rng: np.random.Generator, units: list[Field], count: int, depth: int) -> list[Field]:
    weights = rng.normal(0, 1.35 / np.sqrt(len(units)) * (1.6 if depth == 0 else 2.0), (count, len(units)))
    biases = rng.normal(0, 0.6, count)
    out: list[Field] = []
    for unit in range(count):
        total = np.full_like(units[0], np.float32(biases[unit]))
        for weight, value in zip(weights[unit], units, strict=True):
            total += np.float32(weight) * value
        out.append(np.sin(total) if unit % 3 == 1 else np.tanh(total))
    return out
