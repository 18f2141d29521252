"""The presets, such as "better" or "widescreen", and the settings that a request resolves to."""

from dataclasses import dataclass
from typing import Any


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

QUALITIES = _choices(
    Choice("draft", "Draft", {"steps": 15, "scale": 7.5, "upscale": 1}),
    Choice("normal", "Normal", {"steps": 30, "scale": 7.5, "upscale": 1}),
    Choice("better", "Better", {"steps": 50, "scale": 7.5, "upscale": 1}),
    Choice("best", "Best", {"steps": 80, "scale": 7.5, "upscale": 2}),
)

ASPECTS = _choices(
    Choice("square", "Square", {"width": 512, "height": 512}),
    Choice("widescreen", "Widescreen", {"width": 768, "height": 432}),
    Choice("portrait", "Portrait", {"width": 432, "height": 768}),
)


def resolve(request: dict[str, Any], *, seed: int) -> dict[str, Any]:
    """Return every setting of a job from a valid request: presets filled in, `seed` if the request has none.

    A value in the request overrides its preset. The prompt is not a setting; `notify` may be None, for the account's
    default.
    """
    quality, aspect = QUALITIES[request["quality"]].values, ASPECTS[request["aspect"]].values
    settings = {name: value for name, value in request.items() if name != "prompt"}
    for name, preset in (*quality.items(), *aspect.items(), ("seed", seed)):
        if settings[name] is None:
            settings[name] = preset
    return settings


def full_prompt(prompt: str, settings: dict[str, Any]) -> str:
    """Return the prompt for the generator: each part followed by the words of its type and style."""
    words = [TYPES[settings["type"]].values["words"]]
    if settings["style"] is not None:
        words.append(STYLES[settings["style"]].values["words"])
    suffix = ", ".join(word for word in words if word)
    if not suffix or not prompt:
        return prompt
    return " | ".join(f"{part.strip()}, {suffix}" for part in prompt.split("|") if part.strip())
