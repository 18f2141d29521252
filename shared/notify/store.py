"""SQL for the mails that are still to be sent: one row per job, inserted by the statement that ends the job.

A row is deleted when its mail was accepted, was rejected permanently, or could not be sent for a day, and together with
its job or its user.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from shared.notify import outbox_rows
from shared.notify.outbox_rows import NOW

LEASE_S = 300.0
"""Longer than handing over one mail can take, even if the server uses its time limit for each answer."""

FIRST_RETRY_S = 15.0
MAX_RETRY_S = 900.0


@dataclass(frozen=True, slots=True)
class MailImage:
    """A picture of a job: its id, where its files are in the storage, and whether there is a video of its making."""

    id: str
    key: str
    thumbnail_key: str
    size_bytes: int
    has_video: bool = False


@dataclass(frozen=True, slots=True)
class MailClaim:
    """A mail that this process may send, with what it says about its job.

    `attempts` identifies the claim. `n` is how many pictures the job asked for, `images` are those that it has.
    `unsubscribe` is the secret of the one-click unsubscribe, in the alphabet of URLs.
    """

    job_id: UUID
    attempts: int
    email: str
    prompt: str
    state: str
    error_message: str | None
    finished_at: datetime
    requeues: int
    n: int
    images: tuple[MailImage, ...]
    user_id: UUID
    language: str
    unsubscribe: str

    @property
    def image_ids(self) -> list[str]:
        """Return the ids of the job's pictures."""
        return [image.id for image in self.images]


_DUE = text("SELECT coalesce(min(due_at) <= clock_timestamp(), false) FROM mails")

_CLAIM = text(f"""
WITH taken AS (
    UPDATE mails SET attempts = attempts + 1, due_at = clock_timestamp() + make_interval(secs => :lease_s)
    WHERE job_id = (
        SELECT job_id FROM mails WHERE due_at <= {NOW} ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING job_id, attempts
)
SELECT taken.job_id, taken.attempts, u.email, j.prompt, j.state, j.error_message, j.finished_at, j.requeues,
    CAST(j.settings->>'n' AS int) AS n, coalesce((
    SELECT json_agg(
        json_build_array(i.id, i.key, i.thumbnail_key, i.size_bytes, i.timelapse_key IS NOT NULL) ORDER BY i.index
    )
    FROM images i WHERE i.job_id = taken.job_id
), '[]') AS images, u.id AS user_id, u.language, u.mail_secret
FROM taken JOIN jobs j ON j.id = taken.job_id JOIN users u ON u.id = j.user_id
""")


def is_any_due(connection: Connection) -> bool:
    """Return whether a mail is due now."""
    return bool(connection.execute(_DUE).scalar_one())


def claim(connection: Connection) -> MailClaim | None:
    """Claim the mail that has been due for longest, for 5 minutes.

    If the process dies meanwhile, another one claims the mail after that time. A mail that the server had just accepted
    is then sent a second time; none is lost.
    """
    row = connection.execute(_CLAIM, {"lease_s": LEASE_S}).one_or_none()
    if row is None:
        return None
    *fields, images, user_id, language, secret = row
    pictures = tuple(MailImage(*image) for image in images)
    return MailClaim(*[*fields, pictures, user_id, language, bytes(secret).hex()])


def stop(connection: Connection, user_id: UUID, why: str) -> None:
    """Send no more mail to a user's address, also none that waits. The user may ask for mail again."""
    connection.execute(
        text("UPDATE users SET mail_stopped = :why WHERE id = :user_id"), {"user_id": user_id, "why": why}
    )
    query = text("DELETE FROM mails USING jobs WHERE jobs.id = mails.job_id AND jobs.user_id = :user_id")
    connection.execute(query, {"user_id": user_id})


def unsubscribe(connection: Connection, secret: bytes) -> bool:
    """Send no more mail to the user with this secret; return False if no user has it."""
    query = text("UPDATE users SET notify = 'none' WHERE mail_secret = :secret RETURNING id")
    user_id = connection.execute(query, {"secret": secret}).scalar_one_or_none()
    if user_id is not None:
        stop(connection, user_id, "unsubscribed")
    return user_id is not None


def postpone(connection: Connection, job_id: UUID, attempts: int) -> None:
    """Schedule another attempt at a claimed mail: after 15 s, then twice as long each time, up to 15 minutes.

    `attempts` is the claim's, so that a mail that was claimed again meanwhile is not changed.
    """
    delay_s = min(MAX_RETRY_S, FIRST_RETRY_S * 2.0 ** min(attempts - 1, 10))
    outbox_rows.postpone(connection, "mails", job_id, attempts, delay_s)
