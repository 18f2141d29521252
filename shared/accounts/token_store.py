"""SQL for tokens, of sessions and of programs: finding who sent one, and the list of API tokens."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import Connection, text

from shared.accounts.store import USER, User
from shared.core.db import execute_last
from shared.core.rights import RIGHTS, Right

TokenKind = Literal["session", "api"]


@dataclass(frozen=True, slots=True)
class Caller:
    """The user whose valid token was sent, with the token's id and what it may be used for."""

    user: User
    token_id: UUID
    rights: frozenset[Right]


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A token's row, without its hash. Only API tokens have a name; `last_used_at` is at most an hour old."""

    id: UUID
    name: str | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    rights: list[Right]


USE_RECORDED = "interval '1 hour'"
"""SQL: how old the recorded use of a token may become while it is used."""

STILL_VALID = "t.hash = :token_hash AND (t.expires_at IS NULL OR t.expires_at > clock_timestamp())"
"""The one condition on a row `t` of tokens, given :token_hash; the SQL functions of jobs repeat it."""

_COLUMNS = "id, name, created_at, expires_at, last_used_at, rights"
_IS_RECORDED = f"last_used_at IS NOT NULL AND last_used_at > clock_timestamp() - {USE_RECORDED}"
_BY_TOKEN = text(f"""
SELECT {USER}, t.id AS token_id, t.rights, {_IS_RECORDED} AS is_recorded
FROM tokens t JOIN users u ON u.id = t.user_id WHERE {STILL_VALID}
""")
_RECORD_USE = text(f"""
UPDATE tokens SET last_used_at = clock_timestamp(),
    expires_at = coalesce(least(ends_at, clock_timestamp() + make_interval(secs => idle_s)), expires_at)
WHERE hash = :token_hash AND NOT ({_IS_RECORDED})
""")


def find_caller(connection: Connection, token_hash: bytes) -> Caller | None:
    """Return whose valid token has this hash. At most once an hour the use is recorded, at the end of the transaction.

    The statements that take a token's hash themselves find only tokens whose use is recorded; for the others their
    callers come here.
    """
    row = connection.execute(_BY_TOKEN, {"token_hash": token_hash}).one_or_none()
    if row is None:
        return None
    *user, token_id, rights, is_recorded = row
    if not is_recorded:
        execute_last(connection, _RECORD_USE, {"token_hash": token_hash})
    return Caller(User(*user), token_id, frozenset(rights))


def create_token(
    connection: Connection,
    user_id: UUID,
    token_hash: bytes,
    *,
    kind: TokenKind,
    name: str | None,
    lifetime_s: float | None,
    rights: list[Right] | tuple[Right, ...] = RIGHTS,
) -> StoredToken:
    """Insert a session token or an API token; without a lifetime it never expires."""
    query = text(f"""
        INSERT INTO tokens (user_id, hash, kind, name, rights, expires_at)
        VALUES (:user_id, :hash, :kind, :name, :rights, clock_timestamp() + make_interval(secs => :lifetime_s))
        RETURNING {_COLUMNS}
    """)
    values = {
        "user_id": user_id,
        "hash": token_hash,
        "kind": kind,
        "name": name,
        "rights": list(rights),
        "lifetime_s": lifetime_s,
    }
    return StoredToken(*connection.execute(query, values).one())


_WORKING_API = "user_id = :user_id AND kind = 'api' AND (expires_at IS NULL OR expires_at > clock_timestamp())"


def list_api_tokens(connection: Connection, user_id: UUID, *, before: UUID | None, limit: int) -> list[StoredToken]:
    """Return a page of a user's API tokens that work, newest first."""
    query = text(f"""
        SELECT {_COLUMNS} FROM tokens WHERE {_WORKING_API}
            AND (CAST(:before AS uuid) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit
    """)
    rows = connection.execute(query, {"user_id": user_id, "before": before, "limit": limit})
    return [StoredToken(*row) for row in rows]


def count_api_tokens(connection: Connection, user_id: UUID) -> int:
    """Return how many API tokens of a user work."""
    query = text(f"SELECT count(*) FROM tokens WHERE {_WORKING_API}")
    return int(connection.execute(query, {"user_id": user_id}).scalar_one())


def delete_api_token(connection: Connection, user_id: UUID, token_id: UUID) -> bool:
    """Revoke an API token; return False if the user has no token with this id."""
    query = text("DELETE FROM tokens WHERE id = :token_id AND user_id = :user_id AND kind = 'api'")
    return connection.execute(query, {"token_id": token_id, "user_id": user_id}).rowcount == 1


def delete_token(connection: Connection, token_hash: bytes) -> None:
    """Revoke a session token or an API token."""
    connection.execute(text("DELETE FROM tokens WHERE hash = :hash"), {"hash": token_hash})


_EXPIRED = "FROM tokens WHERE expires_at < now()"


def drop_expired_tokens(connection: Connection, limit: int) -> int:
    """Delete expired tokens, at most so many; return how many."""
    query = text(f"DELETE FROM tokens WHERE id IN (SELECT id {_EXPIRED} LIMIT :limit FOR UPDATE SKIP LOCKED)")
    return connection.execute(query, {"limit": limit}).rowcount


def count_expired_tokens(connection: Connection) -> int:
    """Return how many tokens `drop_expired_tokens` would delete now."""
    return int(connection.execute(text(f"SELECT count(*) {_EXPIRED}")).scalar_one())
