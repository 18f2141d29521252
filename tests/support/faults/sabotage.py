"""Faults of Postgres at one statement of a step: real ones, of the server or of the connection to it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import psycopg2
from psycopg2 import extensions
from sqlalchemy import event

from shared.core.db import Database

Execute: TypeAlias = Callable[[str, Any], None]
Fault: TypeAlias = Callable[["Cursor", str, Any, Execute], None]
"""Is called in place of the execution of a statement, with what executes it."""


class Cursor(extensions.cursor):
    """psycopg2's cursor, which this module's faults may execute statements with."""


@dataclass
class Count:
    """How many statements there were."""

    statements: int = 0


def _killed(cursor: Cursor, query: str, values: Any, execute: Execute) -> None:
    """The server ends the session (a restart, an operator) before the statement comes."""
    pid = cursor.connection.get_backend_pid()
    other = psycopg2.connect(cursor.connection.dsn)
    try:
        other.autocommit = True
        with other.cursor() as killer:
            killer.execute("SELECT pg_terminate_backend(%s, 10000)", (pid,))
    finally:
        other.close()
    execute(query, values)


def _reply_lost(cursor: Cursor, query: str, values: Any, execute: Execute) -> None:
    """The statement gets through, and its answer is lost with the connection."""
    execute(query, values)
    cursor.connection.close()
    raise psycopg2.OperationalError("server closed the connection unexpectedly")


def _read_only(cursor: Cursor, query: str, values: Any, execute: Execute) -> None:
    """The server accepts no changes from here on, as after a failover."""
    autocommit = cursor.connection.autocommit
    execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY" if autocommit else "SET TRANSACTION READ ONLY", None)
    execute(query, values)


def _raises(state: str) -> Fault:
    """The server refuses the statement with this SQLSTATE."""

    def refuse(_cursor: Cursor, _query: str, _values: Any, execute: Execute) -> None:
        execute(f"DO $$ BEGIN RAISE EXCEPTION 'a fault' USING ERRCODE = '{state}'; END $$", None)

    return refuse


AT_STATEMENT: dict[str, Fault] = {
    "killed": _killed,
    "reply lost": _reply_lost,
    "read-only": _read_only,
    "serialization": _raises("40001"),
    "deadlock": _raises("40P01"),
    "lock time-out": _raises("55P03"),
    "statement time-out": _raises("57014"),
    "disk full": _raises("53100"),
    "no memory": _raises("53200"),
    "no connection": _raises("53300"),
}


@contextmanager
def sabotaged(db: Database, at: int, fault: Fault) -> Iterator[Count]:
    """Let the fault happen at the statement with this number; 0 only counts them. Renewals of leases are left out."""
    count, lock = Count(), threading.Lock()

    class Sabotaged(Cursor):
        def execute(self, query: Any, vars: Any = None) -> None:
            if threading.current_thread().name == "lease":
                return super().execute(query, vars)
            with lock:
                count.statements += 1
                meets = count.statements == at
            if meets:
                return fault(self, query, vars, super().execute)
            return super().execute(query, vars)

    def give(connection: Any, _record: Any, _proxy: Any) -> None:
        connection.cursor_factory = Sabotaged

    event.listen(db._engine, "checkout", give)
    try:
        yield count
    finally:
        event.remove(db._engine, "checkout", give)
        db.close()
