"""Scenes: the catalogue, a person in a place as a job, and the code of its picture."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from shared.scenes.catalogue import remove
from shared.services import Services
from tests.support.doors import Door, Doors
from tests.support.people import Person
from tests.support.shapes import JOB, SETTINGS, check, url, uuid7

NAMES = {"en": str, "ru": str}
PLACES = {
    "places": [
        {
            "key": str,
            "names": NAMES,
            "pictures": [{"index": int, "description": str, "url": url, "width": 64, "height": 64}],
        }
    ],
    "offered": bool,
    "likeness_offered": bool,
}
ACTIONS = {
    "actions": [
        {
            "key": str,
            "names": NAMES,
            "descriptions": NAMES,
            "shots": [{"shot": lambda shot: shot in ("CLS", "MES", "FUS"), "url": url}],
        }
    ]
}


def is_code(code: str) -> bool:
    return re.fullmatch("[2-9A-HJ-NP-Za-km-z]{8}", code) is not None


SCENE = {
    "place": "park",
    "place_picture": int,
    "action": "reading",
    "shot": "MES",
    "age": "adult",
    "gender": "woman",
    "details": str,
    "action_prompt": "",
    "background": uuid7,
    "pose": uuid7,
    "code": is_code,
}
ANSWER = JOB | {"settings": SETTINGS | {"scene": SCENE}, "code": is_code, "link": str}
BODY: dict[str, Any] = {"place": "park", "action": "reading", "gender": "woman", "quality": "draft"}


pytestmark = pytest.mark.usefixtures("catalogue")


@pytest.fixture
def place(door: Door, ada: Person) -> Callable[..., Any]:
    def post(key: str | None = None, **changes: Any) -> Any:
        headers = ada.headers | ({"Idempotency-Key": key} if key else {})
        body = {name: value for name, value in (BODY | changes).items() if value is not None}
        return door.post("/v1/scenes", json=body, headers=headers)

    return post


def test_the_catalogue_is_public(door: Door) -> None:
    for path, shape, count in (("places", PLACES, 2), ("actions", ACTIONS, 3)):
        response = door.get(f"/v1/{path}")
        check(response.json(), shape)
        assert len(response.json()[path]) == count
        assert response.headers["cache-control"] == "public, max-age=60"
    assert door.get("/v1/places").json()["offered"] is True


def test_a_scene_is_a_job_whose_picture_has_a_code(
    door: Door, ada: Person, place: Callable[..., Any], finish: Callable[[], None]
) -> None:
    response = place(details="wearing a hat", seed=3)
    assert response.status_code == 202, response.text
    job = response.json()
    check(job, ANSWER)
    assert response.headers["location"] == f"/v1/jobs/{job['id']}"
    assert job["link"] == f"/s/{job['code']}"
    assert job["settings"]["scene"]["code"] == job["code"]
    assert job["settings"]["scene"]["place_picture"] == 1, "the seed chooses"
    early = door.get(job["link"])
    assert (early.status_code, early.json()["code"]) == (404, "not_found")
    assert "yet" in early.json()["detail"]
    finish()
    done = door.get(f"/v1/jobs/{job['id']}", headers=ada.headers).json()
    assert done["state"] == "succeeded", done
    followed = door.get(job["link"])
    assert followed.status_code == 302
    assert followed.headers["location"] == done["images"][0]["url"]
    assert done["images"][0]["thumbnail_url"] == door.get(f"{job['link']}?thumbnail=1").headers["location"]
    assert "attachment" in door.get(f"{job['link']}?download=1").headers["location"]
    door.delete(f"/v1/jobs/{job['id']}", headers=ada.headers)
    assert door.get(job["link"]).status_code == 404


def test_a_repeated_call_is_the_same_job_and_code(place: Callable[..., Any]) -> None:
    first, again = place(key="k"), place(key="k")
    assert (first.json()["id"], first.json()["code"]) == (again.json()["id"], again.json()["code"])
    assert place(key="k", shot="CLS").json()["code"] == "idempotency_mismatch"


def test_a_repeated_call_works_after_the_place_is_gone(place: Callable[..., Any], services: Services) -> None:
    first = place(key="k").json()
    remove(services, "place", "park")
    assert place(key="k").json()["id"] == first["id"]
    assert place(key="other").status_code == 422


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"place": "moon"}, "place", "not_a_choice"),
    ({"place": "../x"}, "place", "invalid"),
    ({"place": "x" * 41}, "place", "too_long"),
    ({"place": None}, "place", "required"),
    ({"place_picture": 2}, "place_picture", "too_large"),
    ({"place_picture": 8}, "place_picture", "too_large"),
    ({"place_picture": -1}, "place_picture", "too_small"),
    ({"action": "flying"}, "action", "not_a_choice"),
    ({"action": None}, "action", "required"),
    ({"shot": "XLS"}, "shot", "not_a_choice"),
    ({"age": "37"}, "age", "not_a_choice"),
    ({"gender": "cat"}, "gender", "not_a_choice"),
    ({"gender": None}, "gender", "required"),
    ({"details": "x" * 501}, "details", "too_long"),
    ({"details": "a\0b"}, "details", "invalid"),
    ({"dynamic_action": True}, "action_prompt", "required"),
    ({"dynamic_action": True, "action_prompt": "x" * 501}, "action_prompt", "too_long"),
    ({"dynamic_action": True, "action": None, "action_prompt": "zzz"}, "action_prompt", "not_a_choice"),
    ({"action_prompt": "reads"}, "action_prompt", "invalid"),
    ({"quality": "superb"}, "quality", "not_a_choice"),
    ({"seed": -1}, "seed", "too_small"),
    ({"prompt": "a cat"}, "prompt", "unknown_field"),
    ({"scene": {}}, "scene", "unknown_field"),
]


def test_what_is_wrong_is_named(place: Callable[..., Any]) -> None:
    """All in one test: bringing the catalogue takes longer than all these calls."""
    for changes, field, code in WRONG:
        response = place(**changes)
        assert response.status_code == 422, (changes, response.text)
        named = [(error["field"], error["code"]) for error in response.json()["errors"]]
        assert named == [(field, code)], changes


def test_a_bar_in_the_details_splits_nothing(place: Callable[..., Any]) -> None:
    assert "|" not in place(details="a | b").json()["prompt"]


def test_longest_words_still_make_a_prompt(place: Callable[..., Any]) -> None:
    answer = place(details="ы" * 500, dynamic_action=True, action_prompt="reading " + "ш" * 490)
    assert answer.status_code == 202, answer.text
    assert len(answer.json()["prompt"]) <= 2000


def test_a_job_cannot_name_a_scene_itself(door: Door, ada: Person) -> None:
    answer = door.post("/v1/jobs", json={"prompt": "x", "scene": {}}, headers=ada.headers)
    assert answer.json()["errors"][0]["code"] == "unknown_field"


@pytest.mark.parametrize("code", ["x", "0" * 8, "22222222", "2222222l", "%00", "2222222222"])
def test_a_code_that_is_wrong_is_not_found(door: Door, code: str) -> None:
    answer = door.get(f"/s/{code}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("generators", ["glide+http://127.0.0.1:9", "openai+http://127.0.0.1:9/v1"])
def test_a_site_without_such_generators_refuses_scenes(
    doors: Doors, ada: Person, with_settings: Callable[..., Services], generators: str
) -> None:
    door = doors.open(with_settings(generators=generators))
    answer = door.post("/v1/scenes", json=BODY, headers=ada.headers)
    assert answer.status_code == 422, answer.text
    assert ("place", "not_offered") in [(error["field"], error["code"]) for error in answer.json()["errors"]]
    assert door.get("/v1/places").json()["offered"] is False


def test_a_site_whose_generators_make_no_scenes_refuses_them(
    doors: Doors, ada: Person, services: Services, with_settings: Callable[..., Services]
) -> None:
    with services.db.begin() as connection:
        connection.exec_driver_sql("UPDATE generators SET has_scenes = false")
    door = doors.open(with_settings(generators="img_generator+http://127.0.0.1:9"))
    answer = door.post("/v1/scenes", json=BODY, headers=ada.headers)
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [("place", "not_offered")]
    assert door.get("/v1/places").json()["offered"] is False


def test_a_likeness_needs_one_generator_that_makes_scenes_and_takes_adapters(
    doors: Doors, ada: Person, services: Services, with_settings: Callable[..., Services]
) -> None:
    with services.db.begin() as connection:
        connection.exec_driver_sql("UPDATE generators SET has_scenes = true, has_adapters = false")
        connection.exec_driver_sql(
            "INSERT INTO generators (name, protocol, max_in_flight, has_scenes, has_adapters)"
            " VALUES ('http://127.0.0.1:8', 'img_generator', 1, false, true)"
        )
    two = "img_generator+http://127.0.0.1:9,img_generator+http://127.0.0.1:8"
    door = doors.open(with_settings(generators=two))
    answer = door.post("/v1/scenes", json=BODY | {"likeness": "12345678"}, headers=ada.headers)
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [("likeness", "not_offered")]
    assert door.post("/v1/scenes", json=BODY, headers=ada.headers).status_code == 202
    offers = door.get("/v1/places").json()
    assert (offers["offered"], offers["likeness_offered"]) == (True, False)
