"""A human head as a relief: brow, nose, lips and chin are heights on a turned head, and light does the drawing."""

from dataclasses import dataclass

import numpy as np

from easel_painter.canvas import Point, Scene, Window
from easel_painter.close.form import Lamp, grid, illuminate
from easel_painter.close.outline import Stand, band, path, smooth
from easel_painter.noise import Field, fbm, smoothstep
from easel_painter.palette import mix
from easel_painter.reading import Colour

_SOFT = (
    (-1.12, 0.0),
    (-1.05, 0.34),
    (-0.85, 0.57),
    (-0.5, 0.71),
    (-0.1, 0.735),
    (0.25, 0.695),
    (0.5, 0.60),
    (0.72, 0.44),
    (0.88, 0.27),
    (0.97, 0.14),
    (1.0, 0.0),
)
_SQUARE = (
    (-1.12, 0.0),
    (-1.05, 0.36),
    (-0.85, 0.60),
    (-0.5, 0.735),
    (-0.1, 0.755),
    (0.25, 0.735),
    (0.5, 0.68),
    (0.74, 0.55),
    (0.90, 0.37),
    (0.99, 0.20),
    (1.03, 0.0),
)

EYE_AT = (0.435, -0.04)
"""Longitude in radians and height of an eye; heights count in half faces from the middle down."""


@dataclass(frozen=True)
class Head:
    """Where a head is and how it is built. Its own numbers: half a face is 1, the chin is at 1, the crown at -1.1."""

    x: float
    y: float
    radius: float
    yaw: float
    """Radians by which it is turned to the right."""

    skin: Colour
    square: bool
    age: float
    """0 young, 1 old."""

    child: bool = False

    @property
    def stand(self) -> Stand:
        """For outlines around the head."""
        return Stand(self.x, self.y, self.radius)

    def half(self, level: Field) -> Field:
        """Half the head's width at each height."""
        knots = np.asarray(smooth(_SQUARE if self.square else _SOFT, closed=False), dtype=np.float32)
        wide = np.interp(level, knots[:, 0], knots[:, 1], left=0.0, right=0.0).astype(np.float32)
        return wide * np.float32(1.06 if self.child else 1.0)

    def middle(self, level: Field) -> Field:
        """How far the turned head's middle is beside its stand at each height: the chin goes ahead."""
        shift: Field = np.float32(np.sin(self.yaw) * 0.20) * smoothstep(-0.6, 1.0, level)
        return shift

    def place(self, longitude: float, level: float) -> tuple[Point, float]:
        """Where a point of the surface is seen, in the head's own numbers, and how much it is foreshortened."""
        row = np.asarray([level], dtype=np.float32)
        angle = longitude + self.yaw
        x = float(self.middle(row)[0] + self.half(row)[0] * np.sin(angle))
        return (x, level), float(max(0.25, np.cos(angle)))


def _bump(across: Field, down: Field, x: float, y: float, wide: float, tall: float) -> Field:
    value: Field = np.exp(
        -(((across - np.float32(x)) / np.float32(wide)) ** 2) - ((down - np.float32(y)) / np.float32(tall)) ** 2
    )
    return value


def _pair(across: Field, down: Field, x: float, y: float, wide: float, tall: float) -> Field:
    return _bump(across, down, x, y, wide, tall) + _bump(across, down, -x, y, wide, tall)


def _relief(head: Head, turn: Field, nose: Field, level: Field) -> Field:
    """How far the face stands out of the plain head, in half faces."""
    bold = 1.18 if head.square else 0.92
    down: Field = level + 0 * turn
    bridge = (
        np.exp(-((nose / np.float32(0.125)) ** 2)) * smoothstep(-0.30, 0.34, down) * (1 - smoothstep(0.36, 0.44, down))
    )
    z = bold * 0.20 * bridge
    z += bold * 0.085 * _bump(nose, down, 0, 0.315, 0.15, 0.085) + 0.055 * _pair(nose, down, 0.165, 0.355, 0.075, 0.05)
    z += 0.055 * bold * _pair(turn, down, 0.40, -0.235, 0.27, 0.075) - 0.11 * _pair(turn, down, 0.40, -0.06, 0.23, 0.12)
    z += 0.040 * _pair(turn, down, EYE_AT[0], -0.035, 0.15, 0.07)
    z += 0.060 * _pair(turn, down, 0.66, 0.22, 0.26, 0.17) - 0.035 * head.age * _pair(
        turn, down, 0.60, 0.50, 0.18, 0.16
    )
    z += 0.052 * _bump(turn, down, 0, 0.565, 0.25, 0.040) + 0.062 * _bump(turn, down, 0, 0.665, 0.20, 0.045)
    z -= 0.045 * _bump(turn, down, 0, 0.610, 0.27, 0.014) + 0.040 * _bump(turn, down, 0, 0.755, 0.22, 0.045)
    z += 0.075 * bold * _bump(turn, down, 0, 0.89, 0.24, 0.10) + 0.035 * _bump(turn, down, 0, -0.55, 0.6, 0.25)
    fold = (
        np.exp(-(((np.abs(turn) - 0.20 - 0.34 * (down - 0.36)) / 0.035) ** 2))
        * smoothstep(0.32, 0.40, down)
        * (1 - smoothstep(0.5, 0.66, down))
    )
    z -= np.float32(0.008 + 0.030 * head.age) * fold
    if head.age > 0.5:
        for row in (-0.42, -0.50, -0.58):
            z -= 0.010 * np.exp(-(((down - row - 0.03 * turn * turn) / 0.012) ** 2)) * (np.abs(turn) < 0.7)
        z -= 0.022 * _pair(turn, down, 0.43, 0.075, 0.16, 0.022)
    return np.asarray(z, dtype=np.float32)


def paint_head(scene: Scene, head: Head, light: Lamp) -> None:
    """The face with all that light draws on it; the eyes, brows and lips come on top."""
    r = head.radius
    left, right = max(0, int(head.x - r * 1.0)), min(scene.width, int(head.x + r * 1.0) + 1)
    top, bottom = max(0, int(head.y - r * 1.2)), min(scene.height, int(head.y + r * 1.1) + 1)
    if right - left < 3 or bottom - top < 3:
        return
    window = (slice(top, bottom), slice(left, right))
    x, y = grid(window)
    level: Field = (y - np.float32(head.y)) / np.float32(r)
    across = (x - np.float32(head.x)) / np.float32(r) - head.middle(level)
    outer = head.half(level)
    half = np.maximum(outer, np.float32(0.02))
    share = np.clip(across / half, -0.995, 0.995)
    # The far cheek is narrower below the cheekbone, as a turned face shows it.
    turn = np.arcsin(share) - np.float32(head.yaw)
    nose = turn - np.float32(0.32 * np.sin(head.yaw)) * smoothstep(-0.2, 0.32, level)
    z = np.sqrt(1 - share * share) * half * 1.05 + _relief(head, turn, nose, level)
    ny, nx = (np.asarray(-slope * np.float32(r), dtype=np.float32) for slope in np.gradient(z))
    mask = np.clip((half - np.abs(across)) * np.float32(r) + 0.5, 0, 1) * (outer > 0.02)
    tone = _complexion(scene, head, turn, nose, level)
    colour = illuminate(np.clip(nx, -4, 4), np.clip(ny, -4, 4), tone, light, gloss=0.10, sharp=14)
    colour *= _occlusion(turn, nose, level, light)[..., None]
    scene.put(window, np.asarray(mask, dtype=np.float32), colour)
    _features(scene, head, light)


def _complexion(scene: Scene, head: Head, turn: Field, nose: Field, level: Field) -> Field:
    """Skin with its warmth on cheeks, nose and lips."""
    down: Field = level + 0 * turn
    blush = (
        0.55 * _pair(turn, down, 0.62, 0.24, 0.30, 0.20)
        + 0.45 * _bump(nose, down, 0, 0.32, 0.16, 0.10)
        + 0.2 * _bump(turn, down, 0, 0.88, 0.3, 0.1)
    )
    grain = fbm(scene.stream("skin"), turn.shape[1], turn.shape[0], (9, 11), 4) - 0.5
    skin = np.asarray(head.skin, dtype=np.float32)
    rosy = np.asarray(mix(head.skin, (0.84, 0.32, 0.26), 0.42), dtype=np.float32)
    share = np.clip(blush + 0.35 * grain, 0, 1)[..., None]
    tone = (skin * (1 - share) + rosy * share) * (1 + 0.16 * grain)[..., None]
    bow = 0.012 * np.cos(turn * 14) * (np.abs(turn) < 0.22)
    ends = np.clip(1 - (turn / 0.335) ** 2, 0, 1)
    upper = smoothstep(0.0, 0.02, np.asarray(down - (0.605 - 0.062 * ends + bow), dtype=np.float32))
    lower = 1 - smoothstep(0.0, 0.025, np.asarray(down - (0.608 + 0.092 * ends), dtype=np.float32))
    red = 0.34 if head.square or head.child else 0.62
    lips = (upper * lower * (ends > 0.02) * np.float32(red * (1 - 0.4 * head.age)))[..., None]
    mouth = np.asarray(mix(head.skin, (0.70, 0.20, 0.20), 0.75), dtype=np.float32)
    tone = tone * (1 - lips) + mouth * lips
    return np.asarray(tone, dtype=np.float32)


def _occlusion(turn: Field, nose: Field, level: Field, light: Lamp) -> Field:
    """Where little light gets in, and the shadow that nose and brow throw."""
    down: Field = level + 0 * turn
    away = -light.side
    dark = 0.40 * _pair(turn, down, 0.36, -0.085, 0.21, 0.085) + 0.22 * _bump(turn, down, 0, 0.755, 0.18, 0.04)
    dark += 0.55 * _bump(turn, down, 0, 0.609, 0.29, 0.013) + 0.40 * _bump(nose, down, 0, 0.415, 0.15, 0.035)
    dark += 0.60 * _pair(nose, down, 0.085, 0.392, 0.050, 0.020)
    # The nose stands in the light of the cheek beside it.
    dark += 0.40 * _bump(nose, down, away * 0.20, 0.27, 0.10, 0.16) + 0.25 * _bump(
        nose, down, away * 0.22, 0.44, 0.14, 0.06
    )
    dark += 0.20 * _bump(nose, down, away * 0.12, 0.02, 0.07, 0.2)
    dark += 0.35 * smoothstep(0.90, 1.06, down) + 0.5 * smoothstep(-0.62, -1.0, down) * 0.6
    value: Field = np.clip(1 - dark, 0.12, 1)
    return value


def _features(scene: Scene, head: Head, light: Lamp) -> None:
    rng = scene.stream("features")
    iris: Colour = ((0.28, 0.42, 0.55), (0.32, 0.22, 0.13), (0.30, 0.42, 0.26), (0.22, 0.15, 0.10))[
        int(rng.integers(4))
    ]
    iris = scene.reading.paints.get("portrait") or iris
    gaze = float(np.clip(-head.yaw * 0.5 + rng.normal(0, 0.12), -0.3, 0.3))
    for side in (-1, 1):
        at, shrink = head.place(side * EYE_AT[0], EYE_AT[1])
        _eye(scene, head, light, (at, shrink, side), iris, gaze)
        at, shrink = head.place(side * 0.42, -0.235)
        lift = 0.035 if head.square else 0.055
        brow = [
            (-0.19 * side * shrink, 0.008),
            (-0.06 * side * shrink, -0.5 * lift),
            (0.09 * side * shrink, -lift),
            (0.235 * side * shrink, 0.028),
        ]
        thick = 0.034 if head.square else 0.020
        outline = [(at[0] + x, at[1] + y) for x, y in brow]
        tone = mix((0.12, 0.08, 0.06), (0.62, 0.60, 0.58), 0.75 * head.age)
        line = head.stand.to(band(outline, (thick * 0.75, thick, thick * 0.8, 0.005)))
        scene.shape([line], mix(tone, head.skin, 0.22), 0.62 if light.side == side else 0.74)


def _eye(scene: Scene, head: Head, light: Lamp, place: tuple[Point, float, int], iris: Colour, gaze: float) -> None:
    """White, iris, pupil and catchlight between two lids; the upper one throws a shadow."""
    (x, y), shrink, side = place
    big = 1.22 if head.child else 1.10 if not head.square else 0.94
    w, h = 0.150 * shrink * big, 0.064 * big * (1 - 0.25 * head.age)

    def at(points: list[Point]) -> list[Point]:
        return [(x + side * px * w, y + py * h) for px, py in points]

    stand = head.stand
    almond = path("-1,0.3 -0.45,-0.62 0.15,-0.92 0.72,-0.45 1,0.08 0.55,0.62 -0.1,0.78 -0.6,0.6")
    window, mask = scene.cut([stand.curve(at(almond))])
    if not mask.size:
        return
    lit = 0.78 if light.side == side else 0.50
    scene.put(window, mask, mix((0.03, 0.02, 0.02), mix((0.90, 0.86, 0.82), head.skin, 0.28), lit))
    gx, gy = x + gaze * w * 0.9, y - 0.10 * h
    discs: list[tuple[list[Point], Colour, float]] = [
        (stand.oval(gx, gy, h * 0.98 * shrink**0.4, h * 1.02), mix(iris, (0.02, 0.02, 0.02), 0.72), 1.0),
        (stand.oval(gx, gy, h * 0.84 * shrink**0.4, h * 0.87), mix(iris, (0.02, 0.02, 0.02), 0.22), 1.0),
        (stand.oval(gx, y + 0.28 * h, h * 0.55, h * 0.35), mix(iris, (0.9, 0.8, 0.6), 0.28), 0.55),
        (stand.oval(gx, gy, h * 0.44, h * 0.46), (0.015, 0.012, 0.012), 1.0),
        (stand.curve(at(path("-1.1,-0.2 0.1,-0.42 1.1,-0.2 1,-1.4 -1,-1.4"))), (0.03, 0.02, 0.02), 0.5),
    ]
    for outline, colour, strength in discs:
        _within(scene, window, mask, outline, colour, strength)
    lash = 0.013 if head.square else 0.019
    upper = at(path("-1.02,0.32 -0.45,-0.66 0.15,-0.96 0.72,-0.5 1.12,0.02"))
    crease = at(path("-0.8,-0.62 -0.3,-1.32 0.2,-1.54 0.85,-1.04"))
    lower = at(path("-0.85,0.48 -0.1,0.86 0.6,0.68 1,0.1"))
    lids: list[tuple[list[Point], tuple[float, ...], float, float]] = [
        (upper, (0.004, lash * 0.7, lash, lash * 0.9, 0.005), 0.86, 0.88),
        (crease, (0.003, 0.010, 0.012, 0.004), 0.62, 0.40),
        (lower, (0.002, 0.006, 0.007, 0.003), 0.55, 0.50),
    ]
    for points, widths, deep, strength in lids:
        scene.shape([stand.to(band(points, widths))], mix(head.skin, (0.08, 0.03, 0.03), deep), strength)
    scene.sprinkle([stand.oval(gx + light.side * h * 0.34, y - h * 0.40, h * 0.20, h * 0.20)], (1.0, 0.98, 0.94), 0.9)


def _within(
    scene: Scene, window: Window, mask: Field, outline: list[Point], colour: Colour, strength: float = 1.0
) -> None:
    """Fill an outline as far as it lies inside a mask."""
    inner, cover = scene.cut([outline])
    top, left = max(inner[0].start, window[0].start), max(inner[1].start, window[1].start)
    bottom, right = min(inner[0].stop, window[0].stop), min(inner[1].stop, window[1].stop)
    if bottom <= top or right <= left or not cover.size:
        return
    own = cover[top - inner[0].start : bottom - inner[0].start, left - inner[1].start : right - inner[1].start]
    rim = mask[top - window[0].start : bottom - window[0].start, left - window[1].start : right - window[1].start]
    scene.put((slice(top, bottom), slice(left, right)), own * rim * np.float32(strength), colour)
