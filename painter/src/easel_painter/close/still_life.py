"""Things on a table, grouped: tall ones behind, fruit in front, all in the light from one side."""

from collections.abc import Callable

import numpy as np

from easel_painter.canvas import Scene
from easel_painter.close import fruit as fruits
from easel_painter.close import things
from easel_painter.close.form import Lamp, lamp, soft_oval
from easel_painter.close.outline import Stand
from easel_painter.noise import fbm, line, smoothstep
from easel_painter.palette import mix
from easel_painter.reading import Colour

_FRUIT = ("apples", "pears", "grapes", "lemons", "oranges")
_TALL = ("vase", "bottle", "candle", "teapot")


def paint_still_life(scene: Scene) -> None:
    """Table and things before whatever is painted already."""
    rng = scene.stream("still life")
    reading = scene.reading
    side = -1.0 if rng.random() < 0.6 else 1.0
    light = lamp(scene, indoors=True, side=side)
    light = Lamp(
        light.direction, mix(light.key, scene.palette.light, 0.2), mix(light.fill, (0.26, 0.22, 0.22), 0.5), light.rim
    )
    edge = scene.height * 0.90
    paint_table(scene, scene.height * 0.62, edge, light)
    unit = min(scene.short * 0.37, scene.height * 0.36)
    names = [name for name in _FRUIT if reading.has(name)]
    plain = not reading.has(*_TALL, "bowl", "bread", "book") and not names
    if plain or (reading.has("fruit", "still life") and not names):
        names = [_FRUIT[int(k)] for k in rng.permutation(len(_FRUIT))[:3]]
    tall = [name for name in _TALL if reading.has(name)]
    if not tall and not reading.has("bowl") and rng.random() < 0.6:
        tall = [str(rng.choice(["vase", "bottle", "teapot"]))]
    scene.show("still life")
    _back_row(scene, unit, light, tall, names, rng)
    _front_row(scene, unit, light, names, rng)
    scene.rgb[:] = np.clip(scene.rgb, 0, 1)


def _back_row(
    scene: Scene, unit: float, light: Lamp, tall: list[str], fruit: list[str], rng: np.random.Generator
) -> None:
    """Vessels and the bowl, spread over the table's far half."""
    row = [*tall]
    has_bowl = (
        scene.reading.has("bowl")
        or (not tall and bool(fruit))
        or (len(tall) == 1 and bool(fruit) and rng.random() < 0.45)
    )
    if has_bowl:
        row.insert(int(rng.integers(len(row) + 1)), "bowl")
    if scene.reading.has("bread"):
        row.append("bread")
    room = min(scene.width * 0.9, unit * (0.4 + 1.25 * len(row)))
    for k, name in enumerate(row):
        x = scene.width * 0.5 + room * ((k + 0.5) / len(row) - 0.5) + float(rng.normal(0, unit * 0.05))
        tall_share = {"vase": 0.96, "bottle": 1.16}.get(name, 1.05)
        stand = Stand(x, scene.height * (0.745 + 0.012 * (k % 2)), unit * tall_share)
        if name == "bowl":
            things.bowl(scene, stand, light, lambda at: _heap(scene, at, light, fruit or ["apples", "pears"], rng))
        elif name == "vase":
            flowers = scene.reading.has("flowers") or not scene.reading.has("vase") or bool(rng.random() < 0.5)
            things.vase(scene, stand, light, flowers)
        else:
            _PAINTERS[name](scene, stand, light)


def _heap(scene: Scene, at: Stand, light: Lamp, fruit: list[str], rng: np.random.Generator) -> None:
    """Fruit in a bowl, three behind and three before."""
    for level, places in ((-0.16, (-0.30, 0.04, 0.36)), (0.02, (-0.42, -0.10, 0.24, 0.48))):
        for x in places:
            name = fruit[int(rng.integers(len(fruit)))]
            spot = Stand(at.x + at.size * (x + float(rng.normal(0, 0.02))), at.y + at.size * level, at.size * 0.82)
            _fruit(scene, name if name != "grapes" else "apples", spot, light)


def _front_row(scene: Scene, unit: float, light: Lamp, names: list[str], rng: np.random.Generator) -> None:
    """Single fruit near the edge of the table, in a loose group."""
    if scene.reading.has("book"):
        things.book(scene, Stand(scene.width * 0.5 - unit * 0.5, scene.height * 0.835, unit), light)
    if not names:
        return
    count = int(rng.integers(3, 6)) + (1 if scene.width > scene.height * 1.3 else 0)
    room = min(scene.width * 0.72, unit * 2.5)
    shift = float(rng.uniform(-0.12, 0.12)) * room
    order = rng.permutation(count)
    spots = []
    for k in range(count):
        x = scene.width * 0.5 + shift + room * ((k + 0.5) / count - 0.5) + float(rng.normal(0, unit * 0.06))
        spots.append((scene.height * (0.80 + 0.055 * float(rng.random())), x, names[int(order[k]) % len(names)]))
    for y, x, name in sorted(spots):
        _fruit(scene, name, Stand(x, y, unit * float(rng.uniform(0.92, 1.08))), light)


def _fruit(scene: Scene, name: str, stand: Stand, light: Lamp) -> None:
    scene.show("fruit" if not scene.reading.has(name) else name)
    if name == "apples":
        fruits.apple(scene, stand, light)
    elif name == "pears":
        fruits.pear(scene, stand, light)
    elif name == "grapes":
        fruits.grapes(scene, stand, light)
    else:
        fruits.round_fruit(scene, stand, light, {"lemons": "lemon", "oranges": "orange"}[name])


def paint_table(scene: Scene, back: float, edge: float, light: Lamp) -> None:
    """The table from its far edge to its near one, and what hangs below it: bare wood or a cloth."""
    rng = scene.stream("table")
    reading = scene.reading
    cloth = any(word.startswith(("cloth", "скатерт", "linen")) for word in reading.unknown) or bool(rng.random() < 0.55)
    base: Colour = (
        ((0.80, 0.76, 0.68), (0.30, 0.36, 0.40), (0.48, 0.20, 0.16))[int(rng.integers(3))]
        if cloth
        else (0.36, 0.22, 0.13)
    )
    base = reading.paints.get("table") or base
    x, y = scene.columns() / scene.width, scene.rows()
    grain = fbm(rng, scene.width, scene.height, (3, 60) if not cloth else (6, 9), 5, 0.6) - 0.5
    reach = smoothstep(1.15, -0.1, x + 0 * y) if light.side < 0 else smoothstep(-0.15, 1.1, x + 0 * y)
    down = np.clip((y - back) / max(1.0, edge - back), 0, 1)
    tone = np.asarray(base, dtype=np.float32) * ((0.34 + 0.62 * reach) * (0.86 + 0.24 * down) + 0.30 * grain)[..., None]
    wobble = scene.short * 0.006 * (line(rng, scene.width, 5, 2) - 0.5)[None, :] if cloth else 0.0
    scene.paint(
        np.clip(y - back + wobble + 0 * x + 0.5, 0, 1).astype(np.float32), np.clip(tone, 0, 1).astype(np.float32)
    )
    window, glow = soft_oval(
        scene, scene.width * (0.5 + 0.2 * light.side), (back + edge) / 2, scene.short * 0.5, scene.short * 0.13
    )
    scene.rgb[window] *= (1 + 0.35 * glow)[..., None]
    folds = line(rng, scene.width, 16 * scene.width / scene.short, 3)[None, :] if cloth else 0.5 + 0 * x
    front = np.asarray(base, dtype=np.float32) * (0.20 + 0.42 * folds * (0.5 + 0.5 * reach) + 0.10 * grain)[..., None]
    scene.paint(np.clip(y - edge + 0 * x + 0.5, 0, 1).astype(np.float32), np.clip(front, 0, 1).astype(np.float32))
    lip = np.exp(-(((y - edge) / (scene.short * 0.004)) ** 2)) * (0.3 + 0.4 * reach)
    scene.paint(lip.astype(np.float32), mix(base, (1.0, 0.92, 0.78), 0.4))


_PAINTERS: dict[str, Callable[[Scene, Stand, Lamp], None]] = {
    "bottle": things.bottle,
    "candle": things.candle,
    "teapot": things.teapot,
    "bread": things.bread,
}
