"""SQL for users. Each function takes a connection and returns frozen values."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from shared.core import locks
from shared.core.errors import EmailTaken, NotSignedIn


@dataclass(frozen=True, slots=True)
class User:
    """A user's account. `webhook_error` is the code of the last webhook if that failed.

    `confirmed`: the owner of the address has opened a link that was sent there.
    """

    id: UUID
    email: str
    notify: str
    created_at: datetime
    disabled: bool = False
    language: str = "en"
    mail_stopped: str | None = None
    webhook_url: str | None = None
    webhook_error: str | None = None
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class UserWithPassword:
    """A user and the Argon2id hash of their password."""

    user: User
    password_hash: str


@dataclass(frozen=True, slots=True)
class UserCounts:
    """A user's jobs: waiting, running and counted today, their own daily quota, and the seconds until it starts again.

    `jobs_per_day` is None where the quota of the site applies. `used_today` is rounded up: of jobs that failed or were
    cancelled, what was worked off counts. `stored_bytes` is the size of the user's pictures and uploads.
    """

    queued: int
    running: int
    jobs_per_day: int | None
    used_today: int
    seconds_to_midnight: int
    stored_bytes: int


@dataclass(frozen=True, slots=True)
class DisabledAccount:
    """An account that has just been disabled, and whether it was disabled before."""

    id: UUID
    was_disabled: bool


USER = """u.id, u.email, u.notify, u.created_at, u.disabled_at IS NOT NULL AS disabled, u.language, u.mail_stopped,
    u.webhook_url, u.webhook_error, u.confirmed_at IS NOT NULL AS confirmed"""
"""The columns of a `User`, of a row `u` of users."""


def find_by_email(connection: Connection, email: str) -> UserWithPassword | None:
    """Return the user with this normalised address."""
    query = text(f"SELECT {USER}, u.password_hash FROM users u WHERE u.email = :email")
    row = connection.execute(query, {"email": email}).one_or_none()
    return UserWithPassword(User(*row[:-1]), row.password_hash) if row else None


def create(
    connection: Connection, email: str, password_hash: str, language: str = "en", *, confirmed: bool = False
) -> User:
    """Insert a user. language: that of their mail.

    Raises:
        EmailTaken: The address has an account.
    """
    query = text(f"""
        INSERT INTO users AS u (email, password_hash, language, confirmed_at)
        VALUES (:email, :password_hash, :language, CASE WHEN :confirmed THEN clock_timestamp() END)
        ON CONFLICT (email) DO NOTHING RETURNING {USER}
    """)
    values = {"email": email, "password_hash": password_hash, "language": language, "confirmed": confirmed}
    row = connection.execute(query, values).one_or_none()
    if row is None:
        raise EmailTaken
    return User(*row)


def set_notify(connection: Connection, user_id: UUID, notify: str) -> User:
    """Set the default notification of new jobs. Asking for mail also ends a stop of mail. Raises NotSignedIn."""
    asked = "CASE WHEN :value = 'email' THEN"
    resumed = f"mail_resumed_at = {asked} clock_timestamp() ELSE mail_resumed_at END"
    changes = f"notify = :value, mail_stopped = {asked} NULL ELSE mail_stopped END, {resumed}"
    return _change(connection, user_id, changes, notify)


def set_language(connection: Connection, user_id: UUID, language: str) -> User:
    """Set the language of a user's mail. Raises NotSignedIn."""
    return _change(connection, user_id, "language = :value", language)


def set_webhook_url(connection: Connection, user_id: UUID, url: str | None) -> User:
    """Set the address of new webhooks, or with None send no more. Raises NotSignedIn."""
    return _change(connection, user_id, "webhook_url = :value, webhook_error = NULL", url)


def _change(connection: Connection, user_id: UUID, assignments: str, value: str | None) -> User:
    """Write `assignments`, SQL with :value, to a user's row and return the user.

    Raises:
        NotSignedIn: The account has just been deleted, and its tokens with it.
    """
    query = text(f"UPDATE users u SET {assignments} WHERE u.id = :user_id RETURNING {USER}")
    row = connection.execute(query, {"user_id": user_id, "value": value}).one_or_none()
    if row is None:
        raise NotSignedIn
    return User(*row)


def get_webhook_secret(connection: Connection, user_id: UUID, *, renew: bool) -> bytes:
    """Return the 32 bytes with which a user's webhooks are signed; with `renew` others replace them first.

    Raises:
        NotSignedIn: The account has just been deleted, and its tokens with it.
    """
    change = "UPDATE users SET webhook_secret = DEFAULT WHERE id = :user_id RETURNING webhook_secret"
    query = text(change if renew else "SELECT webhook_secret FROM users WHERE id = :user_id")
    secret = connection.execute(query, {"user_id": user_id}).scalar_one_or_none()
    if secret is None:
        raise NotSignedIn
    return bytes(secret)


def keeps_password(connection: Connection, user_id: UUID, password_hash: str) -> bool:
    """Return whether a password's hash is still the user's, and keep that so until the transaction ends."""
    query = text("SELECT true FROM users WHERE id = :user_id AND password_hash = :password_hash FOR NO KEY UPDATE")
    found = connection.execute(query, {"user_id": user_id, "password_hash": password_hash}).scalar()
    return found is not None


def set_password_hash(connection: Connection, user_id: UUID, password_hash: str) -> None:
    """Replace the hash of a user's password."""
    query = text("UPDATE users SET password_hash = :password_hash WHERE id = :user_id")
    connection.execute(query, {"user_id": user_id, "password_hash": password_hash})


def get_counts(connection: Connection, user_id: UUID) -> UserCounts:
    """Return what a user has used of the quota and has running.

    Raises:
        NotSignedIn: The account has just been deleted, and its tokens with it.
    """
    query = text("""
        SELECT queued, running, jobs_per_day, ceil(
                CASE WHEN quota_day = (now() AT TIME ZONE 'utc')::date THEN quota_used + quota_worked ELSE 0 END
            )::int AS used_today,
            extract(epoch FROM date_trunc('day', now() AT TIME ZONE 'utc') + interval '1 day'
                - (now() AT TIME ZONE 'utc'))::int + 1 AS seconds_to_midnight, stored_bytes
        FROM users WHERE id = :user_id
    """)
    row = connection.execute(query, {"user_id": user_id}).one_or_none()
    if row is None:
        raise NotSignedIn
    return UserCounts(*row)


def lock(connection: Connection, user_id: UUID) -> bool:
    """Return whether a user's account is disabled, and keep that so until the transaction ends.

    A caller that locks a job as well must lock it first, as a job's move does.
    """
    query = text("SELECT disabled_at IS NOT NULL FROM users WHERE id = :user_id FOR UPDATE")
    return bool(connection.execute(query, {"user_id": user_id}).scalar())


def set_jobs_per_day(connection: Connection, email: str, jobs_per_day: int | None) -> bool:
    """Set an account's own daily quota, or with None the site's; return False if there is no such account."""
    query = text("UPDATE users SET jobs_per_day = :jobs_per_day WHERE email = :email")
    return connection.execute(query, {"email": email, "jobs_per_day": jobs_per_day}).rowcount == 1


def set_weight(connection: Connection, email: str, weight: float) -> bool:
    """Set the fair-queueing weight of an account's next jobs; return False if there is no such account."""
    query = text("UPDATE users SET weight = :weight WHERE email = :email")
    return connection.execute(query, {"email": email, "weight": weight}).rowcount == 1


def disable(connection: Connection, email: str, reason: str | None) -> DisabledAccount | None:
    """Disable an account, or give a disabled one another reason; return None if there is no such account."""
    query = text("""
        UPDATE users SET disabled_at = coalesce(disabled_at, clock_timestamp()),
            disabled_reason = coalesce(:reason, disabled_reason)
        WHERE email = :email RETURNING id, old.disabled_at IS NOT NULL AS was_disabled
    """)
    row = connection.execute(query, {"email": email, "reason": reason}).one_or_none()
    return DisabledAccount(*row) if row else None


def enable(connection: Connection, email: str) -> bool | None:
    """Undo `disable`; return whether that changed anything, None if there is no such account."""
    query = text("""
        UPDATE users SET disabled_at = NULL, disabled_reason = NULL WHERE email = :email
        RETURNING old.disabled_at IS NOT NULL AS was_disabled
    """)
    return connection.execute(query, {"email": email}).scalar_one_or_none()


DELETED_AT_ONCE = 100
"""How many jobs, or other rows, of a deleted account one transaction deletes: what it locks, others may wait for."""

CLOSED_AT_ONCE = 100
"""How many deleted accounts one collection looks at."""


def close(connection: Connection, user_id: UUID) -> None:
    """Make the account disappear: it cannot be used, its pictures are no longer public, and its address is free.

    Its rows follow with `delete_some`.
    """
    values = {"user_id": user_id}
    connection.execute(
        text("""
            UPDATE users SET email = 'deleted ' || id, password_hash = '', deleted_at = clock_timestamp(),
                disabled_at = coalesce(disabled_at, clock_timestamp())
            WHERE id = :user_id
        """),
        values,
    )
    connection.execute(text("DELETE FROM exports WHERE user_id = :user_id"), values)  # no more files are made
    delete_tokens(connection, user_id)


def list_closed(connection: Connection) -> list[UUID]:
    """Return some users whose accounts are closed and whose rows are still to be deleted, oldest first."""
    query = text("SELECT id FROM users WHERE deleted_at IS NOT NULL ORDER BY deleted_at LIMIT :limit")
    return list(connection.execute(query, {"limit": CLOSED_AT_ONCE}).scalars())


def delete_some(connection: Connection, user_id: UUID, limit: int = DELETED_AT_ONCE) -> bool:
    """Delete the newest jobs of a closed account, then its other rows, at the end the user; return whether any is left.

    The stored objects are left to the garbage collection.
    """
    # As a range, so that its order makes Postgres use the index of users' jobs: for a user with most of all jobs it
    # would rather read all jobs in order, and those of others for nothing.
    job_ids = text("""
        SELECT id FROM jobs WHERE user_id BETWEEN :user_id AND :user_id ORDER BY user_id DESC, id DESC
        LIMIT :limit
    """)
    found = list(connection.execute(job_ids, {"user_id": user_id, "limit": limit}).scalars())
    locks.lock_for_deletion(connection, found)
    lock(connection, user_id)
    # A running step may still store pictures, and an upload form may still be used: those prefixes are emptied once
    # both must have ended.
    connection.execute(
        text("""
            INSERT INTO garbage (prefix, due_at)
            SELECT 'jobs/' || id || '/',
                clock_timestamp() + CASE state WHEN 'generating' THEN interval '1 hour' ELSE '0' END
            FROM jobs WHERE id = ANY(:job_ids) ORDER BY id ON CONFLICT (prefix) DO NOTHING
        """),
        {"job_ids": found},
    )
    connection.execute(text("DELETE FROM jobs WHERE id = ANY(:job_ids)"), {"job_ids": found})
    if len(found) == limit:
        return True
    for query in _DELETE_MANY:
        if connection.execute(query, {"user_id": user_id, "limit": limit}).scalar_one() == limit:
            return True
    _delete_user(connection, user_id)
    return False


# Of these an account may have as many as of jobs. Deleted with the user, they would all be in one transaction.
_DELETE_MANY = tuple(
    text(f"""
        WITH gone AS (
            DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} WHERE user_id = :user_id LIMIT :limit)
            RETURNING {key}
        ){more} SELECT count(*) FROM gone
    """)
    for table, key, more in (
        ("job_groups", "id", ""),
        (
            "uploads",
            "key",
            ", thrown AS (INSERT INTO garbage (prefix) SELECT key FROM gone ON CONFLICT (prefix) DO NOTHING)",
        ),
    )
)


def _delete_user(connection: Connection, user_id: UUID) -> None:
    values = {"user_id": user_id}
    connection.execute(
        text("""
            INSERT INTO garbage (prefix, due_at)
            SELECT folder || CAST(:user_id AS text) || '/', clock_timestamp() + interval '1 hour'
            FROM unnest(ARRAY['uploads/', 'exports/']) AS folder
            ON CONFLICT (prefix) DO NOTHING
        """),
        values,
    )
    connection.execute(text("DELETE FROM users WHERE id = :user_id"), values)


def delete_tokens(connection: Connection, user_id: UUID) -> None:
    """Revoke all of a user's session tokens and API tokens."""
    connection.execute(text("DELETE FROM tokens WHERE user_id = :user_id"), {"user_id": user_id})
