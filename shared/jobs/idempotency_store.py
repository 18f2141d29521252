"""Idempotency keys: what a user's key has made, a job or a group. Functions over a connection."""

from typing import Literal, TypeAlias
from uuid import UUID

from sqlalchemy import Connection, text

from shared.core.errors import IdempotencyMismatch
from shared.jobs.states import IDEMPOTENCY_KEY_KEPT_H

KEY_LIMIT = f"now() - interval '{IDEMPOTENCY_KEY_KEPT_H} hours'"
"""SQL: keys of jobs and groups that were created before this moment are free again."""

Table: TypeAlias = Literal["jobs", "job_groups"]


def find_made(connection: Connection, table: Table, user_id: UUID, key: str, fingerprint: bytes) -> UUID | None:
    """Return the id of the job or group that this key made, while the key is kept.

    fingerprint: the hash of the request that has the key now.

    Raises:
        IdempotencyMismatch: The key was used for another request.
    """
    query = text(
        f"SELECT id, fingerprint FROM {table} WHERE user_id = :user_id AND idempotency_key = :key"
        f" AND created_at > {KEY_LIMIT}"
    )
    row = connection.execute(query, {"user_id": user_id, "key": key}).one_or_none()
    if row is None:
        return None
    if bytes(row.fingerprint) != fingerprint:
        raise IdempotencyMismatch
    made: UUID = row.id
    return made


def free_stale(connection: Connection, table: Table, user_id: UUID, key: str) -> None:
    """Let a key that is no longer kept be used again."""
    query = text(
        f"UPDATE {table} SET idempotency_key = NULL WHERE user_id = :user_id AND idempotency_key = :key"
        f" AND created_at <= {KEY_LIMIT}"
    )
    connection.execute(query, {"user_id": user_id, "key": key})
