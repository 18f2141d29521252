"""A photo in several styles: one call, one group."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.services import Services
from tests.support.doors import Door, Doors
from tests.support.people import Person
from tests.support.shapes import GROUP, check


@pytest.fixture
def stylize(door: Door, ada: Person) -> Callable[..., Any]:
    def post(**body: Any) -> Any:
        return door.post("/v1/stylizations", json=body, headers=ada.headers)

    return post


def test_one_job_describes_and_the_styles_start_from_it(
    door: Door, ada: Person, stylize: Callable[..., Any], photo: str, finish: Callable[[], None]
) -> None:
    response = stylize(source_image=photo, styles=["oil", "ink"], quality="draft")
    assert response.status_code == 202, response.text
    group = response.json()
    check(group, GROUP)
    described, *styled = group["jobs"]
    assert described["settings"]["source_images"] == [photo]
    assert described["settings"]["notify"] == "none"
    assert [job["settings"]["style"] for job in styled] == ["oil", "ink"]
    assert {job["settings"]["from_job"] for job in styled} == {described["id"]}
    assert len({job["settings"]["seed"] for job in styled}) == 1
    finish()
    done = door.get(response.headers["location"], headers=ada.headers).json()
    assert done["counts"]["succeeded"] == 3, done
    caption = done["jobs"][0]["images"][0]["description"]
    assert [job["prompt"] for job in done["jobs"][1:]] == [caption, caption]


def test_with_a_prompt_there_is_nothing_to_describe(stylize: Callable[..., Any], photo: str) -> None:
    response = stylize(source_image=photo, styles=["oil"], strength=0.4, prompt="a cat")
    [job] = response.json()["jobs"]
    assert (job["prompt"], job["settings"]["strength"]) == ("a cat", 0.4)
    assert (job["settings"]["source_images"], job["settings"]["from_job"]) == ([photo], None)


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"styles": ["oil"]}, "source_image", "required"),
        ({"source_image": "x", "styles": []}, "styles", "too_short"),
        ({"source_image": "x", "styles": ["oil"] * 49}, "styles", "too_many"),
        ({"source_image": "x", "styles": ["crayon"]}, "styles.0", "not_a_choice"),
        ({"source_image": "x", "styles": ["oil"], "strength": -1}, "strength", "too_small"),
        ({"source_image": "x", "styles": ["oil"]}, "source_image", "not_yours"),
        ({"source_image": "x", "styles": ["oil"], "prompt": "a cat"}, "source_image", "not_yours"),
    ],
)
def test_what_is_wrong_is_named_by_the_fields_of_the_call(
    stylize: Callable[..., Any], body: dict[str, Any], field: str, code: str
) -> None:
    response = stylize(**body)
    assert response.status_code == 422, response.text
    assert [(error["field"], error["code"]) for error in response.json()["errors"]] == [(field, code)]


def test_a_site_that_describes_no_photos_asks_for_a_prompt(
    doors: Doors, ada: Person, photo: str, with_settings: Callable[..., Services]
) -> None:
    door = doors.open(with_settings(generators="openai+http://127.0.0.1:9/v1"))
    body = {"source_image": photo, "styles": ["oil"], "prompt": ""}
    answer = door.post("/v1/stylizations", json=body, headers=ada.headers)
    assert answer.status_code == 422, answer.text
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [("prompt", "required")]
