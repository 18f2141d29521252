"""Fish from the side, koi from above, and the large swimmers: whale, dolphin, shark."""

from dataclasses import replace

import numpy as np

from easel_painter.canvas import Point, Scene
from easel_painter.close.form import Lamp, grid, model
from easel_painter.close.outline import Stand, hatch, path
from easel_painter.close.plumage import paint_eye
from easel_painter.noise import Field, fbm, smoothstep
from easel_painter.palette import mix
from easel_painter.reading import Colour

_KINDS: tuple[tuple[Colour, Colour], ...] = (
    ((0.95, 0.46, 0.10), (1.0, 0.80, 0.40)),
    ((0.90, 0.24, 0.12), (0.98, 0.86, 0.78)),
    ((0.96, 0.74, 0.18), (1.0, 0.94, 0.70)),
    ((0.28, 0.46, 0.74), (0.80, 0.88, 0.92)),
)

_KOI_WHITE: Colour = (0.95, 0.92, 0.87)
_KOI_WIDTHS = (0.035, 0.085, 0.118, 0.125, 0.112, 0.088, 0.062, 0.04, 0.022)
"""Half the body's breadth from the snout to the tail."""


def choose_scales(scene: Scene, number: int = 0) -> tuple[Colour, Colour]:
    """The colours of back and belly."""
    own = scene.reading.paints.get("koi") or scene.reading.paints.get("fish")
    if own:
        return own, mix(own, (1.0, 0.94, 0.80), 0.5)
    return _KINDS[int(scene.stream(f"scales {number}").integers(len(_KINDS)))]


def paint_fish(scene: Scene, stand: Stand, light: Lamp, number: int = 0) -> None:
    """A fish in profile, about as long as the stand's size, its middle at the stand."""
    scene.show("fish")
    rng = scene.stream(f"fish {number}")
    back, belly = choose_scales(scene, number)
    reach = 0.40 if rng.random() < 0.55 else 0.26
    beat = float(rng.uniform(-0.10, 0.10))
    fin = mix(back, belly, 0.35)
    tail = [(-0.40 - reach * 0.9, -0.26 - reach * 0.3 + beat), (-0.46 - reach, -0.06 + beat)]
    tail += [(-0.44 - reach * 0.8, 0.07 + beat), (-0.44 - reach, 0.18 + beat), (-0.36 - reach * 0.7, 0.34 + beat)]
    _fin(scene, stand, rng, [(-0.30, 0.0)], tail, fin)
    _fin(scene, stand, rng, path("-0.2,-0.13 0.16,-0.19"), path("-0.34,-0.3 -0.2,-0.36 -0.02,-0.4 0.12,-0.34"), fin)
    _fin(scene, stand, rng, path("-0.16,0.13 -0.02,0.17"), path("-0.34,0.3 -0.22,0.36 -0.1,0.32"), fin)
    body = path(
        "0.44,0.02 0.38,-0.09 0.22,-0.18 0.02,-0.2 -0.18,-0.13 -0.34,-0.055 -0.4,0 "
        "-0.34,0.055 -0.18,0.13 0.02,0.19 0.24,0.17 0.39,0.09"
    )
    window, mask = scene.cut([stand.curve(body)])
    if min(mask.shape) < 2:
        return
    model(scene, window, mask, _scales(stand, window, mask, back, belly, rng), light, gloss=0.45)
    gill = stand.band(path("0.21,-0.11 0.16,0 0.21,0.11"), (0.004, 0.010, 0.004))
    scene.shape([gill], mix(back, (0.15, 0.03, 0.02), 0.5), 0.55)
    scene.shape([stand.band(path("0.43,0.045 0.38,0.055"), (0.007, 0.003))], (0.25, 0.08, 0.05), 0.7)
    _fin(scene, stand, rng, path("0.13,0.05 0.15,0.1"), path("-0.06,0.12 -0.02,0.2 0.06,0.22"), mix(fin, belly, 0.3))
    paint_eye(scene, stand.part(0.305, -0.035, 1.0), 0.034, light, (0.95, 0.82, 0.45))


def _scales(
    stand: Stand, window: tuple[slice, slice], mask: Field, back: Colour, belly: Colour, rng: np.random.Generator
) -> Field:
    """Rows of overlapping scales over a back that pales towards the belly."""
    x, y = grid(window)
    u, v = (x - stand.x) * stand.side / stand.size, (y - stand.y) / stand.size
    c, s = float(np.cos(stand.turn)), float(np.sin(stand.turn))
    u, v = u * c + v * s, v * c - u * s
    row = np.floor(u * 26)
    arc = np.hypot((u * 26 - row - 1.0) * 0.95, np.mod(v * 24 + 0.5 * np.mod(row, 2), 1.0) - 0.5)
    shine = (0.82 + 0.36 * np.clip(arc, 0, 1)) * (arc < 1.1)
    shine = np.where(u > 0.19, 1.0, shine)
    patch = fbm(rng, mask.shape[1], mask.shape[0], (3, 2), 3) - 0.5
    share = smoothstep(-0.04, 0.17, np.asarray(v + 0.10 * patch, np.float32))[..., None]
    tone = np.asarray(back, np.float32) * (1 - share) + np.asarray(belly, np.float32) * share
    return np.asarray(tone * (shine + 0.35 * patch)[..., None], dtype=np.float32)


def _fin(
    scene: Scene, stand: Stand, rng: np.random.Generator, root: list[Point], edge: list[Point], colour: Colour
) -> None:
    """A thin fin: light comes through it, rays run from its root to its edge."""
    outline = stand.curve([*root, *reversed(edge)])
    scene.shape([outline], mix(colour, (1.0, 0.92, 0.8), 0.15), 0.62)
    strokes: list[list[Point]] = []
    tones: list[Colour] = []
    ends = np.asarray(edge)
    at = np.linspace(0, len(edge) - 1, 17)
    for k, position in enumerate(at):
        ex = float(np.interp(position, range(len(edge)), ends[:, 0]))
        ey = float(np.interp(position, range(len(edge)), ends[:, 1]))
        share = k / (len(at) - 1)
        start = (
            root[0]
            if len(root) == 1
            else (root[0][0] * (1 - share) + root[-1][0] * share, root[0][1] * (1 - share) + root[-1][1] * share)
        )
        end = (start[0] + (ex - start[0]) * 0.95, start[1] + (ey - start[1]) * 0.95)
        middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2 + 0.012)
        strokes.append(stand.band([start, middle, end], (0.010, 0.008, 0.002)))
        tones.append(mix(colour, ((1.0, 0.96, 0.88), (0.30, 0.08, 0.04))[k % 2], float(rng.uniform(0.15, 0.5))))
    hatch(scene, strokes, np.asarray(tones, dtype=np.float32), 0.5)


def paint_koi(scene: Scene, stand: Stand, light: Lamp, number: int) -> None:
    """A koi seen from above, bent as it swims; the stand is its middle."""
    scene.show("koi" if scene.reading.has("koi") else "fish")
    rng = scene.stream(f"koi {number}")
    own = scene.reading.paints.get("koi") or scene.reading.paints.get("fish")
    marks: Colour = own or ((0.90, 0.30, 0.10), (0.86, 0.20, 0.12), (0.94, 0.56, 0.12))[int(rng.integers(3))]
    bend = float(rng.uniform(0.10, 0.24) * rng.choice([-1.0, 1.0]))

    def spine(t: float) -> Point:
        return (0.5 - t, bend * (t * t * 1.5 - t * 0.9) + 0.03 * float(np.sin(t * 5)))

    points = [spine(float(t)) for t in np.linspace(0, 1, 9)]
    # Its shadow lies on the pond's floor.
    drop = replace(stand, x=stand.x + stand.size * 0.08, y=stand.y + stand.size * 0.14)
    scene.shape([drop.band(points, _KOI_WIDTHS)], (0.0, 0.03, 0.04), 0.38)
    tint = mix(_KOI_WHITE, marks, 0.25 if rng.random() < 0.5 else 0.7)
    _koi_fins(scene, stand, rng, (spine(0.26), spine(0.62), spine(1.0), spine(1.28)), tint)
    window, mask = scene.cut([stand.band(points, _KOI_WIDTHS)])
    if min(mask.shape) < 2:
        return
    model(scene, window, mask, _blotched(mask, own, marks, rng), light, gloss=0.35)
    ridge = [spine(float(t)) for t in np.linspace(0.34, 0.70, 5)]
    scene.shape([stand.band(ridge, (0.004, 0.016, 0.014, 0.004))], mix(marks, (0.3, 0.1, 0.05), 0.3), 0.6)
    x, y = spine(0.06)
    scene.shape([stand.oval(x, y + side * 0.058, 0.014, 0.012) for side in (-1.0, 1.0)], (0.03, 0.03, 0.03))


def _koi_fins(
    scene: Scene, stand: Stand, rng: np.random.Generator, roots: tuple[Point, Point, Point, Point], tint: Colour
) -> None:
    """Tail, breast and belly fins of a koi; the last root is the tail's end."""
    breast, belly, tail, end = roots
    fan = [(end[0] + x, end[1] + y) for x, y in path("-0.02,-0.13 0.09,-0.03 0.09,0.04 -0.02,0.13")]
    _fin(scene, stand, rng, [tail], fan, tint)
    for side in (-1.0, 1.0):
        x, y = breast
        edge = [(x - 0.04, y + side * 0.26), (x - 0.10, y + side * 0.24), (x - 0.13, y + side * 0.17)]
        _fin(scene, stand, rng, [(x + 0.02, y + side * 0.09)], edge, tint)
        x, y = belly
        edge = [(x - 0.06, y + side * 0.14), (x - 0.11, y + side * 0.10)]
        _fin(scene, stand, rng, [(x, y + side * 0.06)], edge, tint)


def _blotched(mask: Field, own: Colour | None, marks: Colour, rng: np.random.Generator) -> Field:
    """White with patches of colour, some with black ones too."""
    height, width = mask.shape
    blots = fbm(rng, width, height, (3, 3), 3)
    level = float(np.quantile(blots, 0.25 if own else rng.uniform(0.35, 0.6)))
    share = smoothstep(level - 0.03, level + 0.03, blots)[..., None]
    white = mix(own, _KOI_WHITE, 0.35) if own else _KOI_WHITE
    tone = np.asarray(white, np.float32) * (1 - share) + np.asarray(marks, np.float32) * share
    if rng.random() < 0.35 and not own:
        dark = smoothstep(0.62, 0.68, fbm(rng, width, height, (4, 4), 3))[..., None]
        tone = tone * (1 - dark) + np.asarray((0.06, 0.06, 0.08), np.float32) * dark
    return np.asarray(tone, dtype=np.float32)
