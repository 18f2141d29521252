"""Polling a status: ETag, 304, and long polling until the job changes."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from shared.services import Services
from shared.testing.fake_generator import FakeGenerator, Plan
from tests.support.doors import Door
from tests.support.people import Person
from tests.support.poller import Poller
from tests.support.waiting import until

Submit = Callable[..., dict[str, Any]]
LONG_S = 20


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(60) as pool:
        yield pool


def ask(door: Door, person: Person, job: dict[str, Any], wait_s: float = 0, known: str | None = None) -> httpx.Response:
    headers = dict(person.headers) | ({"If-None-Match": known} if known is not None else {})
    query = {"wait": str(wait_s)} if wait_s else {}
    return door.get(job["links"]["self"], params=query, headers=headers)


def test_an_unchanged_job_is_not_sent_again(door: Door, ada: Person, submit: Submit) -> None:
    job = submit()
    first = ask(door, ada, job)
    etag = first.headers["etag"]
    assert etag.startswith('W/"')
    assert first.headers["cache-control"] == "private, no-cache"
    assert int(first.headers["retry-after"]) >= 1
    for known in (etag, f'"other", {etag}', etag.removeprefix("W/")):
        again = ask(door, ada, job, known=known)
        assert (again.status_code, again.content) == (304, b""), known
        assert again.headers["etag"] == etag
    for known in ('"other"', 'W/"0"', "x", ""):
        assert ask(door, ada, job, known=known).status_code == 200, known


def test_the_etag_changes_with_the_job_and_only_then(
    door: Door, ada: Person, submit: Submit, step: Callable[[], int], generator: FakeGenerator
) -> None:
    generator.plan = Plan(polls=1)
    job = submit()
    seen: dict[str, dict[str, Any]] = {}
    for _ in range(20):
        first, second = ask(door, ada, job), ask(door, ada, job)
        assert first.headers["etag"] == second.headers["etag"]
        view = first.json() | {"eta_seconds": None}  # a new estimate is not a change
        assert seen.setdefault(first.headers["etag"], view) == view
        if view["finished_at"]:
            break
        step()
    assert len(seen) >= 3
    assert [view for view in seen.values() if list(seen.values()).count(view) > 1] == []


def test_an_answer_is_held_until_the_job_changes(
    door: Door, ada: Person, submit: Submit, threads: ThreadPoolExecutor, services: Services, finish: Callable[[], None]
) -> None:
    job = submit()
    etag = ask(door, ada, job).headers["etag"]
    for known in (etag, None):
        held = threads.submit(ask, door, ada, job, LONG_S, known)
        until(lambda: door.held == 1, "the door holds as many answers", 60, 0.01)
        finish()
        answer = held.result(timeout=LONG_S + 10)
        assert answer.status_code == 200
        assert answer.json()["state"] in ("generating", "succeeded")
        assert answer.headers["etag"] != etag
        job = submit()
        etag = ask(door, ada, job).headers["etag"]


def test_a_new_queue_position_is_a_change(
    door: Door, ada: Person, bob: Person, submit: Submit, threads: ThreadPoolExecutor, step: Callable[[], int],
    generator: FakeGenerator,
) -> None:  # fmt: skip
    generator.plan = Plan(polls=1000)
    for _ in range(3):
        submit()
    job = submit()
    assert job["queue_position"] == 4
    held = threads.submit(ask, door, ada, job, LONG_S, ask(door, ada, job).headers["etag"])
    until(lambda: door.held == 1, "the door holds as many answers", 60, 0.01)
    step()
    assert held.result(timeout=LONG_S + 10).json()["queue_position"] == 2


def test_a_new_position_alone_is_told_a_little_later(
    door: Door, ada: Person, submit: Submit, step: Callable[[], int], generator: FakeGenerator
) -> None:
    generator.plan = Plan(polls=1000)
    for _ in range(3):
        submit()
    job = submit()
    etag = ask(door, ada, job).headers["etag"]
    step()
    moved = ask(door, ada, job, known=etag)
    assert (moved.status_code, moved.json()["queue_position"]) == (200, 2)
    assert moved.headers["etag"] != etag
    started = time.monotonic()
    answer = ask(door, ada, job, 0.4, etag)
    assert time.monotonic() - started >= 0.4
    assert (answer.status_code, answer.json()["queue_position"]) == (200, 2)
    assert ask(door, ada, job, 0.4, answer.headers["etag"]).status_code == 304


def test_a_reason_for_waiting_is_a_change(
    door: Door, ada: Person, submit: Submit, threads: ThreadPoolExecutor, poller: Poller
) -> None:
    job = submit()
    held = threads.submit(ask, door, ada, job, LONG_S, ask(door, ada, job).headers["etag"])
    until(lambda: door.held == 1, "the door holds as many answers", 60, 0.01)
    poller.addresses = ()
    poller.sweep()
    answer = held.result(timeout=LONG_S + 10)
    assert [entry["code"] for entry in answer.json()["timeline"]] == [None, "no_generator"]
    again = ask(door, ada, job, known=answer.headers["etag"])
    assert again.status_code == 304


@pytest.mark.parametrize("with_etag", [True, False])
def test_an_answer_is_held_to_the_deadline_and_no_longer(
    door: Door, ada: Person, submit: Submit, with_etag: bool
) -> None:
    job = submit()
    etag = ask(door, ada, job).headers["etag"]
    started = time.monotonic()
    answer = ask(door, ada, job, 0.4, etag if with_etag else None)
    assert time.monotonic() - started >= 0.4
    assert answer.status_code == (304 if with_etag else 200)
    assert door.held == 0


def test_a_finished_job_is_answered_immediately(
    door: Door, ada: Person, submit: Submit, finish: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submit()
    finish()
    etag = ask(door, ada, job).headers["etag"]
    monkeypatch.setattr("functions.http.long_poll.LongPoll.wait", None)  # an answer that waits would fail
    assert ask(door, ada, job, LONG_S).status_code == 200
    assert ask(door, ada, job, LONG_S, etag).status_code == 304


def test_an_earlier_change_is_answered_immediately(
    door: Door, ada: Person, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submit()
    monkeypatch.setattr("functions.http.long_poll.LongPoll.wait", None)
    assert ask(door, ada, job, LONG_S, 'W/"of-before"').status_code == 200


def test_a_job_deleted_while_waiting_is_not_found(
    door: Door, ada: Person, submit: Submit, threads: ThreadPoolExecutor, services: Services
) -> None:
    from sqlalchemy import text

    job = submit()
    held = threads.submit(ask, door, ada, job, LONG_S)
    until(lambda: door.held == 1, "the door holds as many answers", 60, 0.01)
    with services.db.begin() as connection:
        connection.execute(text("DELETE FROM jobs"))
    assert held.result(timeout=LONG_S + 10).status_code == 404


def test_waiting_for_a_job_of_another_user_is_not_found(door: Door, bob: Person, submit: Submit) -> None:
    assert ask(door, bob, submit(), LONG_S).status_code == 404
    assert door.held == 0


def test_50_waiting_callers_do_not_block_others(
    asgi_door: Door, ada: Person, bob: Person, threads: ThreadPoolExecutor
) -> None:
    job = asgi_door.post("/v1/jobs", json={"prompt": "x"}, headers=ada.headers).json()
    etag = ask(asgi_door, ada, job).headers["etag"]
    held: list[Future[httpx.Response]] = [threads.submit(ask, asgi_door, ada, job, LONG_S, etag) for _ in range(50)]
    until(lambda: asgi_door.held == 50, "the door holds as many answers", 60, 0.01)
    for _ in range(10):
        assert asgi_door.post("/v1/jobs", json={"prompt": "x"}, headers=bob.headers).status_code == 202
        assert asgi_door.get("/v1/jobs", headers=bob.headers).status_code == 200
    assert asgi_door.held == 50
    assert not any(future.done() for future in held)
    asgi_door.post(f"/v1/jobs/{job['id']}/cancel", headers=ada.headers)
    answers = [future.result(timeout=LONG_S + 10) for future in held]
    assert {(answer.status_code, answer.json()["state"]) for answer in answers} == {(200, "cancelled")}
    until(lambda: asgi_door.held == 0, "the door holds as many answers", 60, 0.01)
