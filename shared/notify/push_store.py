"""SQL for the site's push keys, and for the notifications of browsers: one row per subject and browser.

A row is deleted when it was accepted or given up, and together with its job or its subscription.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from shared.notify.outbox_rows import NOW

LEASE_S = 120.0
"""Longer than one exchange can take."""


class PushKeys(NamedTuple):
    """The private and the public key as PEM, and the public one as browsers want it (base64url)."""

    private_key: bytes
    public_key: bytes
    application_key: str


@dataclass(frozen=True, slots=True)
class PushClaim:
    """A notification that this process may send. `due_at` identifies the claim.

    `group_id` is that of the job, if it has one, and `unfinished` how many jobs of the group have not ended.
    `is_training`: the job makes a likeness instead of pictures.
    """

    subject: UUID
    subscription_id: UUID
    due_at: datetime
    attempts: int
    job_id: UUID
    user_id: UUID
    endpoint: str
    p256dh: str
    auth: str
    language: str
    state: str
    group_id: UUID | None
    unfinished: int
    is_training: bool = False


_CLAIM = text(f"""
WITH taken AS (
    UPDATE pushes SET attempts = attempts + 1, due_at = clock_timestamp() + make_interval(secs => :lease_s)
    WHERE (subject, subscription_id) = (
        SELECT p.subject, p.subscription_id FROM pushes p JOIN push_subscriptions s ON s.id = p.subscription_id
        WHERE p.due_at <= {NOW} AND NOT s.user_id = ANY(CAST(:busy AS uuid[]))
        ORDER BY p.due_at LIMIT 1 FOR UPDATE OF p SKIP LOCKED
    )
    RETURNING subject, subscription_id, due_at, attempts, job_id
)
SELECT taken.subject, taken.subscription_id, taken.due_at, taken.attempts, taken.job_id, s.user_id, s.endpoint,
    s.p256dh, s.auth, u.language, j.state, j.group_id, (
        SELECT count(*) FROM jobs o
        WHERE o.group_id = j.group_id AND o.state IN ('held', 'queued', 'generating')
    ) AS unfinished, j.protocols = 'training' AS is_training
FROM taken JOIN push_subscriptions s ON s.id = taken.subscription_id JOIN users u ON u.id = s.user_id
    JOIN jobs j ON j.id = taken.job_id
""")

_OF_CLAIM = "subject = :subject AND subscription_id = :subscription_id AND due_at = :due_at"


def find_keys(connection: Connection) -> PushKeys | None:
    """Return the site's keys, None if none were made yet."""
    row = connection.execute(text("SELECT private_key, public_key, application_key FROM push_keys")).one_or_none()
    return None if row is None else PushKeys(bytes(row.private_key), bytes(row.public_key), row.application_key)


def keep_keys(connection: Connection, keys: PushKeys) -> PushKeys:
    """Keep the keys unless another process was first; return those that are kept."""
    query = text("""
        INSERT INTO push_keys (single, private_key, public_key, application_key)
        VALUES (true, :private_key, :public_key, :application_key)
        ON CONFLICT (single) DO UPDATE SET single = true RETURNING private_key, public_key, application_key
    """)
    row = connection.execute(query, keys._asdict()).one()
    return PushKeys(bytes(row.private_key), bytes(row.public_key), row.application_key)


def claim(connection: Connection, busy: Collection[UUID]) -> PushClaim | None:
    """Claim the push that has been due for longest, for 2 minutes; none to a user who is `busy`."""
    row = connection.execute(_CLAIM, {"lease_s": LEASE_S, "busy": [str(user_id) for user_id in busy]}).one_or_none()
    return PushClaim(*row) if row else None


def drop(connection: Connection, claimed: PushClaim) -> None:
    """Delete a claimed row, unless another job of the same group has ended since."""
    connection.execute(text(f"DELETE FROM pushes WHERE {_OF_CLAIM}"), _values(claimed))


def postpone(connection: Connection, claimed: PushClaim, delay_s: float) -> None:
    """Schedule another attempt, unless the row was claimed again, or is due again."""
    query = text(f"""
        UPDATE pushes SET due_at = clock_timestamp() + make_interval(secs => :delay_s) WHERE {_OF_CLAIM}
    """)
    connection.execute(query, _values(claimed) | {"delay_s": delay_s})


def drop_subscription(connection: Connection, subscription_id: UUID) -> None:
    """Forget a browser and its notifications that are not sent yet."""
    connection.execute(text("DELETE FROM push_subscriptions WHERE id = :id"), {"id": subscription_id})


def _values(claimed: PushClaim) -> dict[str, object]:
    return {
        "subject": claimed.subject,
        "subscription_id": claimed.subscription_id,
        "due_at": claimed.due_at,
    }
