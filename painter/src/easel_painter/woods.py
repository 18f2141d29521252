"""Woods: seen from outside in rows that fade, or from within between the trunks."""

import numpy as np

from easel_painter import flora, land
from easel_painter.canvas import Point, Scene
from easel_painter.flora import KINDS, Coat, Parts, blob, coat, draw, tufts
from easel_painter.noise import Field, line, smoothstep
from easel_painter.palette import mix
from easel_painter.reading import Colour
from easel_painter.terrain import Terrain, blend


def sort(scene: Scene) -> str:
    """Which trees the wood is of: by the words, the season, the seed."""
    reading = scene.reading
    if reading.is_a("birch"):
        return "birch"
    if reading.is_a("pine"):
        return "pine"
    if reading.evergreen or scene.palette.season == "winter":
        return "fir"
    rng = scene.stream("sort of wood")
    kinds = (
        ["round", "round", "birch"] if scene.palette.season == "autumn" else ["fir", "round", "fir", "birch", "pine"]
    )
    return str(rng.choice(kinds))


def is_inside(scene: Scene) -> bool:
    """Whether the viewer stands in the wood."""
    reading = scene.reading
    alone = not reading.has(
        *("mountains", "volcano", "canyon", "sea", "lake", "river", "waterfall", "castle", "house", "church", "temple"),
        *("city", "street", "village", "windmill", "field", "flowers", "desert", "island", "aurora", "stars", "moon"),
        *("boat", "lighthouse", "balloon", "rainbow", "nebula", "planet", "bridge", "ruins", "clouds", "cliff", "sun"),
    )
    if reading.is_a("inside", "sunbeams"):
        return alone
    return alone and bool(scene.stream("stand").random() < 0.5)


def paint_forest(scene: Scene, foot: int, deep: bool = True) -> None:
    """Rows of trees from far to near, standing on lines between the horizon and row `foot`, mist between them."""
    scene.show("forest")
    rng = scene.stream("forest")
    palette = scene.palette
    weight = min(1.5, max(0.7, scene.reading.weight("forest") or 0.8))
    weight *= 1.5 if deep else 0.9
    kind = sort(scene)
    dress = coat(scene, kind)
    side = 1.0 if scene.light[0] > scene.width / 2 else -1.0
    rows = 5 if deep else 3
    reach = 0.5 + 0.5 * float(rng.random())
    for layer in range(rows):
        near = layer / (rows - 1)
        base = scene.horizon + (foot - scene.horizon) * near
        tall = scene.short * (0.065 + 0.16 * near**1.15) * weight
        # The wood's edge rises and falls; a clearing may open in the nearer rows.
        opening = line(rng, scene.width, 3, 2)
        foot_line = base + scene.short * 0.025 * (line(rng, scene.width, 3, 2) - 0.5)
        air = 0.72 * (1 - near) ** 1.1
        step = tall * (0.20 if kind in ("fir", "pine") else 0.30)
        count = int((scene.width + 2 * step) / step)
        heaps = [Parts(), Parts(), Parts()]
        for x in (np.arange(count) * step - step + rng.normal(0, step * 0.45, count)).tolist():
            at = int(np.clip(x, 0, scene.width - 1))
            if near > 0.3 and opening[at] < 0.34 + 0.14 * near * reach:
                continue
            high = tall * float(rng.uniform(0.55, 1.15)) * (0.75 + 0.5 * float(opening[at]))
            heaps[int(rng.integers(3))].add(_tree(scene, kind)(rng, x, float(foot_line[at]), high, side))
        _floor(scene, foot_line, tall, mix(palette.lit(mix(dress.leaves, (0.04, 0.07, 0.07), 0.5)), palette.haze, air))
        for heap in heaps:
            draw(scene, heap, coat(scene, kind, rng), air)
        mist = np.exp(-(((scene.rows() - base) / (tall * 0.45)) ** 2)).astype(np.float32) * np.float32(0.5 * (1 - near))
        scene.paint(np.broadcast_to(mist, scene.rgb.shape[:2]), palette.haze)


def _tree(scene: Scene, kind: str) -> flora.Kind:
    return KINDS["bare" if scene.palette.season == "winter" and kind in ("round", "birch") else kind]


def _floor(scene: Scene, foot_line: Field, tall: float, tone: Colour) -> None:
    """Undergrowth ties the trunks together and ends softly on the ground."""
    floor = (scene.rows() - foot_line[None, :]) / np.float32(tall)
    if scene.palette.season == "winter":
        tone = mix(tone, scene.palette.lit(scene.palette.snow), 0.5)
    scene.paint(smoothstep(-0.08, -0.02, floor) * (1 - smoothstep(0.0, 0.16, floor)) * np.float32(0.8), tone)


def paint_inside(scene: Scene) -> None:
    """Between the trunks: light ahead, rows of trunks that grow paler, a path, leaves above."""
    scene.show("forest")
    rng = scene.stream("inside")
    kind = sort(scene)
    leaves = coat(scene, kind, rng).leaves
    centre = scene.width * float(rng.choice([0.36, 0.5, 0.64]))
    scene.light = (centre, scene.horizon - scene.height * 0.32)
    _backdrop(scene, centre, leaves)
    ground = _forest_floor(scene, centre)
    belts = 6
    for belt in range(belts):
        near = belt / (belts - 1)
        _trunks(scene, rng, kind, ground, near, centre)
        if belt in (2, 4):
            _beams(scene, rng, centre, near)
    land.paint_tufts(scene)


def _backdrop(scene: Scene, centre: float, leaves: Colour) -> None:
    """Far foliage without form, brightest where the wood opens."""
    palette = scene.palette
    rng = scene.stream("backdrop")
    dx = (scene.columns() - np.float32(centre)) / np.float32(scene.short * 0.42)
    dy = (scene.rows() - np.float32(scene.horizon - scene.short * 0.10)) / np.float32(scene.short * 0.62)
    bright = np.exp(-(dx * dx + dy * dy)).astype(np.float32)
    far = mix(palette.lit(leaves), palette.haze, 0.45)
    deep = mix(palette.lit(leaves), mix((0.02, 0.04, 0.05), palette.zenith, 0.3), 0.62)
    glow = mix(palette.haze, palette.light, 0.55 if palette.hour != "night" else 0.22)
    scene.rgb[:] = blend(blend(deep, far, smoothstep(0.0, 0.5, bright)), glow, smoothstep(0.35, 1.0, bright))
    for size, share in ((0.034, 0.22), (0.018, 0.30)):
        heaps: list[list[list[Point]]] = [[], []]
        for _ in range(int(150 * scene.width * scene.height / scene.short**2)):
            x, y = float(rng.random()) * scene.width, float(rng.random()) ** 1.5 * scene.horizon
            away = abs(x - centre) / scene.short
            if away > 0.16 and rng.random() < 0.1 + away + 0.5 * (1 - y / scene.horizon):
                heaps[int(rng.integers(2))].append(
                    blob(rng, x, y, scene.short * size * float(rng.uniform(0.4, 1.2)), 7)
                )
        scene.shape(heaps[0], deep, share)
        scene.shape(heaps[1], mix(far, palette.light, 0.15), share)


def _forest_floor(scene: Scene, centre: float) -> Terrain:
    palette = scene.palette
    view = Terrain(scene, 26.0)
    height = (view.noise("floor", 4.0, 4) - 0.5) * 0.35 + (view.noise("roots", 0.8, 3) - 0.5) * 0.05
    litter = view.noise("litter", 0.35, 4, 0.65)
    moss: Colour = mix(palette.foliage, (0.20, 0.24, 0.10), 0.45)
    soil: Colour = (0.42, 0.28, 0.18)
    if palette.season == "autumn":
        soil, moss = (0.76, 0.42, 0.14), (0.62, 0.26, 0.12)
    tone = blend(soil, moss, smoothstep(0.35, 0.65, view.noise("moss", 1.8, 4)))
    tone = tone * (0.70 + 0.6 * litter)[..., None]
    if palette.season == "winter":
        tone = blend(mix(palette.snow, (0.70, 0.80, 0.95), 0.35), palette.snow, litter)
    lane = (centre - scene.width / 2) / view.focal
    bend = np.sin(view.z * 0.32 + 1.0) * np.float32(0.5) * smoothstep(1, 6, view.z)
    path = np.abs(view.x - np.float32(lane) * view.z - bend * (1 - smoothstep(8, 20, view.z)))
    if scene.reading.has("road") or scene.reading.is_a("inside", "walk") or scene.stream("lane").random() < 0.6:
        if scene.reading.has("road"):
            scene.show("road")
        trodden: Colour = scene.reading.paints.get("road") or mix((0.66, 0.54, 0.40), palette.haze, 0.15)
        if palette.season == "winter":
            trodden = (0.66, 0.70, 0.78)
        share = smoothstep(0.62, 0.40, path + (litter - 0.5) * 0.35)
        tone = blend(tone, trodden, share * 0.85)
    # Patches of sun fall through the leaves, most along the opening.
    spots = smoothstep(0.55, 0.68, view.noise("dapple", 1.1, 3)) * smoothstep(5.0, 0.6, path)
    light = 0.48 + 0.85 * spots + 0.55 * smoothstep(4, 16, view.z) * smoothstep(6.0, 1.0, path)
    night = palette.hour == "night"
    shaded = view.shaded(tone, np.asarray(light * (0.7 if night else 1.0), dtype=np.float32), 0.55)
    view.lay(np.asarray(height, dtype=np.float32), view.in_air(shaded, 14, 0.75, 1.3))
    return view


def _trunks(scene: Scene, rng: np.random.Generator, kind: str, ground: Terrain, near: float, centre: float) -> None:
    """One row of trunks with the leaves that hang from it."""
    palette = scene.palette
    z = float(16.0 * (1 - near) ** 1.5 + 1.75 * max(1.0, ground.z[0, 0] * 0.75))
    count = max(2, int((20 * (1 - near) ** 1.2 + 3.2) * max(1.0, scene.width / scene.short) ** 0.8))
    air = 0.62 * (1 - near) ** 1.2
    aisle = scene.short * (0.05 + 0.22 * near)
    wood = Parts()
    marks: list[list[Point]] = []
    for k in range(count):
        x = (k + float(rng.uniform(0.1, 0.9))) / count * scene.width * 1.16 - scene.width * 0.08
        if abs(x - centre) < aisle:
            x = centre + np.sign(x - centre or 1.0) * aisle * float(rng.uniform(1.0, 1.5))
        spot = ground.spot(x, z)
        half = min(spot.scale * float(rng.uniform(0.045, 0.10)), scene.short * 0.085)
        _trunk(scene, rng, kind, wood, marks, x, spot.y + spot.scale * 0.02, half)
        _crown(scene, rng, kind, wood, x, half, near)
    dress = coat(scene, kind, rng)
    if kind == "birch":
        dress = Coat(dress.leaves, (0.90, 0.89, 0.84))
    bark = mix(
        palette.lit(dress.wood), mix((0.02, 0.03, 0.05), palette.zenith, 0.25), 0.42 if kind != "birch" else 0.25
    )
    lit = mix(palette.lit(mix(dress.wood, (0.7, 0.6, 0.45), 0.3)), palette.light, 0.25)
    scene.shape(wood.wood, mix(bark, palette.haze, air))
    scene.shape(wood.snow, mix(lit, palette.haze, air), 0.75)
    scene.shape(marks, mix(palette.lit((0.14, 0.12, 0.12)), palette.haze, air), 0.85)
    draw(scene, Parts(dark=wood.dark, body=wood.body, bright=wood.bright), dress, air, 0.9)


def _trunk(
    scene: Scene,
    rng: np.random.Generator,
    kind: str,
    parts: Parts,
    marks: list[list[Point]],
    x: float,
    y: float,
    half: float,
) -> None:
    """A trunk that leaves the picture at the top; `parts.snow` takes its lit edge."""
    lean = float(rng.normal(0, 0.035)) * scene.height
    top = -4.0
    bend = float(rng.normal(0, half * 0.5))
    middle = (x + lean * 0.5 + bend, (y + top) / 2)
    left = [
        (x - half * 1.7, y),
        (x - half * 1.05, y - half * 2.2),
        (middle[0] - half * 0.85, middle[1]),
        (x + lean - half * 0.6, top),
    ]
    right = [
        (x + half * 1.7, y),
        (x + half * 1.05, y - half * 2.2),
        (middle[0] + half * 0.85, middle[1]),
        (x + lean + half * 0.6, top),
    ]
    parts.wood.append([*left, *reversed(right)])
    towards = right if scene.light[0] > x else left
    inner = [(px + (x - px) * 0.45 + lean * (y - py) / max(1.0, y - top) * 0.45, py) for px, py in towards]
    parts.snow.append([*towards, *reversed(inner)])
    if half < 1.5:
        return
    for _ in range(14 if kind == "birch" else 5):
        level = float(rng.random())
        my = y + (top - y) * level
        mx = x + lean * level + bend * float(np.sin(np.pi * level)) + float(rng.uniform(-0.75, 0.1)) * half
        long, thick = half * float(rng.uniform(0.4, 1.1)), half * (0.10 if kind == "birch" else 0.05)
        marks.append(
            [(mx, my), (mx + long, my - thick), (mx + long * 0.9, my + thick), (mx + long * 0.2, my + thick * 1.5)]
        )


def _crown(scene: Scene, rng: np.random.Generator, kind: str, parts: Parts, x: float, half: float, near: float) -> None:
    """Leaves or boughs at the upper edge; firs carry them further down."""
    if scene.palette.season == "winter" and kind in ("round", "birch"):
        return
    low = {"fir": 0.52, "pine": 0.16}.get(kind, 0.30)
    for _ in range(12 + int(10 * near)):
        y = scene.horizon * float(rng.random()) ** 1.3 * low * 1.3
        cx = x + float(rng.normal(0, half * 4 + scene.short * 0.05))
        size = scene.short * (0.012 + 0.022 * near) * float(rng.uniform(0.5, 1.4))
        flat = 0.5 if kind in ("fir", "pine") else 0.8
        for heap, dx, dy, share in (
            (parts.dark, 0.0, 0.3, 1.1),
            (parts.body, 0.0, 0.0, 0.9),
            (parts.bright, 0.3, -0.3, 0.42),
        ):
            round_one = blob(rng, cx + dx * size * (1 if scene.light[0] > x else -1), y, size * share, 15)
            heap.append([(px, y + (py - y) * flat + dy * size) for px, py in round_one])
        tufts(rng, parts, cx, y, size * 1.25, 1 if scene.light[0] > x else -1, flat=flat)


def _beams(scene: Scene, rng: np.random.Generator, centre: float, near: float) -> None:
    """Shafts of light that fall from the opening."""
    palette = scene.palette
    if palette.hour == "night" and not scene.reading.has("moon"):
        return
    if scene.reading.has("rain"):
        return
    strength = 0.16 if scene.reading.is_a("sunbeams") or scene.reading.has("fog") else 0.09
    lean = float(rng.uniform(0.25, 0.6)) * (1 if centre < scene.width / 2 else -1)
    for _ in range(4):
        x = centre + float(rng.normal(0, 0.16)) * scene.short
        wide = scene.short * float(rng.uniform(0.015, 0.05))
        low = scene.horizon + (scene.height - scene.horizon) * (0.15 + 0.4 * near)
        beam = [(x, 0.0), (x + wide, 0.0), (x + wide * 2.4 + lean * low, low), (x - wide * 0.6 + lean * low, low)]
        window, mask = scene.cut([beam])
        if mask.size:
            fade = np.linspace(1.0, 0.15, mask.shape[0], dtype=np.float32)[:, None]
            part = scene.rgb[window]
            part += (
                (mask * fade * np.float32(strength))[..., None]
                * np.asarray(palette.light, dtype=np.float32)
                * (1 - np.clip(part, 0, 1))
            )
