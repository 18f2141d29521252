"""SQL for mail about accounts: its outbox, and the secrets in its links, of which only the hashes are stored.

A secret is made when its mail is sent, so it is in no row; a mail that is sent twice has two, and both work.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import Connection, text

NoticeKind = Literal[
    "password_changed",
    "email_changed",
    "second_factor_on",
    "second_factor_off",
    "passkey_added",
    "passkey_removed",
    "new_device",
]
Kind = NoticeKind | Literal["reset", "email_change", "signup", "has_account", "confirmation"]
LinkKind = Literal["reset", "email", "signup", "confirm"]

LEASE_S = 300.0
"""Longer than handing over one mail can take, even if the server uses its time limit for each answer."""

MOST_LINKS = 5
"""Links of one kind that work at the same time for an account, or an address without. Beyond them no mail is sent."""

_EXPIRED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class AccountMail:
    """A mail that this process may send. `due_at` identifies the claim.

    A `signup` is for an address that has no account; if it has one, the mail is a `has_account`. `device`: what a
    `new_device` is about.
    """

    id: UUID
    due_at: datetime
    attempts: int
    kind: Kind
    email: str
    user_id: UUID | None
    language: str
    device: str | None
    created_at: datetime
    outbox: Literal["account_mails"] = "account_mails"

    @property
    def has_recipient(self) -> bool:
        """Return whether it is sent: not to a disabled account, and to an address without one only for a sign-up."""
        return self.user_id is not None or self.kind == "signup"


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a mail that still works: the account, and the address that it was sent to, in which language.

    That of a sign-up has no account yet.
    """

    kind: LinkKind
    user_id: UUID | None
    email: str
    language: str


def add(
    connection: Connection,
    kind: Kind,
    email: str,
    user_id: UUID | None = None,
    *,
    language: str | None = None,
    device: str | None = None,
) -> None:
    """Send a mail to an address, unless the same waits already.

    Without a user it is for the account that has the address by then. language: for one without an account; device:
    what the mail is about.
    """
    query = text("""
        INSERT INTO account_mails (kind, email, user_id, language, device)
        VALUES (:kind, :email, :user_id, :language, :device) ON CONFLICT (email, kind) DO NOTHING
    """)
    values = {"kind": kind, "email": email, "user_id": user_id, "language": language, "device": device}
    connection.execute(query, values)


_CLAIM = text("""
WITH taken AS (
    UPDATE account_mails SET attempts = attempts + 1, due_at = clock_timestamp() + make_interval(secs => :lease_s)
    WHERE id = (
        SELECT id FROM account_mails WHERE due_at <= (SELECT clock_timestamp())
        ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING id, due_at, attempts, kind, email, user_id, language, device, created_at
)
SELECT taken.id, taken.due_at, taken.attempts,
    CASE WHEN taken.kind = 'signup' AND u.id IS NOT NULL THEN 'has_account' ELSE taken.kind END AS kind,
    taken.email, CASE WHEN u.disabled_at IS NULL THEN u.id END AS user_id,
    coalesce(u.language, taken.language, 'en') AS language, taken.device, taken.created_at
FROM taken LEFT JOIN users u
    ON u.id = coalesce(taken.user_id, (SELECT found.id FROM users found WHERE found.email = taken.email))
""")


def claim(connection: Connection) -> AccountMail | None:
    """Claim the mail that has been due for longest, for 5 minutes. It has no user if the account is disabled."""
    row = connection.execute(_CLAIM, {"lease_s": LEASE_S}).one_or_none()
    return AccountMail(*row) if row else None


def issue_link(connection: Connection, mail: AccountMail, kind: LinkKind, link_hash: bytes, lifetime_s: float) -> bool:
    """Make a link for a claimed mail; return False if the account has as many as it may have."""
    expired = text("""
        DELETE FROM account_links WHERE hash IN (
            SELECT hash FROM account_links WHERE expires_at < (SELECT clock_timestamp())
            LIMIT :limit FOR UPDATE SKIP LOCKED
        )
    """)
    connection.execute(expired, {"limit": _EXPIRED_AT_ONCE})
    same = "user_id IS NULL AND email = :email" if mail.user_id is None else "user_id = :user_id"
    query = text(f"""
        INSERT INTO account_links (hash, kind, user_id, email, mail_id, language, expires_at)
        SELECT :hash, :kind, :user_id, :email, :mail_id, :language,
            clock_timestamp() + make_interval(secs => :lifetime_s)
        WHERE (
            SELECT count(*) FROM account_links
            WHERE {same} AND kind = :kind AND expires_at > clock_timestamp()
        ) < :most AND EXISTS (SELECT FROM account_mails WHERE id = :mail_id)
    """)
    values = {"hash": link_hash, "kind": kind, "user_id": mail.user_id, "email": mail.email, "mail_id": mail.id}
    limits = {"language": mail.language, "lifetime_s": lifetime_s, "most": MOST_LINKS}
    return connection.execute(query, values | limits).rowcount == 1


def withdraw_links(connection: Connection, mail: AccountMail) -> None:
    """Delete the links of a mail that was not accepted."""
    connection.execute(text("DELETE FROM account_links WHERE mail_id = :mail_id"), {"mail_id": mail.id})


def find_link(connection: Connection, link_hash: bytes, *kinds: LinkKind) -> Link | None:
    """Return a link that works: not used, not too old, of an account that still has the address, or is to get it."""
    query = text("""
        SELECT l.kind, l.user_id, l.email, coalesce(l.language, 'en') FROM account_links l
        LEFT JOIN users u ON u.id = l.user_id AND u.disabled_at IS NULL AND (u.email = l.email OR l.kind = 'email')
        WHERE l.hash = :hash AND l.kind = ANY(:kinds) AND l.expires_at > clock_timestamp()
            AND (l.kind = 'signup' OR u.id IS NOT NULL)
    """)
    row = connection.execute(query, {"hash": link_hash, "kinds": list(kinds)}).one_or_none()
    return Link(*row) if row else None


def delete_links(connection: Connection, user_id: UUID) -> None:
    """Make all links of an account useless, also the one that is to be sent to another address."""
    values = {"user_id": user_id}
    connection.execute(text("DELETE FROM account_links WHERE user_id = :user_id"), values)
    waiting = text("DELETE FROM account_mails WHERE user_id = :user_id AND kind IN ('email_change', 'confirmation')")
    connection.execute(waiting, values)


def delete_sign_ups(connection: Connection, email: str) -> None:
    """Make all links of sign-ups useless that were sent, or are to be sent, to an address."""
    values = {"email": email}
    connection.execute(text("DELETE FROM account_links WHERE user_id IS NULL AND email = :email"), values)
    connection.execute(text("DELETE FROM account_mails WHERE email = :email AND kind = 'signup'"), values)
