"""Descriptions of a picture: what was painted, else its colours, light and composition."""

from dataclasses import replace

import numpy as np
from PIL import Image

from easel_painter.canvas import Scene
from easel_painter.close.closeup import PLACES
from easel_painter.composition import paint_scene
from easel_painter.lexicon import COLOURS
from easel_painter.manner import PLAIN
from easel_painter.reading import Reading, read
from easel_painter.traits import Traits, measure
from easel_painter.wording import (
    BY_THE_PAINTER,
    Phrase,
    colour_clause,
    composition_phrases,
    light_and_contrast,
    light_phrases,
    listed,
    worded,
)
from generator.engines.base import DescriptionOptions, ImageRequest, Pixels

_HOURS = {"day": "by day", "golden": "in golden light", "dawn": "at dawn", "sunset": "at sunset", "night": "at night"}

_ARTICLES = dict.fromkeys(("lake", "forest", "tree", "city", "house", "lighthouse", "castle", "road", "desert"), "a ")
_ARTICLES |= {"field": "a ", "boat": "a ", "fire": "a ", "island": "an ", "aurora": "an "}
_ARTICLES |= dict.fromkeys(("volcano", "canyon", "cliff", "waterfall", "river", "bridge", "park", "garden"), "a ")
_ARTICLES |= dict.fromkeys(("street", "village", "windmill", "church", "temple", "balloon", "rainbow"), "a ")
_ARTICLES |= dict.fromkeys(("planet", "nebula"), "a ")
_ARTICLES |= dict.fromkeys(("cat", "dog", "horse", "bird", "raven", "swan", "duck", "gull", "parrot"), "a ")
_ARTICLES |= dict.fromkeys(("bullfinch", "fish", "whale", "dolphin", "shark", "branch", "roof", "window"), "a ")
_ARTICLES |= dict.fromkeys(("man", "woman", "crown", "hat", "bowl", "vase", "bottle", "candle", "teapot", "book"), "a ")
_ARTICLES |= {"owl": "an "}
_ARTICLES |= {"sea": "the ", "moon": "the ", "sun": "the "}

_WORKS = {
    PLAIN: ("a painting", "digital painting"),
    "oil": ("an oil painting", "oil on canvas"),
    "watercolour": ("a watercolour", "watercolour on paper"),
    "ink": ("an ink drawing", "ink on paper"),
    "pencil": ("a pencil drawing", "pencil on paper"),
    "low_poly": ("a low poly picture", "low poly"),
    "pixel_art": ("a pixel art picture", "pixel art"),
    "stained_glass": ("a stained glass picture", "stained glass"),
    "mosaic": ("a mosaic", "mosaic"),
    "photo": ("a picture like a photograph", "smooth as a photograph"),
    "render": ("a rendered picture", "computer rendering"),
    "concept": ("a concept painting", "concept art"),
    "banksy": ("a stencil graffiti", "spray paint on a wall"),
    "delaunay": ("a picture of coloured rings", "rings of pure colour"),
    "malevich": ("a suprematist composition", "flat planes of colour"),
    "van_gogh": ("an oil painting", "curved strokes of oil paint"),
}
"""What a picture in each medium is, and the phrase about its medium."""

_CREATURES = ("cat", "dog", "horse", "bird", "owl", "raven", "swan", "duck", "gull", "parrot", "fish", "koi", "whale")
_OUTDOORS = frozenset((*PLACES, "sun", "moon", "stars", "clouds", "rain", "snow", "fog", "aurora", "fire", "branch"))
"""Where one of these is to be seen, so is the hour of the day."""

_SMALL_PX = 96
"""The shorter side of a scene that is painted only to find out what it contains."""


def describe(picture: Pixels, request: ImageRequest | None, options: DescriptionOptions) -> str:
    """Describe a picture, with the request from which it was painted or None for any other picture."""
    traits = measure(picture)
    if request is None:
        return worded(_pixel_clauses(traits), composition_phrases(traits), options)
    reading = read(request.prompt, request.negative_prompt)
    scene = _small_scene(request, reading)
    own: list[Phrase] = [
        ("mediums", _WORKS[reading.manner.medium][1]),
        ("artists", BY_THE_PAINTER),
        ("movements", "figurative art" if scene.shown else "abstract art"),
    ]
    return worded(
        _scene_clauses(scene, reading, picture, traits),
        own + light_phrases(traits) + composition_phrases(traits),
        options,
    )


def _small_scene(request: ImageRequest, reading: Reading) -> Scene:
    """Paint the request's scene again at a small size; its content does not depend on the size."""
    factor = _SMALL_PX / min(request.width, request.height)
    width, height = (max(16, round(side * factor)) for side in (request.width, request.height))
    return paint_scene(replace(request, width=width, height=height), reading)


def _scene_clauses(scene: Scene, reading: Reading, picture: Pixels, traits: Traits) -> list[str]:
    """Name what was asked for, by weight; then what the painter added; the hour; the colours."""
    work = _WORKS[reading.manner.medium][0]
    if not scene.shown:
        return ["an abstract painting" if work == "a painting" else f"{work}, abstract,", colour_clause(traits)]
    shown = [name for name in scene.shown if name not in ("portrait", "still life")]
    asked = [name for name in reading.motifs if name in shown]
    own = [name for name in shown if name not in reading.motifs]
    names = [*sorted(asked, key=reading.weight, reverse=True), *own]
    if "portrait" in scene.shown:
        names.sort(key=lambda name: name not in ("woman", "man"))
    things = [_thing(name, reading, picture) for name in names]
    hour = [_HOURS[scene.palette.hour]] if _OUTDOORS.intersection(scene.shown) else []
    return [*_kind_and_things(scene.shown, things, work), *hour, colour_clause(traits)]


def _kind_and_things(shown: list[str], things: list[str], work: str) -> list[str]:
    """Name the kind of picture, then its content."""
    if "still life" in shown or not things:
        return [
            "a still life" if "still life" in shown else "a portrait",
            *([f"with {listed(things)}"] if things else []),
        ]
    first = f"{'a portrait' if 'portrait' in shown else work} of {things[0]}"
    if len(things) == 2 and "portrait" not in shown:
        return [first, f"and {things[1]}"]
    return [first, f"with {listed(things[1:])}"] if things[1:] else [first]


def _thing(name: str, reading: Reading, picture: Pixels) -> str:
    """Name a motif with its article, and a creature with its requested colour if that is visible."""
    paint = reading.paints.get(name) if name in _CREATURES else None
    colour = next((known for known, entry in COLOURS.items() if entry[2] == paint), "")
    if not colour or _share(colour, picture) < 0.02:
        return _ARTICLES.get(name, "") + name
    article = ("an " if colour[0] in "aeiou" else "a ") if name in _ARTICLES else ""
    return f"{article}{colour} {name}"


def _share(colour: str, picture: Pixels) -> float:
    """Return the share of the picture, 0 to 1, that is nearer to a named colour than to any other."""
    small = np.asarray(Image.fromarray(picture).resize((48, 48), Image.Resampling.BOX), dtype=np.float32)
    table = np.asarray([entry[2] for entry in COLOURS.values()], dtype=np.float32) * 255
    nearest = ((small.reshape(-1, 1, 3) - table) ** 2).sum(axis=-1).argmin(axis=-1)
    return float((nearest == list(COLOURS).index(colour)).mean())


def _pixel_clauses(traits: Traits) -> list[str]:
    light, contrast = light_and_contrast(traits)
    article = "an" if light.startswith("e") else "a"
    return [f"{article} {light} picture", colour_clause(traits), f"with {contrast} contrast"]
