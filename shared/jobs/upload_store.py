"""Announced uploads in the database. Functions over a connection."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Connection, text

from shared.jobs.states import UNUSED_UPLOAD_KEPT_H

_UNUSED = f"""FROM uploads u WHERE created_at < now() - interval '{UNUSED_UPLOAD_KEPT_H} hours'
    AND NOT EXISTS (SELECT FROM job_sources s WHERE s.upload_key = u.key)"""


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


def drop_unused(connection: Connection) -> int:
    """Drop old uploads that no job uses and make their objects garbage; return how many."""
    query = text(f"""
        WITH unused AS (DELETE {_UNUSED} RETURNING key), thrown AS (
            INSERT INTO garbage (prefix) SELECT key FROM unused ON CONFLICT DO NOTHING
        ) SELECT count(*) FROM unused
    """)
    return int(connection.execute(query).scalar_one())


def count_unused(connection: Connection) -> int:
    """Return how many uploads `drop_unused` would drop now."""
    return int(connection.execute(text(f"SELECT count(*) {_UNUSED}")).scalar_one())
