"""A submit accepts exactly what the presets describe."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from shared.api.presets import ASPECTS, QUALITIES, STYLES, TYPES
from shared.api.request_fields import request_fields
from shared.api.schemas import JobRequest
from shared.services import Services
from tests.support.doors import Door

FIELDS = {field["name"]: field for field in request_fields()}


def takes(**fields: Any) -> bool:
    try:
        JobRequest.model_validate({"prompt": "x", **fields})
    except ValidationError:
        return False
    return True


def test_the_presets_are_public(door: Door, services: Services) -> None:
    response = door.get("/v1/presets")
    assert response.status_code == 200
    assert "max-age" in response.headers["cache-control"]
    presets = response.json()
    parts = {"types", "styles", "qualities", "aspects", "fields", "models"}
    assert presets.keys() == parts | {"trains_likenesses", "confirms_addresses", "sign_in"}
    assert presets["models"] == [], "no generator has reported one"
    for name, choices in (("types", TYPES), ("styles", STYLES), ("qualities", QUALITIES), ("aspects", ASPECTS)):
        assert [choice["key"] for choice in presets[name]] == list(choices)
        assert all(choice["title"] for choice in presets[name])
    banksy = next(style for style in presets["styles"] if style["key"] == "banksy")
    assert {"theme": "artists", "strength": 0.6, "offered": True}.items() <= banksy.items()
    assert banksy["words"]
    assert banksy["negative_words"]
    assert presets["types"][2]["pixel_art"] == {"cells": 64, "colours": 16}
    values = {choice["key"]: (choice["steps"], choice["scale"], choice["upscale"]) for choice in presets["qualities"]}
    assert values == {"draft": (15, 7.5, 1), "normal": (30, 7.5, 1), "better": (50, 7.5, 1), "best": (80, 7.5, 2)}
    sizes = {choice["key"]: (choice["width"], choice["height"]) for choice in presets["aspects"]}
    assert sizes == {"square": (512, 512), "widescreen": (768, 432), "portrait": (432, 768)}
    assert presets["fields"] == [field | {"offered": True} for field in FIELDS.values()]


def test_every_field_is_described() -> None:
    assert FIELDS.keys() == JobRequest.model_fields.keys()
    assert [name for name, field in FIELDS.items() if field["required"]] == ["prompt"]
    assert {(name, field.get("minimum"), field.get("maximum")) for name, field in FIELDS.items()} >= {
        ("width", 64, 2048),
        ("height", 64, 2048),
        ("steps", 1, 150),
        ("scale", 0, 30),
        ("upscale", 1, 4),
        ("n", 1, 8),
        ("seed", 0, 2**32 - 1),
        ("strength", -2, 1),
    }
    assert FIELDS["pixel_art"]["ranges"] == {
        "cells": {"minimum": 32, "maximum": 256},
        "colours": {"minimum": 8, "maximum": 64},
    }
    assert FIELDS["width"]["multiple_of"] == FIELDS["height"]["multiple_of"] == 8


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if "maximum" in field])
def test_a_number_is_accepted_within_its_bounds(name: str) -> None:
    field = FIELDS[name]
    least, most, step = field["minimum"], field["maximum"], field.get("multiple_of", 1)
    others = {"source_images": ["x"]} if name == "strength" else {}
    assert takes(**others, **{name: least})
    assert takes(**others, **{name: most})
    assert not takes(**{name: least - step})
    assert not takes(**{name: most + step})
    assert takes(**others, **{name: least + 0.5}) == (field["type"] == "number")


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if "multiple_of" in field])
def test_a_stated_multiple_is_required(name: str) -> None:
    assert not takes(**{name: FIELDS[name]["minimum"] + 1})


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if "max_length" in field and name != "style"])
def test_a_text_is_accepted_up_to_its_length(name: str) -> None:
    begin = "https://example.com/" if name == "webhook_url" else ""
    most = FIELDS[name]["max_length"]
    assert takes(**{name: begin.ljust(most, "x")})
    assert not takes(**{name: begin.ljust(most + 1, "x")})
    assert takes(**{name: "x" * FIELDS[name].get("min_length", 0)})


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if "max_items" in field])
def test_a_list_is_accepted_up_to_its_length(name: str) -> None:
    assert takes(**{name: ["x"] * FIELDS[name]["max_items"]})
    assert not takes(**{name: ["x"] * (FIELDS[name]["max_items"] + 1)})


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if "enum" in field])
def test_each_value_of_a_choice_is_accepted(name: str) -> None:
    assert all(takes(**{name: word}) for word in FIELDS[name]["enum"])
    assert not takes(**{name: f"{FIELDS[name]['enum'][0]}x"})


@pytest.mark.parametrize(("name", "choices"), [("type", TYPES), ("quality", QUALITIES), ("aspect", ASPECTS)])
def test_the_choices_are_those_of_the_presets(name: str, choices: dict[str, Any]) -> None:
    assert FIELDS[name]["enum"] == list(choices)


@pytest.mark.parametrize("style", STYLES)
def test_each_style_is_accepted(style: str) -> None:
    assert takes(style=style)


@pytest.mark.parametrize("name", [name for name in FIELDS if name != "prompt"])
def test_each_default_applies_to_an_omitted_field(name: str) -> None:
    default = FIELDS[name]["default"]
    assert takes(**{name: default})
    assert JobRequest(prompt="x") == JobRequest.model_validate({"prompt": "x", name: default})


def test_a_submit_with_every_stated_default_is_the_plain_submit(submit: Callable[..., dict[str, Any]]) -> None:
    plain = submit(seed=1)["settings"]
    spelt_out = submit(**{name: field["default"] for name, field in FIELDS.items() if name != "prompt"} | {"seed": 1})
    assert spelt_out["settings"] == plain
