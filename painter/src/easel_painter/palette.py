"""The light of a scene as a handful of colours: hour, season, weather, mood and colour words become one palette."""

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from easel_painter.noise import stream
from easel_painter.reading import Colour, Reading


@dataclass(frozen=True)
class Palette:
    """RGB 0..1. Sky and haze are as seen; the things' own colours are still to be lit by `ambient`."""

    hour: str
    season: str
    zenith: Colour
    middle: Colour
    horizon: Colour
    light: Colour
    cloud_lit: Colour
    cloud_dark: Colour
    haze: Colour
    ambient: Colour
    foliage: Colour = (0.22, 0.38, 0.16)
    grass: Colour = (0.46, 0.55, 0.24)
    rock: Colour = (0.42, 0.41, 0.45)
    sand: Colour = (0.92, 0.76, 0.50)
    water: Colour = (0.10, 0.32, 0.42)
    snow: Colour = (0.95, 0.97, 1.0)
    contrast: float = 1.0
    saturation: float = 1.0

    @property
    def is_dark(self) -> bool:
        """Whether lamps are lit and windows shine."""
        return self.hour in ("night", "sunset")

    def lit(self, colour: Colour, amount: float = 1.0) -> Colour:
        """A thing's colour in this light."""
        return mix(
            colour, (colour[0] * self.ambient[0], colour[1] * self.ambient[1], colour[2] * self.ambient[2]), amount
        )

    def far(self, colour: Colour, distance: float) -> Colour:
        """A lit colour seen through air; distance 0 is near, 1 is lost in haze."""
        return mix(self.lit(colour), self.haze, distance)


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """From a (0) to b (1)."""
    return (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share)


_HOURS: dict[str, dict[str, Colour]] = {
    "day": {
        "zenith": (0.13, 0.38, 0.72),
        "middle": (0.38, 0.63, 0.87),
        "horizon": (0.84, 0.91, 0.94),
        "light": (1.0, 0.97, 0.86),
        "cloud_lit": (1.0, 0.99, 0.96),
        "cloud_dark": (0.6, 0.68, 0.8),
        "haze": (0.68, 0.8, 0.9),
        "ambient": (1.0, 0.98, 0.94),
    },
    "golden": {
        "zenith": (0.22, 0.42, 0.66),
        "middle": (0.66, 0.69, 0.76),
        "horizon": (1.0, 0.86, 0.58),
        "light": (1.0, 0.86, 0.55),
        "cloud_lit": (1.0, 0.93, 0.78),
        "cloud_dark": (0.62, 0.58, 0.62),
        "haze": (0.9, 0.79, 0.62),
        "ambient": (1.0, 0.88, 0.68),
    },
    "dawn": {
        "zenith": (0.27, 0.36, 0.62),
        "middle": (0.76, 0.62, 0.74),
        "horizon": (1.0, 0.8, 0.64),
        "light": (1.0, 0.84, 0.66),
        "cloud_lit": (1.0, 0.8, 0.74),
        "cloud_dark": (0.52, 0.46, 0.62),
        "haze": (0.86, 0.72, 0.74),
        "ambient": (0.8, 0.68, 0.74),
    },
    "sunset": {
        "zenith": (0.15, 0.20, 0.40),
        "middle": (0.68, 0.37, 0.42),
        "horizon": (1.0, 0.64, 0.28),
        "light": (1.0, 0.72, 0.36),
        "cloud_lit": (1.0, 0.58, 0.36),
        "cloud_dark": (0.36, 0.25, 0.38),
        "haze": (0.80, 0.50, 0.42),
        "ambient": (0.80, 0.57, 0.50),
    },
    "night": {
        "zenith": (0.015, 0.03, 0.11),
        "middle": (0.04, 0.09, 0.25),
        "horizon": (0.15, 0.26, 0.44),
        "light": (0.86, 0.91, 1.0),
        "cloud_lit": (0.36, 0.44, 0.62),
        "cloud_dark": (0.06, 0.09, 0.19),
        "haze": (0.12, 0.21, 0.39),
        "ambient": (0.34, 0.42, 0.62),
    },
}

_FOLIAGE: dict[str, tuple[Colour, Colour]] = {
    "spring": ((0.36, 0.54, 0.20), (0.52, 0.66, 0.28)),
    "summer": ((0.18, 0.38, 0.15), (0.42, 0.54, 0.20)),
    "autumn": ((0.74, 0.36, 0.09), (0.70, 0.54, 0.22)),
    "winter": ((0.24, 0.32, 0.33), (0.88, 0.92, 0.97)),
}

_SKY = ("zenith", "middle", "horizon", "cloud_lit", "cloud_dark", "haze")
_EARTH = ("foliage", "grass", "rock", "sand", "water")


def choose(reading: Reading, *seed: object) -> Palette:
    """The palette for a reading. Where the words leave it open, the seed decides."""
    rng = stream("palette", *seed)
    hour = _strongest(reading.times) or _hour_from(reading, rng)
    season = _strongest(reading.seasons) or ("winter" if reading.has("snow") else "summer")
    foliage, grass = _FOLIAGE[season]
    sky: dict[str, Any] = dict(_HOURS[hour])
    palette = Palette(hour=hour, season=season, foliage=foliage, grass=grass, **sky)
    palette = _weather(palette, reading)
    palette = _mood(palette, reading)
    palette = _stir(palette, reading, rng)
    return _recolour(palette, reading)


def _strongest(found: dict[str, float]) -> str | None:
    return max(found, key=lambda name: found[name]) if found else None


def _hour_from(reading: Reading, rng: np.random.Generator) -> str:
    sky = reading.paints.get("sky")
    if sky and sky[2] > max(sky[0], sky[1]) and not reading.has("moon", "stars", "aurora"):
        # A blue sky is a day's.
        return str(rng.choice(["day", "day", "golden"]))
    if reading.has("moon", "stars", "aurora", "nebula") or reading.is_a("neon"):
        return "night"
    if reading.has("rain", "fog", "snow", "lightning") or "winter" in reading.seasons:
        return str(rng.choice(["day", "day", "dawn"]))
    if reading.has("rainbow", "flowers", "garden") or "summer" in reading.seasons or "spring" in reading.seasons:
        return str(rng.choice(["day", "day", "golden", "golden", "dawn"]))
    if reading.has("fire", "lighthouse") and not reading.has("sun"):
        return str(rng.choice(["sunset", "night"]))
    return str(rng.choice(["day", "day", "golden", "golden", "golden", "dawn", "sunset"]))


def _change(palette: Palette, names: tuple[str, ...], towards: Colour, share: float) -> Palette:
    return _with(palette, {name: mix(getattr(palette, name), towards, share) for name in names})


def _with(palette: Palette, colours: dict[str, Colour]) -> Palette:
    changes: dict[str, Any] = dict(colours)
    return replace(palette, **changes)


def _weather(palette: Palette, reading: Reading) -> Palette:
    dim = 0.55 if palette.hour != "night" else 0.12
    if reading.has("rain", "lightning") or reading.is_a("rough"):
        palette = _change(palette, (*_SKY, "light"), (dim * 0.66, dim * 0.76, dim * 0.88), 0.62)
        palette = replace(palette, ambient=mix(palette.ambient, (0.5, 0.55, 0.62), 0.5))
    if reading.has("fog"):
        palette = _change(palette, _SKY, palette.haze, 0.5)
        pale = mix(palette.haze, (0.86, 0.85, 0.82), 0.7) if palette.hour != "night" else palette.haze
        palette = _change(palette, _SKY, pale, 0.72)
    if reading.has("snow") and palette.hour in ("day", "dawn"):
        palette = _change(palette, ("zenith", "middle", "haze"), (0.76, 0.82, 0.90), 0.4)
    return palette


def _mood(palette: Palette, reading: Reading) -> Palette:
    moods = reading.moods
    if "gloomy" in moods:
        palette = _change(palette, (*_SKY, "light", "ambient"), (0.13, 0.16, 0.22), 0.38)
        palette = replace(palette, saturation=palette.saturation * 0.75)
    if "dreamy" in moods:
        palette = _change(palette, _SKY, (0.92, 0.78, 0.90), 0.32 if palette.hour != "night" else 0.12)
    if "warm" in moods:
        palette = _change(palette, (*_SKY, "light", "ambient"), (1.0, 0.72, 0.44), 0.22)
    if "cold" in moods:
        palette = _change(palette, (*_SKY, "light", "ambient"), (0.55, 0.75, 1.0), 0.22)
    if "calm" in moods:
        palette = replace(palette, contrast=0.93)
    if "dramatic" in moods:
        palette = replace(palette, contrast=palette.contrast * 1.18, saturation=palette.saturation * 1.12)
    if "vivid" in moods:
        palette = replace(palette, saturation=palette.saturation * 1.35)
    return palette


def _stir(palette: Palette, reading: Reading, rng: np.random.Generator) -> Palette:
    """Every picture differs a little; words without a known meaning push it further, each in its own direction."""
    if palette.hour in ("sunset", "dawn"):
        # No two evenings have the same colours.
        share = float(rng.random()) * 0.6
        for name in _SKY[:3]:
            other = _HOURS["golden"][name]
            palette = _change(palette, (name,), mix(other, palette.horizon, 0.2), share)
    push = rng.normal(0, 0.025, 3)
    for word in reading.unknown:
        push = push + stream("word", word).normal(0, 0.034, 3) / max(1.0, len(reading.unknown) ** 0.5)
    push = push - push.mean()
    scale = 0.45 if palette.hour == "night" else 1.0
    new: dict[str, Colour] = {}
    for entry in fields(palette):
        value = getattr(palette, entry.name)
        if isinstance(value, tuple) and entry.name not in ("light", "ambient", "snow"):
            moved = [
                min(1.0, max(0.0, channel + float(delta) * scale)) for channel, delta in zip(value, push, strict=True)
            ]
            new[entry.name] = (moved[0], moved[1], moved[2])
    return _with(palette, new)


def _recolour(palette: Palette, reading: Reading) -> Palette:
    """Colour words: the first steers the sky, the next the land; one alone steers both."""
    if "sky" in reading.paints:
        for name in _SKY:
            old: Colour = getattr(palette, name)
            palette = _change(palette, (name,), _as_bright(reading.paints["sky"], old), 0.5)
    for position, (colour, weight) in enumerate(reading.colours[:4]):
        share = min(0.8, 0.5 * weight)
        names = (*_SKY, *_EARTH) if len(reading.colours) == 1 else (_SKY if position % 2 == 0 else _EARTH)
        for name in names:
            old = getattr(palette, name)
            # One colour for all would leave nothing to stand out from.
            part = share * 0.55 if len(reading.colours) == 1 and name in _EARTH else share
            palette = _change(palette, (name,), _as_bright(colour, old), part)
    return palette


def _as_bright(colour: Colour, like: Colour) -> Colour:
    """The colour, darkened or lightened to the brightness of another."""
    own, wanted = max(sum(colour) / 3, 0.02), sum(like) / 3
    if wanted <= own:
        factor = wanted / own
        return (colour[0] * factor, colour[1] * factor, colour[2] * factor)
    return mix(colour, (1.0, 1.0, 1.0), (wanted - own) / (1 - own + 1e-6))
