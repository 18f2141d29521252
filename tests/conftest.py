"""Real servers for the whole run: Postgres, Redis and S3 from wheels, separate for each pytest worker."""

import json
import os
import secrets
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

from infra.bundle import Bundle
from local.servers import embedded_servers
from shared.core.session_settings import LIMITS
from shared.core.settings import Settings
from shared.services import Services
from shared.testing.fake_generator import FakeGenerator
from tests.support.clean_tables import empty_tables
from tests.support.deployment import ACCOUNT, Cloud, emulated_cloud
from tests.support.functions_bundle import built_bundle
from tests.support.paths import ROOT
from tests.support.poller import Poller
from tests.support.scheduling import ByServers
from tests.support.world import World

hypothesis.settings.load_profile("ci")
"""Its own one: the same examples in each run, and no limits of time, which a busy machine exceeds."""

# A shell starts what it runs in the background deaf to Ctrl-C, and programs that the tests start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest one, and with the tests that wait most: the others fill the processor meanwhile."""
    items.sort(key=lambda item: not item.nodeid.startswith(("generator/tests/test_generator_diffusion", "tests/e2e/")))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByServers:
    return ByServers(config, log)


@pytest.fixture(scope="session")
def environment() -> Iterator[dict[str, str]]:
    """Start the servers; return their settings, with the tables and the bucket created.

    Their home is not under pytest's folder: pytest makes that private at each start, and when run as root, Postgres
    runs as another user.
    """
    with tempfile.TemporaryDirectory(prefix="easel-") as home, _servers(Path(home)) as environment:
        environment["EASEL_MAIL_URL"] = (Path(home) / "mail").as_uri()
        os.environ["EASEL_DATABASE_URL"] = environment["EASEL_DATABASE_URL"]
        os.environ["EASEL_BROKER_URL"] = environment["EASEL_BROKER_URL"]
        _trade_safety_for_speed(environment["EASEL_DATABASE_URL"])
        command.upgrade(Config(ROOT / "alembic.ini"), "head")
        yield environment


@contextmanager
def _servers(home: Path) -> Iterator[dict[str, str]]:
    # Functions in an emulated Lambda sign storage requests with the account number.
    keys = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": secrets.token_urlsafe(30)}
    (home / "s3-keys.json").write_text(json.dumps(keys))
    with embedded_servers(home) as environment:
        yield environment


def _trade_safety_for_speed(database_url: str) -> None:
    """Disable crash safety and autovacuum: no test cuts the power, and no table stays large.

    Locks and open transactions may last longer than elsewhere: on a busy machine, a test's process may rest for long.
    """
    changed = dict.fromkeys(("fsync", "full_page_writes", "autovacuum"), "off")
    changed |= {limit.name: str(limit.most_ms) for limit in LIMITS}
    engine = create_engine(database_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for name, value in changed.items():
            connection.execute(text(f"ALTER SYSTEM SET {name} = {value}"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Build the functions' bundle for the Python version and processor of the test run."""
    return built_bundle(tmp_path_factory)


@pytest.fixture(scope="session")
def cloud(environment: dict[str, str]) -> Iterator[Cloud]:
    """Start an emulated Lambda with HTTP APIs, next to the session's servers."""
    secret = environment["AWS_SECRET_ACCESS_KEY"]
    with tempfile.TemporaryDirectory(prefix="easel-cloud-") as home, emulated_cloud(Path(home), secret) as cloud:
        yield cloud


@pytest.fixture(scope="session")
def session_services(environment: dict[str, str]) -> Iterator[Services]:
    services = Services(Settings.from_environment(environment))
    yield services
    services.db.close()


@pytest.fixture
def services(session_services: Services) -> Services:
    """Return services on an empty database."""
    empty_tables(session_services.db)
    vars(session_services).pop("models", None)  # it remembers for seconds what the test before had in the tables
    return session_services


@pytest.fixture
def generator() -> Iterator[FakeGenerator]:
    with FakeGenerator() as fake:
        yield fake


@pytest.fixture
def poller(services: Services, generator: FakeGenerator) -> Iterator[Poller]:
    """Return a poller in this process, without Celery: the tests call its steps themselves."""
    poller = Poller(services, (generator.address,))
    poller.sweep()
    yield poller
    poller.close_clients()


@pytest.fixture
def world(services: Services, poller: Poller) -> World:
    return World(services, poller)
