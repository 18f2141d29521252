"""Round things on a table: balls, vessels from the potter's wheel, and the shadows they throw."""

from collections.abc import Callable

import numpy as np

from easel_painter.canvas import Point, Scene
from easel_painter.close.form import Lamp, grid, illuminate, shade
from easel_painter.close.outline import Stand, smooth
from easel_painter.noise import Field, fbm
from easel_painter.reading import Colour

Profile = list[Point]
"""Half widths and heights of a turned vessel from its rim down; the foot stands at 0, up is negative."""


def cast_shadow(scene: Scene, stand: Stand, light: Lamp, wide: float, tall: float) -> None:
    """The shadow of a thing on the table: dark where it stands, and drawn out away from the light."""
    size, away = stand.size, -light.side
    for k in range(4):
        far = (k + 0.5) / 4
        shade(
            scene,
            stand.x + away * size * (wide * 0.5 + tall * 0.75 * far),
            stand.y - size * 0.03 * far,
            size * wide * (0.75 - 0.1 * far),
            size * 0.085,
            0.32 * (1 - 0.6 * far),
            1.4,
        )
    shade(scene, stand.x, stand.y - size * 0.01, size * wide * 1.02, size * 0.07, 0.62, 1.6)


def ball(
    scene: Scene,
    middle: Point,
    radius: tuple[float, float],
    albedo: Colour | Callable[[Field, Field], Field],
    light: Lamp,
    *,
    gloss: float = 0.35,
    dimple: float = 0.0,
) -> None:
    """A sphere or egg; `albedo` may be a function of its own -1..1 across and down, `dimple` dents the top."""
    x, y = middle
    rx, ry = radius
    left, right = max(0, int(x - rx) - 1), min(scene.width, int(x + rx) + 2)
    top, bottom = max(0, int(y - ry) - 1), min(scene.height, int(y + ry) + 2)
    if right <= left or bottom <= top:
        return
    window = (slice(top, bottom), slice(left, right))
    px, py = grid(window)
    u, v = np.broadcast_arrays((px - np.float32(x)) / np.float32(rx), (py - np.float32(y)) / np.float32(ry))
    reach = np.sqrt(u * u + v * v)
    if dimple:
        around = np.arctan2(u, -v)
        limit = (
            1
            - dimple * np.exp(-((around / 0.36) ** 2))
            - 0.4 * dimple * np.exp(-(((np.abs(around) - np.pi) / 0.30) ** 2))
        )
        reach = reach / limit
    mask = np.clip((1 - reach) * np.float32(min(rx, ry)) + 0.5, 0, 1)
    depth = np.sqrt(np.clip(1 - reach * reach, 0.02, 1))
    nx, ny = u / depth, v / depth
    if dimple:
        pit = np.exp(-((u / 0.30) ** 2) - ((v + 0.80) / 0.16) ** 2)
        ny = ny + pit * 2.2
    tone = albedo if isinstance(albedo, tuple) else albedo(u, v)
    colour = illuminate(np.asarray(nx, np.float32), np.asarray(ny, np.float32), tone, light, gloss, 46)
    if dimple:
        colour *= (1 - 0.55 * pit)[..., None]
    scene.put(window, np.asarray(mask, dtype=np.float32), colour)


def turned(
    scene: Scene, stand: Stand, profile: Profile, albedo: Colour, light: Lamp, *, gloss: float = 0.3, rim: float = 0.0
) -> None:
    """A vessel from the potter's wheel. `rim` is how far its opening's near edge hangs below the far one."""
    knots = np.asarray(smooth(profile, closed=False, steps=6), dtype=np.float32) * np.float32(stand.size)
    widest = float(knots[:, 0].max())
    left, right = max(0, int(stand.x - widest) - 1), min(scene.width, int(stand.x + widest) + 2)
    top = max(0, int(stand.y + knots[0, 1]) - 1)
    bottom = min(scene.height, int(stand.y + knots[-1, 1]) + 2)
    if right <= left or bottom <= top:
        return
    window = (slice(top, bottom), slice(left, right))
    px, py = grid(window)
    level = py - np.float32(stand.y)
    half = np.interp(level[:, 0], knots[:, 1], knots[:, 0], left=0.0, right=0.0).astype(np.float32)[:, None]
    wide = np.maximum(half, 1.0)
    u = (px - np.float32(stand.x)) / wide
    mask = np.clip((half - np.abs(px - np.float32(stand.x))) + 0.5, 0, 1) * (half > 0.5)
    if rim:
        edge = knots[0, 1] + np.float32(rim * stand.size) * np.sqrt(np.clip(1 - u * u, 0, 1))
        mask = mask * np.clip(level - edge + 0.5, 0, 1)
    bend = np.sqrt(np.clip(1 - u * u, 0.02, 1))
    slope = np.gradient(half[:, 0])[:, None].astype(np.float32)
    grain = fbm(scene.stream(f"turned {stand.x:.0f}"), mask.shape[1], mask.shape[0], (5, 9), 4) - 0.5
    tone = np.asarray(albedo, dtype=np.float32) * (1 + 0.22 * grain)[..., None]
    nx, ny = u / bend, -np.clip(slope, -3, 3) / bend
    scene.put(
        window,
        np.asarray(mask, np.float32),
        illuminate(np.asarray(nx, np.float32), np.asarray(ny, np.float32), tone, light, gloss, 40),
    )
