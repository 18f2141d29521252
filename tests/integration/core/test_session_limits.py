"""A process that freezes while it holds locks: the database takes them from it, and it harms nothing afterwards."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import pytest
from alembic import command
from alembic.config import Config

from cli import check_services
from shared.core.db import Database
from shared.core.errors import Unavailable
from shared.core.session_settings import LIMITS
from shared.services import Services
from shared.testing.fake_generator import FakeGenerator
from tests.support.paths import ROOT
from tests.support.poller import Poller
from tests.support.processes import started
from tests.support.separate_database import Separate, separate_database
from tests.support.waiting import until
from tests.support.world import World, with_settings

# Stops itself after a statement of the dispatcher's transaction has been executed, before its answer is used.
FREEZES = """
import os, signal, sys
from sqlalchemy import event
from shared.core.errors import Unavailable
from shared.polling import dispatch
from shared.services import Services

services = Services.from_environment()
with services.db.statement():
    pass
words = sys.argv[2]

@event.listens_for(services.db._engine, "after_cursor_execute")
def freeze(connection, cursor, statement, *rest):
    if words in statement:
        print("frozen", flush=True)
        os.kill(os.getpid(), signal.SIGSTOP)

try:
    dispatch.start(services, {sys.argv[1]: 0})
except Unavailable as error:
    print(error.detail, flush=True)
"""
PLACES = ("FOR UPDATE OF queue_clock", "UPDATE queue_clock SET turn")
"""A part of the first statement of a round, and of its last one."""


@pytest.fixture
def separate(services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[Separate]:
    """Return a migrated database without the session's longer limits."""
    with separate_database(services.settings.database_url) as separate:
        for limit in LIMITS:
            separate.run(f"ALTER DATABASE separate SET {limit.name} = 0")
        monkeypatch.setenv("EASEL_DATABASE_URL", separate.url)
        command.upgrade(Config(ROOT / "alembic.ini"), "head")
        yield separate


@contextmanager
def frozen_dispatcher(
    separate: Separate, environment: dict[str, str], generator: FakeGenerator, words: str
) -> Iterator["subprocess.Popen[str]"]:
    env = os.environ | environment | {"EASEL_DATABASE_URL": separate.url, "EASEL_GENERATORS": generator.setting}
    argv = [sys.executable, "-c", FREEZES, generator.address.name, words]
    with started(argv, env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        with process.stdout:
            assert process.stdout.readline() == "frozen\n"
            yield process


@pytest.mark.parametrize("words", PLACES)
def test_a_frozen_dispatcher_stops_no_other(
    services: Services, separate: Separate, environment: dict[str, str], generator: FakeGenerator, words: str
) -> None:
    own = with_settings(services, database_url=separate.url)
    poller = Poller(own, (generator.address,))
    world = World(own, poller)
    with closing(poller):
        poller.sweep()
        user = world.user()
        jobs = [world.submit(user), world.submit(user)]
        with frozen_dispatcher(separate, environment, generator, words) as frozen:
            started_here: list[object] = []

            def start() -> bool:
                with suppress(Unavailable):
                    started_here.extend(poller.start())
                return len(started_here) == 2

            until(start, "both jobs are started while the other dispatcher is frozen")
            other = world.submit(world.user())
            os.kill(frozen.pid, signal.SIGCONT)
            assert frozen.stdout is not None
            assert "database" in frozen.stdout.read()
        assert started_here == jobs
        assert world.state(other) == "queued"
        for job_id in jobs:
            assert world.events(job_id).count("started") == 1
        world.check_books()


def test_the_role_has_the_limits_and_needs_no_set(services: Services, separate: Separate) -> None:
    read = "SELECT name, setting, source FROM pg_settings WHERE position('timeout' IN name) > 0"
    expected = {limit.name: str(limit.limit_ms) for limit in LIMITS}
    with closing(Database(separate.url, pool_size=1)) as owner, owner.statement() as connection:
        rows = {name: (value, source) for name, value, source in connection.exec_driver_sql(read)}
        assert {name: rows[name] for name in expected} == {
            name: (value, "database user") for name, value in expected.items()
        }
        connection.exec_driver_sql("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO guest")
    with closing(Database(separate.guest_url, pool_size=1)) as guest, guest.statement() as connection:
        rows = {name: (value, source) for name, value, source in connection.exec_driver_sql(read)}
        assert {name: rows[name] for name in expected} == {name: (value, "session") for name, value in expected.items()}
    for url, warned in ((separate.url, False), (separate.guest_url, True)):
        other = with_settings(services, database_url=url)
        with closing(other.db):
            said = "".join(finding.message for finding in check_services.database(other))
        assert ("Its role has no limit" in said) == warned


def test_a_wait_for_a_lock_ends_as_unavailable(separate: Separate) -> None:
    # The holder may be idle for as long as the other one takes to connect and to wait.
    for name, limit in (("lock_timeout", "1s"), ("idle_in_transaction_session_timeout", "1min")):
        separate.run(f"ALTER DATABASE separate SET {name} = '{limit}'")
        separate.run(f"ALTER ROLE easel IN DATABASE separate RESET {name}")
    lock = "SELECT 1 FROM queue_clock FOR UPDATE"
    with closing(Database(separate.url, pool_size=2)) as database, database.begin() as holder:
        holder.exec_driver_sql(lock)
        with pytest.raises(Unavailable, match="time limit"), database.begin() as waiting:
            waiting.exec_driver_sql(lock)
