"""One running site for the tests that only use it; those that break something have a stack of their own."""

from collections.abc import Iterator

import pytest
from api_user import ApiUser
from cabinet import Owner, log_in
from running_site import RunningSite
from visitor import Visitor, visitor

from shared.services import Services


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """The whole stack under its default limits."""
    site = RunningSite(tmp_path_factory.mktemp("site") / "home")
    try:
        site.start()
        yield site
    finally:
        site.stop()


@pytest.fixture(scope="session")
def site_services(site: RunningSite) -> Iterator[Services]:
    """Clients of the site's database and storage."""
    services = site.services()
    yield services
    services.db.close()


@pytest.fixture
def user(site: RunningSite) -> Iterator[ApiUser]:
    """A new user of the site."""
    with ApiUser(site.url) as user:
        yield user


@pytest.fixture(scope="session")
def painted(site: RunningSite) -> str:
    """The id of a finished job of two pictures that is nobody's business."""
    with ApiUser(site.url) as user:
        job = user.submit("a lighthouse on a cliff", n=2)
        user.finished()
        return str(job["id"])


@pytest.fixture
def owner(site: RunningSite, site_services: Services, painted: str) -> Iterator[Owner]:
    """A new user with one finished job of two pictures."""
    owner = Owner(site.url, site_services, painted)
    with owner:
        owner.copy("a lighthouse on a cliff")
        yield owner


@pytest.fixture
def person(site: RunningSite, owner: Owner) -> Iterator[Visitor]:
    """The owner in front of the site, logged in."""
    with visitor(site.url, site.s3_url, reduced_motion="reduce") as visiting:
        log_in(visiting, owner)
        yield visiting
        assert visiting.complaints == []
