"""Fault tolerance: each part except the database's disk is taken away while jobs run."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import redis
import requests
from sqlalchemy import text

from shared.services import Services
from tests.support.api_user import ApiUser, count_states, events
from tests.support.ledger import check_one_set_each
from tests.support.part_stack import POLLER, PartStack, part_stack, services_of
from tests.support.running_site import processes_of
from tests.support.waiting import until

USERS = 4
JOBS = 40
LIMIT_S = 120


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PartStack]:
    with part_stack(tmp_path_factory.mktemp("parts") / "home") as stack:
        yield stack


@pytest.fixture(scope="module")
def services(stack: PartStack) -> Iterator[Services]:
    with services_of(stack) as services:
        yield services


@pytest.fixture
def users(stack: PartStack) -> Iterator[list[ApiUser]]:
    with ExitStack() as opened:
        yield [opened.enter_context(ApiUser(stack.url)) for _ in range(USERS)]


def submit_all(users: list[ApiUser], **fields: int) -> None:
    for number in range(JOBS):
        users[number % USERS].submit(f"a boat on a lake, number {number}", seed=number, **fields)


def finish_all(users: list[ApiUser], services: Services) -> list[dict[str, object]]:
    """Wait for all jobs; check that each succeeded with one set of pictures. Returns them with their timelines."""
    jobs = [user.job(job["id"]) for user in users for job in user.finished(LIMIT_S)]
    assert len(jobs) == JOBS
    check_one_set_each(services, jobs)
    return jobs


def wait_for_the_middle(users: list[ApiUser], done: int = JOBS // 4) -> int:
    """Wait until this many jobs are done while others are queued and generating; return how many are done."""

    def look() -> dict[str, int]:
        counts = count_states(users)
        middle = counts.get("succeeded", 0) >= done and counts.get("generating", 0) > 0 and counts.get("queued", 0) > 0
        return counts if middle else {}

    return until(look, f"{done} jobs are done, others queued and generating", LIMIT_S, every_s=0.05).get("succeeded", 0)


def next_order_number(stack: PartStack) -> int:
    """Return the next request number. The generator counts, so two answers show how many requests came in between."""
    order = {"prompt": "a stone", "width": 64, "height": 64, "steps": 1, "ups": 1}
    with requests.post(f"{stack.generator_url}/initiate_processing", json=order, timeout=10) as answer:
        return int(answer.json())


def is_a_step_running(services: Services) -> bool:
    """Return whether a worker holds a lease now."""
    with services.db.begin() as connection:
        return bool(connection.execute(text("SELECT count(*) FROM jobs WHERE lease_until > now()")).scalar_one())


def test_a_wiped_broker_loses_no_job(stack: PartStack, users: list[ApiUser], services: Services) -> None:
    submit_all(users)
    with redis.Redis.from_url(stack.settings["EASEL_BROKER_URL"]) as broker:
        for share in (0, JOBS // 4, JOBS // 2):
            wait_for_the_middle(users, share)
            broker.flushall()
    for job in finish_all(users, services):
        assert events(job).count("sent") == 1


def test_a_killed_poller_loses_and_duplicates_nothing(
    stack: PartStack, users: list[ApiUser], services: Services
) -> None:
    first_number = next_order_number(stack)
    began = time.monotonic()
    submit_all(users)
    done_before = wait_for_the_middle(users)
    until(lambda: is_a_step_running(services), "a worker is in the middle of a step", every_s=0.002)
    killed = time.monotonic()
    stack.kill(*POLLER)
    assert not [command for command in processes_of(stack.home) if " poller " in command]
    stack.start(*POLLER)
    up = time.monotonic()
    jobs = finish_all(users, services)
    finished = time.monotonic()
    retries = sum(events(job).count("retrying") for job in jobs)
    orders = next_order_number(stack) - first_number - 1
    assert orders == JOBS + retries
    pace_s = (killed - began) / done_before
    needed_s = pace_s * (JOBS - done_before)
    print(  # noqa: T201 (a figure, shown with -rP)
        f"killed after {done_before} of {JOBS} jobs, poller up again after {up - killed:.1f} s; the rest took "
        f"{finished - up:.1f} s where {needed_s:.1f} s were needed; {orders} orders, {retries} retries, "
        f"{sum('recovered' in events(job) for job in jobs)} jobs taken over from the dead worker"
    )


def test_jobs_wait_for_a_generator_that_is_down(stack: PartStack, users: list[ApiUser], services: Services) -> None:
    submit_all(users)
    wait_for_the_middle(users)
    stack.kill("generator")
    waiting = [job for user in users for job in user.jobs() if job["state"] == "queued"]
    assert waiting
    owner = {job["id"]: user for user in users for job in user.jobs()}
    until(
        lambda: all("waiting" in events(owner[job["id"]].job(job["id"])) for job in waiting),
        "every queued job's timeline says that it waits",
    )
    told = [entry for job in waiting for entry in owner[job["id"]].job(job["id"])["timeline"]]
    assert all(entry["detail"] for entry in told if entry["event"] == "waiting")
    stack.start("generator")
    finish_all(users, services)


def test_a_restarted_gateway_continues_to_serve_the_status(
    stack: PartStack, users: list[ApiUser], services: Services
) -> None:
    submit_all(users)
    wait_for_the_middle(users)
    before = {job["id"]: job for user in users for job in user.jobs()}
    stack.stop("gateway")
    with pytest.raises(requests.ConnectionError):
        users[0].jobs()
    stack.start("gateway")
    for user in users:
        for job in user.jobs():
            assert (job["progress"] or 0) >= (before[job["id"]]["progress"] or 0)
            assert before[job["id"]]["state"] != "succeeded" or job["images"] != []
    finish_all(users, services)


def test_lost_database_connections_lose_no_job(stack: PartStack, users: list[ApiUser], services: Services) -> None:
    def cut() -> int:
        query = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"""
        with services.db.begin() as connection:
            return int(connection.execute(text(query)).scalar_one())

    submit_all(users)
    for share in (0, JOBS // 4, JOBS // 2):
        wait_for_the_middle(users, share)
        assert cut() > 0
        for user in users:
            assert user.call("GET", "/v1/jobs").status_code in (200, 503)
    finish_all(users, services)
