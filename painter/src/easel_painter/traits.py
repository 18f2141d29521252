"""What can be measured in any picture: its colours by name, its light, its composition."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from easel_painter.noise import Field
from generator.engines.base import Pixels

_LONGEST_PX = 96
_LEAST_SHARE = 0.08
"""A colour that covers less of the picture is not named."""

_HUES = (
    (14, "red"),
    (45, "orange"),
    (70, "yellow"),
    (160, "green"),
    (200, "turquoise"),
    (255, "blue"),
    (295, "violet"),
    (342, "pink"),
    (360, "red"),
)
"""Where each hue ends, in degrees."""


@dataclass(frozen=True)
class Traits:
    """A picture's traits; numbers are 0..1 unless noted."""

    colours: tuple[str, ...]
    """At most three, from the one that covers most."""

    light: float
    contrast: float
    saturation: float
    warmth: float
    """-1 is all blue, 1 is all red."""

    detail: float
    """How much neighbouring pixels differ on average."""

    symmetry: float
    """How much the left half is the right one mirrored: 1 is the same."""

    aspect: float
    """Width by height."""

    weight_x: float
    """The centre of what contrasts with the rest, from the left."""

    bright_side: str
    """`left`, `right`, `above`, `below`, or nothing where the light is even."""


def measure(picture: Pixels) -> Traits:
    """Measure the traits of a picture."""
    image = Image.fromarray(picture)
    # Averaged, so that a grain of single pixels is no colour; never enlarged.
    factor = max(1, -(-max(image.size) // _LONGEST_PX))
    small = np.asarray(image.reduce(factor) if factor > 1 else image, dtype=np.float32) / np.float32(255)
    luma = small.mean(axis=-1)
    spread = small.max(axis=-1) - small.min(axis=-1)
    # Against the whole picture's own tone: what differs from it is what the eye goes to.
    apart = np.abs(small - np.median(small, axis=(0, 1))).sum(axis=-1) + np.float32(1e-6)
    return Traits(
        colours=_colours(small),
        light=float(luma.mean()),
        contrast=float(luma.std() * 2),
        saturation=float(spread.mean()),
        warmth=float((small[..., 0] - small[..., 2]).mean()),
        detail=_detail(luma),
        symmetry=_symmetry(luma),
        aspect=picture.shape[1] / picture.shape[0],
        weight_x=_middle(apart.sum(axis=0)),
        bright_side=_bright_side(luma),
    )


def _colours(small: Field, most: int = 3) -> tuple[str, ...]:
    names, counts = np.unique([_name(*colour) for colour in small.reshape(-1, 3).tolist()], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:most]
    chosen = tuple(str(names[k]) for k in order if counts[k] >= counts.sum() * _LEAST_SHARE)
    return chosen or (str(names[order[0]]),)


def _name(red: float, green: float, blue: float) -> str:
    """Return the everyday name of a colour."""
    high, low = max(red, green, blue), min(red, green, blue)
    spread = high - low
    if high < 0.12:
        return "black"
    if spread < 0.10 or spread / high < 0.12:
        return "black" if high < 0.20 else "dark grey" if high < 0.42 else "grey" if high < 0.80 else "white"
    if high == red:
        hue = (green - blue) / spread % 6
    elif high == green:
        hue = (blue - red) / spread + 2
    else:
        hue = (red - green) / spread + 4
    name = next(name for end, name in _HUES if hue * 60 <= end)
    if name == "orange" and high < 0.72:
        return "brown" if high >= 0.30 else "dark brown"
    if high < 0.42:
        return f"dark {name}"
    return f"pale {name}" if high > 0.70 and spread / high < 0.38 else name


def _detail(luma: Field) -> float:
    steps = [np.abs(np.diff(luma, axis=axis)).mean() for axis in (0, 1) if luma.shape[axis] > 1]
    return float(np.mean(steps)) if steps else 0.0


def _symmetry(luma: Field) -> float:
    mirrored = luma[:, ::-1]
    spread = float(luma.std())
    if spread < 1e-3:
        return 1.0
    return max(0.0, float(((luma - luma.mean()) * (mirrored - mirrored.mean())).mean()) / spread**2)


def _middle(weights: Field) -> float:
    at = (np.arange(len(weights), dtype=np.float32) + 0.5) / len(weights)
    return float((weights * at).sum() / weights.sum())


def _bright_side(luma: Field) -> str:
    height, width = luma.shape
    if height < 3 or width < 3:
        return ""
    sides = {
        "left": luma[:, : width // 3],
        "right": luma[:, -(width // 3) :],
        "above": luma[: height // 3],
        "below": luma[-(height // 3) :],
    }
    means = {name: float(part.mean()) for name, part in sides.items()}
    against = {"left": "right", "right": "left", "above": "below", "below": "above"}
    best = max(means, key=lambda name: means[name] - means[against[name]])
    return best if means[best] - means[against[best]] > 0.10 else ""
