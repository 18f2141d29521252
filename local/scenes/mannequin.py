"""A jointed mannequin as pixels: limbs are rounded cones, head, chest and pelvis are ellipsoids, all lit from one side.

Points are (x, y) in parts of a standing person's height: y is up from the ground, x to the right of the feet.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageFilter

Point: TypeAlias = tuple[float, float]

GROUND = (236, 238, 240)
WOOD, JOINT, STOOL, PAPER = (204, 158, 106), (150, 104, 62), (96, 76, 62), (214, 206, 150)
_LIGHT = np.array([-0.42, 0.58, 0.70])
_FINER = 2
"""Drawn so many times larger and reduced, for smooth rims."""

_CLOTHES = 0.035
"""How far the mask reaches beyond the mannequin, in parts of its height."""


@dataclass(frozen=True)
class Limb:
    """A rounded cone from one point to another."""

    begin: Point
    end: Point
    begin_radius: float
    end_radius: float
    colour: tuple[int, int, int] = WOOD


@dataclass(frozen=True)
class Ball:
    """An ellipsoid, turned by degrees counterclockwise."""

    centre: Point
    radii: Point
    turn_deg: float = 0.0
    colour: tuple[int, int, int] = WOOD


@dataclass(frozen=True)
class Board:
    """A flat part with corners in order, such as the side of a stool."""

    corners: tuple[Point, ...]
    colour: tuple[int, int, int]


Part: TypeAlias = Limb | Ball | Board


@dataclass(frozen=True)
class Frame:
    """What a picture shows: its lower left corner, and the length of its sides."""

    left: float
    bottom: float
    side: float


@dataclass(frozen=True)
class Drawn:
    """A mannequin with its masks, which are white where the person and where the face may be."""

    pose: Image.Image
    pose_mask: Image.Image
    face_mask: Image.Image


def draw(parts: Sequence[Part], face: Ball, frame: Frame, side_px: int) -> Drawn:
    """Draw the parts, the farthest first, as a square picture."""
    fine_px = side_px * _FINER
    steps = (np.arange(fine_px) + 0.5) / fine_px * frame.side
    x, y = np.meshgrid(frame.left + steps, frame.bottom + frame.side - steps)
    pixels = np.empty((fine_px, fine_px, 3))
    pixels[:] = GROUND
    covered = np.zeros((fine_px, fine_px), dtype=bool)
    for part in parts:
        inside, brightness = _cover(part, x, y)
        pixels[inside] = (np.asarray(part.colour) * brightness[..., None])[inside]
        covered |= inside
    reduced = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).reduce(_FINER)
    grown_px = max(2, round(_CLOTHES / frame.side * side_px))
    mask = Image.fromarray(covered).convert("L").reduce(_FINER).filter(ImageFilter.MaxFilter(2 * (grown_px // 2) + 1))
    return Drawn(reduced, _black_and_white(mask), _black_and_white(_mask_of(face, x, y).reduce(_FINER)))


def _cover(part: Part, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which points a part covers, and how bright it is there."""
    if isinstance(part, Board):
        return _within(part.corners, x, y), np.ones_like(x)
    if isinstance(part, Ball):
        turn = np.deg2rad(part.turn_deg)
        dx, dy = x - part.centre[0], y - part.centre[1]
        across = (dx * np.cos(turn) + dy * np.sin(turn)) / part.radii[0]
        along = (-dx * np.sin(turn) + dy * np.cos(turn)) / part.radii[1]
        out_x = across * np.cos(turn) - along * np.sin(turn)
        out_y = across * np.sin(turn) + along * np.cos(turn)
        return across**2 + along**2 < 1, _lit(out_x, out_y)
    begin, axis = np.asarray(part.begin), np.subtract(part.end, part.begin)
    share = ((x - begin[0]) * axis[0] + (y - begin[1]) * axis[1]) / max(1e-9, float(axis @ axis))
    share = np.clip(share, 0, 1)
    radius = part.begin_radius + (part.end_radius - part.begin_radius) * share
    out_x, out_y = (x - begin[0] - share * axis[0]) / radius, (y - begin[1] - share * axis[1]) / radius
    return out_x**2 + out_y**2 < 1, _lit(out_x, out_y)


def _lit(out_x: np.ndarray, out_y: np.ndarray) -> np.ndarray:
    """Return the brightness of a round surface whose normal leans outwards by these."""
    out_z = np.sqrt(np.clip(1 - out_x**2 - out_y**2, 0, 1))
    shone_on = np.clip(out_x * _LIGHT[0] + out_y * _LIGHT[1] + out_z * _LIGHT[2], 0, 1)
    return np.asarray(0.45 + 0.65 * shone_on)


def _within(corners: Sequence[Point], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return which points are within a convex outline with its corners in counterclockwise order."""
    inside = np.ones_like(x, dtype=bool)
    for (ax, ay), (bx, by) in zip(corners, (*corners[1:], corners[0]), strict=True):
        inside &= (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0
    return inside


def _mask_of(ball: Ball, x: np.ndarray, y: np.ndarray) -> Image.Image:
    return Image.fromarray(_cover(ball, x, y)[0]).convert("L")


def _black_and_white(mask: Image.Image) -> Image.Image:
    return mask.point(lambda grey: 255 if grey >= 128 else 0).convert("1")
