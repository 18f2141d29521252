"""The presets, such as "better" or "widescreen", and the settings that a request resolves to.

They are declared in `presets.toml`.
"""

import math
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.core.limits import MAX_SIDE_PX, MAX_STEPS, MIN_SIDE_PX, SIDE_STEP_PX

STRENGTH = 0.75
"""How far a picture moves from its start picture, unless request or style say otherwise."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a preset, with its title for users, the words that it adds and the settings that it sets."""

    key: str
    title: str
    words: str = ""
    negative_words: str = ""
    values: dict[str, Any] = field(default_factory=dict)

    def public(self) -> dict[str, Any]:
        """Return the choice as GET /v1/presets shows it."""
        texts = {"key": self.key, "title": self.title, "words": self.words, "negative_words": self.negative_words}
        return texts | self.values


_TEXTS = ("key", "title", "words", "negative_words")
_FILE: dict[str, list[dict[str, Any]]] = tomllib.loads(
    Path(__file__).with_name("presets.toml").read_text(encoding="utf-8")
)


def _choice(entry: Mapping[str, Any], values: dict[str, Any]) -> Choice:
    return Choice(**{name: entry[name] for name in _TEXTS if name in entry}, values=values)


def _choices(name: str) -> dict[str, Choice]:
    """Return the choices of a preset whose settings are as in the file."""
    return {
        entry["key"]: _choice(entry, {name: value for name, value in entry.items() if name not in _TEXTS})
        for entry in _FILE[name]
    }


TYPES = _choices("types")
STYLES = _choices("styles")


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
    return {
        entry["key"]: _choice(
            entry,
            {
                "steps": _steps(own, entry["steps_share"]),
                "scale": own.scale,
                "upscale": entry.get("upscale", 1),
            },
        )
        for entry in _FILE["qualities"]
    }


def _steps(own: Defaults, share: float) -> int | None:
    return None if own.steps is None else min(MAX_STEPS, max(1, round(own.steps * share)))


def aspects(own: Defaults = GENERAL) -> dict[str, Choice]:
    """Return the aspects of generators with these defaults, each of about the same number of pixels."""
    side = math.sqrt(own.width * own.height)
    return {
        entry["key"]: _choice(entry, {"width": _side(side * entry["wide"]), "height": _side(side * entry["high"])})
        for entry in _FILE["aspects"]
    }


def _side(length: float) -> int:
    return min(MAX_SIDE_PX, max(MIN_SIDE_PX, round(length / SIDE_STEP_PX) * SIDE_STEP_PX))


QUALITIES, ASPECTS = qualities(), aspects()
"""The general ones."""


def resolve(request: dict[str, Any], *, seed: int, own: Defaults = GENERAL) -> dict[str, Any]:
    """Return every setting of a job from a valid request: presets filled in, `seed` if the request has none.

    A value in the request overrides its preset. The prompt is not a setting; `notify` may be None, for the account's
    default, steps and scale where the generators' defaults differ: `fill_in` gives them later. The strength is None
    where each of several styles has its own, `pixel_art` where the type is another.
    """
    quality, aspect = qualities(own)[request["quality"]].values, aspects(own)[request["aspect"]].values
    settings = {name: value for name, value in request.items() if name != "prompt"}
    for name, preset in (*quality.items(), *aspect.items(), ("seed", seed)):
        if settings[name] is None:
            settings[name] = preset
    if settings["strength"] is None:
        settings["strength"] = _shared_strength(settings["style"])
    settings["pixel_art"] = _pixel_art(settings)
    return settings


def _shared_strength(style: str | list[str] | None) -> float | None:
    """Return the strength that these styles share; None where they differ."""
    strengths = {_strength(one) for one in styles_of(style)}
    return strengths.pop() if len(strengths) == 1 else None


def _strength(style: str | None) -> float:
    return STRENGTH if style is None else float(STYLES[style].values.get("strength", STRENGTH))


def _pixel_art(settings: Mapping[str, Any]) -> dict[str, int] | None:
    usual: dict[str, int] | None = TYPES[settings["type"]].values.get("pixel_art")
    if usual is None:
        return None
    given = settings["pixel_art"] or {}
    return {name: value if given.get(name) is None else given[name] for name, value in usual.items()}


def fill_in(settings: Mapping[str, Any], own: Defaults) -> dict[str, Any]:
    """Return the steps and the scale that a job leaves to its generator, which has these defaults."""
    quality = qualities(own)[settings["quality"]].values
    return {name: quality[name] for name in ("steps", "scale") if settings[name] is None}


def styles_of(style: str | list[str] | None) -> list[str | None]:
    """Return the style of each picture, where a list names one for each; otherwise the one that all have."""
    return list(style) if isinstance(style, list) else [style]


@dataclass(frozen=True, slots=True)
class Wording:
    """What a generator gets for the pictures of one style: the texts with the presets' words, and the strength."""

    prompt: str
    negative_prompt: str
    strength: float


def wordings(prompt: str, settings: Mapping[str, Any]) -> list[Wording]:
    """Return the wording of each of the job's styles; of a job without a list of styles it is one."""
    return [_wording(prompt, settings, style) for style in styles_of(settings["style"])]


def _wording(prompt: str, settings: Mapping[str, Any], style: str | None) -> Wording:
    chosen = [TYPES[settings["type"]], QUALITIES[settings["quality"]], ASPECTS[settings["aspect"]]]
    chosen += [STYLES[style]] if style is not None else []
    given = settings["strength"]
    return Wording(
        prompt=_full_prompt(prompt, [one.words for one in chosen]),
        negative_prompt=", ".join(filter(None, (settings["negative_prompt"], *(one.negative_words for one in chosen)))),
        strength=_strength(style) if given is None else given,
    )


def _full_prompt(prompt: str, words: list[str]) -> str:
    """Return the prompt with the words after each of its parts."""
    suffix = ", ".join(filter(None, words))
    if not suffix or not prompt:
        return prompt
    return " | ".join(f"{part.strip()}, {suffix}" for part in prompt.split("|") if part.strip())
