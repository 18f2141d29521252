"""A bust of somebody who does not exist: head, hair, neck and clothes in light from one side."""

from dataclasses import dataclass

import numpy as np

from generator.engines.painter.canvas import Point, Scene
from generator.engines.painter.close.form import Lamp, grid, illuminate, lamp, shade, soft_oval, solid
from generator.engines.painter.close.head import Head, paint_head
from generator.engines.painter.close.outline import Stand, band, fur, oval
from generator.engines.painter.noise import Field, fbm
from generator.engines.painter.palette import mix
from generator.engines.painter.reading import Colour

_SKINS: tuple[Colour, ...] = ((0.90, 0.70, 0.58), (0.86, 0.64, 0.50), (0.78, 0.56, 0.42), (0.60, 0.41, 0.29), (0.46, 0.30, 0.21))
_HAIR: tuple[Colour, ...] = ((0.10, 0.07, 0.06), (0.26, 0.16, 0.10), (0.42, 0.27, 0.15), (0.68, 0.50, 0.28), (0.16, 0.11, 0.09))
_CLOTHES: tuple[Colour, ...] = ((0.36, 0.10, 0.12), (0.10, 0.20, 0.32), (0.14, 0.24, 0.18), (0.22, 0.18, 0.16), (0.50, 0.38, 0.20))


@dataclass(frozen=True)
class Sitter:
    """Who sits: the painter's reading of the words, the rest by the seed."""

    man: bool
    old: bool
    child: bool
    hair: Colour
    style: str
    """long, bun, bob, short or bald."""

    beard: bool
    clothes: Colour


def choose_sitter(scene: Scene) -> Sitter:
    """Somebody after the words."""
    reading = scene.reading
    rng = scene.stream("sitter")
    words = set(reading.unknown)
    man = reading.has("man") or (not reading.has("woman") and (reading.has("beard") or bool(rng.random() < 0.5)))
    old = reading.has("elder") or any(w.startswith(("old", "elder", "aged", "стар", "пожил")) for w in words)
    child = reading.has("child") and not old
    skin_dark = rng.random()
    hair = _HAIR[int(rng.integers(len(_HAIR)))] if skin_dark < 0.8 else _HAIR[0]
    if old:
        hair = mix((0.62, 0.61, 0.60), (0.86, 0.85, 0.83), float(rng.random()))
    own = reading.paints.get("hair") or reading.paints.get("beard")
    if own:
        hair = _natural(own)
    long = any(w.startswith(("long", "длинн")) for w in words)
    short = any(w.startswith(("short", "коротк")) for w in words)
    bald = any(w.startswith(("bald", "лыс")) for w in words)
    if man:
        style = "bald" if bald or (old and rng.random() < 0.5 and not reading.has("hair")) else "long" if long else "short"
    else:
        style = "long" if long else "bob" if short else str(rng.choice(["long", "long", "bun", "bob"]))
        style = "bun" if old and not long and not short else style
    beard = not child and man and (reading.has("beard") or (old and bool(rng.random() < 0.85)) or bool(rng.random() < 0.3))
    clothes = reading.paints.get("clothes") or next(iter([c for c, w in reading.colours if w > 0.6]), None)
    return Sitter(man, old, child, hair, style, beard, clothes or _CLOTHES[int(rng.integers(len(_CLOTHES)))])


def _natural(colour: Colour) -> Colour:
    """Hair of a named colour: red and yellow hair is copper and blond."""
    red, green, blue = colour
    if red > 0.7 and green < 0.3 and blue < 0.3:
        return (0.52, 0.17, 0.07)
    if red > 0.9 and 0.4 < green < 0.6 and blue < 0.3:
        return (0.66, 0.30, 0.10)
    if red > 0.9 and green > 0.7 and blue < 0.4:
        return (0.80, 0.64, 0.36)
    return colour


def paint_portrait(scene: Scene, outdoors: bool) -> None:
    """Head and shoulders in the middle of the picture, before whatever is painted already."""
    reading = scene.reading
    rng = scene.stream("portrait")
    sitter = choose_sitter(scene)
    side = 1.0 if rng.random() < 0.5 else -1.0
    light = lamp(scene, indoors=True, side=side)
    light = Lamp(light.direction, mix(light.key, (1.4, 1.25, 1.05), 0.5), mix(light.fill, (0.34, 0.28, 0.26), 0.6), light.rim)
    if outdoors or scene.palette.hour == "night":
        light = Lamp(light.direction, mix(light.key, scene.palette.light, 0.35), mix(light.fill, scene.palette.ambient, 0.25), mix(light.rim, scene.palette.horizon, 0.5))
    yaw = float(rng.uniform(0.24, 0.52) * rng.choice([-1.0, 1.0])) if rng.random() < 0.6 else float(rng.uniform(-0.10, 0.10))
    radius = min(scene.short * 0.25, scene.height * 0.21) * (0.94 if sitter.child else 1.0)
    skin = _SKINS[int(rng.integers(len(_SKINS)))]
    x = scene.width * 0.5 - np.sin(yaw) * radius * 0.25
    head = Head(float(x), scene.height * 0.40, radius, yaw, skin, sitter.man and not sitter.child, 1.0 if sitter.old else 0.0, sitter.child)
    _hair_behind(scene, head, sitter, light)
    _shoulders(scene, head, sitter, light)
    _ear(scene, head, sitter, light)
    paint_head(scene, head, light)
    if sitter.beard:
        _beard(scene, head, sitter, light)
    _hair_before(scene, head, sitter, light)
    if reading.has("crown") or (reading.has("royal") and not reading.has("hat")):
        _crown(scene, head, light)
    elif reading.has("hat"):
        _hat(scene, head, light)
    scene.show("portrait")
    for name in ("woman", "man"):
        if reading.has(name):
            scene.show(name)


def paint_backdrop(scene: Scene) -> None:
    """A dark wall, lighter where the light falls on it: what stands behind in old pictures."""
    rng = scene.stream("backdrop")
    reading = scene.reading
    base: Colour = ((0.17, 0.12, 0.09), (0.10, 0.13, 0.14), (0.15, 0.14, 0.10), (0.16, 0.09, 0.09))[int(rng.integers(4))]
    base = mix(base, scene.palette.zenith, 0.16)
    loud = [colour for colour, weight in reading.colours if weight > 0.6]
    if loud:
        base = mix(base, loud[-1], 0.45)
    cloud = fbm(rng, scene.width, scene.height, (3 * scene.width / scene.short, 3 * scene.height / scene.short), 5, 0.55)
    tone = np.asarray(base, dtype=np.float32) * (0.55 + 0.75 * cloud)[..., None]
    x, y = scene.width * (0.5 + 0.22 * float(rng.choice([-1, 1]))), scene.height * 0.40
    scene.rgb[:] = tone
    window, glow = soft_oval(scene, x, y, scene.short * 0.42, scene.short * 0.46)
    warm = np.asarray(mix(base, (0.80, 0.62, 0.42), 0.42), dtype=np.float32)
    scene.put(window, glow * (0.45 + 0.4 * cloud[window]), warm)


def _flow(head: Head, window: tuple[slice, slice], swing: float) -> Field:
    """The way hair falls: from the parting outwards, then down."""
    x, y = grid(window)
    u, v = (x - np.float32(head.x)) / np.float32(head.radius), (y - np.float32(head.y)) / np.float32(head.radius)
    out = u - np.float32(swing)
    high = np.clip(-0.35 - v, 0, None)
    along = np.clip(out * 6, -1, 1) * high - 0.30 * u * np.clip(v, 0, 1)
    down = np.abs(out) * 0.9 + 0.10 + np.clip(v + 0.35, 0, 2)
    return np.arctan2(down, along).astype(np.float32)


def _locks(scene: Scene, head: Head, outline: list[Point], colour: Colour, light: Lamp, count: int, depth: float = 0.9) -> None:
    """A mass of hair: its body first, then strands in three lengths."""
    rng = scene.stream(f"locks {count}")
    window, mask = scene.cut([outline])
    if min(mask.shape) < 3:
        return
    waves = fbm(rng, mask.shape[1], mask.shape[0], (7, 3), 4) - 0.5
    tone = np.asarray(colour, dtype=np.float32) * (1 + 0.7 * waves)[..., None]
    solid(scene, [outline], tone, light, depth=depth, gloss=0.18)
    angle = _flow(head, window, 0.25 * float(np.sign(head.yaw) or 1.0)) + (waves * 0.7).astype(np.float32)
    for long, thick, share, tint in ((0.46, 0.034, 0.9, 0.20), (0.34, 0.022, 1.1, 0.30), (0.26, 0.016, 1.0, 0.45)):
        fur(scene, rng, window, mask, count=int(count * share), length=head.radius * long, angle=angle, spread=0.07, tint=tint, thick=thick, strength=0.55, clipped=True)


def _hair_behind(scene: Scene, head: Head, sitter: Sitter, light: Lamp) -> None:
    turn = float(np.sin(head.yaw))
    back = -0.22 * turn
    if sitter.style in ("long", "bob"):
        low = 2.15 if sitter.style == "long" else 0.95
        wide = 1.02 if sitter.style == "long" else 0.98
        outline = [(back, -1.26), (0.52 + back, -1.14), (0.86 + back, -0.72), (0.95 + back, -0.1), (wide + back, 0.55), (wide * 0.98 + back, low * 0.72), (0.62 + back, low), (back, low * 0.86), (-0.62 + back, low), (-wide * 0.98 + back, low * 0.72), (-wide + back, 0.55), (-0.95 + back, -0.1), (-0.86 + back, -0.72), (-0.52 + back, -1.14)]
    elif sitter.style == "bun":
        _locks(scene, head, head.stand.oval(back * 2.6, -1.12, 0.36, 0.32), sitter.hair, light, 120)
        outline = [(back, -1.24), (0.5 + back, -1.12), (0.80 + back, -0.70), (0.84 + back, -0.1), (0.70 + back, 0.36), (-0.70 + back, 0.36), (-0.84 + back, -0.1), (-0.80 + back, -0.70), (-0.5 + back, -1.12)]
    else:
        outline = [(back, -1.2), (0.5 + back, -1.08), (0.78 + back, -0.66), (0.80 + back, -0.1), (0.68 + back, 0.25), (-0.68 + back, 0.25), (-0.80 + back, -0.1), (-0.78 + back, -0.66), (-0.5 + back, -1.08)]
        if sitter.style == "bald":
            outline = [(x, max(y, -0.55)) for x, y in outline]
    _locks(scene, head, head.stand.curve(outline), mix(sitter.hair, (0.02, 0.01, 0.01), 0.25), light, 420)


def _hair_before(scene: Scene, head: Head, sitter: Sitter, light: Lamp) -> None:
    """Hair over brow and temples; the parting is on the side that is turned to us."""
    if sitter.style == "bald":
        return
    turn = float(np.sin(head.yaw))
    back, part = -0.16 * turn, -0.30 * (1.0 if turn >= 0 else -1.0)
    brow = -0.62 if not sitter.man else -0.70
    if sitter.style == "short":
        outline = [(back, -1.24), (0.50 + back, -1.14), (0.78 + back, -0.74), (0.78 + back, -0.18), (0.70 + back, 0.0), (0.68 + turn * 0.1, -0.42), (0.50 + turn * 0.14, brow - 0.02), (0.18 + turn * 0.2, brow - 0.06), (-0.18 + turn * 0.2, brow + 0.02), (-0.50 + turn * 0.14, brow - 0.02), (-0.68 + turn * 0.1, -0.42), (-0.70 + back, 0.0), (-0.78 + back, -0.18), (-0.78 + back, -0.74), (-0.50 + back, -1.14)]
        _locks(scene, head, head.stand.curve(outline), sitter.hair, light, 440)
        return
    low = {"long": 1.75, "bob": 0.80, "bun": 0.05}[sitter.style]
    for side in (-1.0, 1.0):
        near = 1.0 if side * turn <= 0 else 0.86
        edge = [(part, -1.02), (part + side * 0.10, -1.24), (side * 0.62 * near + back, -1.10), (side * 0.90 * near + back, -0.62), (side * 0.93 * near + back, 0.0), (side * 0.93 * near + back, low * 0.6), (side * 0.80 * near + back, low), (side * 0.66 * near + back * 0.5, low * 0.75 + 0.02), (side * 0.70 * near, low * 0.35), (side * 0.67 * near + turn * 0.06, -0.22), (side * 0.46 + part * 0.3 + turn * 0.1, brow - 0.05)]
        _locks(scene, head, head.stand.curve(edge), sitter.hair, light, 300 + int(side))


def _ear(scene: Scene, head: Head, sitter: Sitter, light: Lamp) -> None:
    if sitter.style in ("long", "bob"):
        return
    for side in (-1.0, 1.0):
        if side * head.yaw > 0.15:
            continue
        x = side * 0.75 - 0.10 * float(np.sin(head.yaw))
        solid(scene, [head.stand.oval(x, 0.10, 0.10, 0.21, -0.15 * side)], mix(head.skin, (0.75, 0.30, 0.25), 0.25), light)
        solid(scene, [head.stand.oval(x + 0.01 * side, 0.10, 0.05, 0.13, -0.15 * side)], mix(head.skin, (0.35, 0.12, 0.10), 0.5), light, depth=-0.6)


def _shoulders(scene: Scene, head: Head, sitter: Sitter, light: Lamp) -> None:
    turn = float(np.sin(head.yaw))
    at = Stand(head.x - turn * head.radius * 0.18, head.y, head.radius)
    wide = 1.95 if sitter.man else 1.66
    if sitter.child:
        wide = 1.35
    neck = 0.40 if sitter.man else 0.31
    down = max(3.4, (scene.height - head.y) / head.radius + 0.3)
    # Behind the clothes' open collar: neck and breast.
    chest = [(-neck, 0.5), (neck, 0.5), (neck * 1.02, 1.15), (0.62, 1.46), (0.55, 2.1), (-0.55, 2.1), (-0.62, 1.46), (-neck * 1.02, 1.15)]
    solid(scene, [at.curve(chest)], mix(head.skin, (0.75, 0.42, 0.32), 0.12), light, depth=0.9)
    throat = at.to([(turn * 0.25 - light.side * 0.08, 0.98)])[0]
    shade(scene, throat[0], throat[1], head.radius * 0.46, head.radius * 0.26, 0.62, 1.4)
    rng = scene.stream("clothes")
    dip = float(rng.uniform(1.55, 1.95)) if not sitter.man else float(rng.uniform(1.36, 1.55))
    coat = [(0.0, dip), (neck * 0.86, 1.18), (neck + 0.16, 1.16), (wide * 0.55, 1.42), (wide * 0.90, 1.60), (wide * 1.02, 2.0), (wide * 1.06, down), (-wide * 1.06, down), (-wide * 1.02, 2.0), (-wide * 0.90, 1.60), (-wide * 0.55, 1.42), (-neck - 0.16, 1.16), (-neck * 0.86, 1.18)]
    outline = at.curve(coat)
    window, mask = scene.cut([outline])
    if min(mask.shape) < 3:
        return
    folds = fbm(rng, mask.shape[1], mask.shape[0], (5, 2), 4) - 0.5
    tone = np.asarray(sitter.clothes, dtype=np.float32) * (1 + 0.8 * folds)[..., None]
    solid(scene, [outline], tone, light, depth=0.8)
    fur(scene, rng, window, mask, count=240, length=head.radius * 0.7, angle=np.pi / 2, spread=0.5, tint=0.10, thick=0.05, strength=0.4, clipped=True)
    collar = mix(sitter.clothes, (0.92, 0.88, 0.80), 0.85 if sitter.man and rng.random() < 0.6 else 0.22)
    for side in (-1.0, 1.0):
        fold = [(side * (neck + 0.02), 1.08), (side * neck * 0.8, 1.30), (0.0 + side * 0.02, dip + 0.04)]
        solid(scene, [at.band(fold, (0.10, 0.10, 0.03))], collar, light)


def _beard(scene: Scene, head: Head, sitter: Sitter, light: Lamp) -> None:
    turn = float(np.sin(head.yaw))
    long = 1.55 if sitter.old else 1.14
    middle = turn * 0.27
    outline = [(0.69, 0.10), (0.70, 0.46), (0.56, 0.86), (0.28, long * 0.93), (0.0, long), (-0.28, long * 0.93), (-0.56, 0.86), (-0.70, 0.46), (-0.69, 0.10), (-0.56, 0.38), (-0.36, 0.50), (-0.20, 0.465), (0.0, 0.475), (0.20, 0.465), (0.36, 0.50), (0.56, 0.38)]
    hair = mix(sitter.hair, (0.25, 0.15, 0.10), 0.12)
    points = [(x * (1 - 0.06 * np.sign(x) * turn) + middle * min(1.0, max(0.0, y + 0.3)), y) for x, y in outline]
    lip = [(x + middle, y) for x, y in ((-0.19, 0.615), (0.0, 0.60), (0.19, 0.615), (0.08, 0.675), (-0.08, 0.675))]
    _locks(scene, head, head.stand.curve(points), hair, light, 380, 0.7)
    solid(scene, [head.stand.curve(lip)], mix(head.skin, (0.62, 0.22, 0.20), 0.6), light, depth=0.5, strength=0.85)
    scene.shape([head.stand.to(band([(-0.17 + middle, 0.62), (middle, 0.628), (0.17 + middle, 0.62)], (0.004, 0.012, 0.004)))], (0.10, 0.04, 0.04), 0.8)


def _crown(scene: Scene, head: Head, light: Lamp) -> None:
    scene.show("crown")
    gold = scene.reading.paints.get("crown") or (0.90, 0.66, 0.20)
    x = -0.10 * float(np.sin(head.yaw))
    points: list[Point] = [(x - 0.72, -0.78)]
    for k in range(5):
        left = -0.78 + 1.56 * k / 5
        points += [(x + left, -1.02), (x + left + 0.156, -1.52 + 0.10 * abs(k - 2)), (x + left + 0.312, -1.02)]
    points += [(x + 0.72, -0.78), (x + 0.36, -0.70), (x, -0.67), (x - 0.36, -0.70)]
    solid(scene, [head.stand.to(points)], gold, light, gloss=0.9, depth=0.8)
    stones: tuple[Colour, ...] = ((0.75, 0.08, 0.12), (0.10, 0.25, 0.70), (0.10, 0.55, 0.30))
    for k in range(5):
        at = x - 0.624 + 1.248 * k / 4
        solid(scene, [head.stand.oval(at, -0.86 + 0.05 * (1 - (at - x) ** 2), 0.055, 0.06)], stones[k % 3], light, gloss=1.0)
        solid(scene, [head.stand.oval(at, -1.52 + 0.10 * abs(k - 2), 0.05, 0.05)], (0.95, 0.92, 0.86), light, gloss=0.8)


def _hat(scene: Scene, head: Head, light: Lamp) -> None:
    scene.show("hat")
    rng = scene.stream("hat")
    felt = scene.reading.paints.get("hat") or _CLOTHES[int(rng.integers(len(_CLOTHES)))]
    x = -0.10 * float(np.sin(head.yaw))
    cup = [(x - 0.70, -0.74), (x - 0.68, -1.2), (x - 0.50, -1.52), (x, -1.60), (x + 0.50, -1.52), (x + 0.68, -1.2), (x + 0.70, -0.74)]
    brim = oval(x, -0.76, 1.28, 0.20, float(rng.uniform(-0.12, 0.12)))
    solid(scene, [head.stand.curve(cup)], felt, light)
    solid(scene, [head.stand.band([(x - 0.70, -0.92), (x, -0.84), (x + 0.70, -0.92)], (0.09, 0.09))], mix(felt, (0.04, 0.03, 0.03), 0.6), light)
    solid(scene, [head.stand.to(brim)], mix(felt, (0.03, 0.02, 0.02), 0.15), light, depth=0.8)
    cx, cy = head.stand.to([(x, -0.42)])[0]
    shade(scene, cx, cy, head.radius * 0.62, head.radius * 0.20, 0.45, 1.5)
