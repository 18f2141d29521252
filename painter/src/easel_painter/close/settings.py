"""What stands around a near subject: a window, a roof, a branch, a softened distance."""

import numpy as np
from PIL import Image

from easel_painter.canvas import Point, Scene
from easel_painter.close.form import Lamp, lamp, solid
from easel_painter.close.outline import Stand, band, hatch, oval, path, smooth
from easel_painter.noise import blur, fbm, line, resize
from easel_painter.palette import mix
from easel_painter.reading import Colour


def soften(scene: Scene, radius_px: float) -> None:
    """Put all that is painted out of focus."""
    factor = max(1, int(radius_px))
    small = (max(4, scene.width // factor), max(4, scene.height // factor))
    for c in range(3):
        channel = resize(np.ascontiguousarray(scene.rgb[..., c]), *small, Image.Resampling.BOX)
        scene.rgb[..., c] = resize(blur(channel, 2), scene.width, scene.height)
    scene.sparks *= np.float32(0.25)


def _box(left: float, top: float, right: float, bottom: float) -> list[Point]:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def paint_window(scene: Scene) -> float:
    """A room's window around what is painted already; answers the row on which things stand on its sill."""
    scene.show("window")
    rng = scene.stream("window")
    night = scene.palette.is_dark
    w, h = scene.width, scene.height
    left, right, top, sill = w * 0.5 - min(w, h * 1.5) * 0.38, w * 0.5 + min(w, h * 1.5) * 0.38, h * 0.05, h * 0.74
    wall: Colour = ((0.42, 0.34, 0.28), (0.34, 0.38, 0.38), (0.46, 0.38, 0.30))[int(rng.integers(3))]
    wall = mix(wall, (0.16, 0.10, 0.07), 0.62) if night else mix(wall, scene.palette.ambient, 0.12)
    grain = fbm(rng, w, h, (5, 5), 4) - 0.5
    x, y = scene.columns(), scene.rows()
    inside = np.clip(np.minimum(np.minimum(x - left, right - x), np.minimum(y - top, sill - y)) + 0.5, 0, 1)
    near = np.exp(-np.maximum(np.maximum(left - x, x - right), 0) / (scene.short * 0.12))
    tone = np.asarray(wall, np.float32) * (0.62 + 0.4 * near + 0.22 * grain)[..., None]
    scene.paint((1 - inside).astype(np.float32), tone.astype(np.float32))
    wood = mix((0.86, 0.83, 0.77), (0.20, 0.16, 0.14), 0.72 if night else 0.18)
    bar = scene.short * 0.014
    middle = (left + right) / 2 + float(rng.choice([-0.16, 0.0, 0.16])) * (right - left)
    frame = [
        _box(left - bar, top - bar, left + bar, sill),
        _box(right - bar, top - bar, right + bar, sill),
        _box(left, top - bar, right, top + bar),
    ]
    frame += [
        _box(middle - bar * 0.7, top, middle + bar * 0.7, sill),
        _box(left, top + (sill - top) * 0.30 - bar * 0.6, right, top + (sill - top) * 0.30 + bar * 0.6),
    ]
    light = lamp(scene)
    for post in frame:
        solid(scene, [post], wood, light, depth=0.5)
    _curtains(scene, rng, (left, right, top, sill), night)
    ledge = sill + h * 0.085
    solid(
        scene,
        [_box(-2, sill, w + 2, ledge)],
        wood,
        Lamp((0.0, -0.8, 0.6), light.key, light.fill, light.rim),
        depth=0.35,
    )
    scene.shape([_box(-2, ledge, w + 2, ledge + scene.short * 0.02)], mix(wall, (0.02, 0.01, 0.01), 0.6), 0.75)
    return sill + h * 0.05


def _curtains(scene: Scene, rng: np.random.Generator, opening: tuple[float, float, float, float], night: bool) -> None:
    left, right, top, sill = opening
    cloth: Colour = ((0.78, 0.74, 0.66), (0.62, 0.30, 0.26), (0.42, 0.50, 0.52))[int(rng.integers(3))]
    cloth = mix(cloth, (0.12, 0.08, 0.08), 0.55) if night else mix(cloth, scene.palette.light, 0.15)
    reach = (right - left) * 0.15
    for edge, way in ((left, 1.0), (right, -1.0)):
        outer = edge - way * reach * 0.75
        outline = smooth(
            [
                (edge + way * reach * 0.9, top - 4),
                (edge + way * reach * 0.75, top + (sill - top) * 0.4),
                (edge + way * reach * 0.30, sill * 0.84),
                (edge + way * reach * 0.55, sill + 3),
            ],
            closed=False,
        )
        window, mask = scene.cut([[*outline, (outer, sill + 3), (outer, top - 4)]])
        if not mask.size:
            continue
        folds = line(rng, mask.shape[1], 7, 2)[None, :] + 0 * mask
        scene.put(window, mask * np.float32(0.93), np.asarray(cloth, np.float32) * (0.55 + 0.85 * folds)[..., None])


def paint_roof(scene: Scene) -> float:
    """A tiled roof across the foreground with a chimney; answers the row of its ridge in the middle."""
    scene.show("roof")
    rng = scene.stream("roof")
    ridge, lean = scene.height * 0.80, scene.short * float(rng.uniform(-0.03, 0.03))
    light = lamp(scene)
    tile: Colour = scene.reading.paints.get("roof") or (0.52, 0.24, 0.17)
    place = scene.width * (0.16 if rng.random() < 0.5 else 0.84)
    half, tall = scene.short * 0.055, scene.short * 0.17
    stack = _box(place - half, ridge - tall, place + half, ridge + half)
    solid(scene, [stack], (0.42, 0.26, 0.22), light, depth=0.7)
    lid = _box(place - half * 1.25, ridge - tall, place + half * 1.25, ridge - tall * 0.84)
    solid(scene, [lid], (0.48, 0.34, 0.30), light, depth=0.5)
    step = scene.short * 0.048
    _tiles(scene, rng, (ridge, lean, step), tile)
    cap = [
        (x, ridge + lean * (x / scene.width - 0.5) * 2 - step * 0.05)
        for x in (-9.0, scene.width / 2, scene.width + 9.0)
    ]
    tone = (0.9, 0.93, 0.98) if scene.palette.season == "winter" else mix(tile, (0.7, 0.5, 0.4), 0.2)
    solid(scene, [band(cap, (step * 0.24, step * 0.24))], tone, light)
    return ridge - step * 0.1


def _tiles(scene: Scene, rng: np.random.Generator, slope: tuple[float, float, float], tile: Colour) -> None:
    """Rows of tiles, the lowest first, since upper rows overlap lower ones."""
    ridge, lean, step = slope
    tiles: list[list[Point]] = []
    tones: list[Colour] = []
    scale = path("0,-0.2 1,-0.2 1,0.5 0.5,0.78 0,0.5")
    rim = path("0,0.42 0.5,0.7 1,0.42 0.5,0.8")
    for row in reversed(range(int((scene.height - ridge) / (step * 0.7)) + 4)):
        for k in range(-1, int(scene.width / step) + 2):
            x = (k + 0.5 * (row % 2)) * step
            at = Stand(x, ridge + lean * (x / scene.width - 0.5) * 2 + row * step * 0.72, step)
            dim = 0.85 - 0.045 * row + float(rng.normal(0, 0.07))
            own = mix(tile, (0.30, 0.22, 0.20), float(rng.random()) * 0.5)
            lit = mix((0.0, 0.0, 0.0), mix(scene.palette.lit(own), own, 0.22), dim)
            tiles += [at.to(scale), at.to(rim)]
            tones += [lit, mix(lit, (0.0, 0.0, 0.02), 0.58)]
    hatch(scene, tiles, np.asarray(tones, dtype=np.float32))


def paint_branch(scene: Scene, perch: Point, thick: float, light: Lamp) -> None:
    """A branch through the perch with what the season puts on it."""
    scene.show("branch")
    rng = scene.stream("branch")
    way = float(rng.choice([-1.0, 1.0]))
    x, y = perch
    start = (x - way * max(scene.width * 0.62, scene.short * 0.6), y + scene.short * float(rng.uniform(0.04, 0.16)))
    end = (x + way * scene.short * 0.40, y - scene.short * float(rng.uniform(0.0, 0.10)))
    spine = [start, ((start[0] + x) / 2, (start[1] + y) / 2 + thick * 0.8), (x, y + thick * 0.8), end]
    bark: Colour = mix((0.34, 0.24, 0.17), scene.palette.rock, 0.2)
    tips: list[Point] = [end]
    twigs: list[list[Point]] = []
    for k in range(7):
        t = (k + 0.5) / 7
        sx, sy = start[0] + (end[0] - start[0]) * t, start[1] + (end[1] - start[1]) * t + thick * 0.7
        up = -1.0 if k % 2 else 1.0
        if abs(sx - x) < scene.short * 0.16:
            up = 1.0
        reach = scene.short * float(rng.uniform(0.10, 0.22))
        tip = (sx + way * reach * 0.9, sy + up * reach * float(rng.uniform(0.35, 0.8)))
        twigs.append(
            band(
                [(sx, sy), ((sx + tip[0]) / 2, (sy + tip[1]) / 2 - reach * 0.06), tip],
                (thick * 0.34, thick * 0.2, thick * 0.07),
            )
        )
        tips += [tip, ((sx + tip[0]) / 2, (sy + tip[1]) / 2)]
    for twig in twigs:
        solid(scene, [twig], bark, light)
    _, mask = scene.cut([band(spine, (thick, thick * 0.85, thick * 0.72, thick * 0.14))])
    if min(mask.shape) > 1:
        rough = fbm(rng, mask.shape[1], mask.shape[0], (30, 6), 4, 0.65)
        tone = np.asarray(bark, np.float32) * (0.55 + 0.9 * rough)[..., None]
        solid(scene, [band(spine, (thick, thick * 0.85, thick * 0.72, thick * 0.14))], tone.astype(np.float32), light)
    _dress(scene, rng, tips, spine, thick, light)


def _dress(
    scene: Scene, rng: np.random.Generator, tips: list[Point], spine: list[Point], thick: float, light: Lamp
) -> None:
    """Leaves, blossom, or snow and berries."""
    size = scene.short * 0.05
    palette = scene.palette
    if palette.season == "winter":
        _snow(scene, rng, tips, [(x, y - thick * 0.62) for x, y in spine], thick, light)
        return
    leaf: Colour = scene.reading.paints.get("branch") or palette.foliage
    tints: tuple[Colour, ...] = ((0.86, 0.62, 0.14), (0.62, 0.18, 0.10), (0.5, 0.62, 0.22))
    outline = smooth(path("0,0 0.24,-0.3 0.2,-0.72 0,-1.05 -0.2,-0.72 -0.24,-0.3"), steps=4)
    halves = ([point for point in outline if point[0] >= -1e-6], [point for point in outline if point[0] <= 1e-6])
    shapes: list[list[Point]] = []
    tones: list[Colour] = []
    for x, y in [tip for tip in tips for _ in range(3)]:
        turn, tall = float(rng.uniform(-2.6, 2.6)), size * float(rng.uniform(0.8, 1.3))
        at = Stand(x + float(rng.normal(0, size * 0.5)), y + float(rng.normal(0, size * 0.4)), tall, 1.0, turn)
        if palette.season == "spring":
            turns = np.linspace(0, 2 * np.pi, 5, endpoint=False)
            pink = palette.lit(mix((0.98, 0.90, 0.93), (0.95, 0.62, 0.74), float(rng.random())), 0.6)
            shapes += [at.oval(0.32 * float(np.cos(a)), 0.32 * float(np.sin(a)), 0.26, 0.22, float(a)) for a in turns]
            tones += [mix(pink, (0.60, 0.30, 0.45), 0.12 * float(rng.random()) + 0.03 * k) for k in range(5)]
            shapes.append(at.oval(0, 0, 0.11, 0.11))
            tones.append(palette.lit((0.86, 0.60, 0.25)))
        else:
            tone = mix(leaf, tints[int(rng.integers(3))], 0.45 if palette.season == "autumn" else 0.16)
            lit = palette.lit(mix(tone, (0.0, 0.02, 0.02), 0.25 * float(rng.random())))
            shapes += [at.to(half) for half in halves]
            tones += [mix(lit, palette.light, 0.16), mix(lit, (0.0, 0.02, 0.03), 0.30)]
    hatch(scene, shapes, np.asarray(tones, dtype=np.float32))


def _snow(
    scene: Scene, rng: np.random.Generator, tips: list[Point], ridge: list[Point], thick: float, light: Lamp
) -> None:
    """Snow along the branch and on its twigs, with red berries."""
    size = scene.short * 0.05
    cover = band(ridge, (thick * 0.55, thick * 0.50, thick * 0.12, thick * 0.22))
    solid(scene, [cover], scene.palette.snow, light)
    shapes: list[list[Point]] = []
    tones: list[Colour] = []
    red = scene.palette.lit((0.74, 0.08, 0.08))
    for x, y in tips:
        for _ in range(3 if rng.random() < 0.6 else 0):
            bx, by, r = x + float(rng.normal(0, size * 0.3)), y + float(rng.normal(0, size * 0.3)), size * 0.16
            shapes += [
                oval(bx, by, r, r),
                oval(bx - r * 0.2, by - r * 0.2, r * 0.7, r * 0.7),
                oval(bx - r * 0.3, by - r * 0.4, r * 0.25, r * 0.2),
            ]
            tones += [mix(red, (0.1, 0.0, 0.02), 0.45), red, mix(red, (1.0, 1.0, 1.0), 0.7)]
        shapes += [
            oval(x, y - size * 0.10, size * 0.36, size * 0.17),
            oval(x, y - size * 0.14, size * 0.30, size * 0.11),
        ]
        white = scene.palette.lit(scene.palette.snow)
        tones += [mix(white, scene.palette.zenith, 0.3), white]
    hatch(scene, shapes, np.asarray(tones, dtype=np.float32))
