"""Users, their tokens and their uploads in the database. Functions over a connection."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

from shared.core.errors import BadToken, EmailTaken


@dataclass(frozen=True)
class User:
    """Who is asking."""

    id: UUID
    email: str
    notify: str
    created_at: datetime
    disabled: bool = False


STILL_VALID = "t.hash = :token_hash AND (t.expires_at IS NULL OR t.expires_at > clock_timestamp())"
"""The one condition on a row `t` of tokens, given :token_hash; statements that answer in one round trip use it too."""

CALLER = f"SELECT t.user_id FROM tokens t WHERE {STILL_VALID} AND NOT t.suspended"
"""How such statements find the user who may act under :token_hash; no row for a disabled account."""

_USER = "u.id, u.email, u.notify, u.created_at, u.disabled_at IS NOT NULL AS disabled"
_BY_TOKEN = text(f"SELECT {_USER} FROM tokens t JOIN users u ON u.id = t.user_id WHERE {STILL_VALID}")


def find_by_token(connection: Connection, token_hash: bytes) -> User | None:
    """The user whose valid token has this hash."""
    row = connection.execute(_BY_TOKEN, {"token_hash": token_hash}).one_or_none()
    return User(**row._mapping) if row else None


def find_by_email(connection: Connection, email: str) -> tuple[User, str] | None:
    """The user of this normalised address, with the password's hash."""
    query = text(f"SELECT {_USER}, u.password_hash FROM users u WHERE u.email = :email")
    row = connection.execute(query, {"email": email}).one_or_none()
    return (User(row.id, row.email, row.notify, row.created_at, row.disabled), row.password_hash) if row else None


def create(connection: Connection, email: str, password_hash: str) -> User:
    """Add a user. Raises EmailTaken."""
    query = text(
        "INSERT INTO users AS u (email, password_hash) VALUES (:email, :password_hash)"
        f" ON CONFLICT (email) DO NOTHING RETURNING {_USER}"
    )
    row = connection.execute(query, {"email": email, "password_hash": password_hash}).one_or_none()
    if row is None:
        raise EmailTaken
    return User(**row._mapping)


def set_notify(connection: Connection, user_id: UUID, notify: str) -> User:
    """Set the default for new jobs."""
    query = text(f"UPDATE users u SET notify = :notify WHERE u.id = :user_id RETURNING {_USER}")
    row = connection.execute(query, {"user_id": user_id, "notify": notify}).one_or_none()
    if row is None:
        raise BadToken
    return User(**row._mapping)


def set_password_hash(connection: Connection, user_id: UUID, password_hash: str) -> None:
    query = text("UPDATE users SET password_hash = :password_hash WHERE id = :user_id")
    connection.execute(query, {"user_id": user_id, "password_hash": password_hash})


def get_counts(connection: Connection, user_id: UUID) -> Row[Any]:
    """What a user has used and has running, and the jobs a day that are theirs alone, if any: (queued, running,
    used_today, jobs_per_day, seconds_to_midnight)."""
    query = text("""
        SELECT queued, running, jobs_per_day,
            CASE WHEN quota_day = (now() AT TIME ZONE 'utc')::date THEN quota_used ELSE 0 END AS used_today,
            extract(epoch FROM date_trunc('day', now() AT TIME ZONE 'utc') + interval '1 day'
                - (now() AT TIME ZONE 'utc'))::int + 1 AS seconds_to_midnight
        FROM users WHERE id = :user_id
    """)
    row = connection.execute(query, {"user_id": user_id}).one_or_none()
    if row is None:
        raise BadToken  # the account was deleted a moment ago, and its tokens with it
    return row


def lock(connection: Connection, user_id: UUID) -> bool:
    """Whether a user's account is disabled; that stays so until the transaction ends. Who locks a job as well does that
    first, as a move does."""
    query = text("SELECT disabled_at IS NOT NULL FROM users WHERE id = :user_id FOR UPDATE")
    return bool(connection.execute(query, {"user_id": user_id}).scalar())


def set_jobs_per_day(connection: Connection, email: str, jobs_per_day: int | None) -> bool:
    """Give an account a quota of its own, or with None the site's; False where there is no such account."""
    query = text("UPDATE users SET jobs_per_day = :jobs_per_day WHERE email = :email")
    return connection.execute(query, {"email": email, "jobs_per_day": jobs_per_day}).rowcount == 1


def set_weight(connection: Connection, email: str, weight: float) -> bool:
    """Give an account's next jobs another share in the fair order; False where there is no such account."""
    query = text("UPDATE users SET weight = :weight WHERE email = :email")
    return connection.execute(query, {"email": email, "weight": weight}).rowcount == 1


def disable(connection: Connection, email: str, reason: str | None) -> Row[Any] | None:
    """Disable an account, or give a disabled one another reason; return (id, was_disabled), None where there is no such
    account."""
    query = text("""
        UPDATE users SET disabled_at = coalesce(disabled_at, clock_timestamp()),
            disabled_reason = coalesce(:reason, disabled_reason)
        WHERE email = :email RETURNING id, old.disabled_at IS NOT NULL AS was_disabled
    """)
    return connection.execute(query, {"email": email, "reason": reason}).one_or_none()


def enable(connection: Connection, email: str) -> bool | None:
    """Undo `disable`; return whether that changed anything, None where there is no such account."""
    query = text("""
        UPDATE users SET disabled_at = NULL, disabled_reason = NULL WHERE email = :email
        RETURNING old.disabled_at IS NOT NULL AS was_disabled
    """)
    return connection.execute(query, {"email": email}).scalar_one_or_none()


def delete(connection: Connection, user_id: UUID) -> None:
    """Delete a user with everything that is theirs; the objects are left to the collector.

    Jobs are locked before their user, in the order in which a move locks them, so that the two cannot deadlock.
    """
    values = {"user_id": user_id}
    connection.execute(text("SELECT id FROM jobs WHERE user_id = :user_id ORDER BY id FOR UPDATE"), values)
    # A running step may store pictures a little later, and a form that was given out may upload: those prefixes are
    # emptied when both surely have ended.
    connection.execute(
        text("""
            INSERT INTO garbage (prefix, due_at)
            SELECT 'jobs/' || id || '/',
                clock_timestamp() + CASE state WHEN 'generating' THEN interval '1 hour' ELSE '0' END
            FROM jobs WHERE user_id = :user_id
            UNION ALL SELECT key, clock_timestamp() FROM uploads WHERE user_id = :user_id
            UNION ALL SELECT 'uploads/' || CAST(:user_id AS text) || '/', clock_timestamp() + interval '1 hour'
            ON CONFLICT (prefix) DO NOTHING
        """),
        values,
    )
    connection.execute(text("DELETE FROM jobs WHERE user_id = :user_id"), values)
    connection.execute(text("DELETE FROM users WHERE id = :user_id"), values)


def create_token(
    connection: Connection, user_id: UUID, token_hash: bytes, *, kind: str, name: str | None, lifetime_s: float | None
) -> Row[Any]:
    """Add a token; return (id, name, created_at, expires_at)."""
    query = text("""
        INSERT INTO tokens (user_id, hash, kind, name, expires_at)
        VALUES (:user_id, :hash, :kind, :name, clock_timestamp() + make_interval(secs => :lifetime_s))
        RETURNING id, name, created_at, expires_at
    """)
    values = {"user_id": user_id, "hash": token_hash, "kind": kind, "name": name, "lifetime_s": lifetime_s}
    return connection.execute(query, values).one()


def list_api_tokens(connection: Connection, user_id: UUID, *, before: UUID | None, limit: int) -> list[Row[Any]]:
    """A page of a user's API tokens (id, name, created_at), newest first."""
    query = text("""
        SELECT id, name, created_at FROM tokens WHERE user_id = :user_id AND kind = 'api'
            AND (CAST(:before AS uuid) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit
    """)
    return list(connection.execute(query, {"user_id": user_id, "before": before, "limit": limit}))


def count_api_tokens(connection: Connection, user_id: UUID) -> int:
    query = text("SELECT count(*) FROM tokens WHERE user_id = :user_id AND kind = 'api'")
    return int(connection.execute(query, {"user_id": user_id}).scalar_one())


def delete_api_token(connection: Connection, user_id: UUID, token_id: UUID) -> bool:
    """Revoke an API token; False when the user has none of this id."""
    query = text("DELETE FROM tokens WHERE id = :token_id AND user_id = :user_id AND kind = 'api'")
    return connection.execute(query, {"token_id": token_id, "user_id": user_id}).rowcount == 1


def delete_token(connection: Connection, token_hash: bytes) -> None:
    """Make a token dead, whatever it is for."""
    connection.execute(text("DELETE FROM tokens WHERE hash = :hash"), {"hash": token_hash})


def create_upload(connection: Connection, user_id: UUID, key: str, content_type: str, size_bytes: int) -> None:
    query = text(
        "INSERT INTO uploads (user_id, key, content_type, size_bytes)"
        " VALUES (:user_id, :key, :content_type, :size_bytes)"
    )
    connection.execute(query, {"user_id": user_id, "key": key, "content_type": content_type, "size_bytes": size_bytes})


def list_upload_sizes(connection: Connection, user_id: UUID, keys: list[str]) -> dict[str, int]:
    """The announced size in bytes of each of these uploads that is the user's own."""
    query = text("SELECT key, size_bytes FROM uploads WHERE user_id = :user_id AND key = ANY(:keys)")
    return {row.key: row.size_bytes for row in connection.execute(query, {"user_id": user_id, "keys": keys})}
