"""True words about a picture: what the painter painted, else its colours and its light."""

from dataclasses import replace

import numpy as np
from PIL import Image

from generator.engines.base import Brief, Pixels
from generator.engines.painter.composition import paint_scene
from generator.engines.painter.lexicon import COLOURS
from generator.engines.painter.reading import Reading, read

_HOURS = {"day": "by day", "golden": "in golden light", "dawn": "at dawn", "sunset": "at sunset", "night": "at night"}

_ARTICLES = dict.fromkeys(("lake", "forest", "tree", "city", "house", "lighthouse", "castle", "road", "desert"), "a ")
_ARTICLES |= {"field": "a ", "boat": "a ", "fire": "a ", "island": "an ", "aurora": "an "}
_ARTICLES |= dict.fromkeys(
    ("cat", "dog", "horse", "bird", "raven", "swan", "duck", "gull", "parrot", "bullfinch"), "a "
)
_ARTICLES |= dict.fromkeys(("fish", "whale", "dolphin", "shark", "branch", "roof", "window", "portrait", "woman"), "a ")
_ARTICLES |= dict.fromkeys(("man", "crown", "hat", "still life", "bowl", "vase", "bottle", "candle", "teapot"), "a ")
_ARTICLES |= {"book": "a ", "owl": "an "}
_ARTICLES |= {"sea": "the ", "moon": "the ", "sun": "the "}

_CREATURES = ("cat", "dog", "horse", "bird", "owl", "raven", "swan", "duck", "gull", "parrot", "fish", "koi", "whale")
_OUTDOORS = frozenset(
    ("sun", "moon", "stars", "clouds", "sea", "lake", "field", "forest", "mountains", "city", "branch")
)
"""Where one of these is to be seen, so is the hour of the day."""


def describe_scene(picture: Pixels, brief: Brief) -> str:
    """For a picture that was painted from this brief: its subjects, hour and colours."""
    reading = read(brief.prompt, brief.negative_prompt)
    # Painted once more, small: what stands in a scene does not depend on its size.
    factor = 96 / min(brief.width, brief.height)
    small = replace(brief, width=max(16, round(brief.width * factor)), height=max(16, round(brief.height * factor)))
    scene = paint_scene(small, reading)
    if not scene.shown:
        return f"an abstract painting in {_colours(picture)}"
    hour = f" {_HOURS[scene.palette.hour]}" if _OUTDOORS.intersection(scene.shown) else ""
    return f"{_subjects(scene.shown, reading, picture)}{hour}, in {_colours(picture)}"


def _subjects(shown: list[str], reading: Reading, picture: Pixels) -> str:
    """What stands in the picture, after what kind of picture it is."""
    names = _foremost_first([name for name in shown if name not in ("portrait", "still life")], reading)
    things = [_with_article(name, _own_colour(name, reading, picture)) for name in names]
    if "portrait" in shown and things:
        sitter, *rest = sorted(things, key=lambda thing: not thing.endswith(("woman", "man")))
        return f"a portrait of {sitter}" + (f" with {_listed(rest)}" if rest else "")
    if "portrait" in shown:
        return "a portrait"
    if "still life" in shown:
        return f"a still life with {_listed(things)}" if things else "a still life"
    return f"a painting of {_listed(things)}"


def _with_article(name: str, colour: str) -> str:
    article = _ARTICLES.get(name, "")
    if not colour:
        return article + name
    return {"": "", "the ": "the "}.get(article, "an " if colour[0] in "aeiou" else "a ") + f"{colour} {name}"


def _own_colour(name: str, reading: Reading, picture: Pixels) -> str:
    """The colour that the words gave a creature, if it is to be seen in the picture."""
    wanted = reading.paints.get(name) if name in _CREATURES else None
    named = next((known for known, entry in COLOURS.items() if entry[2] == wanted), "")
    return named if named and _shares(picture)[named] > 0.02 else ""


def _foremost_first(shown: list[str], reading: Reading) -> list[str]:
    """What was asked for first, by weight; then what the painter added by itself."""
    return sorted(shown, key=lambda name: -reading.weight(name))


def describe_pixels(picture: Pixels) -> str:
    """For any picture: its light, contrast and main colours."""
    grey = picture.mean(axis=-1)
    light = "dark" if grey.mean() < 85 else "bright" if grey.mean() > 170 else "evenly lit"
    contrast = "soft" if grey.std() < 32 else "strong" if grey.std() > 68 else "moderate"
    return f"a {light} picture with {contrast} contrast, in {_colours(picture)}"


def _colours(picture: Pixels, most: int = 3) -> str:
    """The names of the colours that cover most of the picture."""
    shares = _shares(picture)
    return _listed([name for name in sorted(shares, key=lambda name: -shares[name])[:most] if shares[name] >= 0.08])


def _shares(picture: Pixels) -> dict[str, float]:
    """How much of the picture each named colour covers, 0 to 1."""
    small = np.asarray(Image.fromarray(picture).resize((48, 48), Image.Resampling.BOX), dtype=np.float32).reshape(
        -1, 1, 3
    )
    names = list(COLOURS)
    table = np.asarray([COLOURS[name][2] for name in names], dtype=np.float32)[None] * 255
    nearest = ((small - table) ** 2).sum(axis=-1).argmin(axis=-1)
    counts = np.bincount(nearest, minlength=len(names))
    return {name: float(count) / len(small) for name, count in zip(names, counts, strict=True)}


def _listed(words: list[str]) -> str:
    if not words:
        return "a wide landscape"
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
