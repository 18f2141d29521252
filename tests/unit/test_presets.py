"""The presets of generators with defaults of their own."""

import re
from collections import Counter
from typing import Any

import pytest

from shared.api.presets import (
    GENERAL,
    STRENGTH,
    STYLES,
    TYPES,
    Choice,
    Defaults,
    aspects,
    qualities,
    resolve,
    shared_defaults,
    wordings,
)
from shared.api.schemas import JobRequest

TURBO, LARGE = Defaults(4, 0.0, 512, 512), Defaults(30, 5.0, 1024, 1024)


def steps(own: Defaults) -> list[int | None]:
    return [choice.values["steps"] for choice in qualities(own).values()]


def sizes(own: Defaults) -> list[tuple[int, int]]:
    return [(choice.values["width"], choice.values["height"]) for choice in aspects(own).values()]


def test_the_general_ones() -> None:
    assert steps(GENERAL) == [15, 30, 50, 80]
    assert sizes(GENERAL) == [(512, 512), (768, 432), (432, 768)]


@pytest.mark.parametrize(
    ("own", "expected"), [(TURBO, [2, 4, 7, 11]), (Defaults(1), [1, 1, 2, 3]), (Defaults(150), [75, 150, 150, 150])]
)
def test_steps_are_multiples_of_the_usual_ones_within_the_limits(own: Defaults, expected: list[int]) -> None:
    assert steps(own) == expected


def test_sizes_keep_the_shapes_and_the_limits() -> None:
    assert sizes(LARGE) == [(1024, 1024), (1536, 864), (864, 1536)]
    assert sizes(Defaults(width=2048, height=2048)) == [(2048, 2048), (2048, 1728), (1728, 2048)]
    assert sizes(Defaults(width=256, height=1024))[0] == (512, 512)


def test_generators_share_what_is_equal() -> None:
    assert shared_defaults([]) == GENERAL
    assert shared_defaults([TURBO, TURBO]) == TURBO
    assert shared_defaults([TURBO, LARGE]) == Defaults(None, None, 512, 512)
    assert shared_defaults([GENERAL, LARGE]) == Defaults(30, None, 512, 512)


THEMES = ("medium", "rendering", "artists", "mood", "change")


def asked(**request: Any) -> dict[str, Any]:
    return resolve(JobRequest.model_validate({"prompt": "a fox", **request}).model_dump(), seed=1)


def test_there_are_styles_of_every_theme() -> None:
    counted = Counter(style.values["theme"] for style in STYLES.values())
    assert tuple(counted) == THEMES, "the site shows them in this order"
    assert sum(counted[theme] for theme in THEMES[:4]) >= 24
    artists = {key for key, style in STYLES.items() if style.values["theme"] == "artists"}
    assert artists >= {"banksy", "delaunay", "malevich", "van_gogh"}
    assert STYLES.keys() >= {"background", "joy", "sadness", "panda_mask"}


@pytest.mark.parametrize("choice", [*TYPES.values(), *STYLES.values()], ids=lambda choice: choice.key)
def test_the_words_of_a_preset_change_no_weight_and_no_part(choice: Choice) -> None:
    assert choice.words or choice.key == "image"
    assert not set("()[]|") & set(choice.words + choice.negative_words)
    assert re.fullmatch(r"[a-z_]+", choice.key)
    assert 0 < choice.values.get("strength", STRENGTH) <= 1


def test_words_follow_each_part_of_the_prompt() -> None:
    settings = asked(type="painting", style="joy", negative_prompt="fog")
    [wording] = wordings("a (fox) | a hare |", settings)
    words = f"{TYPES['painting'].words}, {STYLES['joy'].words}"
    assert wording.prompt == f"a (fox), {words} | a hare, {words}"
    assert wording.negative_prompt == f"fog, {STYLES['joy'].negative_words}"


def test_a_list_of_styles_has_a_wording_for_each_picture() -> None:
    settings = asked(style=["oil", "banksy"])
    assert (settings["n"], settings["strength"]) == (2, None)
    oil, banksy = wordings("a fox", settings)
    assert (oil.prompt, oil.strength) == (f"a fox, {STYLES['oil'].words}", STRENGTH)
    assert (banksy.prompt, banksy.strength) == (f"a fox, {STYLES['banksy'].words}", 0.6)


@pytest.mark.parametrize(
    ("request_", "strength"),
    [
        ({}, 0.75),
        ({"style": "oil"}, 0.75),
        ({"style": "banksy"}, 0.6),
        ({"style": ["banksy", "van_gogh"]}, 0.6),
        ({"style": ["banksy", "oil"]}, None),
        ({"style": ["banksy", "oil"], "strength": 0.3}, 0.3),
        ({"style": "banksy", "strength": 0.75}, 0.75),
        ({"style": "banksy", "strength": None}, 0.6),
    ],
)
def test_the_strength_is_what_suits_the_style(request_: dict[str, Any], strength: float | None) -> None:
    settings = asked(source_images=["x"], **request_)
    assert settings["strength"] == strength
    assert asked(**settings) == settings, "settings are a request for the same"


def test_pixel_art_has_a_grid_and_a_palette() -> None:
    assert asked()["pixel_art"] is None
    assert asked(pixel_art={"cells": 32})["pixel_art"] is None
    assert asked(type="pixel_art")["pixel_art"] == {"cells": 64, "colours": 16}
    assert asked(type="pixel_art", pixel_art={"colours": 8})["pixel_art"] == {"cells": 64, "colours": 8}
