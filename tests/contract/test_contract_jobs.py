"""A job from submit to end, as its owner sees it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from shared.services import Services
from shared.testing.fake_generator import FakeGenerator, Plan
from tests.support.doors import Door
from tests.support.people import Person
from tests.support.poller import Poller
from tests.support.shapes import JOB, SUMMARY, check

Submit = Callable[..., dict[str, Any]]


def test_it_works(door: Door, ada: Person) -> None:
    response = door.post("/v1/jobs", json={"prompt": "a lighthouse at night"}, headers=ada.headers)
    assert response.status_code == 202
    assert response.headers["content-type"] == "application/json"
    job = response.json()
    check(job, JOB)
    assert response.headers["location"] == job["links"]["self"] == f"/v1/jobs/{job['id']}"
    assert int(response.headers["retry-after"]) >= 1
    assert job["state"] == "queued"
    assert job["queue_position"] == 1
    assert job["position_is_estimate"] is False
    assert job["images"] == []
    assert job["progress"] is job["started_at"] is job["finished_at"] is job["error"] is None
    assert job["public"] is False
    assert [event["event"] for event in job["timeline"]] == ["accepted"]
    assert job["settings"] == {
        "prompt": "a lighthouse at night",
        "negative_prompt": "",
        "type": "image",
        "style": None,
        "quality": "normal",
        "aspect": "square",
        "width": 512,
        "height": 512,
        "steps": 30,
        "scale": 7.5,
        "upscale": 1,
        "n": 1,
        "seed": job["settings"]["seed"],
        "source_images": [],
        "strength": 0.75,
        "pixel_art": None,
        "describe": False,
        "description": {"blip_max_len": None, "clip_max_len": None, "skip_clip": False, "skip_list": []},
        "notify": "none",
        "cpu": False,
        "timelapse": False,
        "from_job": None,
        "from_image": None,
        "webhook_url": None,
        "likeness": None,
        "likeness_weight": 1.0,
    }
    assert 0 <= job["settings"]["seed"] < 2**32


@pytest.mark.parametrize(
    ("quality", "steps", "upscale"), [("draft", 15, 1), ("normal", 30, 1), ("better", 50, 1), ("best", 80, 2)]
)
def test_a_quality_fixes_steps_scale_and_upscale(submit: Submit, quality: str, steps: int, upscale: int) -> None:
    settings = submit(quality=quality)["settings"]
    assert (settings["steps"], settings["scale"], settings["upscale"]) == (steps, 7.5, upscale)


@pytest.mark.parametrize(
    ("aspect", "size"), [("square", (512, 512)), ("widescreen", (768, 432)), ("portrait", (432, 768))]
)
def test_an_aspect_fixes_the_size(submit: Submit, aspect: str, size: tuple[int, int]) -> None:
    settings = submit(aspect=aspect)["settings"]
    assert (settings["width"], settings["height"]) == size


def test_a_list_of_styles_is_a_picture_for_each(submit: Submit) -> None:
    settings = submit(style=["oil", "banksy"])["settings"]
    assert (settings["style"], settings["n"], settings["strength"]) == (["oil", "banksy"], 2, None)
    again = submit(**settings)["settings"]
    assert again == settings


def test_pixel_art_keeps_its_grid_and_palette(submit: Submit) -> None:
    settings = submit(type="pixel_art", pixel_art={"cells": 256})["settings"]
    assert settings["pixel_art"] == {"cells": 256, "colours": 16}


def test_every_given_setting_is_kept(submit: Submit) -> None:
    given = {
        "prompt": "ein Turm | un phare | маяк \U0001f5fc",
        "negative_prompt": "people",
        "type": "painting",
        "style": "oil",
        "quality": "best",
        "aspect": "portrait",
        "width": 64,
        "height": 2048,
        "steps": 150,
        "scale": 0.0,
        "upscale": 4,
        "n": 8,
        "seed": 2**32 - 1,
        "strength": 1.0,
        "describe": True,
        "description": {"blip_max_len": 5, "clip_max_len": 0, "skip_clip": True, "skip_list": ["artists"]},
        "notify": "email",
        "cpu": True,
        "timelapse": False,
    }
    kept = submit(**given)["settings"]
    assert kept == {
        **given,
        "source_images": [],
        "from_job": None,
        "from_image": None,
        "pixel_art": None,
        "webhook_url": None,
        "likeness": None,
        "likeness_weight": 1.0,
    }


def test_a_finished_job_shows_its_pictures(
    door: Door, ada: Person, submit: Submit, finish: Callable[[], None], generator: FakeGenerator
) -> None:
    generator.plan = Plan(polls=2)
    job_id = submit(n=2, seed=2**32 - 1, describe=True)["id"]
    finish()
    response = door.get(f"/v1/jobs/{job_id}", headers=ada.headers)
    job = response.json()
    check(job, JOB)
    assert job["state"] == "succeeded"
    assert job["progress"] == 1
    assert job["queue_position"] is job["eta_seconds"] is job["error"] is None
    assert job["created_at"] <= job["started_at"] <= job["finished_at"]
    assert "retry-after" not in response.headers
    assert [(image["index"], image["seed"]) for image in job["images"]] == [(0, 2**32 - 1), (1, 0)]
    assert {(image["width"], image["height"]) for image in job["images"]} == {(512, 512)}
    assert all(image["description"] for image in job["images"])
    assert [image["link"] for image in job["images"]] == [f"/i/{image['id']}" for image in job["images"]]
    assert job["links"]["image"] == job["images"][0]["link"]
    events = [event["event"] for event in job["timeline"]]
    assert (events[0], events[-1]) == ("accepted", "succeeded")


def test_a_failed_job_shows_its_reason(
    door: Door, ada: Person, submit: Submit, finish: Callable[[], None], generator: FakeGenerator
) -> None:
    generator.plan = Plan(ending="error")
    job_id = submit()["id"]
    finish()
    job = door.get(f"/v1/jobs/{job_id}", headers=ada.headers).json()
    check(job, JOB)
    assert job["state"] == "failed"
    assert job["error"]["code"] == "generator_failed"
    assert job["progress"] != 1
    assert door.get("/v1/me", headers=ada.headers).json()["quota"]["left_today"] == 200


def test_the_list_is_paged_newest_first(door: Door, ada: Person, bob: Person, submit: Submit) -> None:
    ids = [submit(prompt=f"number {number}")["id"] for number in range(5)]
    door.post("/v1/jobs", json={"prompt": "of another user"}, headers=bob.headers)
    seen, cursor = [], None
    for _ in range(4):
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = door.get("/v1/jobs", params=query, headers=ada.headers).json()
        check(page["jobs"], [SUMMARY])
        assert page.keys() == {"jobs", "next"}
        seen += [job["id"] for job in page["jobs"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == ids[::-1]
    assert cursor is None


def test_a_list_that_exactly_fits_has_no_next_page(door: Door, ada: Person, submit: Submit) -> None:
    for _ in range(2):
        submit()
    assert door.get("/v1/jobs?limit=2", headers=ada.headers).json()["next"] is None
    assert len(door.get("/v1/jobs", headers=ada.headers).json()["jobs"]) == 2


def test_the_list_is_filtered_by_state(door: Door, ada: Person, submit: Submit, finish: Callable[[], None]) -> None:
    done = submit()["id"]
    finish()
    gone = submit()["id"]
    door.post(f"/v1/jobs/{gone}/cancel", headers=ada.headers)
    waiting = submit()["id"]
    for state, expected in {
        "succeeded": [done],
        "cancelled": [gone],
        "queued": [waiting],
        "generating": [],
        "failed": [],
    }.items():
        jobs = door.get("/v1/jobs", params={"state": state}, headers=ada.headers).json()["jobs"]
        assert [job["id"] for job in jobs] == expected


def test_a_queued_job_is_cancelled_immediately(door: Door, ada: Person, submit: Submit) -> None:
    job_id = submit()["id"]
    response = door.post(f"/v1/jobs/{job_id}/cancel", headers=ada.headers)
    assert response.status_code == 200
    job = response.json()
    check(job, JOB)
    assert job["state"] == "cancelled"
    assert job["finished_at"] is not None
    assert [event["event"] for event in job["timeline"]] == ["accepted", "cancelled"]


def test_a_generating_job_is_cancelled_at_its_next_step(
    door: Door, ada: Person, submit: Submit, step: Callable[[], int], generator: FakeGenerator
) -> None:
    generator.plan = Plan(polls=1000)
    job_id = submit()["id"]
    step()
    response = door.post(f"/v1/jobs/{job_id}/cancel", headers=ada.headers)
    assert response.status_code == 200
    assert response.json()["state"] == "generating"
    assert door.post(f"/v1/jobs/{job_id}/cancel", headers=ada.headers).json()["state"] == "generating"
    step()
    job = door.get(f"/v1/jobs/{job_id}", headers=ada.headers).json()
    assert job["state"] == "cancelled"
    assert [event["event"] for event in job["timeline"]].count("cancel_requested") == 1


@pytest.mark.parametrize("ending", ["succeeded", "cancelled"])
def test_a_finished_job_cannot_be_cancelled(
    door: Door, ada: Person, submit: Submit, finish: Callable[[], None], ending: str
) -> None:
    job_id = submit()["id"]
    if ending == "succeeded":
        finish()
    else:
        door.post(f"/v1/jobs/{job_id}/cancel", headers=ada.headers)
    response = door.post(f"/v1/jobs/{job_id}/cancel", headers=ada.headers)
    assert (response.status_code, response.json()["code"]) == (409, "already_finished")


def test_a_finished_job_can_be_deleted(
    door: Door, ada: Person, submit: Submit, finish: Callable[[], None], poller: Poller, services: Services
) -> None:
    job_id = submit()["id"]
    finish()
    image = door.get(f"/v1/jobs/{job_id}", headers=ada.headers).json()["images"][0]
    assert len(services.storage.sizes_bytes(f"jobs/{job_id}/")) == 2
    response = door.delete(f"/v1/jobs/{job_id}", headers=ada.headers)
    assert (response.status_code, response.content) == (204, b"")
    assert door.get(f"/v1/jobs/{job_id}", headers=ada.headers).status_code == 404
    assert door.get(image["link"]).status_code == 404
    assert door.delete(f"/v1/jobs/{job_id}", headers=ada.headers).status_code == 404
    poller.collect()
    assert services.storage.sizes_bytes(f"jobs/{job_id}/") == {}


def test_an_unfinished_job_cannot_be_deleted(door: Door, ada: Person, submit: Submit) -> None:
    response = door.delete(f"/v1/jobs/{submit()['id']}", headers=ada.headers)
    assert (response.status_code, response.json()["code"]) == (409, "still_running")


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/cancel"), ("DELETE", "")])
def test_a_job_of_another_user_is_not_found(
    door: Door, bob: Person, submit: Submit, services: Services, method: str, path: str
) -> None:
    job_id = submit()["id"]
    absent = ("00000000-0000-7000-8000-000000000000", str(uuid4()), "no-id", "0", "%00", "%ff", "é", "x" * 2000)
    answers = [door.request(method, f"/v1/jobs/{name}{path}", headers=bob.headers) for name in (job_id, *absent)]
    assert {answer.status_code for answer in answers} == {404}
    assert {answer.json()["code"] for answer in answers} == {"not_found"}
    assert len({answer.content for answer in answers}) == 1
    headers = [{**answer.headers, "x-request-id": ""} for answer in answers]
    assert all(header == headers[0] for header in headers)
    with services.db.statement() as connection:
        state = connection.execute(text("SELECT state FROM jobs WHERE id = :id"), {"id": UUID(job_id)}).scalar()
    assert state == "queued"


@pytest.mark.parametrize("key", [None, "once"])
def test_a_submit_returns_what_the_status_shows(door: Door, ada: Person, key: str | None) -> None:
    door.patch("/v1/me", json={"notify": "email"}, headers=ada.headers)
    headers = ada.headers | ({"Idempotency-Key": key} if key else {})
    submitted = [door.post("/v1/jobs", json={"prompt": "a lighthouse"}, headers=headers).json() for _ in range(2)]
    for job in submitted:
        status = door.get(f"/v1/jobs/{job['id']}", headers=ada.headers).json()
        assert status == job
    assert (submitted[0]["id"] == submitted[1]["id"]) == (key is not None)
    assert submitted[0]["settings"]["notify"] == "email"
