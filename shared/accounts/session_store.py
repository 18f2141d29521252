"""SQL for sessions, the rows of tokens that log-in and sign-up make."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session. `last_used_at` is at most an hour old while it is used; `current`: the request came with it."""

    id: UUID
    device: str | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    current: bool


def create(
    connection: Connection,
    user_id: UUID,
    token_hash: bytes,
    *,
    device: str | None,
    lifetime_s: float,
    idle_s: int,
    authenticated_at: float | None = None,
) -> datetime:
    """Insert a session; return when it ends at the latest. It ends earlier once it is not used for `idle_s`."""
    query = text("""
        INSERT INTO tokens (user_id, hash, kind, device, last_used_at, authenticated_at, ends_at, idle_s, expires_at)
        SELECT :user_id, :hash, 'session', :device, now, to_timestamp(:authenticated_at),
            now + make_interval(secs => :lifetime_s), :idle_s,
            now + make_interval(secs => least(:lifetime_s, :idle_s))
        FROM (SELECT clock_timestamp() AS now) clock
        RETURNING ends_at
    """)
    values = {"user_id": user_id, "hash": token_hash, "device": device, "lifetime_s": lifetime_s, "idle_s": idle_s}
    ends_at: datetime = connection.execute(query, values | {"authenticated_at": authenticated_at}).scalar_one()
    return ends_at


def list_page(
    connection: Connection, user_id: UUID, token_hash: bytes, *, before: UUID | None, limit: int
) -> list[StoredSession]:
    """Return a page of a user's sessions that work, newest first. token_hash: that of the request's own token."""
    query = text("""
        SELECT id, device, created_at, coalesce(last_used_at, created_at), expires_at, hash = :token_hash
        FROM tokens WHERE user_id = :user_id AND kind = 'session' AND expires_at > clock_timestamp()
            AND (CAST(:before AS uuid) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit
    """)
    values = {"user_id": user_id, "token_hash": token_hash, "before": before, "limit": limit}
    return [StoredSession(*row) for row in connection.execute(query, values)]


def delete(connection: Connection, user_id: UUID, session_id: UUID) -> bool:
    """End a session; return False if the user has none with this id."""
    query = text("DELETE FROM tokens WHERE id = :id AND user_id = :user_id AND kind = 'session'")
    return connection.execute(query, {"id": session_id, "user_id": user_id}).rowcount == 1


def delete_others(connection: Connection, user_id: UUID, token_hash: bytes) -> None:
    """End a user's sessions except the one with this hash."""
    query = text("DELETE FROM tokens WHERE user_id = :user_id AND kind = 'session' AND hash <> :token_hash")
    connection.execute(query, {"user_id": user_id, "token_hash": token_hash})
