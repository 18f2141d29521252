"""Mountains, hills, forests and the ground: everything that lies in layers from far to near."""

import numpy as np

from generator.engines.painter.canvas import Point, Scene
from generator.engines.painter.noise import Field, fbm, line, perspective, ridges, smoothstep
from generator.engines.painter.palette import mix
from generator.engines.painter.reading import Colour


def _below(scene: Scene, crest: Field) -> Field:
    """1 below a crest line (a row number for each column), with a soft edge of one pixel."""
    below: Field = np.clip(scene.rows() - crest[None, :] + 0.5, 0, 1)
    return below


def paint_mountains(scene: Scene) -> None:
    """Ranges one behind the other, paler with distance, lit from the side, with snow on the high ones."""
    scene.show("mountains")
    rng = scene.stream("mountains")
    weight = min(1.6, max(0.6, scene.reading.weight("mountains")))
    wide = scene.width / scene.short
    room = min(scene.horizon * 0.80, scene.short * 0.55) * weight**0.5
    own = scene.reading.paints.get("mountains")
    layers = 3
    for layer in range(layers):
        near = layer / (layers - 1)
        crest01 = ridges(rng, scene.width, (2.0 + 1.2 * layer) * wide)
        bump = 0.55 + 0.45 * line(rng, scene.width, 2 * wide, 2)
        tall = room * (1.0 - 0.30 * layer)
        crest = scene.horizon + 2 - tall * (0.18 + 0.82 * crest01 * bump)
        rock = mix(own or scene.palette.rock, scene.palette.foliage, 0.32 * near)
        _range(scene, rng, crest, rock, 0.62 - 0.46 * near, snow=layer < 2)


def _range(scene: Scene, rng: np.random.Generator, crest: Field, rock: Colour, distance: float, snow: bool) -> None:
    top = max(0, int(crest.min()) - 1)
    bottom = min(scene.height, scene.horizon + 3)
    if bottom - top < 3:
        return
    rows = scene.rows()[top:bottom]
    mask = np.clip(rows - crest[None, :] + 0.5, 0, 1)
    height, width = mask.shape
    under = (rows - crest[None, :]) / scene.short
    # Folds run down the slope: noise sheared by how far a point is below its crest.
    folds = 1 - np.abs(2 * fbm(rng, width, height, (5 * width / scene.short, 3.0), 5, 0.55) - 1)
    shift = (folds - 0.6) * 0.10
    slope = np.gradient(np.convolve(crest, np.ones(9, dtype=np.float32) / 9, mode="same")).astype(np.float32)
    side = 1.0 if scene.light[0] > width / 2 else -1.0
    fall = np.gradient(folds, axis=1).astype(np.float32) * np.float32(scene.short / 14)
    facing = np.clip((slope[None, :] * 0.55 + np.clip(fall, -1, 1) * 0.85) * np.float32(side), -1, 1)
    shade = (0.80 + 0.36 * facing)[..., None]
    colour = np.asarray(scene.palette.lit(rock), dtype=np.float32) * shade
    if snow:
        limit = 0.10 + 0.16 * line(rng, width, 3, 2)[None, :] + (0.30 if scene.palette.season == "winter" else 0.0)
        cover = smoothstep(-0.02, 0.02, limit - under + shift * 1.6)[..., None]
        bright = mix(scene.palette.lit(scene.palette.snow), scene.palette.light, 0.22)
        blue = mix(scene.palette.lit(scene.palette.snow), scene.palette.zenith, 0.36)
        lit = smoothstep(-0.25, 0.25, facing)[..., None]
        white = np.asarray(blue, dtype=np.float32) * (1 - lit) + np.asarray(bright, dtype=np.float32) * lit
        colour = colour * (1 - cover) + white * cover
    # The foot of a range stands in more air than its peaks.
    air = np.clip(distance + 0.45 * smoothstep(0.0, 0.34, under), 0, 0.96)[..., None]
    haze = np.asarray(scene.palette.haze, dtype=np.float32)
    scene.paint(mask, colour * (1 - air) + haze * air, top)


def paint_hills(scene: Scene, foot: int) -> None:
    """Soft hills between the horizon and `foot`."""
    scene.show("field")
    rng = scene.stream("hills")
    wide = scene.width / scene.short
    for layer in range(3):
        near = (layer + 1) / 3
        base = scene.horizon + (foot - scene.horizon) * near * 0.55
        crest = base - scene.short * (0.075 - 0.01 * layer) * (
            line(rng, scene.width, (1.6 + layer * 0.5) * wide, 3, 0.35) * 1.6 - 0.2
        )
        colour = np.asarray(scene.palette.far(_grass(scene), 0.62 - 0.5 * near), dtype=np.float32)
        under = (scene.rows() - crest[None, :]) / scene.short
        texture = fbm(rng, scene.width, scene.height, (10 * wide, 26), 3)
        light = 1.10 - 1.3 * np.clip(under, 0, 0.28) + 0.22 * (texture - 0.5)
        scene.paint(_below(scene, crest), colour * light[..., None])
        if scene.palette.season != "winter":
            _bushes(scene, rng, crest, near)


def _bushes(scene: Scene, rng: np.random.Generator, crest: Field, near: float) -> None:
    """Small round trees along a hill's crest: they tell how far away it is."""
    palette = scene.palette
    tone = palette.far(mix(palette.foliage, (0.03, 0.05, 0.05), 0.2), 0.60 - 0.45 * near)
    heaps: dict[bool, list[list[Point]]] = {False: [], True: []}
    side = 1.0 if scene.light[0] > scene.width / 2 else -1.0
    for _ in range(int(5 * scene.width / scene.short)):
        x = float(rng.random() * scene.width)
        for _ in range(int(rng.integers(1, 6))):
            at = x + float(rng.normal(0, scene.short * 0.03))
            y = float(crest[int(np.clip(at, 0, scene.width - 1))]) + scene.short * 0.004
            size = scene.short * (0.008 + 0.016 * near) * float(rng.uniform(0.6, 1.3))
            heaps[False].append(blob(rng, at, y - size * 0.6, size))
            heaps[True].append(blob(rng, at + side * size * 0.3, y - size * 0.95, size * 0.55))
    scene.shape(heaps[False], tone)
    scene.shape(heaps[True], palette.far(mix(palette.foliage, palette.grass, 0.7), 0.60 - 0.45 * near))


def _grass(scene: Scene) -> Colour:
    own = scene.reading.paints.get("field")
    return mix(scene.palette.grass, own, 0.55) if own else scene.palette.grass


def paint_ground(scene: Scene, kind: str) -> None:
    """The plain from the horizon to the lower edge: grass, snow or sand, with its grain in perspective."""
    scene.show("field")
    rng = scene.stream("ground")
    palette = scene.palette
    colour = {"sand": palette.sand, "snow": palette.snow}.get(kind, _grass(scene))
    wide = scene.width / scene.short
    grain = perspective(fbm(rng, scene.width, scene.height, (7 * wide, 30), 5, 0.6), scene.horizon)
    if not grain.shape[0]:
        return
    depth = np.linspace(0, 1, grain.shape[0], dtype=np.float32)[:, None, None]
    close = palette.lit(mix(colour, palette.foliage, 0.45 if kind == "grass" else 0.0))
    if kind == "snow":
        # Snow takes the sky's colour in its hollows.
        close = mix(mix(close, colour, 0.15), mix(palette.zenith, palette.lit((0.62, 0.76, 1.0)), 0.6), 0.40)
    near = np.asarray(close, dtype=np.float32)
    far = np.asarray(palette.far(colour, 0.45), dtype=np.float32)
    tone = far * (1 - depth**0.6) + near * depth**0.6
    light = 1.05 - 0.30 * depth[..., 0] + (grain - 0.5) * (0.30 + 0.25 * depth[..., 0])
    scene.paint(np.ones(grain.shape, dtype=np.float32), tone * light[..., None], scene.horizon)
    if kind == "grass" and scene.palette.season != "winter":
        _blades(scene, rng)


def _blades(scene: Scene, rng: np.random.Generator) -> None:
    """Grass in the foreground, each tuft a thin triangle."""
    palette = scene.palette
    for band in range(3):
        base = scene.height * (0.90 + 0.06 * band)
        tone = palette.lit(mix(_grass(scene), palette.foliage, 0.25 * band), 1.0)
        light, dark = mix(tone, palette.light, 0.16), mix(tone, (0.02, 0.04, 0.05), 0.38)
        for colour, count in ((dark, 150), (light, 70)):
            blades = []
            for _ in range(int(count * scene.width / scene.short)):
                x, y = rng.random() * scene.width, base + rng.random() * scene.height * 0.08
                tall = scene.short * rng.uniform(0.02, 0.055)
                lean = rng.normal(0, 0.3) * tall
                blades.append([(x - tall * 0.06, y), (x + tall * 0.06, y), (x + lean, y - tall)])
            scene.shape(blades, colour, 0.8)


def paint_dunes(scene: Scene) -> None:
    """Sand in waves: each dune bright on the light's side and dark on the other, with wind ripples."""
    scene.show("desert")
    rng = scene.stream("dunes")
    palette = scene.palette
    sand = scene.reading.paints.get("desert") or palette.sand
    wide = scene.width / scene.short
    side = 1.0 if scene.light[0] > scene.width / 2 else -1.0
    ripples = fbm(rng, scene.width, scene.height, (6 * wide, 70), 2)
    for layer in range(5):
        near = layer / 4
        base = scene.horizon + (scene.height - scene.horizon) * (0.02 + 0.80 * near**1.5)
        crest01 = line(rng, scene.width, (2.6 - 1.3 * near) * wide, 2, 0.3)
        tall = scene.short * (0.05 + 0.16 * near)
        crest = base - tall * (crest01 * 1.3 - 0.15)
        edge = line(rng, scene.width, (3.2 - 1.6 * near) * wide, 2, 0.3)
        under = (scene.rows() - crest[None, :]) / scene.short
        slope = np.gradient(crest).astype(np.float32)[None, :] * np.float32(side)
        lee = smoothstep(-0.04, 0.04, (edge[None, :] - 0.42) * 0.6 - under * 0.9 - slope * 0.3 + (ripples - 0.5) * 0.02)
        shade = 1.10 - 0.52 * lee - 0.25 * np.clip(under, 0, 0.4) + (ripples - 0.5) * 0.16 * (0.3 + 0.7 * near)
        bright = np.float32(1.45 if palette.hour == "night" else 1.0)
        colour = np.asarray(palette.far(sand, 0.50 * (1 - near) ** 1.4), dtype=np.float32) * bright
        cool = np.asarray(mix(palette.zenith, palette.haze, 0.3), dtype=np.float32) * 0.22
        scene.paint(_below(scene, crest), colour * shade[..., None] + cool * lee[..., None])


def paint_forest(scene: Scene, foot: int) -> None:
    """Rows of trees from far to near, standing on lines between the horizon and `foot`, mist between them."""
    scene.show("forest")
    rng = scene.stream("forest")
    palette = scene.palette
    weight = min(1.5, max(0.7, scene.reading.weight("forest")))
    weight *= 1.0 if scene.reading.has("mountains", "lake", "sea") else 1.5
    leaves = scene.reading.paints.get("forest") or palette.foliage
    broad = palette.season != "winter" and not scene.reading.evergreen
    broad = broad and (palette.season in ("autumn", "spring") or rng.random() < 0.35)
    for layer in range(4):
        near = layer / 3
        base = scene.horizon + (foot - scene.horizon) * near
        tall = scene.short * (0.07 + 0.15 * near**1.2) * weight
        line_of = base + scene.short * 0.02 * (line(rng, scene.width, 3, 2) - 0.5)
        tone = palette.far(mix(leaves, (0.03, 0.06, 0.08), 0.30 * near), 0.66 * (1 - near) ** 1.1)
        step = tall * (0.26 if not broad else 0.30)
        xs = np.arange(-step, scene.width + step, step) + rng.normal(
            0, step * 0.35, int(np.ceil((scene.width + 2 * step) / step))
        )
        polygons = []
        for x in xs:
            y = float(line_of[int(np.clip(x, 0, scene.width - 1))])
            high = tall * rng.uniform(0.62, 1.2)
            polygons += crown(rng, x, y, high) if broad else [conifer(rng, x, y, high)]
        order = rng.permutation(len(polygons))
        third = max(1, len(order) // 3)
        for number, tint in enumerate((-0.16, 0.0, 0.14)):
            chosen = [polygons[k] for k in order[number * third : (number + 1) * third if number < 2 else None]]
            shade = mix(tone, (0, 0, 0), -tint) if tint < 0 else mix(tone, palette.light, tint)
            if palette.season == "autumn" and broad:
                leaf: Colour = ((0.62, 0.20, 0.10), (0.90, 0.52, 0.12), (0.95, 0.76, 0.22))[number]
                shade = mix(shade, palette.far(leaf, 0.6 * (1 - near)), 0.62)
            scene.shape(chosen, shade)
        # Undergrowth ties the trunks together and ends softly on the ground.
        floor = (scene.rows() - line_of[None, :]) / np.float32(tall)
        scene.paint(smoothstep(-0.10, -0.05, floor) * (1 - smoothstep(0.02, 0.22, floor)), tone)
        mist = np.exp(-(((scene.rows() - base) / (tall * 0.5)) ** 2)).astype(np.float32) * np.float32(0.42 * (1 - near))
        scene.paint(np.broadcast_to(mist, scene.rgb.shape[:2]), palette.haze)


def conifer(rng: np.random.Generator, x: float, y: float, tall: float) -> list[Point]:
    """A fir: boughs that grow towards the ground."""
    boughs = 7
    left: list[Point] = []
    right: list[Point] = []
    for bough in range(1, boughs + 1):
        at = y - tall * (1 - bough / boughs) * 0.98
        half = tall * 0.22 * bough / boughs * rng.uniform(0.8, 1.2)
        left += [(x - half, at), (x - half * 0.55, at - tall * 0.01)]
        right += [(x + half, at), (x + half * 0.55, at - tall * 0.01)]
    return [(x, y - tall), *right, *reversed(left)]


def crown(rng: np.random.Generator, x: float, y: float, tall: float) -> list[list[Point]]:
    """A round tree: a trunk and a few heaps of leaves."""
    parts: list[list[Point]] = [[(x - tall * 0.025, y), (x + tall * 0.025, y), (x, y - tall * 0.6)]]
    for _ in range(7):
        cx, cy = x + rng.normal(0, tall * 0.11), y - tall * rng.uniform(0.38, 0.88)
        parts.append(blob(rng, cx, cy, tall * rng.uniform(0.09, 0.17)))
    return parts


def blob(rng: np.random.Generator, x: float, y: float, radius: float, points: int = 11) -> list[Point]:
    """A lumpy disc."""
    turns = np.linspace(0, 2 * np.pi, points, endpoint=False)
    reach = radius * rng.uniform(0.78, 1.18, points)
    return [(x + float(r * np.cos(t)), y + float(r * np.sin(t))) for r, t in zip(reach, turns, strict=True)]
