"""High land: ranges, a volcano, canyons and cliffs, a waterfall."""

import numpy as np

from easel_painter.canvas import Scene
from easel_painter.flora import blob
from easel_painter.noise import Field, fbm, line, smoothstep
from easel_painter.palette import mix
from easel_painter.reading import Colour
from easel_painter.terrain import Terrain, blend

_FAR = 150.0
_NEAR = 26.0


def paint_mountains(scene: Scene) -> None:
    """Ranges one behind the other, with lit and shaded flanks, snow on the heights and woods at their feet."""
    scene.show("mountains")
    rng = scene.stream("mountains")
    weight = min(1.6, max(0.6, scene.reading.weight("mountains")))
    land = Terrain(scene, _FAR, _NEAR)
    # Units of height for a peak at the distance 90 that fills its share of the sky.
    room = min(scene.horizon * 0.74, scene.short * 0.50) * weight**0.5
    tall = room * 90 / land.focal
    size = float(rng.uniform(48, 80))
    crags = land.noise("mountains", size, 8, 0.50, sharp=True)
    swell = land.noise("mountains wide", size * 1.7, 2)
    ramp = smoothstep(34, 135, land.z)
    height = tall * ramp * (0.10 + 1.00 * crags * (0.25 + 0.90 * swell))
    height = height + _main_peak(scene, land, rng, tall, crags)
    foothills = land.noise("foothills", 20, 5, 0.5)
    low = float(rng.uniform(4.0, 8.0)) * smoothstep(27, 46, land.z) * foothills**1.4
    height = np.maximum(height, low * (1 - smoothstep(58, 90, land.z)))
    land.lay(height, land.in_air(_faces(scene, land, height, tall), 125, 0.86, 2.2))


def _main_peak(scene: Scene, land: Terrain, rng: np.random.Generator, tall: float, crags: Field) -> Field:
    """One summit above the others, on a third-line away from the light."""
    place = 0.5 - land.side * float(rng.uniform(0.08, 0.22))
    z = float(rng.uniform(78, 96))
    x = (place - 0.5) * scene.width / land.focal * z
    wide = float(rng.uniform(30, 46))
    across = (land.x - np.float32(x)) + (crags - 0.5) * np.float32(wide * 0.35)
    away = np.sqrt(across**2 + ((land.z - np.float32(z)) * np.float32(1.1)) ** 2) / np.float32(wide)
    cone = np.clip(1 - away, 0, 1) ** np.float32(1.3)
    return np.asarray(cone * np.float32(tall * rng.uniform(0.55, 0.80)) * (0.50 + 0.85 * crags), dtype=np.float32)


def _faces(scene: Scene, land: Terrain, height: Field, tall: float) -> Field:
    """Rock, woods and snow, by height and steepness."""
    palette = scene.palette
    own = scene.reading.paints.get("mountains")
    across, along = land.slopes(height)
    steep = np.sqrt(across * across + along * along)
    grain = land.noise("rock grain", 7, 4, 0.6)
    rock = own or palette.rock
    tone = blend(mix(rock, (0.20, 0.18, 0.22), 0.25), mix(rock, palette.sand, 0.30), grain)
    level = height / np.float32(tall)
    woods = mix(palette.foliage, (0.05, 0.12, 0.10), 0.45)
    meadow = mix(palette.grass, palette.foliage, 0.5)
    green = blend(meadow, woods, smoothstep(0.40, 0.55, land.noise("woods", 9, 4)))
    line = 0.20 + 0.16 * (grain - 0.5) - 0.035 * np.clip(steep - 0.8, 0, 3)
    tone = blend(green, tone, smoothstep(-0.05, 0.05, level - line))
    winter = palette.season == "winter"
    if not scene.reading.has("desert") and (own is None or winter):
        start = -0.1 if winter else 0.50 if palette.season != "summer" else 0.56
        bare = np.clip(steep - (0.95 if winter else 1.15), 0, 2) * np.float32(0.42 if winter else 0.16)
        snow = smoothstep(-0.035, 0.035, level - start - bare + 0.22 * (grain - 0.5))
        # Woods stay dark under the snow.
        snow = snow * (1 - 0.55 * smoothstep(0.45, 0.6, grain) * (1 - smoothstep(0.12, 0.26, level)))
        tone = blend(tone, mix(palette.snow, (0.60, 0.70, 0.90), 0.12), snow)
    return land.shaded(tone, land.light(height, 1.0), 0.60)


def paint_volcano(scene: Scene) -> None:
    """A cone with an open top: smoke, and lava that shines the more the darker it is."""
    scene.show("volcano")
    rng = scene.stream("volcano")
    palette = scene.palette
    land = Terrain(scene, _FAR, _NEAR)
    side = 0.5 - land.side * float(rng.uniform(0.04, 0.16))
    z = 84.0
    room = min(scene.horizon * 0.62, scene.short * 0.46)
    tall = room * z / land.focal
    x = (side - 0.5) * scene.width / land.focal * z
    wide = tall * float(rng.uniform(1.25, 1.6))
    crags = land.noise("volcano", 26, 6, 0.5, sharp=True)
    away = np.sqrt((land.x - np.float32(x)) ** 2 + (land.z - np.float32(z)) ** 2) / np.float32(wide)
    gullies = (crags - 0.4) * 0.10 * smoothstep(0.05, 0.5, away)
    cone = np.clip(1 - away, 0, 1) ** np.float32(1.45) + gullies * np.clip(1.2 - away, 0, 1)
    crater = 0.80 - 0.25 * smoothstep(0.10, 0.0, away)
    height = np.float32(tall * 1.22) * np.minimum(cone, crater)
    hills = 5.0 * smoothstep(27, 50, land.z) * land.noise("foothills", 22, 5) ** 1.5
    height = np.asarray(np.maximum(height, hills), dtype=np.float32)
    own = scene.reading.paints.get("volcano")
    rock = own or mix(palette.rock, (0.22, 0.17, 0.16), 0.6)
    tone = blend(mix(rock, (0.05, 0.04, 0.05), 0.35), mix(rock, (0.5, 0.36, 0.3), 0.3), land.noise("ash", 9, 5, 0.6))
    green = mix(palette.foliage, (0.08, 0.12, 0.08), 0.35)
    tone = blend(green, tone, smoothstep(0.06, 0.22, height / np.float32(tall) + 0.12 * (crags - 0.5)))
    if palette.season == "winter":
        tone = blend(tone, palette.snow, smoothstep(0.30, 0.5, height / np.float32(tall) + 0.3 * (crags - 0.5)))
    colour = land.in_air(land.shaded(tone, land.light(height, 0.8), 0.60), 125, 0.80, 2.0)
    angle = np.arctan2(land.x - np.float32(x), np.abs(land.z - np.float32(z)))
    branch = land.noise("lava", 7, 4, 0.55)
    veins = np.abs(np.sin(angle * np.float32(4.0) + (branch - 0.5) * 5 + float(rng.random()) * 6))
    flow = smoothstep(0.34, 0.10, veins) * smoothstep(0.80, 0.15, away + (branch - 0.5) * 0.35) * (land.z < z + 4)
    colour = blend(colour, (1.0, 0.42, 0.08), flow * (0.85 if palette.is_dark else 0.65))
    colour = blend(colour, (1.0, 0.85, 0.40), smoothstep(0.6, 1.0, flow) * 0.6)
    top = land.horizon_at(tall * 0.98, z)
    column = side * scene.width
    _plume(scene, rng, column, top)
    land.lay(height, colour)
    glow = 1.0 if palette.is_dark else 0.45
    scene.lamps.append((column, top, scene.short * 0.05, (1.0, 0.70, 0.25), 0.9 * glow))
    scene.lamps.append((column, top, scene.short * 0.24, (1.0, 0.30, 0.08), 0.55 * glow))
    _bombs(scene, rng, column, top, glow)


def _plume(scene: Scene, rng: np.random.Generator, x: float, y: float) -> None:
    """Smoke that billows up and drifts away, red from below."""
    palette = scene.palette
    drift = float(rng.choice([-1.0, 1.0])) * float(rng.uniform(0.25, 0.7))
    ash = mix(palette.cloud_dark, (0.16, 0.14, 0.15), 0.5)
    puffs = 46
    for k in range(puffs):
        rise = k / puffs
        cx = x + drift * rise**1.6 * scene.short * 0.45 + float(rng.normal(0, scene.short * (0.008 + 0.05 * rise)))
        cy = y - rise * (y + scene.short * 0.05) + float(rng.normal(0, scene.short * 0.02 * rise))
        size = scene.short * (0.020 + 0.085 * rise) * float(rng.uniform(0.7, 1.2))
        red = max(0.0, 0.75 - 1.7 * rise) * (1.0 if palette.is_dark else 0.5)
        under = mix(ash, (0.98, 0.34, 0.10), red)
        scene.shape([blob(rng, cx, cy + size * 0.15, size, 12)], under, 0.75)
        scene.shape(
            [blob(rng, cx + size * 0.25 * (1 if scene.light[0] > x else -1), cy - size * 0.25, size * 0.6, 10)],
            mix(under, palette.cloud_lit, 0.35),
            0.5,
        )


def _bombs(scene: Scene, rng: np.random.Generator, x: float, y: float, glow: float) -> None:
    """Glowing stones thrown out in arcs."""
    sparks = []
    for _ in range(70):
        speed, lean = float(rng.uniform(0.03, 0.16)) * scene.short, float(rng.normal(0, 0.5))
        t = float(rng.uniform(0.3, 1.8))
        px, py = x + lean * speed * t, y - speed * (1.6 * t - 0.9 * t * t)
        r = max(0.7, scene.short * float(rng.uniform(0.0012, 0.003)))
        sparks.append([(px - r, py), (px, py - r), (px + r, py), (px, py + r)])
    scene.sprinkle(sparks, (1.0, 0.62, 0.20), 0.9 * glow)


def paint_canyon(scene: Scene) -> Terrain:
    """A river's gorge between stepped walls of banded rock, with table mountains beyond."""
    scene.show("canyon")
    rng = scene.stream("canyon")
    palette = scene.palette
    land = Terrain(scene, 130.0, eye=1.0)
    turn = float(rng.random() * 6)
    bend = np.sin(land.z * 0.13 + turn) * np.float32(1.6) * smoothstep(2, 14, land.z)
    bend = bend + np.sin(land.z * 0.05 + turn * 2) * np.float32(7) * smoothstep(16, 50, land.z)
    ragged = (land.noise("canyon walls", 9, 6, 0.55) - 0.5) * (1.2 + 0.22 * land.z)
    away = np.abs(land.x - bend) + ragged - np.float32(0.9) - 0.09 * land.z
    rise = np.clip(away / (1.4 + 0.24 * land.z), 0, 1)
    top = (0.9 + 0.20 * land.z) * np.float32(rng.uniform(0.8, 1.1)) * (1 - 0.55 * smoothstep(60, 110, land.z))
    steps = rise * 5
    terrace = (np.floor(steps) + smoothstep(0.45, 1.0, steps - np.floor(steps))) / np.float32(5)
    height = terrace * top * (0.92 + 0.16 * land.noise("mesa tops", 5, 3))
    height = np.asarray(height - 0.35 + 0.05 * land.noise("canyon floor", 0.8, 3), dtype=np.float32)
    own = scene.reading.paints.get("canyon")
    bands = np.sin(height / top * 26 + land.noise("bands", 20, 3) * 7) * 0.5 + 0.5
    red: Colour = own or (0.78, 0.40, 0.23)
    tone = blend(mix(red, (0.42, 0.18, 0.14), 0.55), mix(red, (0.95, 0.76, 0.54), 0.45), bands)
    flat = smoothstep(0.5, 0.1, rise)
    tone = blend(tone, mix(palette.sand, red, 0.4), flat * 0.7)
    shrubs = smoothstep(0.62, 0.75, land.noise("scrub", 0.6, 3)) * (rise < 0.4)
    tone = blend(tone, mix(palette.foliage, (0.40, 0.40, 0.24), 0.5), shrubs * 0.7)
    if palette.season == "winter":
        across, along = land.slopes(height)
        tone = blend(tone, palette.snow, smoothstep(0.9, 0.4, np.sqrt(across * across + along * along)) * 0.85)
    stream = smoothstep(0.05, -0.05, np.abs(land.x - bend) - 0.30 - 0.035 * land.z)
    ambient = np.maximum(np.asarray(palette.ambient, dtype=np.float32), np.float32(0.2))
    water = np.asarray(mix(palette.middle, (0.20, 0.45, 0.46), 0.4), dtype=np.float32) / ambient
    tone = blend(tone, np.clip(water, 0, 1.4), stream)
    light = land.light(height, 0.9)
    land.lay(height, land.in_air(land.shaded(tone, light * (1 - stream) + stream, 0.58), 95, 0.80, 1.5))
    return land


def paint_cliff(scene: Scene, sea: bool = False) -> None:
    """Headlands one behind the other that break off steeply: over the sea if there is one, else over the land."""
    scene.show("cliff")
    rng = scene.stream("cliff")
    palette = scene.palette
    land = Terrain(scene, 60.0, near=4.2 if sea else 6.0)
    side = np.float32(-land.side)
    inland = land.x * side
    # Where the wall stands at each distance: it draws back in bays and comes forward in capes.
    coast = float(rng.uniform(0.06, 0.14)) * land.z + np.sin(land.z * 0.33 + float(rng.random()) * 6) * 0.055 * land.z
    ragged = (land.noise("cliff edge", 2.6, 6, 0.58) - 0.5) * (0.5 + 0.10 * land.z)
    # At the viewer's feet there is none of it.
    away = inland - coast - ragged - 2.4 * np.exp(-(land.z - 5) / 3)
    tall = (float(rng.uniform(1.8, 2.6)) + 0.06 * land.z) * (0.80 + 0.4 * land.noise("cliff top", 9, 3))
    ledges = land.noise("ledges", 1.5, 5, 0.6)
    wall = smoothstep(-0.05, 0.38, away / (0.5 + 0.05 * land.z) + (ledges - 0.5) * 0.25)
    height = np.asarray(
        tall * wall + 0.04 * np.clip(away, 0, 20) + (ledges - 0.5) * 0.16 * wall - 0.05, dtype=np.float32
    )
    across, along = land.slopes(height)
    steep = np.sqrt(across * across + along * along)
    own = scene.reading.paints.get("cliff")
    chalk = own or [(0.92, 0.88, 0.80), (0.62, 0.48, 0.38), (0.55, 0.53, 0.54)][int(rng.integers(3))]
    bands = np.sin(height * 9 + ledges * 5) * 0.5 + 0.5
    rock = blend(mix(chalk, (0.22, 0.18, 0.18), 0.42), chalk, 0.30 + 0.4 * bands + 0.3 * ledges)
    turf = palette.snow if palette.season == "winter" else mix(palette.grass, palette.foliage, 0.3)
    tone = blend(rock, turf, smoothstep(1.5, 0.7, steep) * smoothstep(0.5, 0.9, wall))
    tone = blend((0.96, 0.98, 1.0), tone, smoothstep(-0.06, 0.06, away + 0.10)) if sea else tone
    shaded = land.shaded(tone, land.light(height, 0.7), 0.52)
    solid = smoothstep(-0.22, -0.10, away / (0.5 + 0.05 * land.z))
    land.lay(height, land.in_air(shaded, 48, 0.82, 1.4), solid.astype(np.float32), open_below=True)


def paint_waterfall(scene: Scene) -> None:
    """Water that falls over a wall of rock into a pool, with spray at its foot."""
    scene.show("waterfall")
    rng = scene.stream("waterfall")
    palette = scene.palette
    x = scene.width * float(rng.uniform(0.40, 0.60))
    foot = scene.horizon + (scene.height - scene.horizon) * 0.34
    top = foot - min(scene.short * float(rng.uniform(0.52, 0.68)), foot * 0.80)
    _rock_wall(scene, rng, x, top, foot)
    wide = scene.short * float(rng.uniform(0.045, 0.085))
    _pool(scene, x, foot, wide)
    steps = int(rng.integers(1, 4))
    levels = np.linspace(top, foot, steps + 1)
    for k in range(steps):
        spread = wide * (1 + 0.5 * k)
        _fall(
            scene, rng, x + float(rng.normal(0, wide * 0.3)) * (k > 0), float(levels[k]), float(levels[k + 1]), spread
        )
    mist = mix(palette.haze, (1.0, 1.0, 1.0), 0.55 if palette.hour != "night" else 0.15)
    for _ in range(16):
        cx, cy = x + float(rng.normal(0, wide * 1.5)), foot - abs(float(rng.normal(0, wide * 0.6)))
        scene.lamps.append((cx, cy, wide * float(rng.uniform(0.6, 1.4)), mist, 0.16))


def _rock_wall(scene: Scene, rng: np.random.Generator, x: float, top: float, foot: float) -> None:
    palette = scene.palette
    width = scene.width
    at = (scene.columns()[0] - np.float32(x)) / np.float32(scene.short)
    rise = line(rng, width, 6 * width / scene.short, 5) - 0.5
    notch = np.exp(-((at / 0.07) ** 2)) * scene.short * 0.035
    crest = top + notch - scene.short * 0.07 * smoothstep(0.05, 0.35, np.abs(at)) + rise * scene.short * 0.08
    crest = crest + scene.short * 0.25 * smoothstep(0.45, 1.0, np.abs(at))
    rows = scene.rows()
    under = (rows - crest[None, :]) / scene.short
    ledges = fbm(rng, width, scene.height, (18 * width / scene.short, 8), 6, 0.58)
    relief = np.gradient(ledges, axis=1) * np.float32(scene.short / 9) - np.gradient(ledges, axis=0) * np.float32(
        scene.short / 9
    )
    side = 1.0 if scene.light[0] > x else -1.0
    light = np.clip(0.74 - 0.35 * np.clip(at * side, -0.5, 0.5)[None, :] + np.clip(relief, -1, 1) * 0.6, 0.18, 1.35)
    rock = scene.reading.paints.get("cliff") or mix(palette.rock, (0.30, 0.28, 0.26), 0.5)
    colour = np.asarray(palette.lit(rock), dtype=np.float32) * light[..., None]
    green = palette.lit(palette.snow if palette.season == "winter" else mix(palette.foliage, palette.grass, 0.4))
    moss = smoothstep(0.52, 0.68, ledges + 0.35 * np.abs(at)[None, :]) + smoothstep(0.06, 0.0, under)
    colour = blend(
        colour, np.asarray(green, dtype=np.float32) * np.clip(light, 0.5, 1.2)[..., None], np.clip(moss, 0, 1) * 0.85
    )
    mask = np.clip(rows - crest[None, :] + 0.5, 0, 1) * np.clip((foot - rows) / (scene.short * 0.03) + 0.5, 0, 1)
    scene.paint(mask.astype(np.float32), colour)


def _fall(scene: Scene, rng: np.random.Generator, x: float, top: float, foot: float, wide: float) -> None:
    """One leap of the water: white threads that fall straight and spread."""
    palette = scene.palette
    first, last = int(max(0, top)), int(min(scene.height, foot))
    if last - first < 3:
        return
    t = np.linspace(0, 1, last - first, dtype=np.float32)[:, None]
    half = np.float32(wide) * (0.55 + 0.45 * t**0.7)
    dx = (scene.columns() - np.float32(x)) / half
    threads = fbm(rng, scene.width, last - first, (60 * scene.width / scene.short, 4), 3, 0.6)
    mask = np.clip(1.15 - dx * dx, 0, 1) * smoothstep(0.12, 0.5, threads + 0.45 * (1 - np.abs(dx)))
    white = np.asarray(mix(palette.lit((0.97, 0.98, 1.0), 0.7), palette.light, 0.10), dtype=np.float32)
    blue = np.asarray(mix(palette.lit(palette.water), palette.middle, 0.5), dtype=np.float32)
    scene.paint(mask.astype(np.float32), blend(blue, white, np.clip(threads * 1.3 + 0.15, 0, 1)), first)


def _pool(scene: Scene, x: float, foot: float, wide: float) -> None:
    """The pool below and the stream that leaves it towards the viewer."""
    palette = scene.palette
    top = int(foot - scene.short * 0.01)
    rows = scene.height - top
    if rows < 3:
        return
    t = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    middle = np.float32(x) + np.sin(t * 3.5) * np.float32(scene.short * 0.10) * t
    half = np.float32(wide) * (2.2 + 1.6 * np.exp(-((t - 0.12) ** 2) / 0.01) + 3.0 * t)
    ragged = (fbm(scene.stream("pool edge"), scene.width, rows, (9, 14), 4) - 0.5) * np.float32(wide * 1.6)
    away = np.abs(scene.columns() - middle) + ragged - half
    ripple = fbm(scene.stream("pool"), scene.width, rows, (12 * scene.width / scene.short, 50), 3)
    water = mix(palette.lit(palette.water), palette.middle, 0.40)
    tone = blend(mix(water, (0.02, 0.06, 0.08), 0.35), mix(water, palette.horizon, 0.5), smoothstep(0.35, 0.75, ripple))
    bank = mix(palette.lit(palette.rock), (0.05, 0.05, 0.06), 0.3)
    soft = np.float32(max(2.0, wide * 0.15))
    scene.paint(np.clip(1 - away / (soft * 3), 0, 1) * np.float32(0.8), bank, top)
    scene.paint(np.clip(0.5 - away / soft, 0, 1).astype(np.float32), tone, top)
    foam = np.exp(-t / 0.10) * smoothstep(0.45, 0.7, ripple) * np.clip(0.5 - away / soft, 0, 1)
    scene.paint(foam.astype(np.float32) * np.float32(0.8), palette.lit((0.97, 0.98, 1.0)), top)
