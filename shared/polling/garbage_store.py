"""Rows and objects that have had their time, in the database. Functions over a connection."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text


def claim_garbage(connection: Connection, limit: int) -> list[str]:
    """Take prefixes that are due for deletion; they come back if the transaction does not commit."""
    query = text("""
        DELETE FROM garbage WHERE prefix IN (
            SELECT prefix FROM garbage WHERE due_at <= clock_timestamp()
            ORDER BY due_at LIMIT :limit FOR UPDATE SKIP LOCKED
        ) RETURNING prefix
    """)
    return list(connection.execute(query, {"limit": limit}).scalars())


def count_due(connection: Connection) -> int:
    """Return how many prefixes are due for deletion."""
    query = text("SELECT count(*) FROM garbage WHERE due_at <= clock_timestamp()")
    return int(connection.execute(query).scalar_one())


def list_used_keys(connection: Connection, job_ids: Collection[UUID]) -> tuple[set[str], set[str]]:
    """The keys of all objects that are part of these jobs, and `<job>/<token>` of every claim on one of them under
    which a worker may still store some."""
    keys = text("""
        SELECT unnest(ARRAY[key, thumbnail_key]) FROM images WHERE job_id = ANY(:job_ids)
    """)
    claims = text("""
        SELECT id || '/' || attempt_token FROM jobs
        WHERE id = ANY(:job_ids) AND state = 'generating' AND attempt_token IS NOT NULL
    """)
    values = {"job_ids": list(job_ids)}
    # The claims first: what a claim has made part of its job in between is then among the keys.
    held = set(connection.execute(claims, values).scalars())
    return set(connection.execute(keys, values).scalars()), held


def get_time(connection: Connection) -> datetime:
    """The time by the database's clock."""
    now: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return now
