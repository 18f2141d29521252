"""True words about a picture: what the painter painted, else its colours, its light and its composition."""

from dataclasses import replace

from generator.engines.base import Brief, Pixels, Wording
from generator.engines.painter.canvas import Scene
from generator.engines.painter.composition import paint_scene
from generator.engines.painter.reading import Reading, read
from generator.engines.painter.traits import Traits, measure
from generator.engines.painter.wording import (
    BY_THE_PAINTER,
    Phrase,
    colour_clause,
    composition_phrases,
    light_and_contrast,
    light_phrases,
    listed,
    worded,
)

_HOURS = {"day": "by day", "golden": "in golden light", "dawn": "at dawn", "sunset": "at sunset", "night": "at night"}

_ARTICLES = dict.fromkeys(("lake", "forest", "tree", "city", "house", "lighthouse", "castle", "road", "desert"), "a ")
_ARTICLES |= {"field": "a ", "boat": "a ", "fire": "a ", "island": "an ", "aurora": "an "}
_ARTICLES |= dict.fromkeys(("volcano", "canyon", "cliff", "waterfall", "river", "bridge", "park", "garden"), "a ")
_ARTICLES |= dict.fromkeys(("street", "village", "windmill", "church", "temple", "balloon", "rainbow"), "a ")
_ARTICLES |= dict.fromkeys(("planet", "nebula"), "a ")
_ARTICLES |= {"sea": "the ", "moon": "the ", "sun": "the "}

_SMALL_PX = 96
"""The shorter side of a scene that is painted only to see what stands in it."""


def describe(picture: Pixels, brief: Brief | None, wording: Wording) -> str:
    """The description of a picture; with the brief from which it was painted, or of one from elsewhere."""
    traits = measure(picture)
    if brief is None:
        return worded(_pixel_clauses(traits), composition_phrases(traits), wording)
    reading = read(brief.prompt, brief.negative_prompt)
    scene = _small_scene(brief, reading)
    own: list[Phrase] = [
        ("mediums", "digital painting"),
        ("artists", BY_THE_PAINTER),
        ("movements", "figurative art" if scene.shown else "abstract art"),
    ]
    return worded(
        _scene_clauses(scene, reading, traits), own + light_phrases(traits) + composition_phrases(traits), wording
    )


def _small_scene(brief: Brief, reading: Reading) -> Scene:
    """The brief's scene once more, small: what stands in it does not depend on its size."""
    factor = _SMALL_PX / min(brief.width, brief.height)
    width, height = (max(16, round(side * factor)) for side in (brief.width, brief.height))
    return paint_scene(replace(brief, width=width, height=height), reading)


def _scene_clauses(scene: Scene, reading: Reading, traits: Traits) -> list[str]:
    """What was asked for, by weight; then what the painter added by itself; the hour; the colours."""
    if not scene.shown:
        return ["an abstract painting", colour_clause(traits)]
    asked = [name for name in reading.motifs if name in scene.shown]
    own = [name for name in scene.shown if name not in reading.motifs]
    things = [_ARTICLES.get(name, "") + name for name in [*sorted(asked, key=reading.weight, reverse=True), *own]]
    first = f"a painting of {things[0]}"
    rest = [f"and {things[1]}"] if len(things) == 2 else [f"with {listed(things[1:])}"] if things[1:] else []
    return [first, *rest, _HOURS[scene.palette.hour], colour_clause(traits)]


def _pixel_clauses(traits: Traits) -> list[str]:
    light, contrast = light_and_contrast(traits)
    article = "an" if light.startswith("e") else "a"
    return [f"{article} {light} picture", colour_clause(traits), f"with {contrast} contrast"]
