"""The migrations: they create the tables of the models, can be reverted, and keep existing data."""

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from uuid import uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine, create_engine, inspect, text

from migrations import patience
from shared.core.db import Database
from shared.core.revision import REVISION
from shared.core.tables import metadata
from tests.support.paths import ROOT
from tests.support.waiting import until

CONFIG = Config(ROOT / "alembic.ini")


@dataclass(frozen=True)
class Empty:
    """A separate database, so that the other tests keep their tables."""

    engine: Engine

    def upgrade(self, revision: str = "head") -> None:
        command.upgrade(CONFIG, revision)

    def downgrade(self, revision: str = "base") -> None:
        command.downgrade(CONFIG, revision)

    def tables(self) -> set[str]:
        return set(inspect(self.engine).get_table_names())


@pytest.fixture
def empty(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Empty]:
    url = environment["EASEL_DATABASE_URL"]
    server = create_engine(url, isolation_level="AUTOCOMMIT")
    own = create_engine(url.replace("/postgres?", "/migrated?"))
    monkeypatch.setenv("EASEL_DATABASE_URL", own.url.render_as_string(hide_password=False))
    try:
        with server.connect() as connection:
            connection.execute(text("DROP DATABASE IF EXISTS migrated"))
            connection.execute(text("CREATE DATABASE migrated"))
        yield Empty(own)
    finally:
        own.dispose()
        with server.connect() as connection:
            connection.execute(text("DROP DATABASE IF EXISTS migrated"))
        server.dispose()


def test_the_migrations_create_the_tables_of_the_models(environment: dict[str, str]) -> None:
    engine = create_engine(environment["EASEL_DATABASE_URL"])
    try:
        with engine.connect() as connection:
            options = {"compare_type": True, "compare_server_default": True}
            context = MigrationContext.configure(connection, opts=options)
            assert compare_metadata(context, metadata) == []
    finally:
        engine.dispose()


def test_the_newest_migration_is_known_without_the_migrations() -> None:
    assert ScriptDirectory.from_config(CONFIG).get_current_head() == REVISION


def test_the_migrations_can_be_reverted(empty: Empty) -> None:
    for _ in range(2):
        empty.upgrade()
        assert empty.tables() == {*metadata.tables, "alembic_version"}
        empty.downgrade()
        assert empty.tables() == {"alembic_version"}


def test_tokens_of_accounts_that_are_disabled_already_are_suspended(empty: Empty) -> None:
    empty.upgrade("0006")
    with empty.engine.begin() as connection:
        for email, disabled_at in (("ada@example.com", "now()"), ("bob@example.com", "NULL")):
            connection.execute(
                text(f"""
                    WITH u AS (
                        INSERT INTO users (email, password_hash, disabled_at) VALUES (:email, '-', {disabled_at})
                        RETURNING id
                    ) INSERT INTO tokens (user_id, hash, kind) SELECT id, :hash, 'api' FROM u
                """),
                {"email": email, "hash": uuid4().bytes},
            )
    empty.upgrade("0007")
    with empty.engine.begin() as connection:
        query = text("SELECT email, suspended FROM tokens t JOIN users u ON u.id = t.user_id ORDER BY email")
        found = [tuple(row) for row in connection.execute(query)]
    assert found == [("ada@example.com", True), ("bob@example.com", False)]


BEFORE = "0033"
"""A version whose successors change tokens, users, and the function that submits."""

SUBMITTERS = 2
_SUBMIT = """
    SELECT * FROM submit_job(
        NULL, :token, 'a lighthouse', '{}', 'none', 1, 'img_generator', '{}', NULL, NULL, now(), 1000000, 1000000,
        NULL, NULL
    )
"""
_ADD_USER = """
    WITH u AS (INSERT INTO users (email, password_hash) VALUES (:token || '@example.com', '-') RETURNING id)
    INSERT INTO tokens (user_id, hash, kind) SELECT id, CAST(:token AS bytea), 'api' FROM u
"""


def submit_until(database: Database, stopped: threading.Event, user: int) -> int:
    """Submit jobs as the version `BEFORE` does; return how many were accepted."""
    values = {"token": str(user).encode()}
    for submitted in count():
        if stopped.is_set():
            return submitted
        with database.statement() as connection:
            connection.execute(text("UPDATE tokens SET suspended = false WHERE hash = :token"), values)
            assert connection.execute(text(_SUBMIT), values).one_or_none() is not None
    raise AssertionError


def test_migrations_wait_for_no_lock_and_harm_no_submit(empty: Empty, caplog: pytest.LogCaptureFixture) -> None:
    """They run beside submits, and beside a transaction that stays open until they have given way."""
    empty.upgrade(BEFORE)
    with empty.engine.begin() as connection:
        connection.execute(text(_ADD_USER), [{"token": str(user)} for user in range(SUBMITTERS)])
    stopped, url = threading.Event(), empty.engine.url.render_as_string(hide_password=False)
    caplog.set_level(logging.INFO, patience.LOGGER)
    with closing(Database(url, pool_size=SUBMITTERS)) as database, ThreadPoolExecutor(SUBMITTERS + 1) as threads:
        try:
            submitting = [threads.submit(submit_until, database, stopped, user) for user in range(SUBMITTERS)]
            jobs = "SELECT count(*) FROM jobs"
            with empty.engine.begin() as reader:
                reader.execute(text("SELECT FROM tokens"))
                migrating = threads.submit(empty.upgrade)
                gave_way = lambda: migrating.done() or "trying again" in caplog.text  # noqa: E731
                until(gave_way, "a migration gives way", 60, 0.05)
                seen = reader.execute(text(jobs)).scalar_one()
                submitted = lambda: reader.execute(text(jobs)).scalar_one() > seen + SUBMITTERS  # noqa: E731
                until(submitted, "submits go on", 60, 0.05)
                assert not migrating.done()
                assert not [each for each in submitting if each.done()]
            migrating.result(timeout=60)
        finally:
            stopped.set()
        assert [each.exception(timeout=60) for each in submitting] == [None] * SUBMITTERS
        accepted = sum(each.result() for each in submitting)
    with empty.engine.begin() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == REVISION
        assert connection.execute(text(jobs)).scalar() == accepted


def test_a_migration_that_gets_no_lock_gives_up_and_holds_nothing(
    empty: Empty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "TRIED_S", 0.0)
    empty.upgrade(BEFORE)
    with ThreadPoolExecutor(1) as threads, empty.engine.begin() as reader:
        reader.execute(text("SELECT FROM tokens"))
        migrating = threads.submit(empty.upgrade)
        until(migrating.done, "the migration gives up", 60)
        with pytest.raises(CommandError, match="Run the command again"):
            migrating.result()
        with empty.engine.begin() as connection:
            connection.execute(text(_ADD_USER), {"token": "ada"})
            assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == BEFORE
    empty.upgrade()
