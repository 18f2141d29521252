"""Two hundred concurrent jobs from ten users, on the stack with its default settings."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import groupby
from typing import Any

import pytest
from sqlalchemy import text

from shared.services import Services
from tests.support.api_user import ApiUser, events
from tests.support.running_site import RunningSite

USERS = 10
JOBS_EACH = 20


@pytest.fixture(scope="module")
def users(site: RunningSite) -> Iterator[list[ApiUser]]:
    with ExitStack() as stack:
        yield [stack.enter_context(ApiUser(site.url)) for _ in range(USERS)]


def test_every_job_succeeds_with_one_set_of_pictures(users: list[ApiUser], site_services: Services) -> None:
    def submit(number: int) -> str:
        user = users[number % USERS]
        return str(user.submit(f"a lighthouse at night, number {number}", n=1 + number % 2, seed=number)["id"])

    began = time.monotonic()
    with ThreadPoolExecutor(2 * USERS) as pool:
        accepted = list(pool.map(submit, range(USERS * JOBS_EACH)))
    submitted = time.monotonic()
    jobs = [job for user in users for job in user.finished(limit_s=150)]
    done = time.monotonic()
    assert sorted(job["id"] for job in jobs) == sorted(accepted)
    assert len(set(accepted)) == USERS * JOBS_EACH
    check_one_set_each(site_services, jobs)
    assert sum(len(job["images"]) for job in jobs) == sum(1 + number % 2 for number in range(USERS * JOBS_EACH))
    # Nothing failed, so nothing was sent twice either.
    for user in users:
        for job in user.jobs():
            assert events(user.job(job["id"])).count("sent") == 1
    print(  # noqa: T201 (a figure, shown with -rP)
        f"{len(jobs)} jobs: submitted in {submitted - began:.1f} s, all finished {done - submitted:.1f} s later"
    )


def check_one_set_each(services: Services, jobs: list[dict[str, Any]]) -> None:
    """Check that every job has its requested pictures, each stored once with its thumbnail.

    Other objects of a job may only be those of lost attempts, and only if they are queued for deletion.
    """
    assert {job["state"] for job in jobs} == {"succeeded"}, [job["error"] for job in jobs if job["error"]]
    with services.db.begin() as connection:
        query = text('SELECT job_id, index, key, thumbnail_key, size_bytes FROM images ORDER BY job_id, "index"')
        found = groupby(connection.execute(query), lambda row: row.job_id)
        rows: dict[str, list[Any]] = {str(job_id): list(own) for job_id, own in found}
        garbage = tuple(connection.execute(text("SELECT prefix FROM garbage")).scalars())
    sizes = services.storage.sizes_bytes("jobs/")
    for job in jobs:
        stored = rows[job["id"]]
        indices = list(range(job["settings"]["n"]))
        assert [row.index for row in stored] == indices == [image["index"] for image in job["images"]]
        assert all(sizes[row.key] == row.size_bytes for row in stored)
        expected = {row.key for row in stored} | {row.thumbnail_key for row in stored}
        assert len(expected) == 2 * len(indices)
        assert len({key.rsplit("/", 1)[0] for key in expected}) == 1
        there = {key for key in sizes if key.startswith(f"jobs/{job['id']}/")}
        assert expected <= there
        assert all(key.startswith(garbage) for key in there - expected), there - expected
