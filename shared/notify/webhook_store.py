"""SQL for the webhooks that are still to be sent: one row per job, inserted by the statement that ends the job.

A row is deleted when its webhook was accepted or given up, and together with its job or its user.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from shared.notify.outbox_rows import NOW

LEASE_S = 120.0
"""Longer than one exchange can take."""


@dataclass(frozen=True, slots=True)
class WebhookClaim:
    """A webhook that this process may send, with what it says about its job. `due_at` identifies the claim.

    `images` are objects with `id`, `index`, `width`, `height` and `seed`.
    """

    job_id: UUID
    due_at: datetime
    attempts: int
    user_id: UUID
    url: str
    secret: bytes
    state: str
    error_code: str | None
    error_message: str | None
    finished_at: datetime
    requeues: int
    images: list[dict[str, Any]]
    claimed_at: datetime


_CLAIM = text(f"""
WITH taken AS (
    UPDATE webhooks SET attempts = attempts + 1, due_at = clock_timestamp() + make_interval(secs => :lease_s)
    WHERE job_id = (
        SELECT job_id FROM webhooks WHERE due_at <= {NOW} AND NOT user_id = ANY(CAST(:busy AS uuid[]))
        ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING job_id, due_at, attempts, user_id, url
)
SELECT taken.job_id, taken.due_at, taken.attempts, taken.user_id, taken.url, u.webhook_secret, j.state, j.error_code,
    j.error_message, j.finished_at, j.requeues, coalesce((
    SELECT json_agg(json_build_object('id', i.id, 'index', i.index, 'width', i.width, 'height', i.height,
        'seed', i.seed) ORDER BY i.index) FROM images i WHERE i.job_id = taken.job_id
), '[]') AS images, clock_timestamp() AS claimed_at
FROM taken JOIN jobs j ON j.id = taken.job_id JOIN users u ON u.id = taken.user_id
""")


def claim(connection: Connection, busy: Collection[UUID]) -> WebhookClaim | None:
    """Claim the webhook that has been due for longest, for 2 minutes; none of a user who is `busy`.

    If the process dies meanwhile, another one sends the webhook after that time, with the same id.
    """
    row = connection.execute(_CLAIM, {"lease_s": LEASE_S, "busy": [str(user_id) for user_id in busy]}).one_or_none()
    if row is None:
        return None
    values: list[Any] = [bytes(value) if isinstance(value, memoryview) else value for value in row]
    return WebhookClaim(*values)


def set_error(connection: Connection, user_id: UUID, code: str | None) -> None:
    """Show in the account how its last webhook ended."""
    query = text("UPDATE users SET webhook_error = :code WHERE id = :user_id AND webhook_error IS DISTINCT FROM :code")
    connection.execute(query, {"user_id": user_id, "code": code})


def forget_url(connection: Connection, user_id: UUID, url: str) -> None:
    """Send no more of the account's webhooks to this URL."""
    query = text("UPDATE users SET webhook_url = NULL WHERE id = :user_id AND webhook_url = :url")
    connection.execute(query, {"user_id": user_id, "url": url})
