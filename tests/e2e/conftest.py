"""One running site for the tests that only use it; those that break something have a stack of their own."""

from collections.abc import Iterator

import pytest
from api_user import ApiUser
from running_site import RunningSite

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
