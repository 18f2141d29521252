"""The mail that is still to be sent: one row a job, written by `job_store.move` in the statement that ends the job.

A row goes when its mail was taken, refused for good, or could not be sent for a day; and with its job or its user.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

LEASE_S = 300.0
"""Longer than handing over one mail can take, were each answer of the server as late as it may be."""

FIRST_RETRY_S = 15.0
LONGEST_RETRY_S = 900.0

_DUE = text("SELECT EXISTS (SELECT FROM mails WHERE due_at <= clock_timestamp())")

_CLAIM = text("""
WITH taken AS (
    UPDATE mails SET attempts = attempts + 1, due_at = clock_timestamp() + make_interval(secs => :lease_s)
    WHERE job_id = (
        SELECT job_id FROM mails WHERE due_at <= clock_timestamp() ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING job_id, attempts
)
SELECT taken.job_id, taken.attempts, u.email, j.prompt, j.state, j.error_message, j.finished_at, j.requeues,
    CAST(j.settings->>'n' AS int) AS n, coalesce((
    SELECT json_agg(i.id ORDER BY i.index) FROM images i WHERE i.job_id = taken.job_id
), '[]') AS image_ids
FROM taken JOIN jobs j ON j.id = taken.job_id JOIN users u ON u.id = j.user_id
""")


def is_any_due(connection: Connection) -> bool:
    """Whether a mail is to be sent now."""
    return bool(connection.execute(_DUE).scalar_one())


def claim(connection: Connection) -> Row[Any] | None:
    """Take the mail that has been due for longest, with all that it tells of its job; nobody else gets it for 5 min.

    Who dies with it in hand leaves it to the next one after that time, so that a mail which was taken a moment before
    is sent a second time; none is lost.
    """
    return connection.execute(_CLAIM, {"lease_s": LEASE_S}).one_or_none()


def drop(connection: Connection, job_id: UUID, attempts: int) -> None:
    """The mail was taken, or was refused for good. `attempts` is the claim's: the mail about a later ending of the same
    job stays."""
    query = text("DELETE FROM mails WHERE job_id = :job_id AND attempts = :attempts")
    connection.execute(query, {"job_id": job_id, "attempts": attempts})


def postpone(connection: Connection, job_id: UUID, attempts: int) -> None:
    """Have a claimed mail tried again: after 15 s, and each time after twice as long, up to a quarter of an hour.
    `attempts` is the claim's; a mail that was claimed anew meanwhile is left alone."""
    query = text("""
        UPDATE mails SET due_at = clock_timestamp() + make_interval(secs => :delay_s)
        WHERE job_id = :job_id AND attempts = :attempts
    """)
    delay_s = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2.0 ** min(attempts - 1, 10))
    connection.execute(query, {"job_id": job_id, "attempts": attempts, "delay_s": delay_s})


def drop_old(connection: Connection) -> list[UUID]:
    """Give up what could not be sent for a day; return the jobs whose mail that was."""
    query = text("DELETE FROM mails WHERE created_at < clock_timestamp() - interval '1 day' RETURNING job_id")
    return list(connection.execute(query).scalars())
