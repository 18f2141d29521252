"""Settings of a session that the statements rely on, and limits so that a process that hangs keeps no lock.

They are read first and set only where they differ, since RDS Proxy pins a session that sets anything. The migrations
give the role the limits, so that behind a proxy nothing is left to set.
"""

from dataclasses import dataclass

from psycopg2 import extensions
from sqlalchemy import Connection, text

_EXPECTED = {
    "default_transaction_isolation": "read committed",
    "standard_conforming_strings": "on",
    "IntervalStyle": "postgres",  # psycopg2 reads no other
    "extra_float_digits": "1",  # with 0, start tags lose digits on their way
}
"""A role or a database may have other defaults."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A time limit of a session. Another value of the role is kept unless it is longer than `most_ms`."""

    name: str
    limit_ms: int
    most_ms: int


LIMITS = (
    # No transaction waits for anything but the database, so one that is idle belongs to a process that is frozen, or
    # whose machine is gone. Two that freeze one after the other cost others twice this.
    Limit("idle_in_transaction_session_timeout", 2_000, 60_000),
    Limit("lock_timeout", 4_000, 60_000),
    Limit("transaction_timeout", 60_000, 600_000),
)

_LIMIT_MS = "(extract(epoch FROM current_setting('{name}')::interval) * 1000)::bigint"
_READ = (
    "SELECT ARRAY["
    + ", ".join(f"current_setting('{name}')" for name in _EXPECTED)
    + "], ARRAY["
    + ", ".join(_LIMIT_MS.format(name=limit.name) for limit in LIMITS)
    + "]"
)


def prepare(connection: extensions.connection) -> None:
    """Set what the session has otherwise."""
    with connection.cursor() as cursor:
        cursor.execute(_READ)
        [(found, limits_ms)] = cursor.fetchall()
        for (name, value), now in zip(_EXPECTED.items(), found, strict=True):
            if now != value:
                cursor.execute(f"SET {name} TO '{value}'")
        for limit, now_ms in zip(LIMITS, limits_ms, strict=True):
            if not 0 < now_ms <= limit.most_ms:
                cursor.execute(f"SET {limit.name} TO {limit.limit_ms}")


def lift_limits(connection: Connection) -> None:
    """Remove the limits from this session, for migrations."""
    for limit in LIMITS:
        connection.execute(text(f"SET {limit.name} TO 0"))


def give_limits_to_role(connection: Connection) -> None:
    """Make the limits defaults of this role in this database, unless it has some. They are for later sessions.

    Processes that do this at the same time must take turns.
    """
    quote = connection.dialect.identifier_preparer.quote
    database = quote(connection.execute(text("SELECT current_database()")).scalar_one())
    for limit in _find_missing(connection):
        connection.execute(text(f"ALTER ROLE CURRENT_USER IN DATABASE {database} SET {limit.name} TO {limit.limit_ms}"))


def list_missing(connection: Connection) -> list[str]:
    """Return the names of limits that the role does not have, so that each of its sessions has to set them."""
    return [limit.name for limit in _find_missing(connection)]


def _find_missing(connection: Connection) -> list[Limit]:
    query = text("SELECT name, reset_val::bigint AS value_ms FROM pg_settings WHERE name = ANY(:names)")
    rows = connection.execute(query, {"names": [limit.name for limit in LIMITS]})
    by_role = {row.name: row.value_ms for row in rows}
    return [limit for limit in LIMITS if not 0 < by_role[limit.name] <= limit.most_ms]
