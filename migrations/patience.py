"""Migrations beside running requests: none waits long for a lock, and one that gets none is tried again."""

import logging
import time
from collections.abc import Callable

from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

LOCK_LIMIT_MS = 200
"""How long a statement waits for a lock: requests wait behind it. It is also less than Postgres needs to find a
deadlock, so that it is never a request that gives up."""

HOT_TABLES = "users, tokens, jobs"
"""The tables of every submit, in its order."""

PAUSE_S, LONGEST_PAUSE_S = 0.2, 5.0
TRIED_S = 600.0

_BUSY = {"55P03", "40P01", "40001"}

LOGGER = "alembic.runtime.migration"
"""Alembic's own, so that its settings count."""

_log = logging.getLogger(LOGGER)


def limit_waits(connection: Connection) -> None:
    """Limit what the statements of this connection wait for locks."""
    connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_LIMIT_MS}ms'")


def run_patiently(connection: Connection, run: Callable[[], None], *, may_go_on: Callable[[], bool]) -> None:
    """Run migrations, each in its own transaction, again and again while others hold the locks that they need.

    A migration that got no lock has changed nothing and holds nothing during the pause. Then it begins with the locks
    of the busiest tables: one that takes them step by step would meet submits that hold the one and want the other,
    each time on a busy site. may_go_on: whether another run does only the rest.

    Raises:
        CommandError: A lock was not free for ten minutes.
    """
    began, pause_s = time.monotonic(), PAUSE_S
    while True:
        try:
            if pause_s > PAUSE_S:
                connection.exec_driver_sql(f"LOCK TABLE {HOT_TABLES} IN ACCESS EXCLUSIVE MODE")
            run()
        except DBAPIError as error:
            if getattr(error.orig, "pgcode", None) not in _BUSY:
                raise
            connection.rollback()
            if time.monotonic() - began > TRIED_S or not may_go_on():
                raise CommandError(
                    "The tables are in use, and the rest of the migrations has not run. Run the command again; if that"
                    " goes on, look for long transactions in pg_stat_activity."
                ) from None
            _log.info("the tables are in use; trying again")
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        else:
            return
