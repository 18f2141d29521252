"""Connections that are of no more use: each is one known error, and the next use has another connection."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
from sqlalchemy import Connection, text

from local.servers import embedded_servers
from shared.core import db
from shared.core.db import Database, fetch
from shared.core.errors import Unavailable
from tests.support.separate_database import Separate, separate_database
from tests.support.waiting import until

POOL = 3
INSERT = "INSERT INTO written VALUES (1) RETURNING 1"


@pytest.fixture
def separate(environment: dict[str, str]) -> Iterator[Separate]:
    with separate_database(environment["EASEL_DATABASE_URL"]) as separate:
        yield separate


@pytest.fixture
def database(separate: Separate) -> Iterator[Database]:
    """Return a database with a full pool and a table."""
    with closing(Database(separate.url, pool_size=POOL)) as database:
        with database.statement() as connection:
            connection.execute(text("CREATE TABLE written (number int)"))
        fill(database)
        yield database


def fill(database: Database) -> None:
    """Open every connection of the pool."""
    with database.begin() as one, database.begin() as two, database.begin() as three:
        assert len({backend(connection) for connection in (one, two, three)}) == POOL


def backend(connection: Connection) -> int:
    return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


def insert(connection: Connection) -> None:
    connection.execute(text(INSERT))


def insert_directly(connection: Connection) -> None:
    fetch(connection, INSERT, {})


def go_on_after_an_error(connection: Connection) -> None:
    with suppress(Exception):
        insert(connection)


def fail(_connection: Connection) -> None:
    raise Unavailable("The storage cannot be reached.")


def works(database: Database) -> bool:
    with database.begin() as connection:
        insert(connection)
    with database.statement() as connection:
        return connection.execute(text("SHOW transaction_read_only")).scalar() == "off"


@pytest.mark.parametrize("use", [insert, insert_directly])
def test_a_transaction_on_a_server_that_has_restarted(
    separate: Separate, database: Database, use: Callable[[Connection], None]
) -> None:
    separate.end_sessions()
    with pytest.raises(Unavailable, match="cannot be reached"), database.begin() as connection:
        use(connection)
    assert works(database), "the other connections of the pool are replaced, too"


@pytest.mark.parametrize("use", [insert, insert_directly])
def test_a_server_that_ends_all_sessions_because_one_has_crashed(
    tmp_path: Path, use: Callable[[Connection], None]
) -> None:
    """Postgres then says so by a warning only, and psycopg2 neither has a code nor takes the connection for closed."""
    with (
        embedded_servers(tmp_path, ["postgres"]) as env,
        closing(Database(env["EASEL_DATABASE_URL"], pool_size=1)) as one,
    ):
        with one.statement() as connection:
            connection.execute(text("CREATE TABLE written (number int)"))
            kept = backend(connection)
        with closing(Database(env["EASEL_DATABASE_URL"], pool_size=1)) as other, other.statement() as connection:
            os.kill(backend(connection), signal.SIGKILL)
            until(lambda: not psutil.pid_exists(kept), "Postgres has ended the other session")
        with pytest.raises(Unavailable, match="cannot be reached"), one.statement() as connection:
            use(connection)
        until(lambda: recovers(one), "Postgres works again")


def recovers(database: Database) -> bool:
    try:
        return works(database)
    except Unavailable:
        return False


@pytest.mark.parametrize("use", [insert, insert_directly, go_on_after_an_error, fail, lambda _connection: None])
def test_a_restart_within_a_transaction(
    separate: Separate, database: Database, use: Callable[[Connection], None]
) -> None:
    def interrupted() -> None:
        with database.begin() as connection:
            insert(connection)
            separate.end_sessions()
            use(connection)

    with pytest.raises(Unavailable, match="cannot be reached"):
        interrupted()
    assert works(database)
    with database.statement() as connection:
        assert connection.execute(text("SELECT count(*) FROM written")).scalar() == 1


@pytest.mark.parametrize("use", [insert, insert_directly])
@pytest.mark.parametrize("opened", [Database.begin, Database.statement])
def test_a_server_that_accepts_no_changes_is_left(
    separate: Separate, database: Database, use: Callable[[Connection], None], opened: Callable[..., Database]
) -> None:
    """The address leads to another server after a failover; here, the setting is taken back instead."""
    separate.run("ALTER DATABASE separate SET default_transaction_read_only = on")
    database.close()
    fill(database)
    with pytest.raises(Unavailable, match="accepts no changes"), opened(database) as connection:  # type: ignore[attr-defined]
        use(connection)
    with pytest.raises(Unavailable, match="accepts no changes"):
        database.check()
    with database.statement() as connection:
        assert connection.execute(text("SELECT count(*) FROM written")).scalar() == 0, "reading goes on"
    separate.run("ALTER DATABASE separate RESET default_transaction_read_only")
    with pytest.raises(Unavailable, match="accepts no changes"):
        works(database)
    for _ in range(POOL):
        assert works(database)
    database.check()


def test_a_connection_that_was_idle_is_not_used_on_a_standby(
    separate: Separate, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A function hides the server's own for as long as this is a standby."""
    separate.run("ALTER DATABASE separate SET search_path = public, pg_catalog")
    database.close()
    with database.statement() as connection:
        first = backend(connection)
        connection.execute(text("CREATE FUNCTION pg_is_in_recovery() RETURNS bool RETURN true"))
    monkeypatch.setattr(db, "IDLE_PING_S", 0.0)
    with database.statement() as connection:
        second = backend(connection)
        connection.execute(text("DROP FUNCTION public.pg_is_in_recovery()"))
    with database.statement() as connection:
        assert (second != first, backend(connection)) == (True, second)


def test_a_server_without_a_free_connection(separate: Separate) -> None:
    separate.run("ALTER ROLE guest CONNECTION LIMIT 1")
    with closing(Database(separate.guest_url, pool_size=2)) as database:
        with database.statement() as first:
            backend(first)
            with pytest.raises(Unavailable), database.begin():
                pass
        with database.begin() as connection:
            backend(connection)


@pytest.mark.parametrize("default", ["serializable", "repeatable read"])
def test_the_isolation_does_not_depend_on_the_servers_default(separate: Separate, default: str) -> None:
    def isolation(connection: Connection) -> object:
        return connection.execute(text("SHOW transaction_isolation")).scalar()

    separate.run(f"ALTER DATABASE separate SET default_transaction_isolation = '{default}'")
    with closing(Database(separate.url, pool_size=1)) as database:
        found = []
        for opened in (database.statement, database.begin, database.statement):
            with opened() as connection:
                found.append(isolation(connection))
    assert found == ["read committed"] * 3


def test_a_transaction_begins_without_another_message(separate: Separate, database: Database) -> None:
    """A SET would cost a round trip, and RDS Proxy would keep the server's connection for this client."""
    query = text("SELECT query FROM pg_stat_activity WHERE pid = :pid")
    with database.begin() as connection:
        pid = backend(connection)
    with database.begin() as connection, separate.server.connect() as beside:
        assert beside.execute(query, {"pid": pid}).scalar() == "COMMIT"
        insert(connection)
