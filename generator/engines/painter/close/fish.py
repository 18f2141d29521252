"""Fish from the side, koi from above, and the large swimmers: whale, dolphin, shark."""

import numpy as np

from generator.engines.painter.canvas import Point, Scene
from generator.engines.painter.close.form import Lamp, grid, model, solid
from generator.engines.painter.close.outline import Stand, hatch, path
from generator.engines.painter.close.plumage import paint_eye
from generator.engines.painter.noise import Field, fbm, smoothstep
from generator.engines.painter.palette import mix
from generator.engines.painter.reading import Colour

_KINDS: tuple[tuple[Colour, Colour], ...] = (
    ((0.95, 0.46, 0.10), (1.0, 0.80, 0.40)),
    ((0.90, 0.24, 0.12), (0.98, 0.86, 0.78)),
    ((0.96, 0.74, 0.18), (1.0, 0.94, 0.70)),
    ((0.28, 0.46, 0.74), (0.80, 0.88, 0.92)),
)


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
    veil = bool(rng.random() < 0.55)
    beat = float(rng.uniform(-0.10, 0.10))
    fin = mix(back, belly, 0.35)
    reach = 0.40 if veil else 0.26
    _fin(
        scene,
        stand,
        rng,
        [(-0.30, 0.0)],
        [
            (-0.40 - reach * 0.9, -0.26 - reach * 0.3 + beat),
            (-0.46 - reach, -0.06 + beat),
            (-0.44 - reach * 0.8, 0.07 + beat),
            (-0.44 - reach, 0.18 + beat),
            (-0.36 - reach * 0.7, 0.34 + beat),
        ],
        fin,
    )
    _fin(
        scene,
        stand,
        rng,
        [(-0.20, -0.13), (0.16, -0.19)],
        [(-0.34, -0.30), (-0.20, -0.36), (-0.02, -0.40), (0.12, -0.34)],
        fin,
    )
    _fin(scene, stand, rng, [(-0.16, 0.13), (-0.02, 0.17)], [(-0.34, 0.30), (-0.22, 0.36), (-0.10, 0.32)], fin)
    body = path(
        "0.44,0.02 0.38,-0.09 0.22,-0.18 0.02,-0.2 -0.18,-0.13 -0.34,-0.055 -0.4,0 "
        "-0.34,0.055 -0.18,0.13 0.02,0.19 0.24,0.17 0.39,0.09"
    )
    window, mask = scene.cut([stand.curve(body)])
    if min(mask.shape) < 2:
        return
    model(scene, window, mask, _scales(stand, window, mask, back, belly, rng), light, gloss=0.45)
    gill = [stand.band([(0.21, -0.11), (0.16, 0.0), (0.21, 0.11)], (0.004, 0.010, 0.004))]
    scene.shape(gill, mix(back, (0.15, 0.03, 0.02), 0.5), 0.55)
    scene.shape([stand.band([(0.43, 0.045), (0.38, 0.055)], (0.007, 0.003))], (0.25, 0.08, 0.05), 0.7)
    _fin(
        scene,
        stand,
        rng,
        [(0.13, 0.05), (0.15, 0.10)],
        [(-0.06, 0.12), (-0.02, 0.20), (0.06, 0.22)],
        mix(fin, belly, 0.3),
    )
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
    white: Colour = (0.95, 0.92, 0.87)
    marks: Colour = own or ((0.90, 0.30, 0.10), (0.86, 0.20, 0.12), (0.94, 0.56, 0.12))[int(rng.integers(3))]
    bend = float(rng.uniform(0.10, 0.24) * rng.choice([-1.0, 1.0]))

    def spine(t: float) -> Point:
        return (0.5 - t, bend * (t * t * 1.5 - t * 0.9) + 0.03 * float(np.sin(t * 5)))

    # Its shadow lies on the pond's floor.
    points = [spine(float(t)) for t in np.linspace(0, 1, 9)]
    widths = (0.035, 0.085, 0.118, 0.125, 0.112, 0.088, 0.062, 0.04, 0.022)
    drop = Stand(stand.x + stand.size * 0.08, stand.y + stand.size * 0.14, stand.size, stand.side, stand.turn)
    scene.shape([drop.band(points, widths)], (0.0, 0.03, 0.04), 0.38)
    tail, last = spine(1.0), spine(1.28)
    tint = mix(white, marks, 0.25 if rng.random() < 0.5 else 0.7)
    _fin(
        scene,
        stand,
        rng,
        [tail],
        [
            (last[0] - 0.02, last[1] - 0.13),
            (last[0] + 0.09, last[1] - 0.03),
            (last[0] + 0.09, last[1] + 0.04),
            (last[0] - 0.02, last[1] + 0.13),
        ],
        tint,
    )
    for side in (-1.0, 1.0):
        x, y = spine(0.26)
        _fin(
            scene,
            stand,
            rng,
            [(x + 0.02, y + side * 0.09)],
            [(x - 0.04, y + side * 0.26), (x - 0.10, y + side * 0.24), (x - 0.13, y + side * 0.17)],
            tint,
        )
        x, y = spine(0.62)
        _fin(
            scene, stand, rng, [(x, y + side * 0.06)], [(x - 0.06, y + side * 0.14), (x - 0.11, y + side * 0.10)], tint
        )
    window, mask = scene.cut([stand.band(points, widths)])
    if min(mask.shape) < 2:
        return
    blots = fbm(rng, mask.shape[1], mask.shape[0], (3, 3), 3)
    level = float(np.quantile(blots, 0.25 if own else rng.uniform(0.35, 0.6)))
    share = smoothstep(level - 0.03, level + 0.03, blots)[..., None]
    tone = (
        np.asarray(white if not own else mix(own, white, 0.35), np.float32) * (1 - share)
        + np.asarray(marks, np.float32) * share
    )
    if rng.random() < 0.35 and not own:
        ink = fbm(rng, mask.shape[1], mask.shape[0], (4, 4), 3)
        dark = smoothstep(0.62, 0.68, ink)[..., None]
        tone = tone * (1 - dark) + np.asarray((0.06, 0.06, 0.08), np.float32) * dark
    model(scene, window, mask, np.asarray(tone, np.float32), light, gloss=0.35)
    ridge = [spine(float(t)) for t in np.linspace(0.34, 0.70, 5)]
    scene.shape([stand.band(ridge, (0.004, 0.016, 0.014, 0.004))], mix(marks, (0.3, 0.1, 0.05), 0.3), 0.6)
    for side in (-1.0, 1.0):
        x, y = spine(0.06)
        scene.shape([stand.oval(x, y + side * 0.058, 0.014, 0.012)], (0.03, 0.03, 0.03))


def paint_large(scene: Scene, stand: Stand, light: Lamp, kind: str) -> None:
    """A whale, dolphin or shark in profile, the stand is its middle."""
    scene.show(kind)
    rng = scene.stream(kind)
    own = scene.reading.paints.get(kind) or scene.reading.paints.get("fish")
    back: Colour = (
        own or {"whale": (0.20, 0.29, 0.38), "dolphin": (0.38, 0.46, 0.54), "shark": (0.36, 0.42, 0.46)}[kind]
    )
    belly = mix(back, (0.94, 0.96, 0.96), 0.72)
    body = {
        "whale": path(
            "0.5,0.02 0.46,-0.09 0.28,-0.17 0.02,-0.17 -0.26,-0.08 -0.5,-0.03 -0.5,0.01 "
            "-0.28,0.07 0,0.16 0.26,0.18 0.44,0.1"
        ),
        "dolphin": path(
            "0.56,0.055 0.43,0.02 0.36,-0.07 0.18,-0.14 -0.06,-0.14 -0.3,-0.06 -0.5,0.02 "
            "-0.5,0.05 -0.28,0.05 0,0.11 0.26,0.11 0.42,0.075 0.55,0.085"
        ),
        "shark": path(
            "0.52,0 0.4,-0.07 0.2,-0.13 -0.04,-0.12 -0.3,-0.05 -0.5,-0.015 -0.5,0.015 -0.28,0.04 "
            "0,0.1 0.24,0.1 0.42,0.06"
        ),
    }[kind]
    if kind == "shark":
        tail = [(-0.46, 0.0), (-0.64, -0.22), (-0.56, -0.02), (-0.60, 0.12)]
        solid(scene, [stand.curve(tail)], back, light)
        solid(scene, [stand.curve([(0.10, -0.10), (-0.06, -0.30), (-0.10, -0.10)])], back, light)
    else:
        tail = path("-0.47,0 -0.6,-0.1 -0.7,-0.11 -0.6,0.01 -0.68,0.1 -0.58,0.08")
        solid(scene, [stand.curve(tail)], back, light)
        if kind == "dolphin":
            solid(scene, [stand.curve([(0.06, -0.12), (-0.10, -0.26), (-0.10, -0.11)])], back, light)
    window, mask = scene.cut([stand.curve(body)])
    if min(mask.shape) < 2:
        return
    _, y = grid(window)
    v = (y - stand.y) / stand.size + 0 * mask
    grain = fbm(rng, mask.shape[1], mask.shape[0], (6, 3), 4) - 0.5
    share = smoothstep(0.0, 0.07, np.asarray(v + 0.05 * grain, np.float32))[..., None]
    tone = (np.asarray(back, np.float32) * (1 - share) + np.asarray(belly, np.float32) * share) * (1 + 0.3 * grain)[
        ..., None
    ]
    model(scene, window, mask, np.asarray(tone, np.float32), light, gloss=0.2)
    if kind == "whale":
        pleats = [
            stand.band(
                [(0.45, 0.06 + 0.022 * k), (0.2, 0.085 + 0.022 * k), (0.02, 0.075 + 0.02 * k)], (0.002, 0.003, 0.001)
            )
            for k in range(4)
        ]
        scene.shape(pleats, back, 0.5)
    if kind == "shark":
        scene.shape(
            [stand.band([(0.24 - 0.03 * k, -0.035), (0.23 - 0.03 * k, 0.035)], (0.003, 0.004)) for k in range(4)],
            mix(back, (0, 0, 0), 0.5),
            0.6,
        )
    solid(
        scene,
        [stand.curve([(0.20, 0.07), (0.10, 0.26), (-0.02, 0.30), (0.07, 0.09)])],
        mix(back, (0, 0, 0), 0.12),
        light,
    )
    if kind != "shark":
        scene.shape(
            [stand.band([(0.49, 0.05), (0.36, 0.07), (0.28, 0.045)], (0.002, 0.005, 0.002))],
            mix(back, (0, 0, 0), 0.5),
            0.6,
        )
    paint_eye(
        scene, stand.part(0.30 if kind != "shark" else 0.38, 0.012 if kind == "whale" else -0.02, 1.0), 0.011, light
    )
