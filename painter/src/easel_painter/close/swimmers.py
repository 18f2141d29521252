"""The large swimmers: whale, dolphin, shark."""

import numpy as np

from easel_painter.canvas import Scene
from easel_painter.close.form import Lamp, grid, model, solid
from easel_painter.close.outline import Stand, path
from easel_painter.close.plumage import paint_eye
from easel_painter.noise import fbm, smoothstep
from easel_painter.palette import mix
from easel_painter.reading import Colour

KINDS = ("whale", "dolphin", "shark")

_BACKS: dict[str, Colour] = {"whale": (0.20, 0.29, 0.38), "dolphin": (0.38, 0.46, 0.54), "shark": (0.36, 0.42, 0.46)}

_BODIES = {
    "whale": "0.5,0.02 0.46,-0.09 0.28,-0.17 0.02,-0.17 -0.26,-0.08 -0.5,-0.03 -0.5,0.01 -0.28,0.07 0,0.16 "
    "0.26,0.18 0.44,0.1",
    "dolphin": "0.56,0.055 0.43,0.02 0.36,-0.07 0.18,-0.14 -0.06,-0.14 -0.3,-0.06 -0.5,0.02 -0.5,0.05 -0.28,0.05 "
    "0,0.11 0.26,0.11 0.42,0.075 0.55,0.085",
    "shark": "0.52,0 0.4,-0.07 0.2,-0.13 -0.04,-0.12 -0.3,-0.05 -0.5,-0.015 -0.5,0.015 -0.28,0.04 0,0.1 0.24,0.1 "
    "0.42,0.06",
}
_FLUKES = "-0.47,0 -0.6,-0.1 -0.7,-0.11 -0.6,0.01 -0.68,0.1 -0.58,0.08"
_FINS = {
    "whale": (_FLUKES,),
    "dolphin": (_FLUKES, "0.06,-0.12 -0.1,-0.26 -0.1,-0.11"),
    "shark": ("-0.46,0 -0.64,-0.22 -0.56,-0.02 -0.6,0.12", "0.1,-0.1 -0.06,-0.3 -0.1,-0.1"),
}
_EYES = {"whale": (0.30, 0.012), "dolphin": (0.30, -0.02), "shark": (0.38, -0.02)}


def paint_large(scene: Scene, stand: Stand, light: Lamp, kind: str) -> None:
    """A whale, dolphin or shark in profile; the stand is its middle and about its length."""
    scene.show(kind)
    back = scene.reading.paints.get(kind) or scene.reading.paints.get("fish") or _BACKS[kind]
    for fin in _FINS[kind]:
        solid(scene, [stand.curve(path(fin))], back, light)
    window, mask = scene.cut([stand.curve(path(_BODIES[kind]))])
    if min(mask.shape) < 2:
        return
    _, y = grid(window)
    down = (y - stand.y) / stand.size + 0 * mask
    grain = fbm(scene.stream(kind), mask.shape[1], mask.shape[0], (6, 3), 4) - 0.5
    share = smoothstep(0.0, 0.07, np.asarray(down + 0.05 * grain, np.float32))[..., None]
    belly = np.asarray(mix(back, (0.94, 0.96, 0.96), 0.72), np.float32)
    tone = (np.asarray(back, np.float32) * (1 - share) + belly * share) * (1 + 0.3 * grain)[..., None]
    model(scene, window, mask, np.asarray(tone, np.float32), light, gloss=0.2)
    _marks(scene, stand, kind, back)
    solid(scene, [stand.curve(path("0.2,0.07 0.1,0.26 -0.02,0.3 0.07,0.09"))], mix(back, (0, 0, 0), 0.12), light)
    paint_eye(scene, stand.part(*_EYES[kind], 1.0), 0.011, light)


def _marks(scene: Scene, stand: Stand, kind: str, back: Colour) -> None:
    """Pleats under a whale's chin, a shark's gills, the line of a mouth."""
    dark = mix(back, (0.0, 0.0, 0.0), 0.5)
    if kind == "shark":
        gills = [[(0.24 - 0.03 * k, -0.035), (0.23 - 0.03 * k, 0.035)] for k in range(4)]
        scene.shape([stand.band(gill, (0.003, 0.004)) for gill in gills], dark, 0.6)
        return
    if kind == "whale":
        pleats = [[(0.45, 0.06 + 0.022 * k), (0.2, 0.085 + 0.022 * k), (0.02, 0.075 + 0.02 * k)] for k in range(4)]
        scene.shape([stand.band(pleat, (0.002, 0.003, 0.001)) for pleat in pleats], back, 0.5)
    scene.shape([stand.band(path("0.49,0.05 0.36,0.07 0.28,0.045"), (0.002, 0.005, 0.002))], dark, 0.6)
