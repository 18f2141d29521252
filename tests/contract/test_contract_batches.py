"""Groups of jobs: all or none, one progress, one cancel, one delete."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from shared.services import Services
from tests.support.doors import Door, Doors
from tests.support.people import Person
from tests.support.shapes import GROUP, JOB, check

SMALL = {"prompt": "a lighthouse at night", "width": 64, "height": 64, "steps": 1}
Batch = Callable[..., Any]


@pytest.fixture
def batch(door: Door, ada: Person) -> Batch:
    """Return a function that posts a batch of Ada's and returns the response."""

    def post(body: Any, **headers: str) -> Any:
        return door.post("/v1/batches", json=body, headers=ada.headers | headers)

    return post


def of(*prompts: str) -> dict[str, Any]:
    return {"requests": [SMALL | {"prompt": prompt} for prompt in prompts]}


def codes(response: Any) -> list[tuple[str, str]]:
    assert response.status_code == 422, response.text
    return [(error["field"], error["code"]) for error in response.json()["errors"]]


def count_jobs(services: Services) -> tuple[int, int]:
    """Return how many jobs there are, and how many the quota counts."""
    with services.db.statement() as connection:
        query = "SELECT (SELECT count(*) FROM jobs), (SELECT coalesce(sum(quota_used), 0) FROM users)"
        jobs, used = connection.execute(text(query)).one()
    return int(jobs), int(used)


def test_a_group_runs_from_one_call(door: Door, ada: Person, batch: Batch, finish: Callable[[], None]) -> None:
    response = batch(of("one", "two", "three"))
    assert response.status_code == 202, response.text
    group = response.json()
    check(group, GROUP)
    assert [job["prompt"] for job in group["jobs"]] == ["one", "two", "three"]
    assert [job["queue_position"] for job in group["jobs"]] == [1, 2, 3]
    assert (group["state"], group["progress"], group["count"]) == ("queued", 0, 3)
    assert response.headers["location"] == group["links"]["self"] == f"/v1/batches/{group['id']}"
    assert {job["group_id"] for job in group["jobs"]} == {group["id"]}
    job = door.get(group["jobs"][0]["links"]["self"], headers=ada.headers).json()
    check(job, JOB)
    assert job["group_id"] == group["id"]
    listed = door.get("/v1/jobs", headers=ada.headers).json()["jobs"]
    assert [entry["group_id"] for entry in listed] == [group["id"]] * 3
    finish()
    done = door.get(group["links"]["self"], headers=ada.headers).json()
    check(done, GROUP)
    assert (done["state"], done["progress"], done["counts"]["succeeded"]) == ("finished", 1, 3)
    assert all(job["images"] for job in done["jobs"])
    assert door.delete(group["links"]["self"], headers=ada.headers).status_code == 204
    assert door.get(group["links"]["self"], headers=ada.headers).status_code == 404
    assert door.get("/v1/jobs", headers=ada.headers).json()["jobs"] == []


def test_variants_are_every_combination(batch: Batch) -> None:
    response = batch({"request": SMALL, "variants": {"style": ["oil", "ink"], "seed": [1, 2, 3]}})
    assert response.status_code == 202, response.text
    made = [(job["settings"]["style"], job["settings"]["seed"]) for job in response.json()["jobs"]]
    assert made == [(style, seed) for style in ("oil", "ink") for seed in (1, 2, 3)]


def test_a_dry_run_counts_prices_and_submits_nothing(batch: Batch, services: Services) -> None:
    body = {"request": SMALL, "variants": {"seed": list(range(100)), "style": ["oil", "ink"]}, "dry_run": True}
    response = batch(body)
    assert response.status_code == 200, response.text
    quote = response.json()
    assert quote.keys() == {"count", "cost", "left_today", "left_in_queue"}
    assert quote["count"] == 200
    assert quote["cost"] == pytest.approx(200 * 64 * 64 / 1e6 * 2, rel=0.5)
    assert count_jobs(services) == (0, 0)
    assert codes(batch({"requests": [{"prompt": ""}], "dry_run": True})) == [("requests.0.prompt", "required")]


def test_what_would_be_too_many_is_refused_before_it_is_built(batch: Batch, services: Services) -> None:
    million = {name: list(range(100)) for name in ("seed", "steps", "scale")}
    response = batch({"request": SMALL, "variants": million})
    assert codes(response) == [("variants", "too_many")]
    assert response.json()["errors"][0]["limit"] == 200
    response = batch({"requests": [SMALL] * 201})
    assert codes(response) == [("requests", "too_many")]
    assert response.json()["errors"][0]["limit"] == 200
    assert count_jobs(services) == (0, 0)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, [("requests", "required")]),
        ({"requests": []}, [("requests", "too_short")]),
        ({"requests": [SMALL], "request": SMALL}, [("requests", "invalid")]),
        ({"request": SMALL, "variants": {"steps": []}}, [("variants.steps", "too_short")]),
        ({"request": SMALL, "variants": {"steps": 3}}, [("variants", "wrong_type")]),
        ({"request": SMALL, "variants": {"colour": ["red"]}}, [("variants", "unknown_field")]),
        ({"request": SMALL, "variants": {"steps": [1, 1000]}}, [("requests.1.steps", "too_large")]),
        ({"request": [SMALL]}, [("request", "wrong_type")]),
        ({"requests": [SMALL, {"prompt": "x", "from_job": str(uuid4())}]}, [("requests.1.from_job", "not_yours")]),
        ({"requests": [SMALL | {"source_images": ["x"]}]}, [("requests.0.source_images.0", "not_yours")]),
        ({"requests": [SMALL], "more": 1}, [("more", "unknown_field")]),
    ],
)
def test_one_wrong_request_refuses_them_all(
    batch: Batch, services: Services, body: dict[str, Any], fields: list[tuple[str, str]]
) -> None:
    assert codes(batch(body)) == fields
    assert count_jobs(services) == (0, 0)


def test_a_limit_debits_all_jobs_or_none(
    doors: Doors, ada: Person, services: Services, with_settings: Callable[..., Services]
) -> None:
    door = doors.open(with_settings(max_queued=3, jobs_per_day=4))

    def post(*prompts: str) -> Any:
        return door.post("/v1/batches", json=of(*prompts), headers=ada.headers)

    full = post("a", "b", "c", "d")
    assert (full.status_code, full.json()["code"]) == (429, "queue_full")
    assert full.json()["detail"] == (
        "At most 3 of your jobs may wait at once. Split this group of 4 jobs: there is room for 3 now."
        " The operator may allow more."
    )
    assert "retry-after" in full.headers
    assert count_jobs(services) == (0, 0)
    group = post("a", "b", "c").json()
    assert count_jobs(services) == (3, 3)
    assert door.post(f"/v1/batches/{group['id']}/cancel", headers=ada.headers).json()["counts"]["cancelled"] == 3
    assert count_jobs(services) == (3, 0)
    assert post("a", "b", "c").status_code == 202
    with services.db.begin() as connection:
        connection.execute(text("UPDATE users SET queued = 0"))
    spent = post("d", "e")
    assert (spent.status_code, spent.json()["code"]) == (429, "quota_spent")
    assert count_jobs(services) == (6, 3)


def test_a_key_leads_to_the_same_group(batch: Batch, services: Services) -> None:
    first = batch(of("a", "b"), **{"Idempotency-Key": "k"})
    again = batch(of("a", "b"), **{"Idempotency-Key": "k"})
    assert first.status_code == again.status_code == 202
    assert again.json()["id"] == first.json()["id"]
    other = batch(of("a"), **{"Idempotency-Key": "k"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    assert count_jobs(services) == (2, 2)
    with services.db.begin() as connection:
        connection.execute(text("UPDATE job_groups SET created_at = created_at - interval '2 days'"))
    assert batch(of("a", "b"), **{"Idempotency-Key": "k"}).json()["id"] != first.json()["id"]


def test_a_running_group_is_cancelled_before_it_is_deleted(
    door: Door, ada: Person, batch: Batch, services: Services, step: Callable[[], int], finish: Callable[[], None]
) -> None:
    group = batch(of(*"abcd")).json()
    link = group["links"]["self"]
    step()
    started = door.get(link, headers=ada.headers)
    assert (started.json()["state"], started.headers["retry-after"]) == ("generating", "1")
    refused = door.delete(link, headers=ada.headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "still_running")
    assert door.post(f"{link}/cancel", headers=ada.headers).status_code == 200
    finish()
    done = door.get(link, headers=ada.headers).json()
    assert (done["state"], done["counts"]["cancelled"]) == ("finished", 4)
    again = door.post(f"{link}/cancel", headers=ada.headers)
    assert (again.status_code, again.json()["code"]) == (409, "already_finished")
    assert count_jobs(services) == (4, 0)


def test_a_job_may_be_deleted_alone(door: Door, ada: Person, batch: Batch, finish: Callable[[], None]) -> None:
    group = batch(of("a", "b")).json()
    finish()
    assert door.delete(group["jobs"][0]["links"]["self"], headers=ada.headers).status_code == 204
    left = door.get(group["links"]["self"], headers=ada.headers).json()
    assert [job["prompt"] for job in left["jobs"]] == ["b"]


def test_a_group_of_200_does_not_hold_up_anybody(
    doors: Doors,
    ada: Person,
    bob: Person,
    services: Services,
    with_settings: Callable[..., Services],
    step: Callable[[], int],
) -> None:
    """Each job has its own place in the fair order: a newcomer waits for one job of the group at most."""
    door = doors.open(with_settings(max_queued=200, jobs_per_day=200))
    response = door.post(
        "/v1/batches", json={"request": SMALL, "variants": {"seed": list(range(200))}}, headers=ada.headers
    )
    assert response.status_code == 202, response.text
    assert [job["queue_position"] for job in response.json()["jobs"]] == list(range(1, 201))
    step()
    job = door.post("/v1/jobs", json=SMALL, headers=bob.headers).json()
    assert job["queue_position"] <= 2
    for _ in range(20):
        if door.get(job["links"]["self"], headers=bob.headers).json()["state"] != "queued":
            break
        step()
    with services.db.statement() as connection:
        before, waiting = connection.execute(
            text("""
            SELECT count(*) FILTER (WHERE a.started_at > b.created_at AND a.started_at < b.started_at),
                count(*) FILTER (WHERE a.state = 'queued')
            FROM jobs a, jobs b WHERE a.user_id = :ada AND b.user_id = :bob AND b.started_at IS NOT NULL
            """),
            {"ada": ada.id, "bob": bob.id},
        ).one()
    assert before <= 1
    assert waiting >= 150
