"""SQL for the addresses of accounts: confirming one, and replacing it by another."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from shared.core.errors import EmailTaken


@dataclass(frozen=True, slots=True)
class OldAddress:
    """The address that an account had, and whether its owner had confirmed it."""

    email: str
    confirmed: bool


def set_confirmed(connection: Connection, user_id: UUID) -> None:
    """Record that the owner of a user's address has opened a link that was sent there."""
    query = text("UPDATE users SET confirmed_at = coalesce(confirmed_at, clock_timestamp()) WHERE id = :user_id")
    connection.execute(query, {"user_id": user_id})


def set_email(connection: Connection, user_id: UUID, email: str) -> OldAddress:
    """Give a user another address, which its owner has confirmed; return the old one.

    A stop of mail stays only if the user asked for it.

    Raises:
        EmailTaken: Another account has the address.
    """
    query = text("""
        UPDATE users SET email = :email, confirmed_at = clock_timestamp(),
            mail_stopped = CASE WHEN mail_stopped = 'unsubscribed' THEN mail_stopped END
        WHERE id = :user_id AND NOT EXISTS (SELECT FROM users WHERE email = :email AND id <> :user_id)
        RETURNING old.email, old.confirmed_at IS NOT NULL
    """)
    try:
        row = connection.execute(query, {"user_id": user_id, "email": email}).one_or_none()
    except IntegrityError:  # another transaction took it in this moment
        raise EmailTaken from None
    if row is None:
        raise EmailTaken
    return OldAddress(*row)


def confirm_by_operator(connection: Connection, email: str) -> bool | None:
    """Record an address as confirmed; return whether that changed anything, None if no account has it."""
    query = text("""
        UPDATE users SET confirmed_at = coalesce(confirmed_at, clock_timestamp()) WHERE email = :email
        RETURNING old.confirmed_at IS NULL
    """)
    return connection.execute(query, {"email": email}).scalar_one_or_none()
