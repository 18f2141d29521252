"""A database of the test's own on the session's server, so that the other tests keep their tables and settings."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine, create_engine, make_url, text

NAME = "separate"
GUEST = "guest"


@dataclass(frozen=True)
class Separate:
    """A database, and the role `guest` that is no superuser. `run` executes a statement on the server beside it."""

    url: str
    server: Engine

    @property
    def guest_url(self) -> str:
        """Return the address for the role that is no superuser."""
        return make_url(self.url).set(username=GUEST).render_as_string(hide_password=False)

    def run(self, statement: str) -> None:
        with self.server.connect() as connection:
            connection.execute(text(statement))

    def end_sessions(self) -> None:
        """Terminate every session of the database, as a restart of the server would."""
        self.run(f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{NAME}'")


@contextmanager
def separate_database(url: str, options: str = "") -> Iterator[Separate]:
    """Yield an empty database, made with these options of CREATE DATABASE."""
    server = create_engine(url, isolation_level="AUTOCOMMIT")
    own = make_url(url).set(database=NAME).render_as_string(hide_password=False)
    separate = Separate(own, server)
    try:
        separate.run(f"CREATE DATABASE {NAME} {options}")
        separate.run(f"CREATE ROLE {GUEST} LOGIN")
        separate.run(f"GRANT ALL ON DATABASE {NAME} TO {GUEST}")
        yield separate
    finally:
        separate.run(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        separate.run(f"DROP ROLE IF EXISTS {GUEST}")
        server.dispose()
