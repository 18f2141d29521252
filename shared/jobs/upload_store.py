"""Announced uploads in the database. Functions over a connection."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, text

from shared.jobs.states import UNUSED_UPLOAD_KEPT_H

_OLD = f"FROM uploads u WHERE NOT in_use AND created_at < now() - interval '{UNUSED_UPLOAD_KEPT_H} hours'"
_IS_USED = "EXISTS (SELECT FROM job_sources s WHERE s.upload_key = u.key)"


@dataclass(frozen=True, slots=True)
class Dropped:
    """How many old uploads were looked at, and how many of them no job used."""

    seen: int
    dropped: int


def create(connection: Connection, user_id: UUID, key: str, content_type: str, size_bytes: int) -> None:
    """Add an upload that a user has announced."""
    query = text(
        "INSERT INTO uploads (user_id, key, content_type, size_bytes)"
        " VALUES (:user_id, :key, :content_type, :size_bytes)"
    )
    connection.execute(query, {"user_id": user_id, "key": key, "content_type": content_type, "size_bytes": size_bytes})


def list_own_keys(connection: Connection, user_id: UUID, keys: Collection[str]) -> set[str]:
    """Return those of these keys that are the user's own uploads."""
    query = text("SELECT key FROM uploads WHERE user_id = :user_id AND key = ANY(:keys)")
    return set(connection.execute(query, {"user_id": user_id, "keys": list(keys)}).scalars())


def list_known_keys(connection: Connection, keys: Collection[str]) -> set[str]:
    """Return those of these keys that any user has announced and that have not been dropped."""
    query = text("SELECT key FROM uploads WHERE key = ANY(:keys)")
    return set(connection.execute(query, {"keys": list(keys)}).scalars())


def drop_unused(connection: Connection, limit: int) -> Dropped:
    """Look at old uploads, at most so many; drop those that no job uses and make their objects garbage.

    The others are not looked at again before a job that uses them is deleted.
    """
    query = text(f"""
        WITH old AS MATERIALIZED (
            SELECT key, {_IS_USED} AS is_used {_OLD} ORDER BY created_at LIMIT :limit FOR UPDATE SKIP LOCKED
        ), kept AS (
            UPDATE uploads SET in_use = true WHERE key IN (SELECT key FROM old WHERE is_used)
        ), unused AS (
            DELETE FROM uploads WHERE key IN (SELECT key FROM old WHERE NOT is_used) RETURNING key
        ), thrown AS (
            INSERT INTO garbage (prefix) SELECT key FROM unused ON CONFLICT DO NOTHING
        )
        SELECT (SELECT count(*) FROM old), (SELECT count(*) FROM unused)
    """)
    return Dropped(*connection.execute(query, {"limit": limit}).one())


def count_unused(connection: Connection) -> int:
    """Return how many uploads `drop_unused` would drop now."""
    return int(connection.execute(text(f"SELECT count(*) {_OLD} AND NOT {_IS_USED}")).scalar_one())
