"""The presets, such as "better" or "widescreen", and the settings that a request resolves to."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from shared.core.limits import MAX_SIDE_PX, MAX_STEPS, MIN_SIDE_PX, SIDE_STEP_PX


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a preset, with its title for users and the settings that it sets."""

    key: str
    title: str
    values: dict[str, Any]

    def public(self) -> dict[str, Any]:
        """Return the choice as GET /v1/presets shows it."""
        return {"key": self.key, "title": self.title, **self.values}


def _choices(*choices: Choice) -> dict[str, Choice]:
    return {choice.key: choice for choice in choices}


TYPES = _choices(
    Choice("image", "Image", {"words": ""}),
    Choice("painting", "Painting", {"words": "painting, brush strokes on canvas"}),
    Choice("pixel_art", "Pixel art", {"words": "pixel art"}),
)

STYLES = _choices(
    Choice("oil", "Oil painting", {"words": "oil painting, thick brush strokes"}),
    Choice("watercolour", "Watercolour", {"words": "watercolour, wet paper, soft edges"}),
    Choice("ink", "Ink", {"words": "ink drawing, black and white"}),
    Choice("pencil", "Pencil sketch", {"words": "pencil sketch, hatching"}),
    Choice("low_poly", "Low poly", {"words": "low poly, flat triangles"}),
    Choice("unreal", "Unreal Engine", {"words": "unreal engine, detailed render"}),
    Choice("artstation", "ArtStation", {"words": "trending on artstation, concept art"}),
    Choice("stained_glass", "Stained glass", {"words": "stained glass, lead lines"}),
    Choice("mosaic", "Mosaic", {"words": "mosaic of small stones"}),
    Choice("photo", "Photograph", {"words": "photograph, natural light"}),
)


@dataclass(frozen=True, slots=True)
class Defaults:
    """The values that suit a generator: of quality `normal`, and of a square (in pixels).

    steps, scale: None where generators differ; each then uses its own.
    """

    steps: int | None = 30
    scale: float | None = 7.5
    width: int = 512
    height: int = 512


GENERAL = Defaults()
"""For generators that report no model."""

_QUALITIES = {
    "draft": ("Draft", 1 / 2, 1),
    "normal": ("Normal", 1.0, 1),
    "better": ("Better", 5 / 3, 1),
    "best": ("Best", 8 / 3, 2),
}
"""Title, steps as a multiple of the usual ones, upscale."""

_ASPECTS = {
    "square": ("Square", 1.0, 1.0),
    "widescreen": ("Widescreen", 3 / 2, 27 / 32),
    "portrait": ("Portrait", 27 / 32, 3 / 2),
}
"""Title, width and height as multiples of the square's side."""


def shared_defaults(defaults: Collection[Defaults]) -> Defaults:
    """Return the defaults for a request that any of these generators may get.

    Where the sizes differ it is the general one, which every engine can draw.
    """
    one = next(iter(defaults), GENERAL)
    steps = one.steps if all(other.steps == one.steps for other in defaults) else None
    scale = one.scale if all(other.scale == one.scale for other in defaults) else None
    size = one if all((other.width, other.height) == (one.width, one.height) for other in defaults) else GENERAL
    return Defaults(steps, scale, size.width, size.height)


def qualities(own: Defaults = GENERAL) -> dict[str, Choice]:
    """Return the qualities of generators with these defaults."""
    return _choices(
        *(
            Choice(key, title, {"steps": _steps(own, share), "scale": own.scale, "upscale": upscale})
            for key, (title, share, upscale) in _QUALITIES.items()
        )
    )


def _steps(own: Defaults, share: float) -> int | None:
    return None if own.steps is None else min(MAX_STEPS, max(1, round(own.steps * share)))


def aspects(own: Defaults = GENERAL) -> dict[str, Choice]:
    """Return the aspects of generators with these defaults, each of about the same number of pixels."""
    side = math.sqrt(own.width * own.height)
    return _choices(
        *(
            Choice(key, title, {"width": _side(side * wide), "height": _side(side * high)})
            for key, (title, wide, high) in _ASPECTS.items()
        )
    )


def _side(length: float) -> int:
    return min(MAX_SIDE_PX, max(MIN_SIDE_PX, round(length / SIDE_STEP_PX) * SIDE_STEP_PX))


QUALITIES, ASPECTS = qualities(), aspects()
"""The general ones."""


def resolve(request: dict[str, Any], *, seed: int, own: Defaults = GENERAL) -> dict[str, Any]:
    """Return every setting of a job from a valid request: presets filled in, `seed` if the request has none.

    A value in the request overrides its preset. The prompt is not a setting; `notify` may be None, for the account's
    default, and steps and scale where the generators' defaults differ: `fill_in` gives them later.
    """
    quality, aspect = qualities(own)[request["quality"]].values, aspects(own)[request["aspect"]].values
    settings = {name: value for name, value in request.items() if name != "prompt"}
    for name, preset in (*quality.items(), *aspect.items(), ("seed", seed)):
        if settings[name] is None:
            settings[name] = preset
    return settings


def fill_in(settings: Mapping[str, Any], own: Defaults) -> dict[str, Any]:
    """Return the steps and the scale that a job leaves to its generator, which has these defaults."""
    quality = qualities(own)[settings["quality"]].values
    return {name: quality[name] for name in ("steps", "scale") if settings[name] is None}


def full_prompt(prompt: str, settings: dict[str, Any]) -> str:
    """Return the prompt for the generator: each part followed by the words of its type and style."""
    words = [TYPES[settings["type"]].values["words"]]
    if settings["style"] is not None:
        words.append(STYLES[settings["style"]].values["words"])
    suffix = ", ".join(word for word in words if word)
    if not suffix or not prompt:
        return prompt
    return " | ".join(f"{part.strip()}, {suffix}" for part in prompt.split("|") if part.strip())
