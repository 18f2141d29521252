"""Two hundred concurrent jobs from ten users, on the stack with its default settings."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from shared.services import Services
from tests.support.api_user import ApiUser, events
from tests.support.ledger import check_one_set_each
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
    assert check_one_set_each(site_services, jobs) == sum(1 + number % 2 for number in range(USERS * JOBS_EACH))
    # Nothing failed, so nothing was sent twice either.
    for user in users:
        for job in user.jobs():
            assert events(user.job(job["id"])).count("sent") == 1
    print(  # noqa: T201 (a figure, shown with -rP)
        f"{len(jobs)} jobs: submitted in {submitted - began:.1f} s, all finished {done - submitted:.1f} s later"
    )
