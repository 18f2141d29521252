"""Boats and ships: sailing boats, rowing and fishing boats, square-riggers, steamers."""

import numpy as np

from easel_painter.buildings import LAMP, box, solid
from easel_painter.canvas import Point, Scene
from easel_painter.palette import mix
from easel_painter.reading import Colour

KINDS = ("galleon", "steamer", "rowboat", "fishing boat")


def kind_of(scene: Scene) -> str:
    """Which boat: by the words, else mostly a sailing boat."""
    for name in KINDS:
        if scene.reading.is_a(name):
            return name
    return "sailboat"


def paint_boats(scene: Scene, x: float, shore: int, main: bool) -> None:
    """The boat of the picture, with smaller ones farther out; larger when it is the main subject."""
    scene.show("boat")
    rng = scene.stream("boats")
    kind = kind_of(scene)
    room = scene.height - shore
    weight = min(1.7, max(0.6, scene.reading.weight("boat"))) ** 0.7
    size = {"galleon": 0.50, "steamer": 0.44, "rowboat": 0.26, "fishing boat": 0.30}.get(kind, 0.42) * weight
    size *= scene.short * (1.0 if main else 0.6)
    size = min(size, shore * 0.92)
    several = scene.reading.is_a("several")
    others = int(rng.integers(3, 6)) if several else int(rng.integers(0, 3)) if main else 0
    for k in range(others):
        far = float(rng.uniform(0.03, 0.10)) * (1 + 0.3 * k)
        at = float(rng.uniform(0.06, 0.94)) * scene.width
        if abs(at - x) > size * 0.7:
            _boat(
                scene,
                rng,
                kind if several else "sailboat",
                at,
                shore + room * far,
                size * (0.16 + 0.9 * far),
                0.5 - far * 2,
            )
    row = shore + min(room * 0.6, max(room * float(rng.uniform(0.16, 0.30)), size * 0.10))
    _boat(scene, rng, kind, x, row, size, 0.0)


def _boat(scene: Scene, rng: np.random.Generator, kind: str, x: float, y: float, size: float, air: float) -> None:
    turn = 1.0 if x < scene.width / 2 else -1.0
    before = scene.rgb.copy() if air > 0 else None
    top = y - size * {"galleon": 1.05, "steamer": 0.62, "rowboat": 0.42, "fishing boat": 0.72}.get(kind, 1.1)
    paint = {"galleon": _galleon, "steamer": _steamer, "rowboat": _rowboat, "fishing boat": _trawler}.get(
        kind, _sailboat
    )
    paint(scene, rng, x, y, size, turn)
    if before is not None:
        window = (slice(max(0, int(top) - 2), int(y) + 3), slice(max(0, int(x - size)), int(x + size) + 1))
        seen = np.abs(scene.rgb[window] - before[window]).max(axis=-1) > 0.004
        haze = np.asarray(scene.palette.haze, dtype=np.float32)
        scene.rgb[window] += (seen * np.float32(min(0.7, air)))[..., None] * (haze - scene.rgb[window])
    _reflect(scene, x, y, size, top)


def _reflect(scene: Scene, x: float, y: float, size: float, top: float) -> None:
    """The boat upside down in the water before it, torn into stripes."""
    first, last = max(0, int(top)), min(scene.height, int(y))
    left, right = max(0, int(x - size * 0.75)), min(scene.width, int(x + size * 0.75))
    if last - first < 3 or right - left < 3:
        return
    rng = scene.stream(f"boat mirror {size:.0f}")
    rows = min(int((last - first) * 0.75), scene.height - last)
    if rows < 2:
        return
    at = np.arange(rows)
    source = np.clip(last - 1 - (at / 0.75).astype(np.int64), first, last - 1)
    wave = np.repeat(rng.normal(0, 1, rows // 2 + 1), 2)[:rows] * size * 0.022 * (0.3 + at / rows)
    columns = np.arange(left, right)
    over = np.clip(columns[None, :] + wave[:, None], left, right - 1).astype(np.int64)
    mirrored = scene.rgb[source[:, None], over]
    fade = 0.62 * (1 - at / rows) ** 0.8
    edge = np.clip(1 - np.abs(columns - x) / (size * 0.72), 0, 1) ** 0.5
    gaps = np.repeat(rng.uniform(0.35, 1.0, rows // 2 + 1), 2)[:rows]
    mask = (fade * gaps)[:, None] * edge[None, :]
    scene.put((slice(last, last + rows), slice(left, right)), mask.astype(np.float32), mirrored * np.float32(0.82))


def _hull(scene: Scene, x: float, y: float, size: float, turn: float, colour: Colour, high: float, rake: float) -> None:
    """A hull with a rising bow; `turn` says where the bow points."""
    at = np.linspace(-1, 1, 15)
    sheer = high * (0.62 + 0.30 * at**2 + 0.22 * np.clip(at, 0, 1) ** 2)
    top = list(
        zip((x + turn * size * 0.5 * (at + rake * np.clip(at, 0, 1) ** 3)).tolist(), (y - sheer).tolist(), strict=True)
    )
    bottom = [(x + turn * size * 0.40, y), (x - turn * size * 0.44, y)]
    solid(scene, [[*top, *bottom]], colour, x)
    rim = [*top, *[(px, py + high * 0.16) for px, py in reversed(top)]]
    scene.shape([rim], mix(scene.palette.lit(mix(colour, (0.95, 0.90, 0.78), 0.6)), scene.palette.light, 0.1))
    scene.shape(
        [[(x - turn * size * 0.47, y - high * 0.10), (x + turn * size * 0.44, y - high * 0.10), *bottom]],
        scene.palette.lit((0.14, 0.08, 0.07)),
        0.6,
    )


def _cloth(scene: Scene) -> tuple[Colour, Colour]:
    """Sails in the light and in the shade."""
    own = scene.reading.paints.get("boat")
    sail = mix(scene.palette.lit(own or (0.96, 0.92, 0.84), 0.8), scene.palette.light, 0.22 if not own else 0.08)
    return sail, mix(sail, mix(scene.palette.zenith, (0.05, 0.03, 0.05), 0.3), 0.34)


def _wood(scene: Scene, base: Colour) -> Colour:
    own = scene.reading.paints.get("boat")
    return mix(own, (0.20, 0.10, 0.08), 0.45) if own else base


def _belly(a: Point, b: Point, c: Point, bulge: float) -> list[Point]:
    """A three-cornered sail whose long edge a to b is blown out."""
    t = np.linspace(0, 1, 9)
    dx, dy = b[0] - a[0], b[1] - a[1]
    xs = a[0] + dx * t - dy * np.sin(np.pi * t) * bulge
    ys = a[1] + dy * t + dx * np.sin(np.pi * t) * bulge
    return [*zip(xs.tolist(), ys.tolist(), strict=True), c]


def _sailboat(scene: Scene, rng: np.random.Generator, x: float, y: float, size: float, turn: float) -> None:
    sail, shade = _cloth(scene)
    lean = (
        turn
        * size
        * float(rng.uniform(0.03, 0.06))
        * (2.5 if scene.reading.has("rain", "lightning") or scene.reading.is_a("rough") else 1.0)
    )
    mast = (x + turn * size * 0.06, y - size * 0.12)
    top = (mast[0] + lean, y - size * 1.08)
    thin = max(0.6, size * 0.010)
    _hull(scene, x, y, size, turn, _wood(scene, (0.42, 0.22, 0.14)), size * 0.15, 0.14)
    scene.shape(
        [
            [
                (mast[0] - thin, mast[1]),
                (mast[0] + thin, mast[1]),
                (top[0] + thin * 0.5, top[1]),
                (top[0] - thin * 0.5, top[1]),
            ]
        ],
        scene.palette.lit((0.30, 0.20, 0.14)),
    )
    boom = (x - turn * size * 0.44 + lean * 0.2, y - size * 0.20)
    main = _belly((top[0], top[1] + size * 0.02), boom, (mast[0] - turn * thin, y - size * 0.19), turn * 0.10)
    bow = (x + turn * size * 0.54, y - size * 0.17)
    jib = _belly(
        (top[0] + turn * thin, top[1] + size * 0.14), bow, (mast[0] + turn * size * 0.05, y - size * 0.20), -turn * 0.06
    )
    bright_main = scene.light[0] * turn < x * turn
    scene.shape([main], sail if bright_main else shade)
    scene.shape([jib], shade if bright_main else sail)
    seams = [
        [
            (top[0] + (boom[0] - top[0]) * t, top[1] + (boom[1] - top[1]) * t),
            (mast[0], top[1] + (boom[1] - top[1]) * t),
            (mast[0], top[1] + (boom[1] - top[1]) * t + thin),
        ]
        for t in (0.3, 0.5, 0.7)
    ]
    scene.shape(seams, shade, 0.35)
    if scene.palette.is_dark:
        scene.lamps.append((x - turn * size * 0.30, y - size * 0.20, size * 0.07, LAMP, 0.9))


def _galleon(scene: Scene, rng: np.random.Generator, x: float, y: float, size: float, turn: float) -> None:
    """Three masts with square sails, a high stern with windows, a bowsprit and a flag."""
    wood = _wood(scene, (0.34, 0.20, 0.12))
    dark = scene.palette.lit((0.18, 0.11, 0.08))

    def at(along: float, up: float) -> Point:
        return (x + turn * along * size, y - up * size)

    _hull(scene, x, y, size, turn, wood, size * 0.20, 0.10)
    solid(scene, [[at(-0.53, 0.33), at(-0.30, 0.28), at(-0.28, 0.13), at(-0.48, 0.10)]], wood, x)
    ports = [[at(p, 0.10), at(p + 0.024, 0.10), at(p + 0.024, 0.075), at(p, 0.075)] for p in np.linspace(-0.3, 0.3, 7)]
    scene.shape(ports, (0.90, 0.66, 0.30) if scene.palette.is_dark else (0.06, 0.04, 0.04), 0.9)
    scene.shape([[at(0.50, 0.20), at(0.52, 0.17), at(0.82, 0.34)]], dark)
    for offset, high, wide in ((-0.30, 0.80, 0.15), (0.02, 1.02, 0.21), (0.32, 0.86, 0.17)):
        _mast(scene, at(offset, 0.0), (size, high, wide), turn, dark)
        if rng.random() < 0.8:
            black = scene.reading.is_a("galleon") and offset == 0.02
            flag: Colour = (0.07, 0.07, 0.08) if black else (0.75, 0.18, 0.15)
            cloth = [
                at(offset, high),
                at(offset - 0.13, high - 0.02),
                at(offset - 0.12, high - 0.06),
                at(offset, high - 0.05),
            ]
            scene.shape([cloth], scene.palette.lit(flag))
    scene.shape([[at(0.33, 0.74), at(0.78, 0.33), at(0.42, 0.30)]], _cloth(scene)[1])
    if scene.palette.is_dark or scene.reading.has("fog"):
        scene.lamps.append((*at(-0.52, 0.36), size * 0.05, LAMP, 0.95))


def _mast(scene: Scene, foot: Point, form: tuple[float, float, float], turn: float, dark: Colour) -> None:
    """A mast with shrouds and three square sails; `form`: ship's size, mast's height, sails' half width."""
    sail, shade = _cloth(scene)
    (x, y), (size, high, wide) = foot, form
    thin = max(0.6, size * 0.008)
    top, deck = y - size * high, y - size * 0.14
    scene.shape([box(x - thin, top, x + thin, deck)], dark)
    scene.shape(
        [[(x, top), (x + s * size * 0.14, deck), (x + s * size * 0.14 + thin * 0.6, deck)] for s in (-1, 1)], dark, 0.5
    )
    for low, up, share in ((0.26, 0.50, 1.0), (0.53, 0.73, 0.82), (0.76, 0.90, 0.62)):
        y0, y1, half = y - size * high * low, y - size * high * up, size * wide * share
        puff, middle = turn * size * 0.05, (y - size * high * low + y - size * high * up) / 2
        cloth = [(x - half, y1), (x + half, y1), (x + half + puff, middle), (x + half * 1.05, y0)]
        cloth += [(x + puff * 0.5, y0 - size * 0.022), (x - half * 1.05, y0), (x - half + puff, middle)]
        window, mask = scene.cut([cloth])
        if mask.size:
            ends = (shade, sail) if scene.light[0] > x else (sail, shade)
            scene.put(window, mask, scene.ramp(window, *ends))
        scene.shape([box(x - half * 1.1, y1 - thin, x + half * 1.1, y1 + thin * 0.5)], dark)


def _steamer(scene: Scene, rng: np.random.Generator, x: float, y: float, size: float, turn: float) -> None:
    """White decks, funnels and a trail of smoke."""
    funnels = int(rng.integers(1, 4))
    smoke = mix(mix(scene.palette.haze, (0.16, 0.15, 0.16), 0.45), (1, 1, 1), 0.3)

    def part(left: float, top: float, right: float, bottom: float) -> list[Point]:
        return box(x + left * size, y - top * size, x + right * size, y - bottom * size)

    for k in range(9):
        puff = size * (0.03 + 0.012 * k)
        scene.lamps.append((x - turn * size * (0.02 + 0.085 * k), y - size * (0.50 + 0.035 * k), puff, smoke, 0.22))
    glass = (1.0, 0.82, 0.5) if scene.palette.is_dark else scene.palette.lit((0.2, 0.25, 0.32))
    for k in range(3):
        wide, up = 0.36 - 0.08 * k, 0.065 * k
        solid(scene, [part(-wide, 0.20 + up, wide, 0.12 + up)], (0.94, 0.92, 0.88), x)
        panes = np.arange(-wide + 0.03, wide - 0.02, 0.045)
        scene.shape([part(p - 0.010, 0.175 + up, p + 0.010, 0.150 + up) for p in panes], glass)
    for k in range(funnels):
        at = (k - (funnels - 1) / 2) * 0.15
        solid(scene, [part(at - 0.034, 0.50, at + 0.031, 0.30)], (0.76, 0.22, 0.14), x)
        scene.shape([part(at - 0.037, 0.51, at + 0.033, 0.47)], scene.palette.lit((0.08, 0.08, 0.09)))
    mast = turn * 0.38
    scene.shape([part(mast - 0.006, 0.56, mast + 0.006, 0.14)], scene.palette.lit((0.3, 0.25, 0.2)))
    _hull(scene, x, y, size * 1.1, turn, _wood(scene, (0.14, 0.15, 0.18)), size * 0.15, 0.10)


def _rowboat(scene: Scene, rng: np.random.Generator, x: float, y: float, size: float, turn: float) -> None:
    """An open boat with a rower and oars."""
    tone = mix(scene.palette.lit((0.12, 0.11, 0.13)), scene.palette.haze, 0.1)
    base = y - size * 0.13
    if rng.random() < 0.75:
        w = size * 0.065
        body = [
            (x - w * 1.2, base),
            (x - w, base - size * 0.22),
            (x + w * 0.9, base - size * 0.23),
            (x + w * 1.2, base),
        ]
        turns = np.linspace(0, 2 * np.pi, 10, endpoint=False)
        head = [(x + w * 0.7 * float(np.cos(t)), base - size * 0.29 + w * 0.8 * float(np.sin(t))) for t in turns]
        scene.shape([body, head], tone)
        scene.shape(
            [[(x - w * 1.7, base - size * 0.315), (x + w * 1.7, base - size * 0.315), (x, base - size * 0.38)]],
            scene.palette.lit((0.80, 0.66, 0.40)),
        )
    thin = max(0.6, size * 0.010)
    for s in (-1, 1):
        scene.shape(
            [
                [
                    (x + s * size * 0.05, base - size * 0.10),
                    (x + s * size * 0.40, y + size * 0.05),
                    (x + s * size * 0.40, y + size * 0.05 - thin * 2),
                ]
            ],
            scene.palette.lit((0.50, 0.36, 0.22)),
        )
    _hull(scene, x, y, size, turn, _wood(scene, (0.46, 0.26, 0.15)), size * 0.17, 0.10)


def _trawler(scene: Scene, rng: np.random.Generator, x: float, y: float, size: float, turn: float) -> None:
    """A fishing boat: wheelhouse, mast with a boom, nets."""
    thin = max(0.006, 0.6 / max(size, 1.0))
    iron = scene.palette.lit((0.26, 0.20, 0.16))

    def at(along: float, up: float) -> Point:
        return (x + turn * along * size, y - up * size)

    def part(left: float, top: float, right: float, bottom: float) -> list[Point]:
        return [at(left, top), at(right, top), at(right, bottom), at(left, bottom)]

    scene.shape([part(-0.10 - thin, 0.72, -0.10 + thin, 0.10)], iron)
    scene.shape([[at(-0.10, 0.66), at(-0.44, 0.40), at(-0.44, 0.38), at(-0.10, 0.64)]], iron)
    scene.shape([[at(-0.10, 0.70), at(0.54, 0.24), at(0.54, 0.235)]], iron, 0.7)
    solid(scene, [part(0.06, 0.36, 0.26, 0.12)], (0.92, 0.90, 0.84), x)
    solid(scene, [part(0.04, 0.38, 0.28, 0.35)], (0.72, 0.24, 0.16), x)
    panes = [part(0.16 + p - 0.022, 0.31, 0.16 + p + 0.022, 0.24) for p in (-0.055, 0.0, 0.055)]
    scene.shape(panes, (1.0, 0.84, 0.5) if scene.palette.is_dark else scene.palette.lit((0.22, 0.28, 0.34)))
    scene.shape(
        [[at(-0.42, 0.13), at(-0.36, 0.22), at(-0.22, 0.20), at(-0.16, 0.12)]], scene.palette.lit((0.30, 0.42, 0.34))
    )
    hues: list[Colour] = [(0.16, 0.34, 0.56), (0.62, 0.18, 0.14), (0.14, 0.40, 0.34)]
    own = scene.reading.paints.get("boat")
    _hull(scene, x, y, size, turn, own or hues[int(rng.integers(3))], size * 0.18, 0.12)
