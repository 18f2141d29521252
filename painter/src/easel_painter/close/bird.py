"""Birds in profile: perched, on the wing, and in flocks far off."""

import numpy as np

from easel_painter.canvas import Point, Scene
from easel_painter.close.form import Lamp, grid, lamp, model, solid
from easel_painter.close.outline import Stand, band, hatch, path, smooth
from easel_painter.close.plumage import Plumage, as_lit, choose_plumage, lay_down, paint_eye
from easel_painter.noise import Field, fbm, smoothstep
from easel_painter.palette import mix
from easel_painter.reading import Colour


def paint_perched(scene: Scene, stand: Stand, light: Lamp | None = None) -> None:
    """A bird in profile whose feet are at the stand; its body is about as long as the stand's size."""
    plumage = choose_plumage(scene)
    light = light or lamp(scene)
    rng = scene.stream("bird")
    long = 0.40 * plumage.tail
    tail = [
        (-0.22, -0.24),
        (-0.30, -0.16),
        (-0.42 - long * 0.55, 0.02 + long * 0.42),
        (-0.34 - long * 0.60, 0.06 + long * 0.46),
        (-0.20, -0.08),
    ]
    window, _ = solid(scene, [stand.to(tail)], plumage.wing, light, depth=0.6)
    _quills(scene, stand, (-0.27, -0.14), (-0.37 - long * 0.56, 0.03 + long * 0.42), plumage.wing)
    for x in (-0.02, 0.06):
        leg = [stand.band([(x, -0.08), (x + 0.02, -0.02), (x + 0.03, 0.0)], (0.016, 0.012, 0.012))]
        leg += [stand.band([(x + 0.0, 0.0), (x + 0.05 + 0.03 * k, 0.02 + 0.012 * k)], (0.013, 0.009)) for k in (0, 1)]
        scene.shape(leg, scene.palette.lit((0.28, 0.19, 0.15)))
    body = path(
        "0.21,-0.66 0.3,-0.52 0.31,-0.36 0.22,-0.17 0.04,-0.06 -0.14,-0.08 -0.28,-0.18 "
        "-0.24,-0.32 -0.12,-0.48 0.02,-0.62"
    )
    window, mask = scene.cut([stand.curve(body)])
    if min(mask.shape) < 2:
        return
    tone = _body_tone(stand, window, mask, plumage, rng)
    model(scene, window, mask, tone, light)
    lay_down(scene, stand, rng, window, mask)
    _head(scene, stand, rng, plumage, light)
    _folded_wing(scene, stand, rng, plumage, light)


def _body_tone(
    stand: Stand, window: tuple[slice, slice], mask: Field, plumage: Plumage, rng: np.random.Generator
) -> Field:
    """Dark above, light below, with the edge broken up as feathers do."""
    x, y = grid(window)
    across = (x - stand.x) * stand.side / stand.size
    down = (y - stand.y) / stand.size
    grain = fbm(rng, mask.shape[1], mask.shape[0], (9, 9), 3) - 0.5
    belly = smoothstep(-0.06, 0.10, np.asarray(across * 0.75 + down * 0.55 + 0.26 + grain * 0.16, dtype=np.float32))[
        ..., None
    ]
    vent = smoothstep(-0.20, -0.05, np.asarray(down - 0.2 * across + grain * 0.1, dtype=np.float32))[..., None]
    back, breast = (np.asarray(c, dtype=np.float32) for c in (plumage.back, plumage.breast))
    pale = np.asarray(
        mix(plumage.breast, (0.95, 0.93, 0.90), 0.55 if max(plumage.breast) > 0.3 else 0.0), dtype=np.float32
    )
    front = breast * (1 - 0.6 * vent) + pale * (0.6 * vent)
    tone: Field = (back * (1 - belly) + front * belly) * (1 + 0.25 * grain)[..., None]
    return tone


def _head(scene: Scene, stand: Stand, rng: np.random.Generator, plumage: Plumage, light: Lamp) -> None:
    bill = plumage.bill
    head = stand.part(0.15, -0.64, 1.06, float(rng.uniform(-0.15, 0.12)))
    if plumage.hooked:
        beak = path("0.1,-0.11 0.24,-0.1 0.3,0.04 0.25,0.13 0.21,0.03 0.1,0.05")
    else:
        beak = [
            (0.13, -0.055),
            (0.16 + 0.06 * bill, -0.035),
            (0.17 + 0.105 * bill, 0.025),
            (0.15 + 0.06 * bill, 0.035),
            (0.12, 0.05),
        ]
    solid(scene, [head.curve(beak)], plumage.beak, light, gloss=0.35)
    scene.shape([head.to(band([(0.13, 0.012), (0.15 + 0.10 * bill, 0.022)], (0.006, 0.003)))], (0.05, 0.04, 0.04), 0.7)
    if plumage.crest:
        tuft = path("0.06,-0.14 -0.04,-0.24 -0.2,-0.34 -0.17,-0.16 -0.14,-0.04")
        solid(scene, [head.curve(tuft)], plumage.head, light)
    window, mask = solid(
        scene,
        [head.curve(path("0.17,-0.03 0.12,-0.13 0,-0.175 -0.13,-0.12 -0.19,0.03 -0.12,0.15 0.02,0.17 0.14,0.09"))],
        plumage.head,
        light,
    )
    lay_down(scene, stand, rng, window, mask)
    if max(plumage.head) > 0.4 and not plumage.crest:
        solid(
            scene,
            [head.oval(0.03, 0.06, 0.10, 0.06, 0.4)],
            mix(plumage.head, plumage.breast, 0.6),
            light,
            depth=0.5,
            strength=0.7,
        )
    if plumage.crest:
        solid(scene, [head.oval(0.125, 0.01, 0.06, 0.075)], (0.10, 0.05, 0.05), light, strength=0.85)
    paint_eye(scene, head.part(0.055, -0.025, 1.0), 0.038, light)


def _folded_wing(scene: Scene, stand: Stand, rng: np.random.Generator, plumage: Plumage, light: Lamp) -> None:
    """Three rows of feathers, the long ones first, each edged with light."""
    wing = path("0.1,-0.5 0.14,-0.36 0.06,-0.22 -0.14,-0.12 -0.46,0.02 -0.34,-0.16 -0.2,-0.34 -0.04,-0.5")
    solid(scene, [stand.curve(wing)], plumage.wing, light, depth=0.7)
    rows = [
        (7, 0.40, (0.02, -0.30), (-0.12, -0.14), 0.045),
        (8, 0.22, (0.06, -0.36), (-0.06, -0.18), 0.045),
        (9, 0.13, (0.09, -0.44), (0.02, -0.24), 0.042),
    ]
    for number, (count, long, top, bottom, half) in enumerate(rows):
        strokes: list[list[Point]] = []
        tones = []
        for k in range(count):
            t = k / (count - 1)
            x, y = top[0] + (bottom[0] - top[0]) * t, top[1] + (bottom[1] - top[1]) * t
            angle = 2.55 - 0.16 * t + float(rng.normal(0, 0.03))
            reach = long * (1.0 - 0.35 * t)
            ex, ey = x + reach * np.cos(angle), y + reach * np.sin(angle)
            tone = mix(plumage.wing, plumage.back, 0.25 + 0.25 * number)
            for wide, shift, colour in (
                (half, 0.0, mix(tone, (1.0, 0.97, 0.9), 0.22)),
                (half * 0.78, -0.012, mix(tone, (0.02, 0.02, 0.03), 0.12 + 0.12 * t)),
            ):
                feather = smooth(
                    [
                        (x, y + shift),
                        ((x + ex) / 2 + wide * 0.6, (y + ey) / 2 + wide + shift),
                        (ex, ey + shift),
                        ((x + ex) / 2 - wide * 0.5, (y + ey) / 2 - wide + shift),
                    ],
                    steps=4,
                )
                strokes.append(stand.to(feather))
                tones.append(as_lit(colour, light, 0.85 - 0.3 * t))
        hatch(scene, strokes, np.asarray(tones, dtype=np.float32), 0.9)


def _quills(scene: Scene, stand: Stand, start: Point, end: Point, colour: Colour) -> None:
    dark = scene.palette.lit(mix(colour, (0.02, 0.02, 0.03), 0.55))
    lines = []
    for k in range(3):
        shift = (k - 1) * 0.022
        lines.append(
            stand.to(
                band(
                    [(start[0] + shift, start[1] + shift), (end[0] + shift * 1.3, end[1] + shift * 1.3)], (0.004, 0.003)
                )
            )
        )
    scene.shape(lines, dark, 0.6)


def paint_flying(scene: Scene, stand: Stand, plumage: Plumage | None = None, light: Lamp | None = None) -> None:
    """A bird on the wing, seen from the side and a little from below; about the stand's size from head to tail."""
    plumage = plumage or choose_plumage(scene)
    light = light or lamp(scene)
    rng = scene.stream(f"flying {stand.x:.0f} {stand.y:.0f}")
    lift = float(rng.uniform(0.55, 1.1))
    far = _wing_points((0.10, -0.08), lift * 0.85, 0.35)
    near = _wing_points((0.06, -0.02), lift, -0.25)
    solid(scene, [stand.to(line) for line in far], mix(plumage.wing, (0.1, 0.12, 0.2), 0.35), light, depth=0.4)
    body = path(
        "0.5,-0.04 0.42,-0.12 0.24,-0.13 -0.1,-0.11 -0.4,-0.03 -0.62,-0.05 -0.6,0.03 "
        "-0.36,0.06 0,0.1 0.3,0.07 0.46,0.02"
    )
    solid(scene, [stand.curve(body)], plumage.breast, light)
    solid(scene, [stand.oval(0.42, -0.05, 0.10, 0.08)], plumage.head, light)
    solid(scene, [stand.to([(0.49, -0.06), (0.53 + 0.07 * plumage.bill, -0.005), (0.49, 0.01)])], plumage.beak, light)
    paint_eye(scene, stand.part(0.45, -0.07, 1.0), 0.014, light)
    solid(scene, [stand.to(line) for line in near], mix(plumage.wing, plumage.back, 0.4), light, depth=0.5)


def _wing_points(root: Point, lift: float, lean: float) -> list[list[Point]]:
    """An open wing: an arm and long feathers that spread behind it."""
    x, y = root
    wrist = (x + 0.10 + lean * 0.3, y - 0.42 * lift)
    tip = (x - 0.18 + lean * 0.9, y - 1.0 * lift)
    arm = smooth(
        [(x + 0.12, y), (wrist[0] + 0.08, wrist[1]), tip, (wrist[0] - 0.16, wrist[1] - 0.02), (x - 0.22, y + 0.02)],
        steps=6,
    )
    feathers = [arm]
    for k in range(7):
        t = k / 6
        ex, ey = tip[0] - 0.10 * t - 0.16 * t, tip[1] + (0.05 + 0.62 * t) * lift
        sx, sy = wrist[0] * (1 - t) + (x - 0.1) * t, wrist[1] * (1 - t) + y * t
        feathers.append(band([(sx, sy), ((sx + ex) / 2 - 0.03, (sy + ey) / 2), (ex, ey)], (0.05, 0.045, 0.012)))
    return feathers


def paint_flock(scene: Scene, count: int, top: float, bottom: float) -> None:
    """Birds far off, each two bent wings, between two rows."""
    rng = scene.stream("flock")
    own = scene.reading.paints.get("gull") or scene.reading.paints.get("bird")
    white = scene.reading.has("gull", "swan") and not own
    tone = scene.palette.lit((0.96, 0.96, 0.97)) if white else scene.palette.far(own or (0.10, 0.10, 0.13), 0.15)
    middle = (scene.width * rng.uniform(0.3, 0.7), top + (bottom - top) * rng.uniform(0.3, 0.6))
    birds: list[list[Point]] = []
    for _ in range(count):
        x = middle[0] + float(rng.normal(0, scene.width * 0.20))
        y = float(np.clip(middle[1] + rng.normal(0, (bottom - top) * 0.24), top, bottom))
        half = scene.short * float(rng.uniform(0.013, 0.038))
        beat, tilt = float(rng.uniform(-0.1, 0.55)), float(rng.normal(0, 0.15))
        line = [(-1.0, -beat), (-0.45, -0.35 - beat * 0.3), (0.0, 0.0), (0.45, -0.35 - beat * 0.3), (1.0, -beat)]
        birds.append(Stand(x, y, half, 1.0, tilt).to(band(line, (0.02, 0.10, 0.15, 0.10, 0.02))))
    scene.shape(birds, tone, 0.95)
