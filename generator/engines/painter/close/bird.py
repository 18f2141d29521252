"""Birds seen from near: perched in profile, an owl face to face, a swan or duck on the water."""

from dataclasses import dataclass

import numpy as np

from generator.engines.painter.canvas import Point, Scene
from generator.engines.painter.close.form import Lamp, grid, lamp, model, solid
from generator.engines.painter.close.outline import Stand, band, fur, hatch, oval, smooth
from generator.engines.painter.noise import Field, fbm, smoothstep
from generator.engines.painter.palette import mix
from generator.engines.painter.reading import Colour

_BEAK: Colour = (0.30, 0.26, 0.22)


@dataclass(frozen=True)
class Plumage:
    """A bird's colours and build."""

    back: Colour
    breast: Colour
    head: Colour
    wing: Colour
    beak: Colour = _BEAK
    bill: float = 1.0
    """The beak's length; small seed eaters have 1."""

    tail: float = 1.0
    crest: bool = False
    hooked: bool = False


_KINDS: dict[str, Plumage] = {
    "sparrow": Plumage((0.50, 0.35, 0.22), (0.80, 0.74, 0.66), (0.46, 0.30, 0.20), (0.42, 0.28, 0.18)),
    "robin": Plumage((0.42, 0.37, 0.28), (0.86, 0.40, 0.16), (0.62, 0.36, 0.20), (0.36, 0.32, 0.26)),
    "tit": Plumage((0.42, 0.52, 0.34), (0.94, 0.82, 0.30), (0.14, 0.18, 0.26), (0.30, 0.42, 0.58)),
    "bullfinch": Plumage((0.44, 0.46, 0.50), (0.84, 0.24, 0.20), (0.06, 0.06, 0.08), (0.12, 0.12, 0.15), bill=0.8),
    "raven": Plumage((0.07, 0.07, 0.09), (0.08, 0.08, 0.10), (0.07, 0.07, 0.09), (0.06, 0.06, 0.09), (0.08, 0.08, 0.09), 2.0),
    "parrot": Plumage((0.14, 0.56, 0.24), (0.92, 0.72, 0.14), (0.84, 0.16, 0.12), (0.12, 0.36, 0.74), (0.22, 0.2, 0.2), 1.4, 1.9, hooked=True),
    "gull": Plumage((0.70, 0.73, 0.77), (0.96, 0.96, 0.95), (0.97, 0.97, 0.96), (0.62, 0.65, 0.70), (0.95, 0.70, 0.16), 1.6),
}


def choose_plumage(scene: Scene) -> Plumage:
    """The colours that the words name, else a kind by the seed."""
    reading = scene.reading
    named = next((name for name in ("bullfinch", "raven", "parrot", "gull") if reading.has(name)), None)
    own = reading.paints.get(named or "bird") or reading.paints.get("bird")
    if own is None:
        return _KINDS[named or str(scene.stream("kind").choice(["sparrow", "robin", "tit"]))]
    dark = mix(own, (0.04, 0.04, 0.07), 0.42)
    if named:
        known = _KINDS[named]
        return Plumage(own, mix(own, known.breast, 0.2), own, dark, known.beak, known.bill, known.tail, hooked=known.hooked)
    crest = own[0] > 0.6 and own[1] < 0.3
    beak: Colour = (0.92, 0.52, 0.20) if crest else _BEAK
    return Plumage(mix(own, dark, 0.35), mix(own, (1.0, 0.98, 0.92), 0.08), own, dark, beak, crest=crest, tail=1.15)


def paint_perched(scene: Scene, stand: Stand, light: Lamp | None = None) -> None:
    """A bird in profile whose feet are at the stand; its body is about as long as the stand's size."""
    plumage = choose_plumage(scene)
    light = light or lamp(scene)
    rng = scene.stream("bird")
    long = 0.40 * plumage.tail
    tail = [(-0.22, -0.24), (-0.30, -0.16), (-0.42 - long * 0.55, 0.02 + long * 0.42), (-0.34 - long * 0.60, 0.06 + long * 0.46), (-0.20, -0.08)]
    window, _ = solid(scene, [stand.to(tail)], plumage.wing, light, depth=0.6)
    _quills(scene, stand, (-0.27, -0.14), (-0.37 - long * 0.56, 0.03 + long * 0.42), plumage.wing)
    for x in (-0.02, 0.06):
        leg = [stand.band([(x, -0.08), (x + 0.02, -0.02), (x + 0.03, 0.0)], (0.016, 0.012, 0.012))]
        leg += [stand.band([(x + 0.0, 0.0), (x + 0.05 + 0.03 * k, 0.02 + 0.012 * k)], (0.013, 0.009)) for k in (0, 1)]
        scene.shape(leg, scene.palette.lit((0.28, 0.19, 0.15)))
    body = [(0.21, -0.66), (0.30, -0.52), (0.31, -0.36), (0.22, -0.17), (0.04, -0.06), (-0.14, -0.08), (-0.28, -0.18), (-0.24, -0.32), (-0.12, -0.48), (0.02, -0.62)]
    window, mask = scene.cut([stand.curve(body)])
    if min(mask.shape) < 2:
        return
    tone = _body_tone(scene, stand, window, mask, plumage, rng)
    model(scene, window, mask, tone, light)
    _down(scene, stand, rng, window, mask)
    _head(scene, stand, rng, plumage, light)
    _folded_wing(scene, stand, rng, plumage, light)


def _body_tone(
    scene: Scene, stand: Stand, window: tuple[slice, slice], mask: Field, plumage: Plumage, rng: np.random.Generator
) -> Field:
    """Dark above, light below, with the edge broken up as feathers do."""
    x, y = grid(window)
    across = (x - stand.x) * stand.side / stand.size
    down = (y - stand.y) / stand.size
    grain = fbm(rng, mask.shape[1], mask.shape[0], (9, 9), 3) - 0.5
    belly = smoothstep(-0.06, 0.10, np.asarray(across * 0.75 + down * 0.55 + 0.26 + grain * 0.16, dtype=np.float32))[..., None]
    vent = smoothstep(-0.20, -0.05, np.asarray(down - 0.2 * across + grain * 0.1, dtype=np.float32))[..., None]
    back, breast = (np.asarray(c, dtype=np.float32) for c in (plumage.back, plumage.breast))
    pale = np.asarray(mix(plumage.breast, (0.95, 0.93, 0.90), 0.55 if max(plumage.breast) > 0.3 else 0.0), dtype=np.float32)
    front = breast * (1 - 0.6 * vent) + pale * (0.6 * vent)
    tone: Field = (back * (1 - belly) + front * belly) * (1 + 0.25 * grain)[..., None]
    return tone


def _down(scene: Scene, stand: Stand, rng: np.random.Generator, window: tuple[slice, slice], mask: Field) -> None:
    length = stand.size * 0.055
    if length > 2:
        angle = 2.25 if stand.side > 0 else np.pi - 2.25
        fur(scene, rng, window, mask, count=700, length=length, angle=angle, spread=0.4, tint=0.10, thick=0.16, strength=0.55)


def _head(scene: Scene, stand: Stand, rng: np.random.Generator, plumage: Plumage, light: Lamp) -> None:
    bill = plumage.bill
    head = stand.part(0.15, -0.64, 1.06, float(rng.uniform(-0.15, 0.12)))
    if plumage.hooked:
        beak = [(0.10, -0.11), (0.24, -0.10), (0.30, 0.04), (0.25, 0.13), (0.21, 0.03), (0.10, 0.05)]
    else:
        beak = [(0.13, -0.055), (0.16 + 0.06 * bill, -0.035), (0.17 + 0.105 * bill, 0.025), (0.15 + 0.06 * bill, 0.035), (0.12, 0.05)]
    solid(scene, [head.curve(beak)], plumage.beak, light, gloss=0.35)
    scene.shape([head.to(band([(0.13, 0.012), (0.15 + 0.10 * bill, 0.022)], (0.006, 0.003)))], (0.05, 0.04, 0.04), 0.7)
    if plumage.crest:
        tuft = [(0.06, -0.14), (-0.04, -0.24), (-0.20, -0.34), (-0.17, -0.16), (-0.14, -0.04)]
        solid(scene, [head.curve(tuft)], plumage.head, light)
    window, mask = solid(scene, [head.curve([(0.17, -0.03), (0.12, -0.13), (0.0, -0.175), (-0.13, -0.12), (-0.19, 0.03), (-0.12, 0.15), (0.02, 0.17), (0.14, 0.09)])], plumage.head, light)
    _down(scene, stand, rng, window, mask)
    if max(plumage.head) > 0.4 and not plumage.crest:
        solid(scene, [head.oval(0.03, 0.06, 0.10, 0.06, 0.4)], mix(plumage.head, plumage.breast, 0.6), light, depth=0.5, strength=0.7)
    if plumage.crest:
        solid(scene, [head.oval(0.125, 0.01, 0.06, 0.075)], (0.10, 0.05, 0.05), light, strength=0.85)
    paint_eye(scene, head.part(0.055, -0.025, 1.0), 0.038, light)


def paint_eye(scene: Scene, eye: Stand, radius: float, light: Lamp, iris: Colour | None = None) -> None:
    """A round eye with its catchlight."""
    scene.shape([eye.oval(0, 0, radius * 1.25, radius * 1.2)], mix(iris or (0.35, 0.3, 0.26), (0.05, 0.04, 0.04), 0.6), 0.8)
    if iris:
        scene.shape([eye.oval(0, 0, radius, radius)], iris)
    scene.shape([eye.oval(0, 0, radius * (0.58 if iris else 1.0), radius * (0.58 if iris else 1.0))], (0.02, 0.02, 0.025))
    turn = light.side * eye.side
    scene.sprinkle([eye.oval(radius * 0.34 * turn, -radius * 0.38, radius * 0.26, radius * 0.26)], (1, 1, 1), 0.95)


def _folded_wing(scene: Scene, stand: Stand, rng: np.random.Generator, plumage: Plumage, light: Lamp) -> None:
    """Three rows of feathers, the long ones first, each edged with light."""
    wing = [(0.10, -0.50), (0.14, -0.36), (0.06, -0.22), (-0.14, -0.12), (-0.46, 0.02), (-0.34, -0.16), (-0.20, -0.34), (-0.04, -0.50)]
    solid(scene, [stand.curve(wing)], plumage.wing, light, depth=0.7)
    rows = [(7, 0.40, (0.02, -0.30), (-0.12, -0.14), 0.045), (8, 0.22, (0.06, -0.36), (-0.06, -0.18), 0.045), (9, 0.13, (0.09, -0.44), (0.02, -0.24), 0.042)]
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
            for wide, shift, colour in ((half, 0.0, mix(tone, (1.0, 0.97, 0.9), 0.22)), (half * 0.78, -0.012, mix(tone, (0.02, 0.02, 0.03), 0.12 + 0.12 * t))):
                feather = smooth([(x, y + shift), ((x + ex) / 2 + wide * 0.6, (y + ey) / 2 + wide + shift), (ex, ey + shift), ((x + ex) / 2 - wide * 0.5, (y + ey) / 2 - wide + shift)], steps=4)
                strokes.append(stand.to(feather))
                tones.append(_under(colour, light, 0.85 - 0.3 * t))
        hatch(scene, strokes, np.asarray(tones, dtype=np.float32), 0.9)


def _under(colour: Colour, light: Lamp, lit: float) -> Colour:
    """A colour as the lamp shows it on a face turned half towards it."""
    a, b, c = (value * (f + k * lit) for value, f, k in zip(colour, light.fill, light.key, strict=True))
    return a, b, c


def _quills(scene: Scene, stand: Stand, start: Point, end: Point, colour: Colour) -> None:
    dark = scene.palette.lit(mix(colour, (0.02, 0.02, 0.03), 0.55))
    lines = []
    for k in range(3):
        shift = (k - 1) * 0.022
        lines.append(stand.to(band([(start[0] + shift, start[1] + shift), (end[0] + shift * 1.3, end[1] + shift * 1.3)], (0.004, 0.003))))
    scene.shape(lines, dark, 0.6)


def paint_owl(scene: Scene, stand: Stand, light: Lamp | None = None) -> None:
    """An owl facing us; its feet are at the stand and its height is about the stand's size."""
    light = light or lamp(scene)
    rng = scene.stream("owl")
    own = scene.reading.paints.get("owl") or scene.reading.paints.get("bird")
    base = own or ((0.46, 0.34, 0.22), (0.55, 0.50, 0.45), (0.86, 0.84, 0.80))[int(rng.integers(3))]
    pale, dark = mix(base, (0.97, 0.93, 0.86), 0.55), mix(base, (0.08, 0.05, 0.04), 0.60)
    tail = [(-0.12, -0.10), (0.12, -0.10), (0.10, 0.20), (0.0, 0.23), (-0.10, 0.20)]
    solid(scene, [stand.to(tail)], dark, light)
    body = [(0.0, -0.80), (0.20, -0.74), (0.30, -0.52), (0.29, -0.26), (0.18, -0.06), (0.0, 0.0)]
    outline = stand.curve([*body, *[(-x, y) for x, y in reversed(body) if x]])
    window, mask = solid(scene, [outline], mix(base, pale, 0.6), light)
    _barred(scene, stand, rng, dark, pale)
    _down(scene, stand, rng, window, mask)
    for side in (1, -1):
        wing = [(side * 0.20, -0.66), (side * 0.31, -0.52), (side * 0.33, -0.26), (side * 0.20, 0.06), (side * 0.17, -0.10), (side * 0.20, -0.36)]
        window, mask = solid(scene, [stand.curve(wing)], base, light)
        if mask.size:
            fur(scene, rng, window, mask, count=170, length=stand.size * 0.13, angle=np.pi / 2, spread=0.12, tint=0.28, thick=0.16)
        for k in range(3):
            toe = [(side * (0.04 + 0.045 * k), -0.035), (side * (0.045 + 0.05 * k), 0.03)]
            solid(scene, [stand.band(toe, (0.024, 0.016))], (0.80, 0.66, 0.40), light)
    _owl_face(scene, stand.part(0.0, -0.72, 1.0, float(rng.uniform(-0.16, 0.16))), rng, (base, pale, dark), light)


def _barred(scene: Scene, stand: Stand, rng: np.random.Generator, dark: Colour, pale: Colour) -> None:
    """The breast: rows of small feathers, each with a dark tip."""
    strokes: list[list[Point]] = []
    tones: list[Colour] = []
    for row in range(8):
        for k in range(-4, 5):
            x = (k + 0.5 * (row % 2)) * 0.052 + float(rng.normal(0, 0.006))
            y = -0.52 + row * 0.060 + 0.10 * x * x + float(rng.normal(0, 0.006))
            if abs(x) > 0.21 - 0.011 * row:
                continue
            strokes.append(stand.to(smooth([(x - 0.020, y), (x, y - 0.03), (x + 0.020, y), (x, y + 0.034)], steps=3)))
            tones.append(scene.palette.lit(mix(dark, pale, float(rng.uniform(0.05, 0.35)))))
    hatch(scene, strokes, np.asarray(tones, dtype=np.float32), 0.75)


def _owl_face(
    scene: Scene, head: Stand, rng: np.random.Generator, tones: tuple[Colour, Colour, Colour], light: Lamp
) -> None:
    base, pale, dark = tones
    crown = [(0.0, -0.22), (0.18, -0.20), (0.29, -0.06), (0.27, 0.12), (0.14, 0.22), (0.0, 0.24)]
    for side in (1, -1):
        solid(scene, [head.curve([(side * 0.10, -0.18), (side * 0.20, -0.27), (side * 0.29, -0.34), (side * 0.29, -0.20), (side * 0.25, -0.08)])], dark, light)
    window, mask = solid(scene, [head.curve([*crown, *[(-x, y) for x, y in reversed(crown) if x]])], base, light)
    _down(scene, head, rng, window, mask)
    iris: Colour = ((0.98, 0.72, 0.10), (0.96, 0.54, 0.10))[int(rng.integers(2))]
    for side in (1, -1):
        solid(scene, [head.oval(side * 0.125, 0.02, 0.142, 0.158, side * 0.25)], dark, light, depth=0.4)
        window, mask = solid(scene, [head.oval(side * 0.125, 0.02, 0.124, 0.140, side * 0.25)], pale, light, depth=-0.35)
        centre = head.to([(side * 0.125, 0.0)])[0]
        if mask.size:
            x, y = grid(window)
            outward = np.arctan2(y - centre[1], x - centre[0]).astype(np.float32)
            fur(scene, rng, window, mask, count=190, length=head.size * 0.06, angle=outward, spread=0.12, tint=0.12, thick=0.10)
        paint_eye(scene, head.part(side * 0.12, 0.0, 1.0), 0.062, light, iris)
    brow = [(0.0, 0.02), (0.05, -0.07), (0.20, -0.17), (0.06, -0.14), (0.0, -0.10), (-0.06, -0.14), (-0.20, -0.17), (-0.05, -0.07)]
    solid(scene, [head.to(brow)], mix(base, pale, 0.3), light)
    solid(scene, [head.curve([(-0.032, 0.03), (0.0, 0.0), (0.032, 0.03), (0.02, 0.09), (0.0, 0.13), (-0.02, 0.09)])], (0.26, 0.22, 0.18), light, gloss=0.5)


def paint_swimming(scene: Scene, stand: Stand, kind: str, light: Lamp | None = None) -> None:
    """A swan or a duck on the water with its broken reflection; its water line is at the stand."""
    light = light or lamp(scene)
    rng = scene.stream("swimming")
    own = scene.reading.paints.get(kind) or scene.reading.paints.get("bird")
    colour: Colour = own or ((0.97, 0.96, 0.94) if kind == "swan" else (0.50, 0.38, 0.27))
    _mirrored(scene, stand, kind, colour, rng)
    body = [(-0.62, -0.22), (-0.50, -0.14), (-0.42, 0.0), (-0.1, 0.02), (0.24, 0.01), (0.40, -0.10), (0.34, -0.26), (0.10, -0.33), (-0.20, -0.34), (-0.44, -0.26)]
    solid(scene, [stand.curve(body)], colour, light)
    neck = [(0.30, -0.16), (0.40, -0.36), (0.26, -0.58), (0.24, -0.80), (0.38, -0.90)] if kind == "swan" else [(0.28, -0.16), (0.34, -0.34), (0.38, -0.46)]
    head_at = (0.40, -0.90) if kind == "swan" else (0.40, -0.48)
    green: Colour = (0.08, 0.36, 0.22)
    solid(scene, [stand.band(neck, (0.13, 0.075, 0.055, 0.048, 0.05) if kind == "swan" else (0.13, 0.08, 0.07))], colour if kind == "swan" or own else green, light)
    beak: Colour = (0.92, 0.46, 0.12) if kind == "swan" else (0.90, 0.70, 0.20)
    head = stand.part(*head_at, 1.0, 0.15)
    solid(scene, [head.curve([(0.06, -0.03), (0.20, 0.035), (0.21, 0.06), (0.06, 0.05)])], beak, light, gloss=0.2)
    solid(scene, [head.oval(0.0, 0.0, 0.092, 0.066)], colour if kind == "swan" or own else green, light)
    if kind == "swan":
        scene.shape([head.to([(0.03, -0.022), (0.095, -0.03), (0.10, 0.03), (0.07, 0.02)])], (0.05, 0.05, 0.06), 0.9)
    paint_eye(scene, head.part(0.03, -0.015, 1.0), 0.014, light)
    _raised_wing(scene, stand, rng, colour, light)


def _raised_wing(scene: Scene, stand: Stand, rng: np.random.Generator, colour: Colour, light: Lamp) -> None:
    wing = [(0.22, -0.20), (0.20, -0.36), (0.0, -0.46), (-0.28, -0.46), (-0.62, -0.38), (-0.46, -0.24), (-0.2, -0.10), (0.06, -0.10)]
    window, mask = solid(scene, [stand.curve(wing)], colour, light, depth=0.8)
    strokes: list[list[Point]] = []
    tones: list[Colour] = []
    for row, (count, long) in enumerate(((8, 0.38), (8, 0.24), (7, 0.15))):
        for k in range(count):
            t = k / (count - 1)
            x, y = -0.02 + 0.06 * row - 0.08 * t, -0.40 + 0.28 * t
            ex, ey = x - long * (1 - 0.2 * t), y - 0.05 + 0.10 * t
            strokes.append(stand.to(smooth([(x, y - 0.02), (ex, ey - 0.012), (ex - 0.02, ey + 0.012), (x, y + 0.03)], steps=3)))
            tones.append(_under(mix(colour, (0.45, 0.50, 0.62), 0.05 + 0.30 * float(rng.random())), light, 0.8 - 0.5 * t))
    hatch(scene, strokes, np.asarray(tones, dtype=np.float32), 0.55)


def _mirrored(scene: Scene, stand: Stand, kind: str, colour: Colour, rng: np.random.Generator) -> None:
    """The reflection: the figure upside down in level strokes that spread with distance."""
    tone = mix(scene.palette.lit(colour), scene.palette.lit(scene.palette.water), 0.35)
    bars: list[list[Point]] = []
    for k in range(30):
        down = (k + 0.5) / 30
        half, middle = (0.50 * (1 - down), -0.05) if down < 0.34 else (0.09, 0.30)
        if kind == "duck" and down > 0.55:
            break
        sway = float(rng.normal(0, 0.02 + 0.05 * down))
        half *= float(rng.uniform(0.6, 1.15))
        bars.append(stand.to(oval(middle + sway, 0.01 + 0.75 * down, half, 0.011)))
    scene.shape(bars, tone, 0.55)
    rings = [stand.to(oval(0.0, 0.02 + 0.02 * k, 0.58 + 0.12 * k, 0.006)) for k in range(2)]
    scene.shape(rings, mix(scene.palette.haze, (1, 1, 1), 0.3), 0.35)


def paint_flying(scene: Scene, stand: Stand, plumage: Plumage | None = None, light: Lamp | None = None) -> None:
    """A bird on the wing, seen from the side and a little from below; about the stand's size from head to tail."""
    plumage = plumage or choose_plumage(scene)
    light = light or lamp(scene)
    rng = scene.stream(f"flying {stand.x:.0f} {stand.y:.0f}")
    lift = float(rng.uniform(0.55, 1.1))
    far = _wing_points((0.10, -0.08), lift * 0.85, 0.35)
    near = _wing_points((0.06, -0.02), lift, -0.25)
    solid(scene, [stand.to(line) for line in far], mix(plumage.wing, (0.1, 0.12, 0.2), 0.35), light, depth=0.4)
    body = [(0.50, -0.04), (0.42, -0.12), (0.24, -0.13), (-0.1, -0.11), (-0.40, -0.03), (-0.62, -0.05), (-0.60, 0.03), (-0.36, 0.06), (0.0, 0.10), (0.30, 0.07), (0.46, 0.02)]
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
    arm = smooth([(x + 0.12, y), (wrist[0] + 0.08, wrist[1]), tip, (wrist[0] - 0.16, wrist[1] - 0.02), (x - 0.22, y + 0.02)], steps=6)
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
