"""Rate limits and the site's own caps, as clients meet them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from shared.services import Services
from tests.support.doors import Door, Doors
from tests.support.people import Person

PASSWORD = "four unusual words here"
PUBLIC = "https://easel.example.com"
"""A site that is not for this machine alone, so that it limits this machine, too."""

Limited = Callable[..., Door]


@pytest.fixture
def limited(doors: Doors, with_settings: Callable[..., Services], door: Door) -> Limited:
    """Return a function that opens a public site with these limits."""
    return lambda **limits: doors.open(with_settings(public_url=PUBLIC, **limits))


def refused(response: httpx.Response, code: str = "rate_limited", status: int = 429) -> bool:
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    return int(response.headers["retry-after"]) > 0


def sign_up(door: Door, name: str = "ada") -> httpx.Response:
    return door.post("/v1/signup", json={"email": f"{name}@example.com", "password": PASSWORD})


def log_in(door: Door, name: str = "ada", password: str = PASSWORD) -> httpx.Response:
    return door.post("/v1/login", json={"email": f"{name}@example.com", "password": password})


def test_attempts_to_log_in_are_limited_also_with_the_right_password(limited: Limited, services: Services) -> None:
    door = limited(logins_per_account=3)
    assert sign_up(door).status_code == 201
    assert [log_in(door, password="wrong").status_code for _ in range(3)] == [401] * 3
    wrong, right = log_in(door, password="wrong"), log_in(door)
    assert refused(wrong)
    assert refused(right)
    assert {**wrong.json()} == {**right.json()}
    assert log_in(door, "bob").status_code == 401
    with services.db.begin() as connection:
        connection.execute(text("UPDATE rate_limits SET full_at = full_at - interval '1 hour'"))
    assert log_in(door).status_code == 200


def test_an_unknown_account_is_limited_as_a_known_one(limited: Limited) -> None:
    door = limited(logins_per_account=2)
    assert [log_in(door).status_code for _ in range(3)] == [401, 401, 429]


def test_attempts_from_an_address_are_limited_over_all_accounts(limited: Limited) -> None:
    door = limited(logins_per_address=2)
    assert [log_in(door, name).status_code for name in ("ada", "bob", "cyd")] == [401, 401, 429]


def test_the_password_of_a_deletion_is_an_attempt_too(limited: Limited) -> None:
    door = limited(logins_per_account=2)
    headers = {"Authorization": f"Bearer {sign_up(door).json()['token']}"}

    def leave(password: str) -> httpx.Response:
        return door.request("DELETE", "/v1/me", headers=headers, json={"password": password})

    assert [leave("wrong").status_code for _ in range(3)] == [401, 401, 429]
    assert refused(leave(PASSWORD))


def test_attempts_to_sign_up_are_limited(limited: Limited) -> None:
    door = limited(signups_per_address=3)
    assert [sign_up(door, name).status_code for name in ("ada", "ada", "bob")] == [201, 409, 201]
    assert refused(sign_up(door, "cyd"))


def test_the_site_takes_so_many_accounts_an_hour(limited: Limited) -> None:
    door = limited(max_accounts_per_hour=2)
    assert [sign_up(door, name).status_code for name in ("ada", "ada", "bob")] == [201, 409, 201]
    assert refused(sign_up(door, "cyd"), "capacity", 503)
    assert log_in(door, "cyd").status_code == 401


def test_fifty_parallel_attempts_are_counted_exactly(
    asgi_doors: Doors, with_settings: Callable[..., Services], asgi_door: Door
) -> None:
    door = asgi_doors.open(with_settings(public_url=PUBLIC, logins_per_account=7))
    with ThreadPoolExecutor(50) as threads:
        statuses = list(threads.map(lambda _: log_in(door).status_code, range(50)))
    assert statuses.count(401) == 7
    assert set(statuses) <= {401, 429, 503}, "503 where too many wait for the database"


def test_this_machine_is_not_limited_by_address_on_its_own_site(
    asgi_doors: Doors, with_settings: Callable[..., Services], asgi_door: Door
) -> None:
    door = asgi_doors.open(with_settings(logins_per_address=1, signups_per_address=1))
    assert [sign_up(door, name).status_code for name in ("ada", "bob", "cyd")] == [201] * 3
    assert [log_in(door, name).status_code for name in ("ada", "bob", "cyd")] == [200] * 3


def announce(door: Door, person: Person, size: int = 1000) -> httpx.Response:
    body = {"content_type": "image/png", "size": size}
    return door.post("/v1/uploads", json=body, headers=person.headers)


def test_a_users_uploads_are_limited_in_number(limited: Limited, ada: Person, bob: Person) -> None:
    door = limited(uploads_per_hour=2)
    assert [announce(door, ada).status_code for _ in range(2)] == [201, 201]
    assert refused(announce(door, ada))
    assert announce(door, bob).status_code == 201


def test_a_users_uploads_are_limited_in_bytes(limited: Limited, ada: Person, bob: Person, services: Services) -> None:
    door = limited(upload_mb_per_hour=20, uploads_per_hour=3)
    mib = 1024 * 1024  # comes back every three minutes
    assert announce(door, ada, 15 * mib).status_code == 201
    assert refused(announce(door, ada, 6 * mib))
    assert announce(door, ada, 5 * mib).status_code == 201, "what is refused counts for nothing"
    assert announce(door, bob, 20 * mib).status_code == 201
    with services.db.statement() as connection:
        assert connection.execute(text("SELECT count(*) FROM uploads")).scalar_one() == 3


def test_the_uploads_of_all_users_are_limited(limited: Limited, ada: Person, bob: Person) -> None:
    door = limited(upload_mb_in_all=20)
    assert announce(door, ada, 15 * 1024 * 1024).status_code == 201
    assert refused(announce(door, bob, 15 * 1024 * 1024), "capacity", 503)
    assert announce(door, bob, 1024 * 1024).status_code == 201


def test_an_account_stores_so_much(limited: Limited, ada: Person, bob: Person) -> None:
    door = limited(max_user_mb=1)
    assert announce(door, ada, 1024 * 1024).status_code == 201
    full = announce(door, ada, 1)
    assert (full.status_code, full.json()["code"]) == (409, "storage_full")
    job = door.post("/v1/jobs", json={"prompt": "x"}, headers=ada.headers)
    assert (job.status_code, job.json()["code"]) == (409, "storage_full")
    assert door.post("/v1/jobs", json={"prompt": "x"}, headers=bob.headers).status_code == 202


def test_the_site_queues_so_many_jobs_of_all_users(limited: Limited, ada: Person, bob: Person) -> None:
    door = limited(max_queued_total=3)
    body: dict[str, Any] = {"prompt": "x"}
    keyed = ada.headers | {"Idempotency-Key": "k"}
    jobs = [door.post("/v1/jobs", json=body, headers=headers) for headers in (keyed, ada.headers, bob.headers)]
    assert [job.status_code for job in jobs] == [202] * 3
    assert refused(door.post("/v1/jobs", json=body, headers=bob.headers), "capacity", 503)
    assert door.post("/v1/jobs", json=body, headers=keyed).json()["id"] == jobs[0].json()["id"]
    assert door.get("/v1/me", headers=bob.headers).json()["quota"]["left_today"] == 199
    door.post(f"/v1/jobs/{jobs[1].json()['id']}/cancel", headers=ada.headers)
    pair = {"requests": [{"prompt": "a"}, {"prompt": "b"}]}
    assert refused(door.post("/v1/batches", json=pair, headers=bob.headers), "capacity", 503)
    assert door.post("/v1/jobs", json=body, headers=bob.headers).status_code == 202


def test_reports_from_an_address_are_limited(
    limited: Limited, services: Services, ada: Person, submit: Callable[..., Any], finish: Callable[[], None]
) -> None:
    door = limited(reports_per_address=2)
    job = submit(width=64, height=64)
    finish()
    door.put(f"/v1/jobs/{job['id']}/publication", headers=ada.headers)
    address = f"/v1/gallery/{job['id']}/reports"
    answers = [door.post(address, json={"reason": "other"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    with services.db.statement() as connection:
        assert connection.execute(text("SELECT count(*) FROM reports")).scalar_one() == 1  # of one reporter


def test_guesses_at_codes_of_scenes_are_limited(limited: Limited) -> None:
    door = limited(codes_per_hour=2)
    assert [door.get(f"/s/2345678{last}").status_code for last in "abc"] == [404, 404, 429]
