"""What people wear: a coat over neck and breast, a crown, a hat."""

import numpy as np

from easel_painter.canvas import Point, Scene
from easel_painter.close.form import Lamp, shade, solid
from easel_painter.close.head import Head
from easel_painter.close.outline import Stand, fur, oval
from easel_painter.close.sitter import CLOTHES, Sitter
from easel_painter.noise import fbm
from easel_painter.palette import mix
from easel_painter.reading import Colour


def paint_shoulders(scene: Scene, head: Head, sitter: Sitter, light: Lamp) -> None:
    """Neck, breast and a coat over both, down to the picture's lower edge."""
    turn = float(np.sin(head.yaw))
    at = Stand(head.x - turn * head.radius * 0.18, head.y, head.radius)
    neck = 0.40 if sitter.man else 0.31
    # Behind the clothes' open collar: neck and breast.
    chest = [(neck, 0.5), (neck * 1.02, 1.15), (0.62, 1.46), (0.55, 2.1)]
    solid(scene, [at.curve(_both_sides(chest))], mix(head.skin, (0.75, 0.42, 0.32), 0.12), light, depth=0.9)
    throat = at.to([(turn * 0.25 - light.side * 0.08, 0.98)])[0]
    shade(scene, throat[0], throat[1], head.radius * 0.46, head.radius * 0.26, 0.62, 1.4)
    rng = scene.stream("clothes")
    dip = float(rng.uniform(1.55, 1.95)) if not sitter.man else float(rng.uniform(1.36, 1.55))
    wide = 1.35 if sitter.child else 1.86 if sitter.man else 1.60
    down = max(3.4, (scene.height - head.y) / head.radius + 0.3)
    coat = [(neck * 0.86, 1.18), (neck + 0.16, 1.14), (wide * 0.55, 1.38), (wide * 0.87, 1.62), (wide, 2.1)]
    outline = at.curve([(0.0, dip), *_both_sides([*coat, (wide * 1.06, down)])])
    window, mask = scene.cut([outline])
    if min(mask.shape) < 3:
        return
    folds = fbm(rng, mask.shape[1], mask.shape[0], (5, 2), 4) - 0.5
    tone = np.asarray(sitter.clothes, dtype=np.float32) * (1 + 0.8 * folds)[..., None]
    solid(scene, [outline], tone, light, depth=0.8)
    long = head.radius * 0.7
    fur(
        scene,
        rng,
        window,
        mask,
        count=240,
        length=long,
        angle=np.pi / 2,
        spread=0.5,
        thick=0.05,
        strength=0.4,
        clipped=True,
    )
    collar = mix(sitter.clothes, (0.92, 0.88, 0.80), 0.85 if sitter.man and rng.random() < 0.6 else 0.22)
    for side in (-1.0, 1.0):
        fold = [(side * (neck + 0.02), 1.08), (side * neck * 0.8, 1.30), (0.0 + side * 0.02, dip + 0.04)]
        solid(scene, [at.band(fold, (0.10, 0.10, 0.03))], collar, light)


def _both_sides(right: list[Point]) -> list[Point]:
    """An outline from its right half, going round from the top right."""
    return [*right, *[(-x, y) for x, y in reversed(right)]]


def paint_crown(scene: Scene, head: Head, light: Lamp) -> None:
    """A crown of gold with stones."""
    scene.show("crown")
    gold = scene.reading.paints.get("crown") or (0.90, 0.66, 0.20)
    x = -0.10 * float(np.sin(head.yaw))
    points: list[Point] = [(x - 0.72, -0.78)]
    for k in range(5):
        left = -0.78 + 1.56 * k / 5
        points += [(x + left, -1.02), (x + left + 0.156, -1.52 + 0.10 * abs(k - 2)), (x + left + 0.312, -1.02)]
    points += [(x + 0.72, -0.78), (x + 0.36, -0.70), (x, -0.67), (x - 0.36, -0.70)]
    solid(scene, [head.stand.to(points)], gold, light, gloss=0.9, depth=0.8)
    stones: tuple[Colour, ...] = ((0.75, 0.08, 0.12), (0.10, 0.25, 0.70), (0.10, 0.55, 0.30))
    for k in range(5):
        at = x - 0.624 + 1.248 * k / 4
        solid(
            scene,
            [head.stand.oval(at, -0.86 + 0.05 * (1 - (at - x) ** 2), 0.055, 0.06)],
            stones[k % 3],
            light,
            gloss=1.0,
        )
        solid(scene, [head.stand.oval(at, -1.52 + 0.10 * abs(k - 2), 0.05, 0.05)], (0.95, 0.92, 0.86), light, gloss=0.8)


def paint_hat(scene: Scene, head: Head, light: Lamp) -> None:
    """A felt hat with a brim that shades the brow."""
    scene.show("hat")
    rng = scene.stream("hat")
    felt = scene.reading.paints.get("hat") or CLOTHES[int(rng.integers(len(CLOTHES)))]
    x = -0.10 * float(np.sin(head.yaw))
    cup = [
        (x - 0.70, -0.74),
        (x - 0.68, -1.2),
        (x - 0.50, -1.52),
        (x, -1.60),
        (x + 0.50, -1.52),
        (x + 0.68, -1.2),
        (x + 0.70, -0.74),
    ]
    brim = oval(x, -0.76, 1.28, 0.20, float(rng.uniform(-0.12, 0.12)))
    solid(scene, [head.stand.curve(cup)], felt, light)
    solid(
        scene,
        [head.stand.band([(x - 0.70, -0.92), (x, -0.84), (x + 0.70, -0.92)], (0.09, 0.09))],
        mix(felt, (0.04, 0.03, 0.03), 0.6),
        light,
    )
    solid(scene, [head.stand.to(brim)], mix(felt, (0.03, 0.02, 0.02), 0.15), light, depth=0.8)
    cx, cy = head.stand.to([(x, -0.42)])[0]
    shade(scene, cx, cy, head.radius * 0.62, head.radius * 0.20, 0.45, 1.5)
