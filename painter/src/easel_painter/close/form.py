"""Light on solid forms: an outline swells into a body, a profile turns into a vessel, and both take light and shade."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from easel_painter.canvas import Point, Scene, Window
from easel_painter.noise import Field, resize
from easel_painter.palette import mix
from easel_painter.reading import Colour

_CELLS = 72
"""Swelling is worked out on a grid of at most this many cells, and so costs the same at every size."""


@dataclass(frozen=True)
class Lamp:
    """The light on near things: where it comes from (x right, y down, z to the viewer) and its colours."""

    direction: tuple[float, float, float]
    key: Colour
    fill: Colour
    rim: Colour = (0.0, 0.0, 0.0)

    @property
    def side(self) -> float:
        """1 if the light comes from the right, -1 from the left."""
        return 1.0 if self.direction[0] > 0 else -1.0


def lamp(scene: Scene, indoors: bool = False, side: float | None = None) -> Lamp:
    """The light of a scene as it falls on what stands in front."""
    palette = scene.palette
    if side is None:
        side = 1.0 if scene.light[0] > scene.width / 2 else -1.0
    if indoors:
        warm = mix((1.10, 0.98, 0.80), palette.light, 0.25)
        cool = mix((0.15, 0.13, 0.14), palette.zenith, 0.12)
        return Lamp(_unit(side * 0.72, -0.52, 0.46), warm, cool, (0.10, 0.07, 0.05))
    low = palette.hour in ("sunset", "dawn", "night")
    strength = {"night": 0.52, "sunset": 0.80, "dawn": 0.86}.get(palette.hour, 1.0)
    ground = mix(palette.ambient, (1.0, 1.0, 1.0), 0.15)
    key = _times(mix(palette.light, ground, 0.30), strength)
    fill = _times(mix(palette.ambient, palette.zenith, 0.35), 0.50)
    rim = _times(mix(palette.horizon, palette.light, 0.5), 0.62 if low else 0.34)
    return Lamp(_unit(side * 0.70, -0.40 if low else -0.70, 0.42), key, fill, rim)


def _unit(x: float, y: float, z: float) -> tuple[float, float, float]:
    length = (x * x + y * y + z * z) ** 0.5
    return x / length, y / length, z / length


def _times(colour: Colour, factor: float) -> Colour:
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


def illuminate(
    nx: Field, ny: Field, albedo: Colour | Field, light: Lamp, gloss: float = 0.0, sharp: float = 30
) -> Field:
    """Colours of a surface from its normals: lit side, core shadow, light thrown back, rim and highlight."""
    length = np.sqrt(nx * nx + ny * ny + 1)
    x, y, z = nx / length, ny / length, 1 / length
    lx, ly, lz = (np.float32(value) for value in light.direction)
    facing = x * lx + y * ly + z * lz
    lit = np.clip((facing + 0.22) / 1.22, 0, 1)[..., None]
    # What stands opposite throws a little light back into the shadow.
    back = np.clip(-0.75 * x * lx + 0.5 * y, 0, 1)[..., None] * np.float32(0.30)
    key, fill, rim = (np.asarray(c, dtype=np.float32) for c in (light.key, light.fill, light.rim))
    colour = np.asarray(albedo, dtype=np.float32) * (fill * (1 + back) + key * lit**1.15)
    edge = np.clip(1 - z, 0, 1) ** 2 * np.clip(0.45 - 0.75 * y + 0.5 * x * lx, 0, 1)
    colour = colour + edge[..., None] * rim
    if gloss:
        hx, hy, hz = _unit(light.direction[0], light.direction[1], light.direction[2] + 1)
        shine = np.clip(x * np.float32(hx) + y * np.float32(hy) + z * np.float32(hz), 0, 1) ** np.float32(sharp)
        colour = colour + (shine * np.float32(gloss))[..., None] * key
    return np.asarray(np.clip(colour, 0, 1.2), dtype=np.float32)


def swell(scene: Scene, window: Window, mask: Field, depth: float = 1.0) -> tuple[Field, Field]:
    """The slopes of a body whose outline is the mask: steep at its rim, level in the middle."""
    height, width = mask.shape
    scale = min(1.0, max(16.0, min(_CELLS, 0.6 * max(height, width))) / max(height, width))
    small = resize(mask, max(4, round(width * scale)), max(4, round(height * scale)))
    reach = max(2, min(small.shape) // 2)
    edges = (window[0].start <= 0, window[0].stop >= scene.height, window[1].start <= 0, window[1].stop >= scene.width)
    top, bottom, left, right = (reach * 2 if cut else 0 for cut in edges)
    body = np.pad(small, ((top, bottom), (left, right)), mode="edge")
    body = np.pad(body, ((reach * 2 - top, reach * 2 - bottom), (reach * 2 - left, reach * 2 - right)))
    total = np.zeros_like(body)
    for share, weight in ((0.75, 0.5), (0.36, 0.3), (0.16, 0.2)):
        total += np.float32(weight) * _spread(_spread(body, max(1, int(reach * share))), max(1, int(reach * share)))
    rise = np.sqrt(np.clip((total - 0.16) / 0.84, 0.0, 1)) * np.float32(reach * 1.25 * depth)
    ny, nx = np.gradient(-rise)
    inner = slice(reach * 2, -reach * 2)
    return resize(np.ascontiguousarray(nx[inner, inner], dtype=np.float32), width, height), resize(
        np.ascontiguousarray(ny[inner, inner], dtype=np.float32), width, height
    )


def _spread(field: Field, reach: int) -> Field:
    """A running mean over 2 x reach + 1 cells, both ways; nothing lies outside."""
    for _ in range(2):
        sums = np.cumsum(np.pad(field, ((reach + 1, reach), (0, 0))), axis=0, dtype=np.float32)
        # Turned over after each pass, so that two passes go both ways and end upright.
        field = np.ascontiguousarray(((sums[2 * reach + 1 :] - sums[: -2 * reach - 1]) / np.float32(2 * reach + 1)).T)
    return field


def solid(
    scene: Scene,
    polygons: Sequence[Sequence[Point]],
    albedo: Colour | Field,
    light: Lamp,
    *,
    depth: float = 1.0,
    gloss: float = 0.0,
    strength: float = 1.0,
) -> tuple[Window, Field]:
    """Paint an outline as a round body; answers where, for what shall lie on it."""
    window, mask = scene.cut(polygons)
    if min(mask.shape) < 2:
        return window, mask
    model(scene, window, mask, albedo, light, depth=depth, gloss=gloss, strength=strength)
    return window, mask


def model(
    scene: Scene,
    window: Window,
    mask: Field,
    albedo: Colour | Field,
    light: Lamp,
    *,
    depth: float = 1.0,
    gloss: float = 0.0,
    strength: float = 1.0,
) -> None:
    """Paint a mask as a round body of a colour, or of colours of the mask's size."""
    if min(mask.shape) < 2:
        return
    nx, ny = swell(scene, window, mask, depth)
    scene.put(window, mask * np.float32(strength), illuminate(nx, ny, albedo, light, gloss))


def grid(window: Window) -> tuple[Field, Field]:
    """The columns and rows of a window in pixels of the picture."""
    x = np.arange(window[1].start, window[1].stop, dtype=np.float32)[None, :]
    y = np.arange(window[0].start, window[0].stop, dtype=np.float32)[:, None]
    return x, y


def soft_oval(scene: Scene, x: float, y: float, across: float, down: float, hard: float = 1.0) -> tuple[Window, Field]:
    """A round patch that fades outwards: shadows, blushes, glows."""
    reach = 2.2
    left, right = max(0, int(x - across * reach)), min(scene.width, int(x + across * reach) + 1)
    top, bottom = max(0, int(y - down * reach)), min(scene.height, int(y + down * reach) + 1)
    window = (slice(top, max(top, bottom)), slice(left, max(left, right)))
    px, py = grid(window)
    distance = ((px - x) / np.float32(across)) ** 2 + ((py - y) / np.float32(down)) ** 2
    return window, np.exp(-(distance ** np.float32(hard))).astype(np.float32)


def shade(scene: Scene, x: float, y: float, across: float, down: float, strength: float, hard: float = 1.0) -> None:
    """Darken a round patch: a shadow on the ground."""
    window, mask = soft_oval(scene, x, y, across, down, hard)
    if mask.size:
        scene.rgb[window] *= 1 - mask[..., None] * np.float32(strength)
