"""SQL for identities: accounts of users at OpenID Connect providers, each of which signs in to one account here."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from shared.accounts.store import USER, User


@dataclass(frozen=True, slots=True)
class StoredIdentity:
    """An identity of a user. `email` is the address that the provider named when it was connected."""

    id: UUID
    issuer: str
    email: str | None
    created_at: datetime
    last_used_at: datetime


def use(connection: Connection, issuer: str, subject: str) -> User | None:
    """Return the user of an identity and record the use, or return None if no account has it.

    The account's row is locked before the identity, as by those who disconnect one, so that the two cannot deadlock.
    """
    values = {"issuer": issuer, "subject": subject}
    lock = text(f"""
        SELECT {USER} FROM identities i JOIN users u ON u.id = i.user_id
        WHERE i.issuer = :issuer AND i.subject = :subject FOR SHARE OF u
    """)
    row = connection.execute(lock, values).one_or_none()
    record = text("""
        UPDATE identities SET last_used_at = clock_timestamp() WHERE issuer = :issuer AND subject = :subject
    """)
    if row is None or connection.execute(record, values).rowcount == 0:  # disconnected in this moment
        return None
    return User(*row)


def find_owner(connection: Connection, issuer: str, subject: str) -> UUID | None:
    """Return the user of an identity, or None if no account has it."""
    query = text("SELECT user_id FROM identities WHERE issuer = :issuer AND subject = :subject")
    return connection.execute(query, {"issuer": issuer, "subject": subject}).scalar_one_or_none()


def add(connection: Connection, user_id: UUID, issuer: str, subject: str, email: str | None) -> bool:
    """Connect an identity with an account; return False if it is connected already, with this one or another."""
    query = text("""
        INSERT INTO identities (user_id, issuer, subject, email) VALUES (:user_id, :issuer, :subject, :email)
        ON CONFLICT (issuer, subject) DO NOTHING
    """)
    values = {"user_id": user_id, "issuer": issuer, "subject": subject, "email": email}
    return connection.execute(query, values).rowcount == 1


def list_all(connection: Connection, user_id: UUID) -> list[StoredIdentity]:
    """Return a user's identities, newest first. They are few."""
    query = text("""
        SELECT id, issuer, email, created_at, last_used_at FROM identities WHERE user_id = :user_id ORDER BY id DESC
    """)
    return [StoredIdentity(*row) for row in connection.execute(query, {"user_id": user_id})]


def delete(connection: Connection, user_id: UUID, identity_id: UUID) -> bool:
    """Disconnect an identity; return False if the user has none with this id."""
    query = text("DELETE FROM identities WHERE id = :id AND user_id = :user_id")
    return connection.execute(query, {"id": identity_id, "user_id": user_id}).rowcount == 1


def delete_all(connection: Connection, user_id: UUID) -> None:
    """Disconnect all identities of a user."""
    connection.execute(text("DELETE FROM identities WHERE user_id = :user_id"), {"user_id": user_id})


def has_password(connection: Connection, user_id: UUID) -> bool:
    """Return whether a user has a password."""
    query = text("SELECT password_hash <> '' FROM users WHERE id = :user_id")
    return bool(connection.execute(query, {"user_id": user_id}).scalar())
