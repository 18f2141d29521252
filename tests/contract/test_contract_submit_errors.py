"""Each field of a submit with each kind of invalid value: a 422 that names the field and does not echo the value."""

import json
from typing import Any

import pytest

from shared.api.schemas import JobRequest
from shared.services import Services
from tests.support.doors import Door
from tests.support.people import Person

HUGE = 10**400
SECRET = "tell-nobody"
LONE_SURROGATE = "\ud800"


def wrong_numbers(name: str, below: float, above: float) -> list[tuple[str, Any, str]]:
    wrong = [below, above, HUGE, -HUGE, float("nan"), float("inf"), float("-inf"), True, "7", SECRET, [7], {"a": 7}]
    return [(name, value, name) for value in wrong]


def wrong_texts(name: str, longest: int) -> list[tuple[str, Any, str]]:
    wrong = ["x" * (longest + 1), "a\0b", LONE_SURROGATE, "a" + LONE_SURROGATE, 7, True, [SECRET], {"a": SECRET}]
    return [(name, value, name) for value in wrong]


def wrong_words(name: str) -> list[tuple[str, Any, str]]:
    wrong = ["", SECRET, "IMAGE", "a\0b", LONE_SURROGATE, 7, True, [], {}, "x" * 5000]
    return [(name, value, name) for value in wrong]


def wrong_switches(name: str) -> list[tuple[str, Any, str]]:
    wrong: list[Any] = [0, 1, "true", "", [], SECRET]
    return [(name, value, name) for value in wrong]


WRONG: list[tuple[str, Any, str]] = [
    *wrong_texts("prompt", 2000),
    *[("prompt", value, "prompt") for value in ("", " ", "\t\n", "|", " | ", "||", " | | ")],
    *wrong_texts("negative_prompt", 2000),
    *wrong_words("type"),
    *wrong_words("style"),
    *[("style", value, "style") for value in (["oil", ""], ["oil", 7], [SECRET], ["oil"] * 5000)],
    *wrong_words("quality"),
    *wrong_words("aspect"),
    *wrong_words("notify"),
    *wrong_numbers("width", 56, 2056),
    *wrong_numbers("height", 56, 2056),
    *[(side, value, side) for side in ("width", "height") for value in (65, 508, 2047, 512.5, -512, 0)],
    *wrong_numbers("steps", 0, 151),
    *wrong_numbers("scale", -0.001, 30.001),
    *wrong_numbers("upscale", 0, 5),
    *wrong_numbers("n", 0, 9),
    *wrong_numbers("seed", -1, 2**32),
    *[(name, 1.5, name) for name in ("steps", "upscale", "n", "seed")],
    *wrong_numbers("strength", -2.001, 1.001),
    ("prompt", None, "prompt"),
    *wrong_switches("describe"),
    *wrong_switches("cpu"),
    *wrong_switches("timelapse"),
    ("source_images", SECRET, "source_images"),
    ("source_images", {"0": SECRET}, "source_images"),
    ("source_images", [SECRET] * 5, "source_images"),
    ("source_images", [7], "source_images.0"),
    ("source_images", [None], "source_images.0"),
    ("source_images", ["a\0b"], "source_images.0"),
    ("source_images", [LONE_SURROGATE], "source_images.0"),
    ("source_images", ["x" * 201], "source_images.0"),
    ("source_images", [SECRET], "source_images.0"),
    ("source_images", [""], "source_images.0"),
    ("description", SECRET, "description"),
    ("description", [], "description"),
    ("description", {"unknown": SECRET}, "description.unknown"),
    ("description", {"blip_max_len": 4}, "description.blip_max_len"),
    ("description", {"blip_max_len": 501}, "description.blip_max_len"),
    ("description", {"blip_max_len": True}, "description.blip_max_len"),
    ("description", {"clip_max_len": -1}, "description.clip_max_len"),
    ("description", {"clip_max_len": 501}, "description.clip_max_len"),
    ("description", {"clip_max_len": "5"}, "description.clip_max_len"),
    ("description", {"clip_max_len": HUGE}, "description.clip_max_len"),
    ("description", {"skip_clip": 1}, "description.skip_clip"),
    ("description", {"unknown": None}, "description.unknown"),
    ("description", {"skip_list": "artists"}, "description.skip_list"),
    ("description", {"skip_list": ["artists"] * 5}, "description.skip_list"),
    ("description", {"skip_list": [SECRET]}, "description.skip_list.0"),
    ("unknown", SECRET, "unknown"),
    ("id", SECRET, "id"),
    ("state", "succeeded", "state"),
    ("Prompt", SECRET, "Prompt"),
    ("__class__", SECRET, "__class__"),
    ("", SECRET, "body"),
]


def name_case(case: object) -> str:
    words = ascii(case)
    return words if len(words) < 30 else f"{words[:20]}..{len(words)}"


@pytest.mark.parametrize(("field", "value", "named"), WRONG, ids=name_case)
def test_a_wrong_value_is_refused(door: Door, ada: Person, field: str, value: Any, named: str) -> None:
    body = json.dumps({"prompt": "a lighthouse", field: value})
    response = door.post("/v1/jobs", content=body, headers={**ada.headers, "Content-Type": "application/json"})
    problem = response.json()
    assert (response.status_code, problem["code"]) == (422, "invalid_request"), problem
    assert [error["field"] for error in problem["errors"]] == [named]
    assert all(error["message"] for error in problem["errors"])
    assert SECRET not in response.text
    assert len(response.content) < 2000


def test_null_means_not_set_and_whole_numbers_may_have_a_point(door: Door, ada: Person) -> None:
    """As do the clients of many languages, which write every member and every number alike."""
    names = set(JobRequest.model_fields) - {"prompt", "seed", "width", "height", "n", "steps"}
    nulls: dict[str, Any] = dict.fromkeys(names)
    plain = {"prompt": "a lighthouse", "seed": 1_000_000_000, "width": 64, "height": 64, "n": 2, "steps": 3}
    nulls |= plain | {"description": {"blip_max_len": 7}}
    spelled = (
        '{"prompt": "a lighthouse", "seed": 1e9, "width": 64.0, "height": 6.4e1, "n": 2.0, "steps": 3.0, "cpu": null,'
        ' "description": {"blip_max_len": 7.0, "clip_max_len": null, "skip_clip": null, "skip_list": null}}'
    )
    headers = {**ada.headers, "Content-Type": "application/json", "Idempotency-Key": "the-same-meaning"}
    first = door.post("/v1/jobs", content=json.dumps(nulls), headers=headers)
    assert first.status_code == 202, first.text
    settings = first.json()["settings"]
    assert [settings[name] for name in ("seed", "width", "height", "n", "steps")] == [1_000_000_000, 64, 64, 2, 3]
    assert (settings["quality"], settings["negative_prompt"], settings["cpu"]) == ("normal", "", False)
    again = door.post("/v1/jobs", content=spelled, headers=headers)
    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"]), again.text


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "prompt"),
        ({"negative_prompt": "x"}, "prompt"),
        ({"strength": -0.1}, "source_images"),
        ({"strength": -2, "prompt": "x"}, "source_images"),
        ({"strength": -1, "source_images": []}, "source_images"),
    ],
)
def test_a_missing_field_is_named(door: Door, ada: Person, body: dict[str, Any], named: str) -> None:
    response = door.post("/v1/jobs", json=body, headers=ada.headers)
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [named]


def test_every_invalid_field_is_named_at_once(door: Door, ada: Person) -> None:
    body = {"prompt": "x", "n": 0, "steps": 0, "nonsense": 1, "description": {"skip_clip": "no"}}
    response = door.post("/v1/jobs", json=body, headers=ada.headers)
    fields = {error["field"] for error in response.json()["errors"]}
    assert fields == {"n", "steps", "nonsense", "description.skip_clip"}


@pytest.mark.parametrize("name", [LONE_SURROGATE, "a\0b", "x" * 100_000, "é" * 100, "a.b", "function-wrap", "\r\nX: y"])
def test_an_unknown_field_name_is_refused(door: Door, ada: Person, name: str) -> None:
    for body in ({"prompt": "x", name: 1}, {"prompt": "x", "description": {name: 1}}):
        response = door.post(
            "/v1/jobs",
            content=json.dumps(body),
            headers={**ada.headers, "Content-Type": "application/json"},
        )
        assert response.status_code == 422
        assert len(response.json()["errors"]) == 1
        assert len(response.content) < 2000


def test_a_refused_submit_costs_nothing(door: Door, ada: Person, services: Services) -> None:
    door.post("/v1/jobs", json={"prompt": ""}, headers=ada.headers)
    quota = door.get("/v1/me", headers=ada.headers).json()["quota"]
    assert quota["left_today"] == services.settings.jobs_per_day


@pytest.mark.parametrize("prompt", ["x", "x" * 2000, "a | b", "| a", "(a) [b]", "\U0001f30a" * 2000, "'; --", "%s"])
def test_a_prompt_within_the_bounds_is_accepted(door: Door, ada: Person, prompt: str) -> None:
    response = door.post("/v1/jobs", json={"prompt": prompt}, headers=ada.headers)
    assert response.status_code == 202
    assert response.json()["prompt"] == prompt
