"""Things on a table: fruit, vessels, bread, a candle, a book. Each stands on a point and takes the lamp's light."""

from collections.abc import Callable

import numpy as np

from generator.engines.painter.canvas import Point, Scene
from generator.engines.painter.close.form import Lamp, grid, illuminate, shade, solid
from generator.engines.painter.close.outline import Stand, fur, hatch, oval, smooth
from generator.engines.painter.noise import Field, fbm, smoothstep
from generator.engines.painter.palette import mix
from generator.engines.painter.reading import Colour

Profile = list[Point]
"""Half widths and heights of a turned vessel from its rim down; the foot stands at 0, up is negative."""


def cast_shadow(scene: Scene, stand: Stand, light: Lamp, wide: float, tall: float) -> None:
    """The shadow of a thing on the table: dark where it stands, and drawn out away from the light."""
    size, away = stand.size, -light.side
    for k in range(4):
        far = (k + 0.5) / 4
        shade(scene, stand.x + away * size * (wide * 0.5 + tall * 0.75 * far), stand.y - size * 0.03 * far, size * wide * (0.75 - 0.1 * far), size * 0.085, 0.32 * (1 - 0.6 * far), 1.4)
    shade(scene, stand.x, stand.y - size * 0.01, size * wide * 1.02, size * 0.07, 0.62, 1.6)


def ball(
    scene: Scene,
    middle: Point,
    radius: tuple[float, float],
    albedo: Colour | Callable[[Field, Field], Field],
    light: Lamp,
    *,
    gloss: float = 0.35,
    dimple: float = 0.0,
) -> None:
    """A sphere or egg; `albedo` may be a function of its own -1..1 across and down, `dimple` dents the top."""
    x, y = middle
    rx, ry = radius
    left, right = max(0, int(x - rx) - 1), min(scene.width, int(x + rx) + 2)
    top, bottom = max(0, int(y - ry) - 1), min(scene.height, int(y + ry) + 2)
    if right <= left or bottom <= top:
        return
    window = (slice(top, bottom), slice(left, right))
    px, py = grid(window)
    u, v = np.broadcast_arrays((px - np.float32(x)) / np.float32(rx), (py - np.float32(y)) / np.float32(ry))
    reach = np.sqrt(u * u + v * v)
    if dimple:
        around = np.arctan2(u, -v)
        limit = 1 - dimple * np.exp(-((around / 0.36) ** 2)) - 0.4 * dimple * np.exp(-(((np.abs(around) - np.pi) / 0.30) ** 2))
        reach = reach / limit
    mask = np.clip((1 - reach) * np.float32(min(rx, ry)) + 0.5, 0, 1)
    depth = np.sqrt(np.clip(1 - reach * reach, 0.02, 1))
    nx, ny = u / depth, v / depth
    if dimple:
        pit = np.exp(-((u / 0.30) ** 2) - ((v + 0.80) / 0.16) ** 2)
        ny = ny + pit * 2.2
    tone = albedo if isinstance(albedo, tuple) else albedo(u, v)
    colour = illuminate(np.asarray(nx, np.float32), np.asarray(ny, np.float32), tone, light, gloss, 46)
    if dimple:
        colour *= (1 - 0.55 * pit)[..., None]
    scene.put(window, np.asarray(mask, dtype=np.float32), colour)


def turned(
    scene: Scene, stand: Stand, profile: Profile, albedo: Colour, light: Lamp, *, gloss: float = 0.3, rim: float = 0.0
) -> None:
    """A vessel from the potter's wheel. `rim` is how far its opening's near edge hangs below the far one."""
    knots = np.asarray(smooth(profile, closed=False, steps=6), dtype=np.float32) * np.float32(stand.size)
    widest = float(knots[:, 0].max())
    left, right = max(0, int(stand.x - widest) - 1), min(scene.width, int(stand.x + widest) + 2)
    top = max(0, int(stand.y + knots[0, 1]) - 1)
    bottom = min(scene.height, int(stand.y + knots[-1, 1]) + 2)
    if right <= left or bottom <= top:
        return
    window = (slice(top, bottom), slice(left, right))
    px, py = grid(window)
    level = py - np.float32(stand.y)
    half = np.interp(level[:, 0], knots[:, 1], knots[:, 0], left=0.0, right=0.0).astype(np.float32)[:, None]
    wide = np.maximum(half, 1.0)
    u = (px - np.float32(stand.x)) / wide
    mask = np.clip((half - np.abs(px - np.float32(stand.x))) + 0.5, 0, 1) * (half > 0.5)
    if rim:
        edge = knots[0, 1] + np.float32(rim * stand.size) * np.sqrt(np.clip(1 - u * u, 0, 1))
        mask = mask * np.clip(level - edge + 0.5, 0, 1)
    bend = np.sqrt(np.clip(1 - u * u, 0.02, 1))
    slope = np.gradient(half[:, 0])[:, None].astype(np.float32)
    grain = fbm(scene.stream(f"turned {stand.x:.0f}"), mask.shape[1], mask.shape[0], (5, 9), 4) - 0.5
    tone = np.asarray(albedo, dtype=np.float32) * (1 + 0.22 * grain)[..., None]
    nx, ny = u / bend, -np.clip(slope, -3, 3) / bend
    scene.put(window, np.asarray(mask, np.float32), illuminate(np.asarray(nx, np.float32), np.asarray(ny, np.float32), tone, light, gloss, 40))


def _opening(scene: Scene, stand: Stand, half: float, level: float, rim: float, colour: Colour, light: Lamp) -> None:
    """The far inside of a vessel's mouth."""
    scene.shape([stand.oval(0, level, half, rim)], mix(colour, (1.0, 0.95, 0.88), 0.22))
    solid(scene, [stand.oval(0, level + rim * 0.10, half * 0.94, rim * 0.86)], mix(colour, (0.03, 0.02, 0.02), 0.55), light, depth=-0.8)


def apple(scene: Scene, stand: Stand, light: Lamp, name: str = "apple") -> None:
    """An apple with a blush, about 0.5 high."""
    rng = scene.stream(f"{name} {stand.x:.0f}")
    own = scene.reading.paints.get("apples") or scene.reading.paints.get("fruit")
    kinds: list[tuple[Colour, Colour]] = [((0.78, 0.12, 0.10), (0.92, 0.66, 0.22)), ((0.70, 0.76, 0.24), (0.86, 0.50, 0.22)), ((0.62, 0.08, 0.12), (0.78, 0.24, 0.16))]
    skin, blush = kinds[int(rng.integers(3))]
    if own:
        skin = mix(own, (0.66, 0.76, 0.24), 0.35) if own[1] > max(own[0], own[2]) else own
        blush = mix(skin, (0.95, 0.85, 0.45), 0.25)
    turn, streak = float(rng.uniform(-0.8, 0.8)), rng.random(24).astype(np.float32)

    def tone(u: Field, v: Field) -> Field:
        around = np.arctan2(u - np.float32(0.1 * turn), -(v + 1.15))
        lines = np.interp(around, np.linspace(-np.pi, np.pi, 24), streak)
        share = smoothstep(0.15, 0.95, np.asarray(0.52 + 0.5 * turn * u + 0.3 * v + 0.20 * (lines - 0.5), np.float32))[..., None]
        return np.asarray(skin, np.float32) * (1 - share) + np.asarray(blush, np.float32) * share

    cast_shadow(scene, stand, light, 0.27, 0.45)
    (middle,) = stand.to([(0.0, -0.265)])
    ball(scene, middle, (stand.size * 0.29, stand.size * 0.27), tone, light, dimple=0.10)
    lean = float(rng.uniform(-0.05, 0.07))
    scene.shape([stand.band([(0.0, -0.46), (lean * 0.4, -0.53), (lean, -0.60)], (0.011, 0.010, 0.016))], (0.20, 0.13, 0.07))
    if rng.random() < 0.4:
        leaf = [(lean * 0.4, -0.53), (0.10, -0.62), (0.24, -0.60), (0.13, -0.53)]
        solid(scene, [stand.curve(leaf)], (0.24, 0.42, 0.15), light, gloss=0.2)


def pear(scene: Scene, stand: Stand, light: Lamp) -> None:
    """A pear, about 0.75 high."""
    rng = scene.stream(f"pear {stand.x:.0f}")
    own = scene.reading.paints.get("pears")
    skin = own or ((0.76, 0.68, 0.22), (0.62, 0.66, 0.24), (0.80, 0.56, 0.20))[int(rng.integers(3))]
    cast_shadow(scene, stand, light, 0.25, 0.6)
    profile = [(0.0, -0.74), (0.085, -0.725), (0.125, -0.64), (0.15, -0.53), (0.215, -0.40), (0.285, -0.25), (0.275, -0.11), (0.17, -0.01), (0.0, 0.01)]
    turned(scene, stand, profile, skin, light, gloss=0.30)
    lean = float(rng.uniform(-0.06, 0.06))
    scene.shape([stand.band([(0.0, -0.72), (lean * 0.5, -0.79), (lean, -0.85)], (0.012, 0.010, 0.015))], (0.22, 0.15, 0.08))


def round_fruit(scene: Scene, stand: Stand, light: Lamp, kind: str) -> None:
    """An orange, a peach or a lemon."""
    rng = scene.stream(f"{kind} {stand.x:.0f}")
    base: Colour = {"lemon": (0.94, 0.80, 0.16), "orange": (0.94, 0.50, 0.08)}.get(kind, (0.92, 0.58, 0.34))
    base = scene.reading.paints.get("lemons" if kind == "lemon" else "oranges") or base
    cast_shadow(scene, stand, light, 0.27, 0.4)
    if kind == "lemon":
        body = [(-0.36, -0.20), (-0.29, -0.25), (-0.16, -0.38), (0.08, -0.40), (0.26, -0.28), (0.37, -0.19), (0.30, -0.12), (0.12, -0.01), (-0.12, -0.0), (-0.28, -0.12)]
        window, mask = solid(scene, [stand.curve(body)], base, light, gloss=0.30)
    else:
        (middle,) = stand.to([(0.0, -0.26)])
        ball(scene, middle, (stand.size * 0.27, stand.size * 0.26), base, light, gloss=0.25)
        window, mask = scene.cut([stand.oval(0, -0.26, 0.25, 0.24)])
    if mask.size:
        fur(scene, rng, window, mask, count=220, length=max(2.0, stand.size * 0.022), angle=0.0, spread=3.0, tint=0.09, thick=0.4, strength=0.5, clipped=True)


def grapes(scene: Scene, stand: Stand, light: Lamp) -> None:
    """A bunch that lies on the table."""
    rng = scene.stream(f"grapes {stand.x:.0f}")
    own = scene.reading.paints.get("grapes")
    base = own or ((0.24, 0.10, 0.26), (0.58, 0.66, 0.26))[int(rng.integers(2))]
    cast_shadow(scene, stand, light, 0.42, 0.35)
    rows: list[Point] = []
    for level, count in ((0.0, 7), (-0.11, 6), (-0.22, 5), (-0.32, 3), (-0.41, 2)):
        rows += [((k - (count - 1) / 2) * 0.125 + float(rng.normal(0, 0.018)), level - 0.075 + float(rng.normal(0, 0.012))) for k in range(count)]
    for x, y in sorted(rows, key=lambda at: at[1] + 0.08 * float(rng.random())):
        tone = mix(base, ((0.5, 0.5, 0.62), (0.10, 0.05, 0.10))[int(rng.integers(2))], 0.28 * float(rng.random()))
        (middle,) = stand.to([(x, y)])
        ball(scene, middle, (stand.size * 0.082, stand.size * 0.084), tone, light, gloss=0.7)
    scene.shape([stand.band([(0.02, -0.46), (0.06, -0.56), (0.14, -0.60)], (0.014, 0.012, 0.016))], (0.28, 0.20, 0.10))


def bowl(scene: Scene, stand: Stand, light: Lamp, fill: Callable[[Stand], None] | None = None) -> None:
    """A bowl; `fill` paints what lies in it, on a stand at the middle of its opening."""
    scene.show("bowl")
    rng = scene.stream("bowl")
    glaze = scene.reading.paints.get("bowl") or ((0.24, 0.36, 0.52), (0.78, 0.72, 0.62), (0.52, 0.26, 0.16))[int(rng.integers(3))]
    cast_shadow(scene, stand, light, 0.56, 0.45)
    _opening(scene, stand, 0.74, -0.42, 0.13, glaze, light)
    if fill:
        fill(Stand(stand.x, stand.y - stand.size * 0.34, stand.size))
    profile = [(0.74, -0.42), (0.735, -0.38), (0.66, -0.22), (0.48, -0.08), (0.30, -0.03), (0.29, 0.015), (0.16, 0.05), (0.0, 0.06)]
    turned(scene, stand, profile, glaze, light, gloss=0.5, rim=0.125)
    edge = [(0.74 * float(np.cos(t)), -0.42 + 0.13 * float(np.sin(t))) for t in np.linspace(0.05, np.pi - 0.05, 14)]
    scene.shape([stand.band(edge, (0.006, 0.013, 0.006))], mix(glaze, (1.0, 0.96, 0.88), 0.55), 0.8)


def vase(scene: Scene, stand: Stand, light: Lamp, flowers: bool) -> None:
    """A vase, with a bunch of flowers in it or alone."""
    scene.show("vase")
    rng = scene.stream("vase")
    glaze = scene.reading.paints.get("vase") or ((0.20, 0.34, 0.42), (0.72, 0.66, 0.56), (0.16, 0.28, 0.24), (0.42, 0.18, 0.14))[int(rng.integers(4))]
    cast_shadow(scene, stand, light, 0.34, 0.9)
    _opening(scene, stand, 0.155, -0.98, 0.04, glaze, light)
    if flowers:
        _bunch(scene, Stand(stand.x, stand.y - stand.size * 0.98, stand.size), light, rng)
    profile = [(0.155, -0.98), (0.135, -0.90), (0.15, -0.80), (0.27, -0.60), (0.335, -0.38), (0.27, -0.14), (0.20, -0.02), (0.15, 0.03), (0.0, 0.045)]
    turned(scene, stand, profile, glaze, light, gloss=0.65, rim=0.038)


def _bunch(scene: Scene, stand: Stand, light: Lamp, rng: np.random.Generator) -> None:
    scene.show("flowers")
    own = scene.reading.paints.get("flowers")
    kinds: list[Colour] = [(0.86, 0.20, 0.22), (0.95, 0.78, 0.28), (0.94, 0.90, 0.86), (0.86, 0.46, 0.60), (0.46, 0.34, 0.72), (0.92, 0.52, 0.18)]
    choice = [own] if own else [kinds[int(k)] for k in rng.permutation(len(kinds))[:3]]
    heads = [(float(np.sin(a)) * r, -0.16 - float(np.cos(a)) * r * 0.92) for r, a in [(0.18 + 0.50 * float(rng.random()) ** 0.7, float(rng.uniform(-1.35, 1.35))) for _ in range(17)]]
    stems = [stand.band([(0.02 * k - 0.1, 0.05), (x * 0.45, y * 0.5), (x, y)], (0.010, 0.009, 0.007)) for k, (x, y) in enumerate(heads)]
    scene.shape(stems, (0.14, 0.26, 0.10))
    for _ in range(26):
        a, r = float(rng.uniform(-1.7, 1.7)), float(rng.uniform(0.18, 0.62))
        x, y = float(np.sin(a)) * r, -0.10 - float(np.cos(a)) * r * 0.9
        leaf = stand.part(x, y, float(rng.uniform(0.7, 1.2)), a + float(rng.normal(0, 0.5)))
        solid(scene, [leaf.curve([(0, 0.08), (0.05, 0.0), (0.0, -0.16), (-0.05, 0.0)])], mix((0.20, 0.36, 0.14), (0.36, 0.44, 0.22), float(rng.random())), light)
    for number, (x, y) in enumerate(sorted(heads, key=lambda at: at[1])):
        blossom(scene, stand.part(x, y, float(rng.uniform(0.12, 0.19))), choice[number % len(choice)], light, rng)


def blossom(scene: Scene, stand: Stand, colour: Colour, light: Lamp, rng: np.random.Generator) -> None:
    """One flower head of a unit's radius: rings of petals, the outer ones darker away from the light."""
    petals: list[list[Point]] = []
    tones: list[Colour] = []
    for ring, (reach, count) in enumerate(((1.0, 9), (0.74, 8), (0.48, 6), (0.26, 4))):
        for k in range(count):
            angle = 2 * np.pi * (k + 0.5 * (ring % 2) + float(rng.normal(0, 0.12))) / count
            c, s = float(np.cos(angle)), float(np.sin(angle))
            wide = reach * 0.42
            shape = [(0.12 * c, 0.12 * s), (0.55 * reach * c - wide * s, 0.55 * reach * s + wide * c), (reach * c, reach * s), (0.55 * reach * c + wide * s, 0.55 * reach * s - wide * c)]
            petals.append(stand.curve([(x, y * 0.86) for x, y in shape]))
            lit = 0.62 + 0.42 * (c * light.direction[0] + s * light.direction[1]) + 0.05 * ring + float(rng.normal(0, 0.06))
            tone = mix(colour, (0.20, 0.03, 0.08), 0.35 - 0.08 * ring) if ring < 2 else mix(colour, (1.0, 0.95, 0.85), 0.06 * ring)
            tones.append((tone[0] * (light.fill[0] + light.key[0] * lit), tone[1] * (light.fill[1] + light.key[1] * lit), tone[2] * (light.fill[2] + light.key[2] * lit)))
    hatch(scene, petals, np.asarray(tones, dtype=np.float32), 0.96)


def bottle(scene: Scene, stand: Stand, light: Lamp) -> None:
    """A wine bottle of dark glass."""
    scene.show("bottle")
    glass = scene.reading.paints.get("bottle") or (0.08, 0.16, 0.09)
    cast_shadow(scene, stand, light, 0.22, 1.1)
    profile = [(0.072, -1.42), (0.085, -1.40), (0.085, -1.35), (0.068, -1.32), (0.070, -1.08), (0.10, -0.96), (0.20, -0.84), (0.225, -0.72), (0.225, -0.2), (0.222, -0.02), (0.16, 0.03), (0.0, 0.045)]
    turned(scene, stand, profile, glass, light, gloss=0.9)
    for side, strength in ((light.side, 0.55), (-light.side, 0.18)):
        scene.shape([stand.band([(side * 0.13, -0.76), (side * 0.145, -0.5), (side * 0.14, -0.10)], (0.010, 0.018, 0.006))], mix(light.key, (0.8, 0.9, 0.8), 0.4), strength)
    window, mask = scene.cut([stand.to([(-0.222, -0.56), (0.0, -0.53), (0.222, -0.56), (0.222, -0.20), (0.0, -0.17), (-0.222, -0.20)])])
    if mask.size:
        x, _ = grid(window)
        u = np.clip((x - stand.x) / (stand.size * 0.226), -0.98, 0.98).astype(np.float32) + 0 * mask
        scene.put(window, mask, illuminate(np.asarray(u / np.sqrt(1 - u * u), np.float32), np.zeros_like(mask), (0.82, 0.76, 0.62), light))


def bread(scene: Scene, stand: Stand, light: Lamp) -> None:
    """A loaf with cuts in its crust."""
    scene.show("bread")
    cast_shadow(scene, stand, light, 0.60, 0.3)
    loaf = [(-0.66, -0.10), (-0.60, -0.30), (-0.30, -0.42), (0.10, -0.44), (0.46, -0.36), (0.66, -0.16), (0.60, 0.0), (0.0, 0.03), (-0.58, 0.0)]
    window, mask = solid(scene, [stand.curve(loaf)], (0.70, 0.42, 0.18), light, gloss=0.12)
    for x in (-0.36, -0.10, 0.16, 0.40):
        cut = stand.band([(x - 0.10, -0.36), (x, -0.30), (x + 0.07, -0.18)], (0.012, 0.042, 0.012))
        solid(scene, [cut], (0.90, 0.74, 0.50), light, depth=-0.5)
    if mask.size:
        fur(scene, scene.stream("crust"), window, mask, count=260, length=max(2.0, stand.size * 0.04), angle=0.0, spread=3.0, tint=0.14, thick=0.35, strength=0.4, clipped=True)


def candle(scene: Scene, stand: Stand, light: Lamp) -> None:
    """A burning candle in a holder; its glow is added with the scene's lamps."""
    scene.show("candle")
    wax = scene.reading.paints.get("candle") or (0.92, 0.87, 0.74)
    cast_shadow(scene, stand, light, 0.24, 0.4)
    turned(scene, stand, [(0.26, -0.06), (0.25, -0.03), (0.12, 0.02), (0.0, 0.05)], (0.66, 0.48, 0.20), light, gloss=0.8)
    turned(scene, stand, [(0.088, -0.82), (0.086, -0.6), (0.088, -0.08), (0.05, -0.05), (0.0, -0.045)], wax, light, gloss=0.2)
    solid(scene, [stand.oval(0, -0.82, 0.088, 0.024)], mix(wax, (1.0, 0.82, 0.45), 0.6), light, depth=0.3)
    scene.shape([stand.band([(0, -0.82), (0.005, -0.88)], (0.007, 0.007))], (0.06, 0.04, 0.03))
    for wide, tall, colour in ((0.056, 0.24, (1.0, 0.55, 0.12)), (0.042, 0.19, (1.0, 0.80, 0.32)), (0.024, 0.12, (1.0, 0.97, 0.80))):
        flame = [(0, -0.86), (wide, -0.92), (wide * 0.7, -0.86 - tall * 0.62), (0.004, -0.86 - tall), (-wide * 0.7, -0.86 - tall * 0.62), (-wide, -0.92)]
        scene.shape([stand.curve(flame)], colour, 0.95)
    x, y = stand.to([(0, -0.96)])[0]
    scene.lamps.append((x, y, stand.size * 0.30, (1.0, 0.70, 0.30), 0.65))
    scene.lamps.append((x, y, stand.size * 1.2, (1.0, 0.55, 0.20), 0.34))


def teapot(scene: Scene, stand: Stand, light: Lamp) -> None:
    """A round teapot."""
    scene.show("teapot")
    rng = scene.stream("teapot")
    glaze = scene.reading.paints.get("teapot") or ((0.84, 0.80, 0.72), (0.20, 0.36, 0.44), (0.50, 0.24, 0.14))[int(rng.integers(3))]
    side = float(rng.choice([-1.0, 1.0]))
    pot = Stand(stand.x, stand.y, stand.size, side)
    cast_shadow(scene, stand, light, 0.48, 0.6)
    solid(scene, [pot.band([(-0.36, -0.62), (-0.66, -0.66), (-0.72, -0.40), (-0.40, -0.20)], (0.045, 0.05, 0.05, 0.045))], glaze, light, gloss=0.5)
    solid(scene, [pot.band([(0.34, -0.24), (0.56, -0.36), (0.62, -0.58), (0.76, -0.68)], (0.13, 0.085, 0.055, 0.045))], glaze, light, gloss=0.5)
    turned(scene, stand, [(0.19, -0.76), (0.30, -0.70), (0.43, -0.52), (0.47, -0.34), (0.40, -0.12), (0.27, -0.01), (0.14, 0.035), (0.0, 0.045)], glaze, light, gloss=0.7)
    turned(scene, stand, [(0.0, -0.88), (0.10, -0.87), (0.20, -0.80), (0.235, -0.735), (0.12, -0.70), (0.0, -0.695)], glaze, light, gloss=0.6)
    ball(scene, stand.to([(0, -0.91)])[0], (stand.size * 0.055, stand.size * 0.05), glaze, light, gloss=0.8)


def book(scene: Scene, stand: Stand, light: Lamp) -> None:
    """A closed book that lies on the table."""
    scene.show("book")
    rng = scene.stream("book")
    cover = scene.reading.paints.get("book") or ((0.42, 0.10, 0.10), (0.12, 0.22, 0.34), (0.20, 0.26, 0.14))[int(rng.integers(3))]
    cast_shadow(scene, stand, light, 0.60, 0.2)
    tone = Stand(stand.x, stand.y, stand.size, light.side)
    scene.shape([tone.to([(-0.66, -0.16), (0.52, -0.16), (0.52, 0.02), (-0.66, 0.02)])], mix(cover, (0.02, 0.01, 0.02), 0.45))
    scene.shape([tone.to([(-0.62, -0.135), (0.56, -0.135), (0.56, -0.005), (-0.62, -0.005)])], (0.72, 0.66, 0.52))
    lines = [tone.to([(-0.62, y), (0.56, y), (0.56, y + 0.006), (-0.62, y + 0.006)]) for y in (-0.11, -0.085, -0.06, -0.035)]
    scene.shape(lines, (0.48, 0.42, 0.32), 0.6)
    window, mask = scene.cut([tone.to([(-0.66, -0.16), (0.56, -0.16), (0.72, -0.36), (-0.44, -0.36)])])
    if mask.size:
        lit = (cover[0] * 0.95, cover[1] * 0.95, cover[2] * 0.95)
        ends = (mix(lit, (1, 0.9, 0.7), 0.22), mix(lit, (0, 0, 0), 0.30))
        scene.put(window, mask, scene.ramp(window, *(ends if light.side < 0 else ends[::-1])))
    scene.shape([tone.to(smooth([(-0.40, -0.21), (0.44, -0.21), (0.54, -0.31), (-0.30, -0.31)], steps=1))], mix(cover, (0.85, 0.66, 0.25), 0.55), 0.35)
    scene.shape([tone.to(oval(0.07, -0.26, 0.10, 0.03))], (0.80, 0.62, 0.26), 0.6)

