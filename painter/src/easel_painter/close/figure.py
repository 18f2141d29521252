"""Small people in a landscape: seen from behind, in a coat, looking where we look."""

import numpy as np

from easel_painter.canvas import Scene
from easel_painter.close.form import Lamp, lamp, shade, solid
from easel_painter.close.outline import Pose, path
from easel_painter.palette import mix
from easel_painter.reading import Colour

COATS: tuple[Colour, ...] = ((0.22, 0.20, 0.24), (0.46, 0.16, 0.14), (0.16, 0.26, 0.36), (0.44, 0.36, 0.24))

HAIR: tuple[Colour, ...] = ((0.16, 0.10, 0.07), (0.42, 0.26, 0.14), (0.10, 0.08, 0.08))


def paint_figure(scene: Scene, pose: Pose, name: str, number: int = 0) -> None:
    """Paint a person from behind whose feet are at the pose's origin and whose height is the pose's size."""
    scene.show(name)
    rng = scene.stream(f"figure {number}")
    paints = scene.reading.paints
    light = lamp(scene)
    long = name == "woman" or (name == "people" and bool(rng.random() < 0.5))
    coat = paints.get("clothes") or paints.get(name) or COATS[int(rng.integers(len(COATS)))]
    shade(scene, pose.x - light.side * pose.size * 0.14, pose.y, pose.size * 0.22, pose.size * 0.035, 0.5, 1.4)
    step = float(rng.uniform(0.01, 0.05))
    dark = mix(coat, (0.05, 0.05, 0.07), 0.6)
    for side in (-1.0, 1.0):
        leg = [(side * 0.05, -0.45), (side * (0.05 + step * 0.4), -0.22), (side * (0.045 + step), -0.02)]
        solid(scene, [pose.band(leg, (0.058, 0.044, 0.034))], dark, light)
        solid(scene, [pose.oval(side * (0.05 + step), -0.012, 0.044, 0.020)], (0.10, 0.08, 0.07), light)
        arm = [(side * 0.14, -0.78), (side * 0.185, -0.60), (side * (0.165 + step), -0.43)]
        solid(scene, [pose.band(arm, (0.048, 0.042, 0.032))], mix(coat, dark, 0.25), light)
    hem, flare = (-0.16, 0.21) if long else (-0.34, 0.145)
    sway = float(rng.uniform(-0.03, 0.03))
    skirt = [(flare + sway, hem), (sway, hem + 0.025), (-flare + sway, hem)]
    right, left = (
        path("0.05,-0.86 0.145,-0.8 0.15,-0.62 0.115,-0.52"),
        path("-0.115,-0.52 -0.15,-0.62 -0.145,-0.8 -0.05,-0.86"),
    )
    solid(scene, [pose.curve([*right, *skirt, *left])], coat, light)
    _head(scene, pose, rng, long, dark, light)


def _head(scene: Scene, pose: Pose, rng: np.random.Generator, long: bool, felt: Colour, light: Lamp) -> None:
    """Paint hair, long or short, and often a hat."""
    reading = scene.reading
    hair = reading.paints.get("hair") or HAIR[int(rng.integers(len(HAIR)))]
    solid(scene, [pose.oval(0.0, -0.935, 0.062, 0.075)], hair, light)
    if long:
        fall = path("-0.062,-0.95 0.062,-0.95 0.075,-0.8 0.03,-0.72 -0.04,-0.73 -0.075,-0.82")
        solid(scene, [pose.curve(fall)], hair, light)
    if reading.has("hat") or (not long and rng.random() < 0.5):
        felt = reading.paints.get("hat") or felt
        solid(scene, [pose.curve(path("-0.065,-0.95 -0.06,-1.02 0,-1.04 0.06,-1.02 0.065,-0.95"))], felt, light)
        solid(scene, [pose.oval(0.0, -0.955, 0.125, 0.024)], felt, light)


def paint_group(scene: Scene, name: str, x: float, y: float, size: float) -> None:
    """Paint one figure, or several where the words speak of people."""
    rng = scene.stream("group")
    count = int(rng.integers(2, 5)) if name == "people" else 1
    spots = [(y + float(rng.normal(0, size * 0.05)), x + size * 0.42 * (k - (count - 1) / 2)) for k in range(count)]
    for number, (row, column) in enumerate(sorted(spots)):
        tall = (
            size * (float(rng.uniform(0.86, 1.0)) if count > 1 else 1.0) * (0.72 if scene.reading.has("child") else 1.0)
        )
        paint_figure(scene, Pose(column, row, tall, float(np.sign(rng.random() - 0.5) or 1.0)), name, number)
