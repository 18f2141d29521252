"""Announced uploads in the database. Functions over a connection."""

from collections.abc import Collection, Mapping
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


def create(connection: Connection, user_id: UUID, key: str, content_type: str, size_bytes: int) -> int:
    """Add an upload that a user has announced; return how many bytes the user's account then stores.

    The user's row is locked until the end of the transaction, so that another upload is counted after this one.
    """
    query = text(
        "INSERT INTO uploads (user_id, key, content_type, size_bytes)"
        " VALUES (:user_id, :key, :content_type, :size_bytes)"
    )
    connection.execute(query, {"user_id": user_id, "key": key, "content_type": content_type, "size_bytes": size_bytes})
    stored = text("SELECT stored_bytes FROM users WHERE id = :user_id")  # a trigger has counted it
    return int(connection.execute(stored, {"user_id": user_id}).scalar_one())


def list_own(connection: Connection, user_id: UUID, keys: Collection[str]) -> dict[str, str | None]:
    """Return those of these keys that are the user's own uploads, each with the ETag of its checked content, if any."""
    query = text("SELECT key, etag FROM uploads WHERE user_id = :user_id AND key = ANY(:keys)")
    rows = connection.execute(query, {"user_id": user_id, "keys": list(keys)})
    return {row.key: row.etag for row in rows}


def fix_contents(connection: Connection, etags: Mapping[str, str]) -> set[str]:
    """Record the ETags of checked uploads; return the keys of those whose content was checked before, as another one.

    Uploads that were dropped in the meantime are passed over. Each statement locks one upload, so the caller must not
    be in a transaction.
    """
    query = text("UPDATE uploads SET etag = coalesce(etag, :etag) WHERE key = :key RETURNING etag")
    found = {key: connection.execute(query, {"key": key, "etag": etag}).scalar() for key, etag in etags.items()}
    return {key for key, etag in found.items() if etag not in (None, etags[key])}


def list_known_keys(connection: Connection, keys: Collection[str]) -> set[str]:
    """Return those of these keys that any user has announced and that have not been dropped."""
    query = text("SELECT key FROM uploads WHERE key = ANY(:keys)")
    return set(connection.execute(query, {"keys": list(keys)}).scalars())


def drop_unused(connection: Connection, limit: int) -> Dropped:
    """Look at old uploads, at most so many; drop those that no job uses and make their objects garbage.

    The others are not looked at again before a job that uses them is deleted. Those of users who submit at this moment
    are left to a later call: a submit locks its user before its uploads. The caller must be in a transaction.
    """
    owners = text(f"""
        WITH old AS (SELECT user_id {_OLD} ORDER BY created_at LIMIT :limit)
        SELECT id FROM users WHERE id IN (SELECT user_id FROM old) FOR UPDATE SKIP LOCKED
    """)
    # What these users had submitted is visible to the next statement.
    user_ids = list(connection.execute(owners, {"limit": limit}).scalars())
    query = text(f"""
        WITH old AS MATERIALIZED (
            SELECT key, {_IS_USED} AS is_used {_OLD} AND user_id = ANY(:user_ids)
            ORDER BY created_at LIMIT :limit FOR UPDATE SKIP LOCKED
        ), kept AS (
            UPDATE uploads SET in_use = true WHERE key IN (SELECT key FROM old WHERE is_used)
        ), unused AS (
            DELETE FROM uploads WHERE key IN (SELECT key FROM old WHERE NOT is_used) RETURNING key
        ), thrown AS (
            INSERT INTO garbage (prefix) SELECT key FROM unused ON CONFLICT DO NOTHING
        )
        SELECT (SELECT count(*) FROM old), (SELECT count(*) FROM unused)
    """)
    return Dropped(*connection.execute(query, {"limit": limit, "user_ids": user_ids}).one())


def count_unused(connection: Connection) -> int:
    """Return how many uploads `drop_unused` would drop now."""
    return int(connection.execute(text(f"SELECT count(*) {_OLD} AND NOT {_IS_USED}")).scalar_one())
