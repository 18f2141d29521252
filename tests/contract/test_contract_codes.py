"""Stable codes next to the English texts: of every invalid field, and of every reason in a timeline."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.services import Services
from shared.testing.fake_generator import FakeGenerator
from tests.support.doors import Door
from tests.support.people import Person

JOB = {"prompt": "a lighthouse"}
NEVER_UPLOADED = "uploads/0/a.png"

WRONG: list[tuple[dict[str, Any], str, str, float | None]] = [
    ({"prompt": None}, "prompt", "required", None),
    ({"prompt": 1}, "prompt", "wrong_type", None),
    ({"prompt": ""}, "prompt", "required", None),
    ({"prompt": "a\0b"}, "prompt", "invalid", None),
    ({"prompt": "x" * 2001}, "prompt", "too_long", 2000),
    ({"strength": -0.5}, "source_images", "required", None),
    ({"source_images": ["a"] * 5}, "source_images", "too_many", 4),
    ({"source_images": ["x" * 201]}, "source_images.0", "too_long", 200),
    ({"source_images": [NEVER_UPLOADED]}, "source_images.0", "not_yours", None),
    ({"n": 0}, "n", "too_small", 1),
    ({"n": 9}, "n", "too_large", 8),
    ({"n": 1.5}, "n", "wrong_type", None),
    ({"strength": 1.25}, "strength", "too_large", 1),
    ({"width": 65}, "width", "not_a_multiple", 8),
    ({"type": "IMAGE"}, "type", "not_a_choice", None),
    ({"style": "nothing"}, "style", "not_a_choice", None),
    ({"style": ["oil", "nothing"]}, "style", "not_a_choice", None),
    ({"style": []}, "style", "too_short", 1),
    ({"style": ["oil"] * 9}, "style", "too_many", 8),
    ({"style": [["oil"]]}, "style", "wrong_type", None),
    ({"style": ["oil", "ink"], "n": 3}, "n", "not_a_choice", None),
    ({"pixel_art": {"cells": 31}}, "pixel_art.cells", "too_small", 32),
    ({"pixel_art": {"cells": 257}}, "pixel_art.cells", "too_large", 256),
    ({"pixel_art": {"colours": 7}}, "pixel_art.colours", "too_small", 8),
    ({"pixel_art": {"colours": 65}}, "pixel_art.colours", "too_large", 64),
    ({"pixel_art": {"dither": True}}, "pixel_art.dither", "unknown_field", None),
    ({"timelapse": 1}, "timelapse", "wrong_type", None),
    ({"description": []}, "description", "wrong_type", None),
    ({"description": {"blip_max_len": 4}}, "description.blip_max_len", "too_small", 5),
    ({"describe": "yes"}, "describe", "wrong_type", None),
    ({"nonsense": 1}, "nonsense", "unknown_field", None),
]


def wrong_field(door: Door, path: str, body: Any, **options: Any) -> dict[str, Any]:
    """Return the one field for which a call with invalid content is refused."""
    response = door.post(path, json=body, **options)
    assert response.status_code == 422, response.text
    [error] = response.json()["errors"]
    found: dict[str, Any] = error
    return found


@pytest.mark.parametrize(("change", "field", "code", "limit"), WRONG, ids=[str(row[0])[:40] for row in WRONG])
def test_an_invalid_field_has_a_code_and_its_limit(
    door: Door, ada: Person, change: dict[str, Any], field: str, code: str, limit: float | None
) -> None:
    error = wrong_field(door, "/v1/jobs", JOB | change, headers=ada.headers)
    assert (error["field"], error["code"], error["limit"]) == (field, code, limit)


def test_a_body_that_is_not_json_is_invalid(door: Door, ada: Person) -> None:
    headers = {**ada.headers, "Content-Type": "application/json"}
    response = door.post("/v1/jobs", content="{", headers=headers)
    assert response.json()["errors"] == [{"field": "body", "message": "is not JSON", "code": "invalid", "limit": None}]


def test_a_picture_that_has_not_arrived(door: Door, ada: Person) -> None:
    upload = {"content_type": "image/png", "size": 9}
    key = door.post("/v1/uploads", json=upload, headers=ada.headers).json()["key"]
    error = wrong_field(door, "/v1/jobs", JOB | {"source_images": [key]}, headers=ada.headers)
    assert (error["code"], error["limit"]) == ("not_uploaded", None)


def test_an_upload_that_is_too_large(door: Door, ada: Person) -> None:
    error = wrong_field(door, "/v1/uploads", {"content_type": "image/png", "size": 10**9}, headers=ada.headers)
    assert (error["field"], error["code"], error["limit"]) == ("size", "too_large", 20 * 1024 * 1024)


@pytest.mark.parametrize(
    ("body", "field", "code", "limit"),
    [
        ({"email": "nobody", "password": "four unusual words here"}, "email", "no_address", None),
        ({"email": "", "password": "four unusual words here"}, "email", "too_short", 1),
        ({"email": "eve@example.com", "password": "123456789012"}, "password", "well_known", None),
        ({"email": "eve@example.com", "password": "short"}, "password", "too_short", 12),
        ({"email": "eve@example.com"}, "password", "required", None),
    ],
)
def test_a_sign_up(door: Door, body: dict[str, str], field: str, code: str, limit: float | None) -> None:
    error = wrong_field(door, "/v1/signup", body)
    assert (error["field"], error["code"], error["limit"]) == (field, code, limit)


def test_too_many_tokens(door: Door, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.accounts.api_tokens.MAX_API_TOKENS", 1)
    assert door.post("/v1/tokens", json={"name": "one"}, headers=ada.headers).status_code == 201
    error = wrong_field(door, "/v1/tokens", {"name": "two"}, headers=ada.headers)
    assert (error["code"], error["limit"]) == ("too_many", 1)


def test_what_no_generator_supports(
    door: Door, doors: Any, ada: Person, with_settings: Callable[..., Services]
) -> None:
    glide_alone = doors.open(with_settings(generators="glide+http://127.0.0.1:1"))
    error = wrong_field(glide_alone, "/v1/jobs", JOB | {"aspect": "widescreen"}, headers=ada.headers)
    assert (error["field"], error["code"], error["limit"]) == ("aspect", "not_offered", None)


def test_openapi_lists_the_codes(door: Door) -> None:
    field = door._documented["components"]["schemas"]["ProblemField"]
    assert set(field["required"]) == {"field", "message", "code", "limit"}
    assert "not_a_multiple" in field["properties"]["code"]["enum"]


def test_reasons_in_a_timeline_have_codes(
    door: Door, ada: Person, submit: Callable[..., Any], step: Callable[[], int], generator: FakeGenerator
) -> None:
    job = submit()
    assert [entry["code"] for entry in job["timeline"]] == [None]
    generator.down = True
    step()
    timeline = door.get(job["links"]["self"], headers=ada.headers).json()["timeline"]
    assert timeline[-1]["event"] == "waiting"
    assert timeline[-1]["detail"]
    assert timeline[-1]["code"] == "generator_unreachable"
