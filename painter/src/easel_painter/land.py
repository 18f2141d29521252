"""Open land: meadows and fields of many characters, snow, dunes."""

import numpy as np

from easel_painter import flora, plants
from easel_painter.canvas import Point, Scene
from easel_painter.noise import Field, smoothstep
from easel_painter.palette import mix
from easel_painter.reading import Colour
from easel_painter.terrain import Terrain, blend

CLEAR = 30.0
"""The distance at which a good half of a meadow is haze."""

_FAR = 46.0
_STEPS_A_UNIT = 2.2

CHARACTERS = ("rolling", "farmland", "tuscan", "steppe", "alpine")


def character(scene: Scene) -> str:
    """What kind of open land this is: by the words, else by the seed."""
    reading = scene.reading
    for word in ("farmland", "tuscan", "steppe", "terraces"):
        if reading.is_a(word):
            return word
    if reading.has("mountains", "volcano") and not reading.has("field"):
        return "alpine"
    return str(scene.stream("character").choice(CHARACTERS))


def paint_meadow(scene: Scene, knoll: tuple[float, float, float] | None = None) -> Terrain:
    """The land from the lower edge to the horizon, with its fields, hedges and trees.

    A `knoll` (column in pixels, distance, height) is a hill of its own for something to stand on.
    """
    kind = character(scene)
    if scene.reading.has("field") or (scene.may("field") and not scene.reading.has("city", "park", "garden")):
        scene.show("field")
    land = Terrain(scene, _FAR)
    height = _swell(scene, land, kind)
    if knoll:
        height = height + _knoll(land, knoll)
    way = course(scene, land)
    if way is not None:
        # Roads and streams keep to the low ground.
        height = height - np.clip(height, 0, 9) * 0.7 * np.exp(-((way / np.float32(1.6)) ** 2))
    tone = cover(scene, land, kind, height)
    if way is not None:
        tone = _way(scene, land, tone, way)
    light = land.light(height, 1.5)
    land.lay(height, land.in_air(land.shaded(tone, light, 0.50), CLEAR, 0.80, 1.3))
    if way is None or not scene.reading.has("river"):
        _grow(scene, land, kind, knoll)
    return land


def _swell(scene: Scene, land: Terrain, kind: str) -> Field:
    rng = scene.stream("swell")
    size = {"steppe": 22.0, "alpine": 9.0}.get(kind, float(rng.uniform(8, 14)))
    high = {"steppe": 0.25, "alpine": 1.1, "tuscan": 2.6}.get(kind, float(rng.uniform(1.2, 2.2)))
    broad = land.noise("swell", size, 3, 0.40)
    near = land.noise("near swell", 3.5, 3, 0.45)
    rise = smoothstep(4, 30, land.z)
    height = (broad - 0.35) * np.float32(high) * (0.10 + 1.9 * rise) + (near - 0.5) * np.float32(0.22)
    if scene.palette.season == "winter":
        # Wind heaps the snow up; without these waves it would be a white sheet.
        height = height + (land.noise("drifts", 3.0, 4) - 0.5) * np.float32(0.28) * smoothstep(1.5, 4.0, land.z)
    if kind == "terraces":
        high_ground = np.clip(land.noise("terraced", 15, 3, 0.4) - 0.28, 0, 1) * (0.4 + 0.32 * land.z)
        steps = high_ground * np.float32(_STEPS_A_UNIT)
        height = (np.floor(steps) + smoothstep(0.72, 1.0, steps - np.floor(steps))) / np.float32(_STEPS_A_UNIT) - 0.1
    # Nothing near may hide the land behind it.
    return np.asarray(np.minimum(height, 0.25 + 0.16 * land.z), dtype=np.float32)


def _knoll(land: Terrain, knoll: tuple[float, float, float]) -> Field:
    column, distance, tall = knoll
    x = (column - land.scene.width / 2) / land.focal * distance
    wide = max(1.2, tall * 2.1)
    lumps = 0.85 + 0.3 * land.noise("knoll", 2.0, 4)
    away = ((land.x - np.float32(x)) ** 2 + (land.z - np.float32(distance)) ** 2) / np.float32(wide**2)
    return np.asarray(np.float32(tall) * np.exp(-((away * lumps) ** 1.4)), dtype=np.float32)


def course(scene: Scene, land: Terrain) -> Field | None:
    """How far each point lies from the middle of the road or stream, in units; None without one."""
    if not scene.reading.has("road", "river"):
        return None
    rng = scene.stream("course")
    swing, turn = float(rng.uniform(0.9, 1.7)), float(rng.random() * 6)
    goal = float(rng.uniform(-0.12, 0.12))
    bends = np.sin(land.z**0.62 * np.float32(1.75) + turn) * np.float32(swing) * smoothstep(0.5, 9, land.z)
    bends = bends + np.sin(land.z * 0.21 + turn * 2) * smoothstep(8, 26, land.z) * np.float32(swing * 1.6)
    start = float(rng.uniform(-0.35, 0.35)) * np.exp(-land.z / 3)
    return np.asarray(land.x - bends - start - goal * land.z, dtype=np.float32)


def _way(scene: Scene, land: Terrain, tone: Field, course: Field) -> Field:
    """The road or the stream on the ground."""
    palette = scene.palette
    rng = scene.stream("way")
    ragged = (land.noise("verge", 0.8, 3) - 0.5) * 0.5
    if scene.reading.has("river"):
        scene.show("river")
        half = np.float32(rng.uniform(0.7, 1.0)) + 0.02 * land.z
        banks = smoothstep(0.55, 0.0, np.abs(course) - half - ragged * 0.6)
        tone = blend(tone, mix(palette.sand, palette.rock, 0.6), banks * 0.8)
        ripple = land.noise("stream", 0.35, 3)
        far = smoothstep(1, 14, land.z)
        sky = blend(
            mix(palette.water, palette.middle, 0.55), mix(palette.horizon, palette.middle, 0.3), far + ripple * 0.3
        )
        unlit = sky / np.maximum(np.asarray(palette.ambient, dtype=np.float32), np.float32(0.2))
        return blend(tone, np.clip(unlit, 0, 1.5), smoothstep(0.10, -0.06, np.abs(course) - half + ragged * 0.4))
    scene.show("road")
    half = np.float32(rng.uniform(0.42, 0.62)) + 0.006 * land.z
    earth: Colour = scene.reading.paints.get("road") or mix((0.72, 0.62, 0.48), palette.sand, 0.25)
    if palette.season == "winter":
        earth = (0.72, 0.76, 0.84)
    soil = blend(mix(earth, (0.2, 0.15, 0.12), 0.28), earth, land.noise("gravel", 0.25, 4))
    ruts = np.exp(-(((np.abs(course) - half * 0.5) / (half * 0.16)) ** 2))
    soil = blend(soil, mix(earth, (0.16, 0.12, 0.10), 0.6), ruts * 0.6)
    grassy = np.exp(-((course / (half * 0.22)) ** 2)) * land.noise("tufts", 0.3, 3)
    soil = blend(soil, tone, np.clip(grassy * 1.2, 0, 0.85))
    return blend(tone, soil, smoothstep(0.10, -0.10, np.abs(course) - half - ragged * half * 0.5))


def grass(scene: Scene) -> Colour:
    """The colour of a meadow, or of what grows on it by the words."""
    own = scene.reading.paints.get("field")
    return mix(scene.palette.grass, own, 0.65) if own else scene.palette.grass


def cover(scene: Scene, land: Terrain, kind: str, height: Field) -> Field:
    """What grows on the land, as colours that no light has touched yet."""
    palette = scene.palette
    if palette.season == "winter":
        return _snowcover(scene, land)
    base = grass(scene)
    tufts = land.noise("tufts of grass", 0.22, 4, 0.6)
    broad = land.noise("dry places", 5.0, 4)
    tone = blend(mix(base, palette.foliage, 0.50), mix(base, palette.sand, 0.22), broad * 0.75 + (tufts - 0.5) * 0.7)
    if kind in ("farmland", "tuscan", "rolling", "terraces") and not scene.reading.has("flowers"):
        tone = _fields(scene, land, tone, kind)
    if kind == "terraces":
        tone = _steps(scene, land, tone, height)
    if scene.reading.is_a("wheat"):
        ears = land.noise("ears", 0.10, 3, 0.6)
        tone = blend(tone, blend((0.66, 0.50, 0.20), (0.96, 0.80, 0.38), ears), np.full_like(ears, 0.75))
    if scene.reading.has("snow"):
        tone = blend(tone, palette.snow, smoothstep(0.45, 0.6, broad))
    return tone


def _steps(scene: Scene, land: Terrain, tone: Field, height: Field) -> Field:
    """The walls of terraces and, between them, young green or flooded plots."""
    palette = scene.palette
    level = (height + np.float32(0.1)) * np.float32(_STEPS_A_UNIT)
    riser = level - np.floor(level)
    wide = smoothstep(2.5, 5.0, land.z)
    wet = smoothstep(0.5, 0.6, land.noise("flooded", 4.0, 2)) * (riser < 0.08) * wide
    ambient = np.maximum(np.asarray(palette.ambient, dtype=np.float32), np.float32(0.25))
    tone = blend(
        tone,
        np.clip(np.asarray(mix(palette.horizon, palette.middle, 0.4), dtype=np.float32) / ambient, 0, 1.3),
        wet * 0.8,
    )
    wall = smoothstep(0.06, 0.20, riser) * smoothstep(1.0, 0.8, riser) * wide
    return blend(tone, mix(palette.foliage, (0.22, 0.18, 0.10), 0.45), wall * 0.85)


def _fields(scene: Scene, land: Terrain, tone: Field, kind: str) -> Field:
    """A patchwork: each plot has a tone and furrows of its own, with a hedge around."""
    rng = scene.stream("plots")
    palette = scene.palette
    size = {"farmland": 6.5, "tuscan": 7.5, "terraces": 4.0}.get(kind, 9.0)
    bend = (land.noise("plots bend", 11, 2) - 0.5) * np.float32(5.0)
    turn = float(rng.uniform(0.25, 1.2))
    u = (land.x * np.cos(turn) - land.z * np.sin(turn) + bend) / np.float32(size)
    v = (land.x * np.sin(turn) + land.z * np.cos(turn) - bend) / np.float32(size * 0.7)
    i, j = np.floor(u).astype(np.int64), np.floor(v).astype(np.int64)
    pick = rng.random((16, 16, 3)).astype(np.float32)[i & 15, j & 15]
    crops = np.asarray(
        [
            mix(palette.grass, palette.foliage, 0.55),
            palette.grass,
            mix(palette.grass, (0.90, 0.76, 0.34), 0.60),
            mix(palette.grass, (0.52, 0.38, 0.26), 0.55),
            mix(palette.grass, (0.72, 0.78, 0.30), 0.45),
        ],
        dtype=np.float32,
    )
    plots = crops[(pick[..., 0] * len(crops)).astype(np.int64) % len(crops)]
    along = np.where(pick[..., 1] < 0.5, u, v) * np.float32(size)
    seen = smoothstep(0.9, 0.2, land.z / np.float32(22))
    rows = np.sin(along * np.float32(9.0)) * seen * (pick[..., 2] > 0.35)
    plots = plots * (1 + 0.10 * rows)[..., None]
    share = smoothstep(2.5, 7.0, land.z) * np.float32(0.85 if kind != "rolling" else 0.60)
    tone = blend(tone, plots, share)
    edge = np.minimum(np.minimum(u - i, 1 - u + i), np.minimum(v - j, 1 - v + j)) * np.float32(size)
    ragged = (land.noise("hedge", 0.7, 2) - 0.35) * 0.5
    hedge = smoothstep(0.20, 0.05, edge - ragged * 0.4) * smoothstep(3.0, 8.0, land.z)
    return blend(tone, mix(palette.foliage, (0.05, 0.08, 0.06), 0.35), hedge * 0.85)


def _snowcover(scene: Scene, land: Terrain) -> Field:
    palette = scene.palette
    crust = land.noise("crust", 0.5, 4)
    drifts = land.noise("drifts", 3.0, 3)
    tone = blend(mix(palette.snow, (0.62, 0.74, 0.94), 0.55), palette.snow, drifts * 0.7 + crust * 0.3) * np.float32(
        0.93
    )
    stubble = smoothstep(0.72, 0.86, land.noise("stubble", 0.4, 3)) * smoothstep(0.5, 0.65, drifts)
    return blend(tone, (0.45, 0.40, 0.34), stubble * 0.35)


def _grow(scene: Scene, land: Terrain, kind: str, knoll: tuple[float, float, float] | None) -> None:
    """Trees and bushes on the land, more where hedges and hollows are; a knoll stays free."""
    if kind == "steppe" or scene.reading.has("desert"):
        return
    rng = scene.stream("grow")
    dense = 0.42 if kind == "tuscan" else 0.50
    wanted = smoothstep(dense, dense + 0.22, land.noise("groves", 6.0, 3)) * smoothstep(5, 11, land.z)
    if knoll:
        wanted = wanted * (1 - np.clip(_knoll(land, knoll) / knoll[2] * 2, 0, 1))
    wide = max(1.0, scene.width / scene.short)
    trees = {"alpine": "fir", "tuscan": "poplar"}.get(kind, str(rng.choice(["round", "round", "poplar", "birch"])))
    if scene.reading.evergreen:
        trees = "fir"
    count = int((170 if kind != "alpine" else 130) * min(wide, 4))
    flora.plant(scene, land, land.spots("groves", count, wanted), trees, 0.85, CLEAR)
    if kind in ("tuscan", "rolling", "farmland"):
        flora.plant(scene, land, land.spots("bushes", int(40 * min(wide, 4)), wanted, 5), "bush", 0.28, CLEAR)
    if kind == "farmland" and scene.palette.season in ("summer", "autumn"):
        _bales(scene, land)


def _bales(scene: Scene, land: Terrain) -> None:
    """Round bales of hay with their shadows."""
    palette = scene.palette
    open_field = smoothstep(0.55, 0.40, land.noise("groves", 6.0, 3)) * smoothstep(3.2, 5, land.z)
    straw: Colour = (0.80, 0.66, 0.32)
    for spot in land.spots("bales", 12, open_field * smoothstep(24, 10, land.z)):
        size = spot.scale * 0.115
        haze = mix(palette.haze, palette.lit(straw), 0.4)
        air = land.haze_at(spot.distance, CLEAR)
        flat = [(spot.x, spot.y), (spot.x + size * 1.2, spot.y), (spot.x - land.side * size * 4, spot.y + size * 0.4)]
        scene.shape([flat], mix(palette.lit((0.20, 0.20, 0.12)), palette.haze, air), 0.5)
        dark, bright = mix(palette.lit(straw), (0.10, 0.06, 0.02), 0.45), mix(palette.lit(straw), palette.light, 0.10)
        rings = [
            _ring(spot.x + land.side * size * 0.5, spot.y - size * 0.85, size * share) for share in (1.0, 0.72, 0.40)
        ]
        scene.shape([_ring(spot.x, spot.y - size * 0.85, size), rings[0]], mix(dark, haze, air))
        for ring, colour in zip(rings, (bright, mix(bright, dark, 0.4), bright), strict=True):
            scene.shape([ring], mix(colour, haze, air))


def _ring(x: float, y: float, radius: float) -> list[Point]:
    turns = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    return [(x + radius * float(np.cos(t)), y + radius * float(np.sin(t))) for t in turns]


def paint_foreground(scene: Scene, land: Terrain, framed: bool) -> None:
    """Something at hand that gives the meadow its depth: a fence, stones or, if `framed`, a tree at the edge."""
    rng = scene.stream("foreground")
    choice = rng.choice(["fence", "stones", "tree", "none", "fence"])
    # On the side of the light, since what the picture is about stands on the other.
    side = land.side
    if choice == "fence":
        _fence(scene, land, side)
    elif choice == "stones":
        _stones(scene, land, rng, side)
    elif choice == "tree" and framed and scene.may("tree"):
        spot = land.spot(scene.width * (0.5 + 0.46 * side), 3.0)
        plants.paint_tree(scene, spot.x, spot.y, min(scene.short * 0.72, spot.y * 0.85))


def _fence(scene: Scene, land: Terrain, side: float) -> None:
    """Posts and two rails that run from a lower corner into the land."""
    palette = scene.palette
    posts: list[list[Point]] = []
    tops: list[Point] = []
    for k in range(12):
        z = 2.0 + 0.75 * k
        column = scene.width / 2 + side * land.focal * (1.35 - 0.030 * k * k * 0.6) / z
        spot = land.spot(float(np.clip(column, -scene.short, scene.width + scene.short)), z)
        high, half = spot.scale * 0.30, max(0.5, spot.scale * 0.018)
        x = float(column)
        posts.append([(x - half, spot.y), (x - half, spot.y - high), (x + half, spot.y - high), (x + half, spot.y)])
        tops.append((x, spot.y - high))
        posts[-1].append((x, spot.y))
    rails: list[list[Point]] = []
    for share in (0.18, 0.58):
        for a, b, pa, pb in zip(tops, tops[1:], posts, posts[1:], strict=False):
            ya, yb = a[1] + (pa[0][1] - a[1]) * share, b[1] + (pb[0][1] - b[1]) * share
            thick = max(0.6, (pa[0][1] - a[1]) * 0.07)
            rails.append([(a[0], ya), (b[0], yb), (b[0], yb + thick * 0.8), (a[0], ya + thick)])
    wood = palette.lit((0.50, 0.40, 0.30) if palette.season != "winter" else (0.56, 0.52, 0.50))
    scene.shape(rails, mix(wood, palette.light, 0.12))
    scene.shape(posts, mix(wood, (0.03, 0.02, 0.03), 0.28))


def _stones(scene: Scene, land: Terrain, rng: np.random.Generator, side: float) -> None:
    """A few boulders with moss, lit from one side."""
    palette = scene.palette
    for _ in range(int(rng.integers(2, 6))):
        z = float(rng.uniform(2.3, 4.2))
        spot = land.spot(scene.width * (0.5 + side * float(rng.uniform(0.10, 0.48))), z)
        size = spot.scale * float(rng.uniform(0.08, 0.20))
        body = [
            (px, min(spot.y + size * 0.25, spot.y - size * 0.35 + (py - spot.y) * 0.7))
            for px, py in flora.blob(rng, spot.x, spot.y, size, 9)
        ]
        lid = [
            (
                spot.x + (px - spot.x) * 0.72 + land.side * size * 0.14,
                spot.y - size * 0.35 + (py - spot.y + size * 0.35) * 0.62 - size * 0.16,
            )
            for px, py in body
        ]
        stone = palette.lit(mix(palette.rock, (0.5, 0.46, 0.42), 0.4))
        scene.shape([body], mix(stone, (0.03, 0.03, 0.05), 0.45))
        scene.shape([lid], mix(stone, palette.light, 0.12) if palette.season != "winter" else palette.lit(palette.snow))


def paint_tufts(scene: Scene, lean: float = 0.25) -> None:
    """Grass at the viewer's feet: blades that lean with the wind, in the light and in the shade."""
    rng = scene.stream("blades")
    palette = scene.palette
    if palette.season == "winter" or scene.reading.has("desert"):
        return
    wind = lean * float(rng.choice([-1.0, 1.0]))
    base = palette.lit(mix(grass(scene), palette.foliage, 0.35))
    wide = min(scene.width / scene.short, 6)
    for belt, size in enumerate((0.022, 0.034, 0.055)):
        row = scene.height * (0.86 + 0.07 * belt)
        shades = (mix(base, (0.01, 0.03, 0.04), 0.40), base, mix(base, palette.light, 0.22))
        heaps: list[list[list[Point]]] = [[], [], []]
        clumps = rng.random((int(26 * wide), 2))
        for cx, cy in clumps:
            for _ in range(7):
                x = float(cx) * scene.width + float(rng.normal(0, scene.short * 0.016))
                y = row + float(cy) * scene.height * 0.09
                tall = scene.short * size * float(rng.uniform(0.5, 1.3))
                tip = x + tall * (wind + float(rng.normal(0, 0.18)))
                half = max(0.5, tall * 0.045)
                heaps[int(rng.integers(3))].append([(x - half, y), (x + half, y), (tip, y - tall)])
        for heap, colour in zip(heaps, shades, strict=True):
            scene.shape(heap, colour, 0.75)


def _smooth_away(field: Field, times: int = 8) -> Field:
    """A field of the land softened along the line of sight."""
    for _ in range(times):
        field = np.concatenate([field[:1], field[1:-1] * 0.5 + (field[:-2] + field[2:]) * 0.25, field[-1:]])
    return np.asarray(field, dtype=np.float32)


def paint_dunes(scene: Scene) -> Terrain:
    """Sand in waves: crisp crests, a lit and a shaded side, ripples of the wind, long shadows."""
    scene.show("desert")
    rng = scene.stream("dunes")
    palette = scene.palette
    land = Terrain(scene, 60.0, eye=1.0)
    sand = scene.reading.paints.get("desert") or palette.sand
    turn = float(rng.uniform(-0.5, 0.5))
    bend = (land.noise("dunes bend", 14, 3, 0.4) - 0.5) * np.float32(16)
    size = float(rng.uniform(7, 11))
    u = (land.x * np.cos(turn) + land.z * np.sin(turn) * 0.8 + bend) / np.float32(size)
    saw = u - np.floor(u)
    lee = np.float32(0.30)
    # A long slope to windward, a short one to leeward, and a sharp crest between them.
    wave = np.where(saw < 1 - lee, smoothstep(0, 1, saw / (1 - lee)) * 0.5 + saw / (1 - lee) * 0.5, (1 - saw) / lee)
    swell = land.noise("dunes swell", 18, 2)
    tall = smoothstep(0.5, 20, land.z) * np.float32(rng.uniform(3.0, 4.6)) + 0.30
    height = np.asarray(tall * (wave * (0.30 + 0.9 * swell) + 0.5 * swell - 0.35), dtype=np.float32)
    height = np.minimum(height, 0.35 + 0.09 * land.z)
    # Far crests lie between two slices; a little smoothing keeps them from fraying.
    height = _smooth_away(height)
    across = land.noise("ripples bend", 1.6, 2)
    ripples = np.sin((u * np.float32(size * 9.0)) + across * 9) * smoothstep(9.0, 1.0, land.z)
    light = _smooth_away(land.light(height, 1.15))
    light = light * (1 + 0.10 * ripples * (light > 0.15))
    grain = land.noise("sand grain", 0.3, 3)
    tone = blend(
        mix(sand, (0.62, 0.36, 0.20), 0.30), sand, 0.4 + 0.6 * smoothstep(0.3, 0.7, swell) + (grain - 0.5) * 0.2
    )
    shaded = land.shaded(tone, light * (1.25 if palette.hour == "night" else 1.0), 0.72)
    land.lay(height, land.in_air(shaded, 55, 0.80, 1.4))
    return land
