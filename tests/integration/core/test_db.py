"""The database's connections: stale ones are replaced, and every failure is one known error."""

import traceback
from typing import cast

import pytest
from sqlalchemy import QueuePool, text

from shared.core import db
from shared.core.db import Database, DatabaseFault, fetch
from shared.core.errors import Unavailable
from shared.services import Services


@pytest.fixture
def database(services: Services) -> Database:
    return Database(services.settings.database_url, pool_size=1)


def backend(database: Database) -> int:
    with database.statement() as connection:
        return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


def end(services: Services, pid: int) -> None:
    """Terminate the backend, as a restart of Postgres would. Returns when it is gone."""
    with services.db.statement() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid})


def test_a_stale_connection_costs_one_answer_at_most(services: Services, database: Database) -> None:
    first = backend(database)
    end(services, first)
    with pytest.raises(Unavailable, match="cannot be reached"):
        backend(database)
    assert backend(database) != first
    database.close()


def test_fetch_replaces_a_stale_connection_too(services: Services, database: Database) -> None:
    def fetched() -> int:
        with database.statement() as connection:
            [(pid,)] = fetch(connection, "SELECT pg_backend_pid() + %(more)s", {"more": 0})
            return int(pid)

    first = fetched()
    end(services, first)
    with pytest.raises(Unavailable, match="cannot be reached"):
        fetched()
    assert fetched() != first
    database.close()


def test_fetch_is_part_of_the_transaction(services: Services) -> None:
    insert, count = "INSERT INTO garbage (prefix) VALUES ('a') RETURNING prefix", "SELECT count(*) FROM garbage"

    def fail_in_the_middle() -> None:
        with services.db.begin() as connection:
            assert fetch(connection, insert, {}) == [("a",)]
            assert fetch(connection, count, {}) == [(1,)]
            fetch(connection, "SELECT 1 / 0", {})

    with pytest.raises(DatabaseFault, match="DivisionByZero"):
        fail_in_the_middle()
    with services.db.statement() as connection:
        assert fetch(connection, count, {}) == [(0,)]


def test_an_idle_connection_is_tested_first(
    services: Services, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = backend(database)
    end(services, first)
    monkeypatch.setattr(db, "IDLE_PING_S", 0.0)
    assert backend(database) != first
    database.close()


def test_a_transaction_is_all_or_nothing(services: Services) -> None:
    class Stop(Exception):
        pass

    insert = text("INSERT INTO garbage (prefix) VALUES ('a')")

    def stop_in_the_middle() -> None:
        with services.db.begin() as connection:
            connection.execute(insert)
            raise Stop

    with pytest.raises(Stop):
        stop_in_the_middle()
    with services.db.statement() as connection:
        assert connection.execute(text("SELECT count(*) FROM garbage")).scalar() == 0
        connection.execute(insert)
    with services.db.statement() as connection:
        assert connection.execute(text("SELECT count(*) FROM garbage")).scalar() == 1


def test_a_missing_database_is_unavailable() -> None:
    nowhere = Database("postgresql+psycopg2://easel@127.0.0.1:9/easel", pool_size=1)
    with pytest.raises(Unavailable), nowhere.begin():
        pass


def test_a_full_pool_is_unavailable(database: Database) -> None:
    cast(QueuePool, database._engine.pool)._timeout = 0.01
    with database.statement(), pytest.raises(Unavailable, match="Too many"), database.statement():
        pass
    database.close()


def test_an_error_does_not_contain_its_values(services: Services) -> None:
    values = {"value": "seven", "prompt": "a lighthouse at night"}
    for ask in (
        lambda connection: connection.execute(text("SELECT CAST(:value AS int)"), values),
        lambda connection: fetch(connection, "SELECT CAST(%(value)s AS int)", values),
    ):
        refusal = pytest.raises(DatabaseFault, match="InvalidTextRepresentation")
        with refusal as caught, services.db.statement() as connection:
            ask(connection)
        lines = "".join(traceback.format_exception(caught.value))
        assert "lighthouse" not in lines
        assert "parameters" not in lines


def test_a_refused_row_is_not_quoted(services: Services) -> None:
    with pytest.raises(DatabaseFault) as refused, services.db.begin() as connection:
        connection.execute(
            text("INSERT INTO users (email, password_hash, notify) VALUES ('secret@example.com', 'x', 'never')")
        )
    assert "ck_users_notify" in str(refused.value)
    assert "secret" not in str(refused.value)
    assert refused.value.__suppress_context__


@pytest.mark.parametrize("statement", ["SELECT * FROM queue", "SELECT nothing FROM users", "SELECT no_function()"])
def test_what_does_not_exist_in_current_tables_is_a_mistake(services: Services, statement: str) -> None:
    with pytest.raises(DatabaseFault, match="Undefined"), services.db.begin() as connection:
        connection.execute(text(statement))


def test_a_missing_permission_has_its_words(services: Services) -> None:
    def read_as_another_role() -> None:
        with services.db.begin() as connection:
            connection.execute(text("SET LOCAL ROLE pg_monitor"))
            connection.execute(text("SELECT * FROM users"))

    with pytest.raises(Unavailable, match="does not let Easel use"):
        read_as_another_role()


@pytest.mark.parametrize(
    ("code", "message", "words"),
    [
        ("53100", 'could not extend file "base/5/1": No space left on device', "disk is full"),
        ("53200", "out of shared memory", "no memory left"),
    ],
)
def test_a_server_without_room_has_its_words(services: Services, code: str, message: str, words: str) -> None:
    refusal = text(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}', MESSAGE = '{message}'; END $$")
    with pytest.raises(Unavailable, match=words), services.db.begin() as connection:
        connection.execute(refusal)
