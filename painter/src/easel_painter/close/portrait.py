"""A bust of somebody who does not exist: head, hair, neck and clothes in light from one side."""

import numpy as np

from easel_painter.canvas import Scene
from easel_painter.close.attire import paint_crown, paint_hat, paint_shoulders
from easel_painter.close.form import Lamp, lamp, soft_oval, solid
from easel_painter.close.hair import paint_beard, paint_hair_before, paint_hair_behind
from easel_painter.close.head import Head, paint_head
from easel_painter.close.sitter import Sitter, choose_sitter
from easel_painter.noise import fbm
from easel_painter.palette import mix
from easel_painter.reading import Colour

_SKINS: tuple[Colour, ...] = (
    (0.90, 0.70, 0.58),
    (0.86, 0.64, 0.50),
    (0.78, 0.56, 0.42),
    (0.60, 0.41, 0.29),
    (0.46, 0.30, 0.21),
)


def paint_portrait(scene: Scene, outdoors: bool) -> None:
    """Head and shoulders in the middle of the picture, before whatever is painted already."""
    reading = scene.reading
    rng = scene.stream("portrait")
    sitter = choose_sitter(scene)
    side = 1.0 if rng.random() < 0.5 else -1.0
    light = lamp(scene, indoors=True, side=side)
    light = Lamp(
        light.direction, mix(light.key, (1.4, 1.25, 1.05), 0.5), mix(light.fill, (0.34, 0.28, 0.26), 0.6), light.rim
    )
    if outdoors or scene.palette.hour == "night":
        light = Lamp(
            light.direction,
            mix(light.key, scene.palette.light, 0.35),
            mix(light.fill, scene.palette.ambient, 0.25),
            mix(light.rim, scene.palette.horizon, 0.5),
        )
    yaw = (
        float(rng.uniform(0.22, 0.44) * rng.choice([-1.0, 1.0]))
        if rng.random() < 0.6
        else float(rng.uniform(-0.10, 0.10))
    )
    radius = min(scene.short * 0.25, scene.height * 0.21) * (0.94 if sitter.child else 1.0)
    skin = _SKINS[int(rng.integers(len(_SKINS)))]
    x = scene.width * 0.5 - np.sin(yaw) * radius * 0.25
    head = Head(
        float(x),
        scene.height * 0.40,
        radius,
        yaw,
        skin,
        sitter.man and not sitter.child,
        1.0 if sitter.old else 0.0,
        sitter.child,
    )
    paint_hair_behind(scene, head, sitter, light)
    paint_shoulders(scene, head, sitter, light)
    _ear(scene, head, sitter, light)
    paint_head(scene, head, light)
    if sitter.beard:
        paint_beard(scene, head, sitter, light)
    paint_hair_before(scene, head, sitter, light)
    if reading.has("crown") or (reading.has("royal") and not reading.has("hat")):
        paint_crown(scene, head, light)
    elif reading.has("hat"):
        paint_hat(scene, head, light)
    scene.show("portrait")
    for name in ("woman", "man"):
        if reading.has(name):
            scene.show(name)


def paint_backdrop(scene: Scene) -> None:
    """A dark wall, lighter where the light falls on it: what stands behind in old pictures."""
    rng = scene.stream("backdrop")
    reading = scene.reading
    base: Colour = ((0.17, 0.12, 0.09), (0.10, 0.13, 0.14), (0.15, 0.14, 0.10), (0.16, 0.09, 0.09))[
        int(rng.integers(4))
    ]
    base = mix(base, scene.palette.zenith, 0.16)
    loud = [colour for colour, weight in reading.colours if weight > 0.6]
    if loud:
        base = mix(base, loud[-1], 0.45)
    cloud = fbm(
        rng, scene.width, scene.height, (3 * scene.width / scene.short, 3 * scene.height / scene.short), 5, 0.55
    )
    tone = np.asarray(base, dtype=np.float32) * (0.55 + 0.75 * cloud)[..., None]
    x, y = scene.width * (0.5 + 0.22 * float(rng.choice([-1, 1]))), scene.height * 0.40
    scene.rgb[:] = tone
    window, glow = soft_oval(scene, x, y, scene.short * 0.42, scene.short * 0.46)
    warm = np.asarray(mix(base, (0.80, 0.62, 0.42), 0.42), dtype=np.float32)
    scene.put(window, glow * (0.45 + 0.4 * cloud[window]), warm)


def _ear(scene: Scene, head: Head, sitter: Sitter, light: Lamp) -> None:
    if sitter.style in ("long", "bob"):
        return
    for side in (-1.0, 1.0):
        if side * head.yaw > 0.15:
            continue
        x = side * 0.75 - 0.10 * float(np.sin(head.yaw))
        solid(
            scene, [head.stand.oval(x, 0.10, 0.10, 0.21, -0.15 * side)], mix(head.skin, (0.75, 0.30, 0.25), 0.25), light
        )
        solid(
            scene,
            [head.stand.oval(x + 0.01 * side, 0.10, 0.05, 0.13, -0.15 * side)],
            mix(head.skin, (0.35, 0.12, 0.10), 0.5),
            light,
            depth=-0.6,
        )
