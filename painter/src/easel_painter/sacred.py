"""Churches and temples."""

import numpy as np

from easel_painter.buildings import box, light_window, roof_tone, solid
from easel_painter.canvas import Scene
from easel_painter.reading import Colour


def paint_church(scene: Scene, x: float, y: float, size: float) -> None:
    """A church with a tower; sometimes one with onion domes."""
    scene.show("church")
    paint_nave(scene, x, y, size)


def paint_nave(scene: Scene, x: float, y: float, size: float) -> None:
    """A nave with its tower, whether the words name a church or it belongs to a village."""
    rng = scene.stream("church")
    wall = (
        scene.reading.paints.get("church")
        or [(0.93, 0.91, 0.86), (0.78, 0.74, 0.68), (0.86, 0.78, 0.66)][int(rng.integers(3))]
    )
    roof = roof_tone(scene, [(0.30, 0.36, 0.42), (0.52, 0.26, 0.20), (0.28, 0.42, 0.38)][int(rng.integers(3))])
    turn = 1.0 if rng.random() < 0.5 else -1.0
    far = x + turn * size * 0.52
    left, right = min(x, far), max(x, far)
    solid(scene, [box(left, y - size * 0.30, right, y)], wall, x)
    solid(
        scene,
        [
            [
                (left, y - size * 0.30),
                (left + size * 0.06, y - size * 0.50),
                (right - size * 0.06, y - size * 0.50),
                (right + size * 0.03, y - size * 0.30),
            ]
        ],
        roof,
        x,
    )
    for at in (0.40, 0.60, 0.80):
        cx = x + (far - x) * at
        light_window(scene, cx - size * 0.020, y - size * 0.23, cx + size * 0.020, y - size * 0.08)
    half = size * 0.10
    solid(scene, [box(x - half, y - size * 0.62, x + half, y)], wall, x)
    if rng.random() < 0.45:
        _onion(scene, x, y - size * 0.62, half * 1.15)
    else:
        solid(
            scene,
            [[(x - half * 1.15, y - size * 0.61), (x + half * 1.15, y - size * 0.61), (x, y - size * 1.0)]],
            roof,
            x,
        )
    light_window(scene, x - half * 0.3, y - size * 0.56, x + half * 0.3, y - size * 0.44)
    scene.shape([box(x - half * 0.4, y - size * 0.13, x + half * 0.4, y)], scene.palette.lit((0.28, 0.18, 0.12)))


def _onion(scene: Scene, x: float, y: float, half: float) -> None:
    at = np.linspace(0, 1, 14)
    wide = half * (1.25 * np.sin(np.pi * np.clip(at * 0.80 + 0.18, 0, 1)) ** 1.3 * (1 - at) ** 0.45 + 0.02)
    ys = y - at * half * 2.9
    left = list(zip((x - wide).tolist(), ys.tolist(), strict=True))
    right = list(zip((x + wide).tolist(), ys.tolist(), strict=True))
    gold: Colour = (0.90, 0.70, 0.26) if scene.stream("dome").random() < 0.6 else (0.24, 0.38, 0.62)
    solid(
        scene, [box(x - half * 0.6, y - half * 0.1, x + half * 0.6, y + half * 0.3), [*left, *reversed(right)]], gold, x
    )
    top = y - half * 2.9
    thin = max(0.5, half * 0.05)
    scene.shape(
        [
            box(x - thin, top - half * 0.7, x + thin, top),
            box(x - half * 0.22, top - half * 0.48, x + half * 0.22, top - half * 0.40),
        ],
        scene.palette.lit(gold),
    )


def paint_temple(scene: Scene, x: float, y: float, size: float) -> None:
    """A pagoda of three to five roofs, or a low temple hall, with a gate before a shrine."""
    scene.show("temple")
    rng = scene.stream("temple")
    wood = scene.reading.paints.get("temple") or (0.70, 0.22, 0.15)
    roof = roof_tone(scene, (0.22, 0.26, 0.30) if rng.random() < 0.6 else (0.20, 0.34, 0.30))
    storeys = int(rng.integers(3, 6))
    if not scene.reading.is_a("pagoda") and rng.random() < 0.3:
        storeys = 2
    high = size / (storeys + 1.0)
    solid(
        scene,
        [
            [
                (x - size * 0.38, y),
                (x + size * 0.38, y),
                (x + size * 0.34, y - high * 0.3),
                (x - size * 0.34, y - high * 0.3),
            ]
        ],
        (0.62, 0.58, 0.52),
        x,
    )
    level = y - high * 0.3
    for k in range(storeys):
        half = size * (0.27 if storeys > 2 else 0.36) * (1 - 0.14 * k)
        solid(scene, [box(x - half * 0.72, level - high * 0.62, x + half * 0.72, level)], wood, x)
        for at in (-0.40, 0.0, 0.40):
            light_window(
                scene, x + half * (at - 0.10), level - high * 0.50, x + half * (at + 0.10), level - high * 0.12
            )
        _upturned(scene, x, level - high * 0.58, half * 1.28, high * 0.46, roof)
        level -= high * 0.92
    thin = max(0.6, size * 0.008)
    scene.shape(
        [box(x - thin, level - high * 0.75, x + thin, level + high * 0.1)], scene.palette.lit((0.80, 0.62, 0.24))
    )
    if scene.reading.is_a("torii"):
        _gate(scene, x - size * 0.75, y + size * 0.08, size * 0.42, wood)


def _upturned(scene: Scene, x: float, y: float, half: float, high: float, colour: Colour) -> None:
    """A roof whose eaves sweep up at the corners."""
    at = np.linspace(-1, 1, 15)
    low = y - high * 0.55 * np.abs(at) ** 3.2
    high_edge = y - high * (1 - np.abs(at)) ** 0.7 * 0.95 - high * 0.55 * np.abs(at) ** 3.2 - high * 0.10
    bottom = list(zip((x + half * at).tolist(), low.tolist(), strict=True))
    top = list(zip((x + half * at * 1.03).tolist(), high_edge.tolist(), strict=True))
    solid(scene, [[*bottom, *reversed(top)]], colour, x)
    rim = list(zip((x + half * at).tolist(), (low + high * 0.09).tolist(), strict=True))
    scene.shape([[*bottom, *reversed(rim)]], scene.palette.lit((0.30, 0.14, 0.10)), 0.8)


def _gate(scene: Scene, x: float, y: float, size: float, colour: Colour) -> None:
    """Two posts under two beams."""
    post = size * 0.06
    parts = [box(x + at * size * 0.36 - post, y - size * 0.92, x + at * size * 0.36 + post, y) for at in (-1, 1)]
    parts.append(box(x - size * 0.46, y - size * 0.72, x + size * 0.46, y - size * 0.63))
    parts.append(
        [
            (x - size * 0.62, y - size * 1.02),
            (x, y - size * 0.96),
            (x + size * 0.62, y - size * 1.02),
            (x + size * 0.56, y - size * 0.86),
            (x - size * 0.56, y - size * 0.86),
        ]
    )
    solid(scene, parts, colour, x)
