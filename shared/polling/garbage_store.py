"""Prefixes of objects to be deleted, in the database. Functions over a connection."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

LEASE_S = 300.0
"""How long a claimed prefix is left to its worker. If that one dies, the prefix is due again afterwards."""


# A subquery is read once; compared with the function itself, every row would be looked at.
_IS_DUE = "due_at <= (SELECT clock_timestamp())"


@dataclass(frozen=True, slots=True)
class ClaimedPrefix:
    """A prefix whose objects the caller deletes now. `due_at` is the end of its lease, by which the claim is known."""

    prefix: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class KeysInUse:
    """What of some jobs is not garbage.

    `keys` are the objects of their pictures, `claims` is `<job>/<attempt token>` of every claim under which a worker
    may still store objects.
    """

    keys: frozenset[str]
    claims: frozenset[str]


def claim_due(connection: Connection, limit: int) -> list[ClaimedPrefix]:
    """Claim prefixes that are due, by moving the time when they are due to the end of a lease."""
    query = text(f"""
        UPDATE garbage SET due_at = clock_timestamp() + make_interval(secs => :lease_s) WHERE prefix IN (
            SELECT prefix FROM garbage WHERE {_IS_DUE}
            ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED
        ) RETURNING prefix, due_at
    """)
    rows = connection.execute(query, {"limit": limit, "lease_s": LEASE_S})
    return [ClaimedPrefix(row.prefix, row.due_at) for row in rows]


# A prefix that another transaction holds is being discarded again, and stays.
_HELD = """WHERE prefix IN (
    SELECT prefix FROM garbage g JOIN unnest(CAST(:prefixes AS text[]), CAST(:due_at AS timestamptz[]))
        AS held (prefix, due_at) USING (prefix, due_at)
    FOR UPDATE OF g SKIP LOCKED
)"""
_DROP = text(f"DELETE FROM garbage {_HELD}")
_RELEASE = text(f"UPDATE garbage SET due_at = clock_timestamp() {_HELD}")


def drop(connection: Connection, claimed: Sequence[ClaimedPrefix]) -> None:
    """Forget claimed prefixes whose objects are deleted, unless they were discarded again meanwhile."""
    connection.execute(_DROP, _values(claimed))


def release(connection: Connection, claimed: Sequence[ClaimedPrefix]) -> None:
    """Make claimed prefixes due again now."""
    connection.execute(_RELEASE, _values(claimed))


def _values(claimed: Sequence[ClaimedPrefix]) -> dict[str, list[str] | list[datetime]]:
    return {"prefixes": [entry.prefix for entry in claimed], "due_at": [entry.due_at for entry in claimed]}


def count_due(connection: Connection) -> int:
    """Return how many prefixes are due for deletion."""
    query = text(f"SELECT count(*) FROM garbage WHERE {_IS_DUE}")
    return int(connection.execute(query).scalar_one())


def list_keys_in_use(connection: Connection, job_ids: Collection[UUID]) -> KeysInUse:
    """Return what of these jobs is not garbage."""
    keys = text("""
        SELECT unnest(ARRAY[key, thumbnail_key, timelapse_key]) FROM images WHERE job_id = ANY(:job_ids)
        UNION ALL SELECT adapter_key FROM likenesses WHERE job_id = ANY(:job_ids)
    """)
    claims = text("""
        SELECT id || '/' || attempt_token FROM jobs
        WHERE id = ANY(:job_ids) AND state = 'generating' AND attempt_token IS NOT NULL
    """)
    values = {"job_ids": list(job_ids)}
    # The claims first: pictures that a claim has added to its job in between are then among the keys.
    held = frozenset(connection.execute(claims, values).scalars())
    return KeysInUse(frozenset(filter(None, connection.execute(keys, values).scalars())), held)


def get_time(connection: Connection) -> datetime:
    """Return the time by the database's clock."""
    now: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return now
