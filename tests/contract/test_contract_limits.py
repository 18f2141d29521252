"""Idempotency keys, queue limits and quotas, also with parallel submits on a real database."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from shared.services import Services
from shared.testing.fake_generator import FakeGenerator, Plan
from tests.support.doors import Door, Doors
from tests.support.people import Person

THREADS = 10


def post(door: Door, person: Person, key: str | None = None, **fields: Any) -> httpx.Response:
    headers = dict(person.headers) | ({"Idempotency-Key": key} if key is not None else {})
    return door.post("/v1/jobs", json={"prompt": "a lighthouse", **fields}, headers=headers)


def left_today(door: Door, person: Person) -> int:
    left: int = door.get("/v1/me", headers=person.headers).json()["quota"]["left_today"]
    return left


def count_jobs(services: Services) -> int:
    with services.db.statement() as connection:
        return int(connection.execute(text("SELECT count(*) FROM jobs")).scalar_one())


@pytest.mark.parametrize("key", ["k", "x" * 255, "a b", "~!\"#$%&'()*+,-./:;<=>?@[]^_`{|}", "' OR 1=1 --"])
def test_the_same_key_and_body_is_the_same_job(door: Door, ada: Person, key: str) -> None:
    first, second = post(door, ada, key), post(door, ada, key)
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()
    assert first.headers["location"] == second.headers["location"]
    assert left_today(door, ada) == 199


def test_an_explicit_default_is_the_same_body(door: Door, ada: Person) -> None:
    assert post(door, ada, "k").json()["id"] == post(door, ada, "k", n=1, style=None).json()["id"]


def test_the_same_key_finds_the_job_in_every_state(door: Door, ada: Person) -> None:
    job = post(door, ada, "k").json()
    door.post(f"/v1/jobs/{job['id']}/cancel", headers=ada.headers)
    again = post(door, ada, "k").json()
    assert (again["id"], again["state"]) == (job["id"], "cancelled")


@pytest.mark.parametrize("change", [{"prompt": "a lighthouse "}, {"n": 2}, {"seed": 7}, {"cpu": True}])
def test_the_same_key_for_another_body_is_refused(door: Door, ada: Person, change: dict[str, Any]) -> None:
    post(door, ada, "k")
    response = post(door, ada, "k", **change)
    assert (response.status_code, response.json()["code"]) == (422, "idempotency_mismatch")
    assert left_today(door, ada) == 199


def test_without_a_key_each_submit_is_a_job(door: Door, ada: Person) -> None:
    assert post(door, ada).json()["id"] != post(door, ada).json()["id"]


def test_a_key_belongs_to_its_user(door: Door, ada: Person, bob: Person) -> None:
    assert post(door, ada, "k").json()["id"] != post(door, bob, "k", n=2).json()["id"]


def test_a_key_lasts_24_hours(door: Door, ada: Person, services: Services) -> None:
    job = post(door, ada, "k").json()
    age = text("UPDATE jobs SET created_at = now() - make_interval(secs => :age_s)")
    with services.db.begin() as connection:
        connection.execute(age, {"age_s": 24 * 3600 - 60})
    assert post(door, ada, "k").json()["id"] == job["id"]
    with services.db.begin() as connection:
        connection.execute(age, {"age_s": 24 * 3600 + 1})
    other = post(door, ada, "k", n=2)
    assert other.status_code == 202
    assert other.json()["id"] != job["id"]
    assert post(door, ada, "k", n=2).json()["id"] == other.json()["id"]
    assert door.get(f"/v1/jobs/{job['id']}", headers=ada.headers).status_code == 200


def test_a_deleted_job_frees_its_key(door: Door, ada: Person) -> None:
    job = post(door, ada, "k").json()
    door.post(f"/v1/jobs/{job['id']}/cancel", headers=ada.headers)
    door.delete(f"/v1/jobs/{job['id']}", headers=ada.headers)
    assert post(door, ada, "k", n=2).status_code == 202


def test_a_double_click_makes_one_job(asgi_door: Door, ada: Person, services: Services) -> None:
    for round_ in range(3):
        with ThreadPoolExecutor(THREADS) as pool:
            key = f"round {round_}"
            answers = list(pool.map(lambda _, key=key: post(asgi_door, ada, key), range(THREADS)))
        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert left_today(asgi_door, ada) == 199 - round_
        assert count_jobs(services) == round_ + 1


def test_an_old_key_under_a_double_click_makes_one_new_job(asgi_door: Door, ada: Person, services: Services) -> None:
    old = post(asgi_door, ada, "k").json()["id"]
    with services.db.begin() as connection:
        connection.execute(text("UPDATE jobs SET created_at = now() - interval '25 hours'"))
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(lambda _: post(asgi_door, ada, "k"), range(THREADS)))
    assert {answer.status_code for answer in answers} == {202}
    [new] = {answer.json()["id"] for answer in answers}
    assert new != old
    assert count_jobs(services) == 2


def test_the_queue_of_one_account_is_limited(
    doors: Doors, with_settings: Callable[..., Services], ada: Person, bob: Person
) -> None:
    door = doors.open(with_settings(max_queued=2))
    jobs = [post(door, ada).json() for _ in range(2)]
    response = post(door, ada)
    assert (response.status_code, response.json()["code"]) == (429, "queue_full")
    assert int(response.headers["retry-after"]) >= 1
    assert left_today(door, ada) == 198
    assert post(door, bob).status_code == 202
    door.post(f"/v1/jobs/{jobs[0]['id']}/cancel", headers=ada.headers)
    assert post(door, ada).status_code == 202


def test_the_same_key_is_answered_although_the_queue_is_full(
    doors: Doors, with_settings: Callable[..., Services], ada: Person
) -> None:
    door = doors.open(with_settings(max_queued=1, jobs_per_day=1))
    job = post(door, ada, "k").json()
    assert post(door, ada, "k").json()["id"] == job["id"]
    assert post(door, ada, "other").status_code == 429


def test_the_jobs_of_a_day_are_limited(
    doors: Doors, with_settings: Callable[..., Services], ada: Person, bob: Person, services: Services
) -> None:
    door = doors.open(with_settings(jobs_per_day=2))
    for _ in range(2):
        assert post(door, ada).status_code == 202
    response = post(door, ada)
    assert (response.status_code, response.json()["code"]) == (429, "quota_spent")
    assert 1 <= int(response.headers["retry-after"]) <= 24 * 3600 + 1
    assert left_today(door, ada) == 0
    assert post(door, bob).status_code == 202
    with services.db.begin() as connection:
        connection.execute(text("UPDATE users SET quota_day = quota_day - 1"))
    assert left_today(door, ada) == 2
    assert post(door, ada).status_code == 202
    assert left_today(door, ada) == 1


def test_a_spent_quota_is_reported_before_a_full_queue(
    doors: Doors, with_settings: Callable[..., Services], ada: Person
) -> None:
    door = doors.open(with_settings(jobs_per_day=1, max_queued=1))
    post(door, ada)
    assert post(door, ada).json()["code"] == "quota_spent"


def test_a_cancelled_job_is_refunded_once(door: Door, ada: Person) -> None:
    job = post(door, ada).json()
    post(door, ada)
    for expected in (200, 409):
        assert door.post(f"/v1/jobs/{job['id']}/cancel", headers=ada.headers).status_code == expected
        assert left_today(door, ada) == 199
    door.delete(f"/v1/jobs/{job['id']}", headers=ada.headers)
    assert left_today(door, ada) == 199


def test_parallel_cancels_refund_once(asgi_door: Door, ada: Person) -> None:
    job = post(asgi_door, ada).json()
    post(asgi_door, ada)
    with ThreadPoolExecutor(THREADS) as pool:
        path = f"/v1/jobs/{job['id']}/cancel"
        answers = list(pool.map(lambda _: asgi_door.post(path, headers=ada.headers), range(THREADS)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * (THREADS - 1)
    assert left_today(asgi_door, ada) == 199


def test_a_failed_job_is_refunded_and_a_finished_one_is_not(
    door: Door, ada: Person, finish: Callable[[], None], generator: FakeGenerator
) -> None:
    post(door, ada)
    finish()
    assert left_today(door, ada) == 199
    generator.plan = Plan(ending="error")
    post(door, ada)
    finish()
    assert left_today(door, ada) == 199


def test_yesterdays_refund_does_not_count_today(door: Door, ada: Person, services: Services) -> None:
    job = post(door, ada).json()
    with services.db.begin() as connection:
        connection.execute(text("UPDATE users SET quota_day = quota_day - 1"))
        connection.execute(text("UPDATE jobs SET quota_day = quota_day - 1"))
    post(door, ada)
    door.post(f"/v1/jobs/{job['id']}/cancel", headers=ada.headers)
    assert left_today(door, ada) == 199


@pytest.mark.parametrize(("limits", "code"), [({"max_queued": 7}, "queue_full"), ({"jobs_per_day": 7}, "quota_spent")])
def test_parallel_submits_never_exceed_a_limit(
    asgi_doors: Doors,
    with_settings: Callable[..., Services],
    services: Services,
    ada: Person,
    limits: dict[str, int],
    code: str,
) -> None:
    door = asgi_doors.open(with_settings(**limits))
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(lambda number: post(door, ada, f"key {number}"), range(3 * THREADS)))
    assert sorted(answer.status_code for answer in answers) == [202] * 7 + [429] * (3 * THREADS - 7)
    assert {answer.json()["code"] for answer in answers if answer.status_code == 429} == {code}
    assert count_jobs(services) == 7
