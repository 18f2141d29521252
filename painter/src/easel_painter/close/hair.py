"""Hair and beards: a body of hair first, then strands that fall as hair does."""

import numpy as np

from easel_painter.canvas import Point, Scene
from easel_painter.close.form import Lamp, grid, solid
from easel_painter.close.head import Head
from easel_painter.close.outline import band, fur, path
from easel_painter.close.sitter import Sitter
from easel_painter.noise import Field, fbm
from easel_painter.palette import mix
from easel_painter.reading import Colour


def _flow(head: Head, window: tuple[slice, slice], swing: float) -> Field:
    """The way hair falls: from the parting outwards, then down."""
    x, y = grid(window)
    u, v = (x - np.float32(head.x)) / np.float32(head.radius), (y - np.float32(head.y)) / np.float32(head.radius)
    out = u - np.float32(swing)
    high = np.clip(-0.35 - v, 0, None)
    along = np.clip(out * 6, -1, 1) * high - 0.30 * u * np.clip(v, 0, 1)
    down = np.abs(out) * 0.9 + 0.10 + np.clip(v + 0.35, 0, 2)
    fall: Field = np.arctan2(down, along).astype(np.float32)
    return fall


def _locks(
    scene: Scene, head: Head, outline: list[Point], colour: Colour, light: Lamp, count: int, depth: float = 0.9
) -> None:
    """A mass of hair: its body first, then strands in three lengths."""
    rng = scene.stream(f"locks {count}")
    window, mask = scene.cut([outline])
    if min(mask.shape) < 3:
        return
    waves = fbm(rng, mask.shape[1], mask.shape[0], (7, 3), 4) - 0.5
    tone = np.asarray(colour, dtype=np.float32) * (1 + 0.7 * waves)[..., None]
    solid(scene, [outline], tone, light, depth=depth, gloss=0.18)
    angle = _flow(head, window, 0.25 * float(np.sign(head.yaw) or 1.0)) + (waves * 0.7).astype(np.float32)
    for long, thick, share, tint in ((0.46, 0.034, 0.9, 0.20), (0.34, 0.022, 1.1, 0.30), (0.26, 0.016, 1.0, 0.45)):
        fur(
            scene,
            rng,
            window,
            mask,
            count=int(count * share),
            length=head.radius * long,
            angle=angle,
            spread=0.07,
            tint=tint,
            thick=thick,
            strength=0.55,
            clipped=True,
        )


def paint_hair_behind(scene: Scene, head: Head, sitter: Sitter, light: Lamp) -> None:
    """The hair behind face and neck."""
    back = -0.22 * float(np.sin(head.yaw))
    if sitter.style in ("long", "bob"):
        low, wide = (2.15, 1.02) if sitter.style == "long" else (0.95, 0.98)
        right = [*path("0.52,-1.14 0.86,-0.72 0.95,-0.1"), (wide, 0.55), (wide * 0.98, low * 0.72), (0.62, low)]
        middle = [(0.0, -1.26), (0.0, low * 0.86)]
    elif sitter.style == "bun":
        _locks(scene, head, head.stand.oval(back * 2.6, -1.12, 0.36, 0.32), sitter.hair, light, 120)
        right, middle = path("0.5,-1.12 0.8,-0.7 0.84,-0.1 0.7,0.36"), [(0.0, -1.24)]
    else:
        right, middle = path("0.5,-1.08 0.78,-0.66 0.8,-0.1 0.68,0.25"), [(0.0, -1.2)]
    outline = [*middle[:1], *right, *middle[1:], *[(-x, y) for x, y in reversed(right)]]
    if sitter.style == "bald":
        outline = [(x, max(y, -0.55)) for x, y in outline]
    placed = head.stand.curve([(x + back, y) for x, y in outline])
    _locks(scene, head, placed, mix(sitter.hair, (0.02, 0.01, 0.01), 0.25), light, 420)


def paint_hair_before(scene: Scene, head: Head, sitter: Sitter, light: Lamp) -> None:
    """Hair over brow and temples; the parting is on the side that is turned to us."""
    if sitter.style == "bald":
        return
    turn = float(np.sin(head.yaw))
    back, part = -0.16 * turn, -0.30 * (1.0 if turn >= 0 else -1.0)
    brow = -0.56 if not sitter.man else -0.70
    if sitter.style == "short":
        outline = [
            (back, -1.24),
            (0.50 + back, -1.14),
            (0.78 + back, -0.74),
            (0.78 + back, -0.18),
            (0.70 + back, 0.0),
            (0.68 + turn * 0.1, -0.42),
            (0.50 + turn * 0.14, brow - 0.02),
            (0.18 + turn * 0.2, brow - 0.06),
            (-0.18 + turn * 0.2, brow + 0.02),
            (-0.50 + turn * 0.14, brow - 0.02),
            (-0.68 + turn * 0.1, -0.42),
            (-0.70 + back, 0.0),
            (-0.78 + back, -0.18),
            (-0.78 + back, -0.74),
            (-0.50 + back, -1.14),
        ]
        _locks(scene, head, head.stand.curve(outline), sitter.hair, light, 440)
        return
    low = {"long": 1.75, "bob": 0.80, "bun": 0.05}[sitter.style]
    for side in (-1.0, 1.0):
        near = 1.0 if side * turn <= 0 else 0.94
        edge = [
            (part, -0.84),
            (part + side * 0.10, -1.24),
            (side * 0.62 * near + back, -1.10),
            (side * 0.90 * near + back, -0.62),
            (side * 0.93 * near + back, 0.0),
            (side * 0.93 * near + back, low * 0.6),
            (side * 0.80 * near + back, low),
            (side * 0.66 * near + back * 0.5, low * 0.75 + 0.02),
            (side * 0.70 * near, low * 0.35),
            (side * 0.67 * near + turn * 0.06, -0.22),
            (side * 0.44 + part * 0.3 + turn * 0.1, brow + 0.02),
        ]
        _locks(scene, head, head.stand.curve(edge), sitter.hair, light, 300 + int(side))


def paint_beard(scene: Scene, head: Head, sitter: Sitter, light: Lamp) -> None:
    """Beard and moustache, with the lips left free."""
    turn = float(np.sin(head.yaw))
    long = 1.55 if sitter.old else 1.14
    middle = turn * 0.27
    outline = [
        (0.69, 0.10),
        (0.70, 0.46),
        (0.56, 0.86),
        (0.28, long * 0.93),
        (0.0, long),
        (-0.28, long * 0.93),
        (-0.56, 0.86),
        (-0.70, 0.46),
        (-0.69, 0.10),
        (-0.56, 0.38),
        (-0.36, 0.50),
        (-0.20, 0.465),
        (0.0, 0.475),
        (0.20, 0.465),
        (0.36, 0.50),
        (0.56, 0.38),
    ]
    hair = mix(sitter.hair, (0.25, 0.15, 0.10), 0.12)
    points = [(x * (1 - 0.06 * np.sign(x) * turn) + middle * min(1.0, max(0.0, y + 0.3)), y) for x, y in outline]
    lip = [(x + middle, y) for x, y in ((-0.19, 0.615), (0.0, 0.60), (0.19, 0.615), (0.08, 0.675), (-0.08, 0.675))]
    _locks(scene, head, head.stand.curve(points), hair, light, 380, 0.7)
    solid(scene, [head.stand.curve(lip)], mix(head.skin, (0.62, 0.22, 0.20), 0.6), light, depth=0.5, strength=0.85)
    scene.shape(
        [head.stand.to(band([(-0.17 + middle, 0.62), (middle, 0.628), (0.17 + middle, 0.62)], (0.004, 0.012, 0.004)))],
        (0.10, 0.04, 0.04),
        0.8,
    )
