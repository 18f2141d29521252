"""How often something may happen: so many units at once, which come back evenly over a period (GCRA).

The table has one row for each key that was used lately: the time at which its bucket will be full again. One statement
reads and moves that time, so parallel calls together never take more than the limit.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import NoReturn

from sqlalchemy import Connection, text

from shared.core.errors import EaselError, RateLimited
from shared.core.limits import HOUR_S

# The first condition refuses without a lock and without writing: otherwise callers who are beyond a limit would wait
# for its row in turns, each with a connection to the database. The last one is exact.
_TAKE = text("""
INSERT INTO rate_limits AS r (key, full_at)
SELECT :key, clock_timestamp() + :taken * interval '1 microsecond' WHERE NOT EXISTS (
    SELECT FROM rate_limits WHERE key = :key AND full_at + :needed * interval '1 microsecond'
        > clock_timestamp() + :period * interval '1 microsecond'
)
ON CONFLICT (key) DO UPDATE SET
    full_at = greatest(r.full_at, clock_timestamp()) + :taken * interval '1 microsecond'
WHERE greatest(r.full_at, clock_timestamp()) + :needed * interval '1 microsecond'
    <= clock_timestamp() + :period * interval '1 microsecond'
RETURNING full_at
""")
_WAIT = text("""
SELECT ceil(extract(epoch FROM full_at - clock_timestamp()) + CAST(:needed - :period AS float) / 1000000)::int
FROM rate_limits WHERE key = :key
""")
_GIVE_BACK = text("""
UPDATE rate_limits SET full_at = full_at - :taken * interval '1 microsecond' WHERE key = :key
""")
_SWEEP = text("""
DELETE FROM rate_limits WHERE key IN (
    SELECT key FROM rate_limits WHERE full_at < (SELECT clock_timestamp()) ORDER BY full_at LIMIT :limit
    FOR UPDATE SKIP LOCKED
)
""")


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` units at once, and again as many in each period. `error` is what more of them raise."""

    name: str
    most: int
    period_s: int = HOUR_S
    error: type[EaselError] = RateLimited
    detail: str | None = None

    def key(self, subject: str) -> bytes:
        """Return the key of a subject's row: a hash, so that the table names no address of a person or a machine."""
        return sha256(f"{self.name}\0{subject}".encode()).digest()[:16]


def take(connection: Connection, limit: Limit, subject: str, units: int = 1, *, needed: int | None = None) -> None:
    """Take units, or none of them if they are more than what is left.

    needed: how many must be left, if that is more than what is taken. In a transaction, an error gives back what was
    taken in it before.

    Raises:
        EaselError: The limit's error, with the seconds after which so many are left.
    """
    needed = max(units, needed or 0)
    values = _values(limit, subject, needed) | {"taken": _us(limit, units)}
    if needed > limit.most or connection.execute(_TAKE, values).first() is None:
        _refuse(connection, limit, subject, needed)


def check(connection: Connection, limit: Limit, subject: str) -> None:
    """Take nothing, but raise as `take` would for one unit."""
    wait_s = connection.execute(_WAIT, _values(limit, subject, 1)).scalar()
    if wait_s is not None and wait_s > 0:
        _refuse(connection, limit, subject, 1)


def give_back(connection: Connection, limit: Limit, subject: str) -> None:
    """Give back a unit that was taken, because nothing came of it."""
    connection.execute(_GIVE_BACK, {"key": limit.key(subject), "taken": _us(limit, 1)})


def drop_full(connection: Connection, limit: int) -> int:
    """Delete rows that say nothing any more, at most so many; return how many."""
    return connection.execute(_SWEEP, {"limit": limit}).rowcount


def _values(limit: Limit, subject: str, needed: int) -> dict[str, object]:
    return {"key": limit.key(subject), "needed": _us(limit, needed), "period": limit.period_s * 1_000_000}


def _us(limit: Limit, units: int) -> int:
    """Return how much later the bucket is full for so many units; rounded down, so that all units fit into a period."""
    return units * limit.period_s * 1_000_000 // limit.most


def _refuse(connection: Connection, limit: Limit, subject: str, needed: int) -> NoReturn:
    found = connection.execute(_WAIT, _values(limit, subject, min(needed, limit.most))).scalar()
    raise limit.error(limit.detail, retry_after_s=max(1, found or 1))
