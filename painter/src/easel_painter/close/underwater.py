"""Where fish live: under water with light from above, or a pond seen from above."""

from itertools import pairwise

import numpy as np

from easel_painter.canvas import Point, Scene
from easel_painter.close.form import Lamp, shade
from easel_painter.close.outline import Stand, band, hatch, oval
from easel_painter.noise import Field, fbm, line, smoothstep
from easel_painter.palette import mix
from easel_painter.reading import Colour


def water_lamp(scene: Scene) -> Lamp:
    """Light under water: from straight above and a little to one side, coloured by the water."""
    water = _colours(scene)[0]
    night = scene.palette.hour == "night"
    side = 1.0 if scene.stream("rays").random() < 0.5 else -1.0
    key = mix(mix((1.0, 1.0, 0.95), water, 0.22), scene.palette.ambient, 0.45 if night else 0.2)
    fill = mix((0.22, 0.30, 0.34), mix(water, (0.0, 0.0, 0.0), 0.4), 0.5)
    return Lamp((side * 0.40, -0.76, 0.51), key, fill, mix(water, (1.0, 1.0, 1.0), 0.35))


def _colours(scene: Scene) -> tuple[Colour, Colour]:
    """The water near the surface and in the depth."""
    reading = scene.reading
    own = (
        reading.paints.get("sea")
        or reading.paints.get("lake")
        or next((c for c, w in reading.colours if w > 0.6), None)
    )
    high: Colour = (0.34, 0.74, 0.80) if not own else mix(own, (0.75, 0.95, 0.98), 0.42)
    deep: Colour = (0.02, 0.15, 0.28) if not own else mix(own, (0.0, 0.04, 0.10), 0.72)
    light = scene.palette.ambient
    if scene.palette.hour in ("night", "sunset"):
        high = (high[0] * light[0] * 1.1, high[1] * light[1] * 1.1, high[2] * light[2] * 1.1)
        deep = mix(deep, (0.0, 0.01, 0.05), 0.5)
    elif scene.palette.hour in ("golden", "dawn"):
        high = mix(high, scene.palette.horizon, 0.28)
    return high, deep


def paint_depths(scene: Scene) -> None:
    """Water from the bright surface down to the sand, with rays, drifting light and plants."""
    rng = scene.stream("depths")
    high, deep = _colours(scene)
    x, y = scene.columns() / scene.width, scene.rows() / scene.height
    drift = fbm(rng, scene.width, scene.height, (3, 3), 4) - 0.5
    t = np.clip(y + 0.25 * drift, 0, 1)[..., None] ** 0.8
    scene.rgb[:] = np.asarray(high, np.float32) * (1 - t) + np.asarray(deep, np.float32) * t
    _rays(scene, rng, high)
    _rocks(scene, rng, deep)
    _sand(scene, rng, high, deep)
    _weeds(scene, rng, far=True)
    glow = np.exp(-(((x - 0.5) / 0.5) ** 2) - (y / 0.16) ** 2).astype(np.float32)
    scene.glow(glow * np.float32(0.45), mix(high, (1.0, 1.0, 1.0), 0.5))


def _rays(scene: Scene, rng: np.random.Generator, high: Colour) -> None:
    lean = float(rng.uniform(0.15, 0.5) * rng.choice([-1.0, 1.0]))
    depth = scene.rows() / scene.height
    at = (
        np.clip(scene.columns() / scene.width + lean * depth * 0.8 * scene.height / scene.width * 0.6 + 0.6, 0, 2.2)
        / 2.2
    )
    beams = line(rng, 512, 26 * scene.width / scene.short, 3)
    value = np.interp(at.ravel(), np.linspace(0, 1, 512), beams).reshape(at.shape).astype(np.float32)
    strength = smoothstep(0.52, 0.85, value) * np.clip(1 - depth * 0.95, 0, 1) ** 1.4
    scene.glow(strength * np.float32(0.55), mix(high, (1.0, 1.0, 0.94), 0.6))


def _caustics(rng: np.random.Generator, width: int, height: int, cells: tuple[float, float]) -> Field:
    """The net of light that waves throw on the floor."""
    first = fbm(rng, width, height, cells, 3, 0.45)
    second = fbm(rng, width, height, (cells[0] * 1.3, cells[1] * 1.3), 3, 0.45)
    net: Field = np.exp(-(((first - 0.5) / 0.035) ** 2)) + 0.8 * np.exp(-(((second - 0.5) / 0.03) ** 2))
    return np.asarray(np.clip(net, 0, 1), dtype=np.float32)


def _rocks(scene: Scene, rng: np.random.Generator, deep: Colour) -> None:
    for layer in range(2):
        crest = scene.height * (0.82 + 0.04 * layer) - scene.short * 0.22 * np.abs(
            line(rng, scene.width, 2.2 * scene.width / scene.short, 4) - 0.45
        )
        tone = mix(deep, _colours(scene)[0], 0.30 - 0.14 * layer)
        scene.paint(np.clip(scene.rows() - crest[None, :] + 0.5, 0, 1), tone)


def _sand(scene: Scene, rng: np.random.Generator, high: Colour, deep: Colour) -> None:
    top = int(scene.height * 0.84)
    rows = scene.height - top
    if rows < 3:
        return
    crest = scene.short * 0.03 * line(rng, scene.width, 3, 3)[None, :]
    below = np.arange(rows, dtype=np.float32)[:, None]
    net = _caustics(rng, scene.width, rows, (10 * scene.width / scene.short, 7))
    grain = fbm(rng, scene.width, rows, (60, 30), 2) - 0.5
    near = np.clip(below / rows, 0, 1)
    sand = np.asarray(mix(mix((0.80, 0.72, 0.52), high, 0.35), deep, 0.32), np.float32)
    tone = sand * (0.55 + 0.45 * near + 0.55 * net * near + 0.25 * grain)[..., None]
    scene.paint(np.clip((below - crest) / (scene.short * 0.02), 0, 1).astype(np.float32), tone.astype(np.float32), top)


def _weeds(scene: Scene, rng: np.random.Generator, far: bool) -> None:
    """Plants that sway: far ones in the water's colour, near ones dark at the picture's edges."""
    high, deep = _colours(scene)
    strokes: list[list[Point]] = []
    tones: list[Colour] = []
    green: Colour = (0.16, 0.42, 0.20)
    for _ in range(int((16 if far else 9) * max(1.0, scene.width / scene.short))):
        edge = float(rng.random()) ** (1.0 if far else 2.4) * (0.5 if far else 0.30)
        x = scene.width * (edge if rng.random() < 0.5 else 1 - edge)
        foot = scene.height * (0.90 if far else 1.02) + float(rng.normal(0, scene.short * 0.01))
        tall = scene.short * float(rng.uniform(0.12, 0.34)) * (0.8 if far else 1.35)
        sway = tall * float(rng.normal(0.0, 0.16))
        wide = scene.short * (0.008 if far else 0.016)
        points = [
            (x, foot),
            (x + sway, foot - tall * 0.35),
            (x - sway * 0.5, foot - tall * 0.7),
            (x + sway * 0.9, foot - tall),
        ]
        strokes.append(band(points, (wide * 0.8, wide, wide * 0.8, wide * 0.1)))
        tones.append(
            mix(mix(green, deep, 0.45 if far else 0.55), high, (0.24 if far else 0.04) + 0.12 * float(rng.random()))
        )
    hatch(scene, strokes, np.asarray(tones, dtype=np.float32), 0.8 if far else 0.95)


def paint_before(scene: Scene) -> None:
    """What is nearer than the fish: bubbles, plants at the edges."""
    rng = scene.stream("bubbles")
    _weeds(scene, rng, far=False)
    for _ in range(3):
        x, y = scene.width * float(rng.uniform(0.1, 0.9)), scene.height * float(rng.uniform(0.35, 0.8))
        for _ in range(8):
            r = scene.short * float(rng.uniform(0.003, 0.012))
            bx, by = x + float(rng.normal(0, scene.short * 0.022)), y - float(rng.random()) * scene.height * 0.4
            scene.sprinkle([oval(bx, by, r, r)], (0.75, 0.92, 1.0), 0.14)
            scene.sprinkle([oval(bx - r * 0.35, by - r * 0.35, r * 0.3, r * 0.3)], (1.0, 1.0, 1.0), 0.75)


def paint_pond(scene: Scene) -> None:
    """A pond from above: dark green water over stones."""
    rng = scene.stream("pond")
    own = next((c for c, w in scene.reading.colours if w > 0.6), None) or scene.reading.paints.get("lake")
    water: Colour = mix(own, (0.02, 0.08, 0.10), 0.45) if own else (0.05, 0.22, 0.22)
    light = scene.palette.ambient
    water = (water[0] * light[0], water[1] * light[1], water[2] * light[2])
    deep = fbm(rng, scene.width, scene.height, (3 * scene.width / scene.short, 3 * scene.height / scene.short), 5)
    net = _caustics(rng, scene.width, scene.height, (7 * scene.width / scene.short, 7 * scene.height / scene.short))
    tone = np.asarray(water, np.float32) * (0.6 + 0.9 * deep)[..., None]
    scene.rgb[:] = tone + (0.16 * net * deep)[..., None] * np.asarray(mix(water, scene.palette.light, 0.6), np.float32)


def paint_lilies(scene: Scene) -> None:
    """Lily pads, some in flower, towards two corners, and the sky's shine on the water."""
    rng = scene.stream("lilies")
    sheen = fbm(rng, scene.width, scene.height, (2.5, 9), 4)
    scene.glow(smoothstep(0.60, 0.85, sheen) * np.float32(0.30), scene.palette.horizon)
    corner = float(rng.choice([0.0, 1.0]))
    for k in range(int(7 * max(1.0, scene.width * scene.height / scene.short**2 * 0.7))):
        left, top = (corner, 0.0) if k % 2 else (1 - corner, 1.0)
        x = scene.width * abs(left - abs(float(rng.normal(0, 0.17))))
        y = scene.height * abs(top - abs(float(rng.normal(0, 0.14))))
        r = scene.short * float(rng.uniform(0.055, 0.11))
        _pad(scene, rng, x, y, r)
        if rng.random() < 0.4:
            _water_lily(scene, rng, x + r * 0.2, y - r * 0.2, r * 0.75)


def _pad(scene: Scene, rng: np.random.Generator, x: float, y: float, r: float) -> None:
    shade(scene, x + r * 0.15, y + r * 0.22, r * 0.9, r * 0.85, 0.5, 2.0)
    notch = float(rng.uniform(0, 2 * np.pi))
    turns = np.linspace(notch + 0.22, notch + 2 * np.pi - 0.22, 26)
    edge = [(x + r * float(np.cos(t)), y + r * 0.92 * float(np.sin(t))) for t in turns]
    green = scene.palette.lit(mix((0.20, 0.44, 0.18), (0.42, 0.50, 0.20), float(rng.random())))
    veins: list[list[Point]] = []
    tones: list[Colour] = []
    for a, b in pairwise(edge):
        veins.append([(x, y), a, b])
        tones.append(mix(green, scene.palette.light, float(rng.uniform(0.0, 0.22))))
    hatch(scene, veins, np.asarray(tones, dtype=np.float32))


def _water_lily(scene: Scene, rng: np.random.Generator, x: float, y: float, r: float) -> None:
    stand = Stand(x, y, r, 1.0, float(rng.uniform(0, 3)))
    pink = scene.palette.lit(mix((0.97, 0.92, 0.95), (0.94, 0.58, 0.72), float(rng.random())))
    for reach, count, shift in ((1.0, 9, 0.0), (0.72, 8, 0.3), (0.45, 6, 0.1)):
        petals = []
        for k in range(count):
            c, s = float(np.cos(2 * np.pi * k / count + shift)), float(np.sin(2 * np.pi * k / count + shift))
            petals.append(
                stand.curve(
                    [
                        (0.1 * c, 0.1 * s),
                        (0.5 * reach * c - 0.2 * s, 0.5 * reach * s + 0.2 * c),
                        (reach * c, reach * s),
                        (0.5 * reach * c + 0.2 * s, 0.5 * reach * s - 0.2 * c),
                    ],
                    True,
                )
            )
        scene.shape(petals, mix(pink, (0.5, 0.25, 0.4), 0.35 * (reach - 0.4)), 0.95)
    scene.shape([stand.oval(0, 0, 0.16, 0.16)], scene.palette.lit((0.96, 0.78, 0.25)))
