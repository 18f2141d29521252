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


_EXPIRED = "FROM tokens WHERE expires_at < now()"
_UNUSED = """FROM uploads u WHERE created_at < now() - interval '24 hours'
    AND NOT EXISTS (SELECT FROM job_sources s WHERE s.upload_key = u.key)"""


def retire(connection: Connection) -> tuple[int, int]:
    """Drop what has had its time: expired tokens, and uploads of more than 24 hours ago that no job uses, whose objects
    become garbage. Returns how many of each."""
    tokens = connection.execute(text(f"DELETE {_EXPIRED}")).rowcount
    query = text(f"""
        WITH unused AS (DELETE {_UNUSED} RETURNING key), thrown AS (
            INSERT INTO garbage (prefix) SELECT key FROM unused ON CONFLICT DO NOTHING
        ) SELECT count(*) FROM unused
    """)
    return tokens, int(connection.execute(query).scalar_one())


def count_waste(connection: Connection) -> tuple[int, int, int]:
    """What `retire` would drop now, and how many prefixes of garbage are due: (tokens, uploads, prefixes)."""
    query = text(f"""
        SELECT (SELECT count(*) {_EXPIRED}), (SELECT count(*) {_UNUSED}),
            (SELECT count(*) FROM garbage WHERE due_at <= clock_timestamp())
    """)
    tokens, uploads, prefixes = connection.execute(query).one()
    return tokens, uploads, prefixes


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


def list_known_uploads(connection: Connection, keys: Collection[str]) -> set[str]:
    """Those of these keys that were announced as uploads and have not been given up."""
    query = text("SELECT key FROM uploads WHERE key = ANY(:keys)")
    return set(connection.execute(query, {"keys": list(keys)}).scalars())


def get_time(connection: Connection) -> datetime:
    """The time by the database's clock."""
    now: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    return now
