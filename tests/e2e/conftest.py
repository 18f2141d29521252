"""One running site for tests that only use it; tests that break something start their own."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from shared.services import Services
from tests.support.api_user import ApiUser
from tests.support.cabinet import Owner, log_in
from tests.support.chromium import chromium
from tests.support.gallery_guest import looking
from tests.support.likeness_page import school_in
from tests.support.running_site import RunningSite
from tests.support.visitor import Visitor, visitor

THINGS = ("a lighthouse", "a birch forest", "an old castle", "a small boat", "a red house")


@pytest.fixture(scope="package")
def site() -> Iterator[RunningSite]:
    """Start the whole stack with its default limits.

    Its home is not under pytest's folder, which pytest makes private: the account of Postgres could not enter it.
    """
    with tempfile.TemporaryDirectory(prefix="easel-site-") as folder:
        site = RunningSite(Path(folder) / "home")
        try:
            site.start()
            yield site
        finally:
            site.stop()


@pytest.fixture(scope="package")
def school() -> Iterator[RunningSite]:
    """Start the whole stack with a generator that trains, which obeys files in the folder `signs` beside its home."""
    with tempfile.TemporaryDirectory(prefix="easel-training-") as folder, school_in(Path(folder)) as site:
        yield site


@pytest.fixture(scope="package")
def site_services(site: RunningSite) -> Iterator[Services]:
    """Connect to the site's database and storage."""
    services = site.services()
    yield services
    services.db.close()


@pytest.fixture
def user(site: RunningSite) -> Iterator[ApiUser]:
    """Sign up a new user. What is left after the test is cancelled: other tests would wait until it is painted."""
    with ApiUser(site.url) as user:
        yield user
        user.cancel_all()


@pytest.fixture(scope="package")
def painted(site: RunningSite) -> str:
    """Return the id of a finished job with two pictures, used only for copies."""
    with ApiUser(site.url) as user:
        job = user.submit("a lighthouse on a cliff", n=2)
        user.finished()
        return str(job["id"])


@pytest.fixture
def owner(site: RunningSite, site_services: Services, painted: str) -> Iterator[Owner]:
    """Sign up a user with one finished job of two pictures."""
    owner = Owner(site.url, site_services, painted)
    with owner:
        owner.copy("a lighthouse on a cliff")
        yield owner


@pytest.fixture
def person(site: RunningSite, owner: Owner) -> Iterator[Visitor]:
    """Open the site as the owner, logged in."""
    with visitor(site.url, site.s3_url, reduced_motion="reduce") as visiting:
        log_in(visiting, owner)
        yield visiting
        assert visiting.complaints == []


@pytest.fixture(scope="package")
def published(site: RunningSite) -> Iterator[dict[str, Any]]:
    """Publish jobs: twelve small ones, then one with three pictures and a large one on top."""
    with ApiUser(site.url) as owner:
        for number in range(12):
            width, height = ((64, 64), (96, 64), (64, 96))[number % 3]
            owner.submit(f"{THINGS[number % 5]}, study {number}", width=width, height=height)
        several = owner.submit(
            "three views of a harbour at dawn, mist over the water and gulls", n=3, negative_prompt="fog"
        )
        large = owner.submit("a wide valley", width=640, height=360, style="oil")
        jobs = owner.finished(limit_s=180)
        assert {job["state"] for job in jobs} == {"succeeded"}
        for job in reversed(jobs):
            assert owner.call("PUT", f"/v1/jobs/{job['id']}/publication").status_code == 200
        yield {"owner": owner, "several": owner.job(several["id"]), "large": owner.job(large["id"])}


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Start one browser for all these tests; each visitor in it has a new profile.

    It is closed after them: while it runs, asyncio has a running loop in this thread.
    """
    with chromium() as browser:
        yield browser


@pytest.fixture
def guest(browser: Browser, site: RunningSite, published: dict[str, Any]) -> Iterator[Visitor]:
    with looking(browser, site) as person:
        yield person
