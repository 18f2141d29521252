"""`from_job` and `from_image` as programs see them."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from shared.testing.fake_generator import FakeGenerator
from tests.support.doors import Door
from tests.support.people import Person
from tests.support.shapes import JOB, check

SMALL = {"width": 64, "height": 64, "steps": 1}


def test_a_job_waits_for_the_job_that_it_starts_from(
    door: Door, ada: Person, submit: Callable[..., dict[str, Any]], finish: Callable[[], None],
    generator: FakeGenerator,
) -> None:  # fmt: skip
    source = submit(**SMALL, describe=True)
    response = door.post("/v1/jobs", json={"from_job": source["id"], **SMALL}, headers=ada.headers)
    assert response.status_code == 202, response.text
    job = response.json()
    check(job, JOB)
    assert (job["state"], job["queue_position"], job["settings"]["from_job"]) == ("queued", None, source["id"])
    assert [(entry["event"], entry["code"]) for entry in job["timeline"]] == [
        ("accepted", None),
        ("waiting", "waits_for_source"),
    ]
    listed = door.get("/v1/jobs?state=queued", headers=ada.headers).json()["jobs"]
    assert [entry["id"] for entry in listed] == [job["id"], source["id"]]
    finish()
    done = door.get(f"/v1/jobs/{job['id']}", headers=ada.headers).json()
    check(done, JOB)
    described = door.get(f"/v1/jobs/{source['id']}", headers=ada.headers).json()["images"][0]
    assert done["state"] == "succeeded", done["error"]
    assert done["prompt"] == described["description"]
    assert len(generator.requests[-1]["imgs"]) == 1


def test_a_picture_is_a_source(
    door: Door, ada: Person, submit: Callable[..., dict[str, Any]], finish: Callable[[], None]
) -> None:
    source = submit(**SMALL, n=2)
    finish()
    second = door.get(f"/v1/jobs/{source['id']}", headers=ada.headers).json()["images"][1]
    job = submit(**SMALL, from_image=second["id"])
    assert (job["settings"]["from_job"], job["settings"]["from_image"]) == (source["id"], second["id"])
    finish()
    assert door.get(f"/v1/jobs/{job['id']}", headers=ada.headers).json()["state"] == "succeeded"


@pytest.mark.parametrize("field", ["from_job", "from_image"])
@pytest.mark.parametrize("value", ["b71a9e71-038c-4a7a-8463-96c834828c17", "mine", ""])
def test_what_is_not_there_is_not_yours(door: Door, ada: Person, field: str, value: str) -> None:
    response = door.post("/v1/jobs", json={"prompt": "x", field: value}, headers=ada.headers)
    assert response.status_code == 422
    assert [(error["field"], error["code"]) for error in response.json()["errors"]] == [(field, "not_yours")]


def test_a_job_of_somebody_else_answers_as_one_that_is_not_there(
    door: Door, bob: Person, submit: Callable[..., dict[str, Any]]
) -> None:
    answers = [
        door.post("/v1/jobs", json={"prompt": "x", "from_job": job_id}, headers=bob.headers)
        for job_id in (submit(**SMALL)["id"], str(uuid4()))
    ]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"source_images": ["uploads/a/b.png"]}, "invalid"),
        ({"from_image": str(uuid4())}, "invalid"),
        ({"prompt": None}, "required"),
    ],
)
def test_fields_that_contradict_a_source_are_refused(
    door: Door, ada: Person, submit: Callable[..., dict[str, Any]], fields: dict[str, Any], code: str
) -> None:
    body = {"prompt": "x", "from_job": submit(**SMALL)["id"]} | fields
    response = door.post("/v1/jobs", json=body, headers=ada.headers)
    assert response.status_code == 422
    assert [error["code"] for error in response.json()["errors"]] == [code]


def test_a_cancelled_job_is_no_source(door: Door, ada: Person, submit: Callable[..., dict[str, Any]]) -> None:
    source = submit(**SMALL)
    door.post(f"/v1/jobs/{source['id']}/cancel", headers=ada.headers)
    response = door.post("/v1/jobs", json={"prompt": "x", "from_job": source["id"]}, headers=ada.headers)
    assert [error["code"] for error in response.json()["errors"]] == ["source_failed"]
