"""The database connection; the only place that commits."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2.errors import ForeignKeyViolation
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.errors import NotFound, Unavailable

IDLE_PING_S = 5.0


class DatabaseFault(Exception):
    """The database refused a statement: a mistake of the code, not of a caller."""


class Database:
    """A pool of connections to Postgres.

    Connects at the first use. A connection that lay idle for 5 s (a frozen Lambda, a restarted server) is asked whether
    it still lives before it is used; a busy one is not, which saves a round trip a request.
    """

    def __init__(self, url: str, *, pool_size: int) -> None:
        self._engine = create_engine(
            url,
            isolation_level="AUTOCOMMIT",
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=10,
            hide_parameters=True,  # an error that is logged must not tell prompts
            connect_args={"connect_timeout": 5, "application_name": "easel"},
        )
        self._transactions = self._engine.execution_options(isolation_level="READ COMMITTED")
        event.listen(self._engine, "checkout", _ping_if_idle)
        event.listen(self._engine, "checkin", _note_time)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction: committed at the end of the block, rolled back on any exception.

        Raises Unavailable when the database cannot be reached or gave up (a deadlock, a shutdown), NotFound when a row
        that the block refers to has just been deleted, DatabaseFault for what it refuses otherwise.
        """
        with _translated(), self._transactions.begin() as connection:
            yield connection

    @contextmanager
    def statement(self) -> Iterator[Connection]:
        """A connection on which each statement is a transaction of its own: one round trip instead of three."""
        with _translated(), self._engine.connect() as connection:
            yield connection

    def close(self) -> None:
        """Close every connection; a forked process calls this before it uses its copy."""
        self._engine.dispose()

    def forget(self) -> None:
        """Drop the connections of a parent process without closing them: they are still the parent's."""
        self._engine.dispose(close=False)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except PoolTimeout:
        raise Unavailable("Too many requests at once.") from None
    except OperationalError as error:
        raise Unavailable("The database cannot be reached.") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable("The database cannot be reached.") from error
        if isinstance(error.orig, ForeignKeyViolation):
            # A user, a job or an upload was deleted between the look and the write.
            raise NotFound("What this refers to was deleted in the meantime.") from None
        # Nothing of the server's DETAIL goes on into a log: it quotes whole rows, and rows hold prompts.
        primary = getattr(getattr(error.orig, "diag", None), "message_primary", None)
        raise DatabaseFault(f"{type(error.orig).__name__}: {primary}") from None


def _note_time(_connection: Any, record: Any) -> None:
    record.info["used_at"] = time.monotonic()


def _ping_if_idle(connection: Any, record: Any, _proxy: Any) -> None:
    if time.monotonic() - record.info.get("used_at", time.monotonic()) < IDLE_PING_S:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        connection.rollback()
    except psycopg2.Error as error:
        raise DisconnectionError from error
