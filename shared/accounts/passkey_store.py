"""SQL for passkeys, and for the challenges that they are to sign."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from shared.accounts.store import USER, User

CHALLENGE_LIFETIME_S = 300

_EXPIRED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class StoredPasskey:
    """A passkey as its user sees it."""

    id: UUID
    name: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class PasskeyKey:
    """What a signature is checked with: the public key in COSE's form, and the count of the last signature."""

    id: UUID
    user_id: UUID
    public_key: bytes
    sign_count: int


def keep_challenge(connection: Connection, challenge: bytes, user_id: UUID | None = None) -> None:
    """Keep a challenge for five minutes: a new passkey of this user is to sign it, or with None any passkey.

    A user has one at a time, the newest.
    """
    expired = text("""
        DELETE FROM passkey_challenges WHERE challenge IN (
            SELECT challenge FROM passkey_challenges WHERE expires_at < (SELECT clock_timestamp())
            LIMIT :limit FOR UPDATE SKIP LOCKED
        )
    """)
    connection.execute(expired, {"limit": _EXPIRED_AT_ONCE})
    if user_id is not None:
        connection.execute(text("DELETE FROM passkey_challenges WHERE user_id = :user_id"), {"user_id": user_id})
    query = text("""
        INSERT INTO passkey_challenges (challenge, user_id, expires_at)
        VALUES (:challenge, :user_id, clock_timestamp() + make_interval(secs => :lifetime_s))
    """)
    values = {"challenge": challenge, "user_id": user_id, "lifetime_s": CHALLENGE_LIFETIME_S}
    connection.execute(query, values)


def use_challenge(connection: Connection, challenge: bytes, user_id: UUID | None = None) -> bool:
    """Use a challenge up; return False if there is none, it is another's, was used or is too old."""
    query = text("""
        DELETE FROM passkey_challenges
        WHERE challenge = :challenge AND user_id IS NOT DISTINCT FROM :user_id AND expires_at > clock_timestamp()
    """)
    return connection.execute(query, {"challenge": challenge, "user_id": user_id}).rowcount == 1


def add(
    connection: Connection, user_id: UUID, name: str, credential_id: bytes, public_key: bytes, sign_count: int
) -> StoredPasskey | None:
    """Insert a passkey; return None if there is one with this credential id, of this user or another."""
    query = text("""
        INSERT INTO passkeys (user_id, name, credential_id, public_key, sign_count)
        VALUES (:user_id, :name, :credential_id, :public_key, :sign_count)
        ON CONFLICT (credential_id) DO NOTHING RETURNING id, name, created_at, last_used_at
    """)
    values = {"user_id": user_id, "name": name, "credential_id": credential_id, "public_key": public_key}
    row = connection.execute(query, values | {"sign_count": sign_count}).one_or_none()
    return StoredPasskey(*row) if row else None


def find_key(connection: Connection, credential_id: bytes) -> PasskeyKey | None:
    """Return what the signatures of a passkey are checked with."""
    query = text("SELECT id, user_id, public_key, sign_count FROM passkeys WHERE credential_id = :credential_id")
    row = connection.execute(query, {"credential_id": credential_id}).one_or_none()
    return PasskeyKey(row[0], row[1], bytes(row[2]), row[3]) if row else None


def use(connection: Connection, key: PasskeyKey, sign_count: int) -> User | None:
    """Return the user of a passkey and record the use, or return None if it was used or removed since it was read.

    The account's row is locked before the passkey, as by those who remove one, so that the two cannot deadlock.
    """
    lock = text(f"SELECT {USER} FROM users u WHERE u.id = :user_id FOR SHARE")
    row = connection.execute(lock, {"user_id": key.user_id}).one_or_none()
    record = text("""
        UPDATE passkeys SET sign_count = :sign_count, last_used_at = clock_timestamp()
        WHERE id = :id AND sign_count = :seen
    """)
    values = {"id": key.id, "sign_count": sign_count, "seen": key.sign_count}
    if row is None or connection.execute(record, values).rowcount == 0:
        return None
    return User(*row)


def list_all(connection: Connection, user_id: UUID) -> list[StoredPasskey]:
    """Return a user's passkeys, newest first. They are few."""
    query = text("""
        SELECT id, name, created_at, last_used_at FROM passkeys WHERE user_id = :user_id ORDER BY id DESC
    """)
    return [StoredPasskey(*row) for row in connection.execute(query, {"user_id": user_id})]


def list_credential_ids(connection: Connection, user_id: UUID) -> list[bytes]:
    """Return the credential ids of a user's passkeys."""
    query = text("SELECT credential_id FROM passkeys WHERE user_id = :user_id")
    return [bytes(row) for row in connection.execute(query, {"user_id": user_id}).scalars()]


def delete(connection: Connection, user_id: UUID, passkey_id: UUID) -> bool:
    """Remove a passkey; return False if the user has none with this id."""
    query = text("DELETE FROM passkeys WHERE id = :id AND user_id = :user_id")
    return connection.execute(query, {"id": passkey_id, "user_id": user_id}).rowcount == 1


def delete_all(connection: Connection, user_id: UUID) -> None:
    """Remove all passkeys of a user, and make useless what a new one is to sign."""
    for table in ("passkeys", "passkey_challenges"):
        connection.execute(text(f"DELETE FROM {table} WHERE user_id = :user_id"), {"user_id": user_id})
