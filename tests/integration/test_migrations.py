"""The migrations: they create the tables of the models, can be reverted, and keep existing data."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, text

from shared.core.revision import REVISION
from shared.core.tables import metadata
from tests.support.paths import ROOT

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
