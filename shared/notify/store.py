"""SQL for the mails that are still to be sent.

`mails` has one row per job, inserted by the statement that ends the job, `group_mails` one per group of jobs, inserted
when its last job ends. A row is deleted when its mail was accepted, was rejected permanently, or could not be sent for
a day, and together with its job, its group or its user.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection, text

from shared.accounts.account_mails import LEASE_S, AccountMail
from shared.jobs.reasons import MAIL_LIMIT
from shared.jobs.states import Event
from shared.notify import outbox_rows
from shared.notify.mail_events import Refusal
from shared.notify.outbox_rows import NOW, key_of

MailOutbox = Literal["mails", "group_mails"]

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
class MailJob:
    """What a mail says about a job. `n` is how many pictures it asked for, `images` are those that it has.

    `is_training`: it makes a likeness instead of pictures.
    """

    id: str
    prompt: str
    state: str
    error_message: str | None
    n: int
    images: tuple[MailImage, ...]
    is_training: bool = False


@dataclass(frozen=True, slots=True)
class MailClaim:
    """A mail that this process may send, with what it says.

    `id` is that of a job, or of a group in the outbox `group_mails`; `due_at` identifies the claim. `jobs` are those
    that succeeded or failed and whose mail was asked for, `cancelled` is how many others of the group were cancelled.
    `unsubscribe` is the secret of the one-click unsubscribe, in the alphabet of URLs. `confirmed`: the owner of the
    address has opened a link that was sent there.
    """

    outbox: MailOutbox
    id: UUID
    due_at: datetime
    attempts: int
    user_id: UUID
    email: str
    language: str
    unsubscribe: str
    finished_at: datetime
    requeues: int
    cancelled: int
    jobs: tuple[MailJob, ...]
    confirmed: bool

    @property
    def images(self) -> list[MailImage]:
        """Return the pictures of all jobs."""
        return [image for job in self.jobs for image in job.images]


def _claim_of(outbox: MailOutbox, owners: str, jobs: str) -> str:
    """Return the statement that claims a mail of an outbox. owners: the table of its ids; jobs: which it is about."""
    key = key_of(outbox)
    return f"""
WITH taken AS (
    UPDATE {outbox} SET attempts = attempts + 1, due_at = clock_timestamp() + make_interval(secs => :lease_s)
    WHERE {key} = (
        SELECT {key} FROM {outbox} WHERE due_at <= {NOW} ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING {key} AS id, due_at, attempts
)
SELECT taken.id, taken.due_at, taken.attempts, u.id AS user_id, u.email, u.language, u.mail_secret,
    u.confirmed_at IS NOT NULL AS confirmed, about.*
FROM taken JOIN {owners} o ON o.id = taken.id JOIN users u ON u.id = o.user_id CROSS JOIN LATERAL (
    SELECT max(j.finished_at) AS finished_at, coalesce(sum(j.requeues), 0) AS requeues,
        count(*) FILTER (WHERE j.state = 'cancelled') AS cancelled,
        coalesce(json_agg(json_build_array(
            j.id, j.prompt, j.state, j.error_message, CAST(j.settings->>'n' AS int), (
                SELECT coalesce(json_agg(
                    json_build_array(i.id, i.key, i.thumbnail_key, i.size_bytes, i.timelapse_key IS NOT NULL)
                    ORDER BY i.index
                ), '[]') FROM images i WHERE i.job_id = j.id
            ), j.protocols = 'training'
        ) ORDER BY j.id) FILTER (WHERE j.state IN ('succeeded', 'failed')), '[]') AS jobs
    FROM jobs j WHERE {jobs}
) AS about
"""


_CLAIMS = {
    "mails": text(_claim_of("mails", "jobs", "j.id = taken.id")),
    "group_mails": text(
        _claim_of("group_mails", "job_groups", "j.group_id = taken.id AND j.settings->>'notify' = 'email'")
    ),
}


def claim(connection: Connection, outbox: MailOutbox = "mails") -> MailClaim | None:
    """Claim the mail of an outbox that has been due for longest, for 5 minutes.

    If the process dies meanwhile, another one claims the mail after that time. A mail that the server had just accepted
    is then sent a second time; none is lost.
    """
    row = connection.execute(_CLAIMS[outbox], {"lease_s": LEASE_S}).one_or_none()
    if row is None:
        return None
    jobs: list[list[Any]] = row.jobs
    return MailClaim(
        outbox,
        row.id,
        row.due_at,
        row.attempts,
        row.user_id,
        row.email,
        row.language,
        bytes(row.mail_secret).hex(),
        row.finished_at,
        int(row.requeues),
        row.cancelled,
        tuple(map(_read_job, jobs)),
        row.confirmed,
    )


def _read_job(values: list[Any]) -> MailJob:
    job_id, prompt, state, error_message, n, images, is_training = values
    shown = tuple(MailImage(*image) for image in images)
    return MailJob(job_id, prompt, state, error_message, n, shown, is_training)


def stop(connection: Connection, user_id: UUID, why: str) -> None:
    """Send no more mail to a user's address, also none that waits. The user may ask for mail again."""
    connection.execute(
        text("UPDATE users SET mail_stopped = :why WHERE id = :user_id"), {"user_id": user_id, "why": why}
    )
    for query in (
        "DELETE FROM mails m USING jobs o WHERE o.id = m.job_id AND o.user_id = :user_id",
        "DELETE FROM group_mails m USING job_groups o WHERE o.id = m.group_id AND o.user_id = :user_id",
    ):
        connection.execute(text(query), {"user_id": user_id})


def stop_addresses(connection: Connection, refusal: Refusal) -> int:
    """Send no more mail to the users with these addresses; return how many had it.

    What is known already changes nothing, nor does a mail from before a user asked for mail again.
    """
    query = text("""
        SELECT id FROM users WHERE email = ANY(:addresses) AND mail_stopped IS DISTINCT FROM :why
            AND mail_stopped IS DISTINCT FROM 'complained'
            AND (CAST(:sent_at AS timestamptz) IS NULL OR coalesce(mail_resumed_at <= :sent_at, true))
        ORDER BY id FOR UPDATE
    """)
    values = {"addresses": list(refusal.addresses), "why": refusal.why, "sent_at": refusal.sent_at}
    found = list(connection.execute(query, values).scalars())
    for user_id in found:
        stop(connection, user_id, refusal.why)
    return len(found)


def unsubscribe(connection: Connection, secret: bytes) -> bool:
    """Send no more mail to the user with this secret; return False if no user has it."""
    query = text("UPDATE users SET notify = 'none' WHERE mail_secret = :secret RETURNING id")
    user_id = connection.execute(query, {"secret": secret}).scalar_one_or_none()
    if user_id is not None:
        stop(connection, user_id, "unsubscribed")
    return user_id is not None


def drop(connection: Connection, claim: MailClaim | AccountMail) -> None:
    """Delete a claimed mail, unless it was claimed again meanwhile or is about a later end."""
    outbox_rows.drop(connection, claim.outbox, claim.id, claim.due_at)


def postpone(connection: Connection, claim: MailClaim | AccountMail) -> None:
    """Schedule another attempt at a claimed mail: after 15 s, then twice as long each time, up to 15 minutes.

    A mail that was claimed again meanwhile is not changed.
    """
    delay_s = min(MAX_RETRY_S, FIRST_RETRY_S * 2.0 ** min(claim.attempts - 1, 10))
    outbox_rows.postpone(connection, claim.outbox, claim.id, claim.due_at, delay_s)


_DELAYED = text("""
WITH new AS (
    SELECT j.id FROM jobs j WHERE j.id = ANY(:job_ids)
        AND NOT EXISTS (SELECT FROM job_events e WHERE e.job_id = j.id AND e.event = :event)
    ORDER BY j.id FOR UPDATE
), seen AS (
    UPDATE jobs SET version = version + 1 WHERE id IN (SELECT id FROM new) RETURNING id
)
INSERT INTO job_events (job_id, event, detail, code) SELECT id, :event, :message, :code FROM seen
""")


def delay(connection: Connection, claim: MailClaim, delay_s: float) -> None:
    """Postpone a claimed mail, because its address has had too many; the jobs' timelines say so, once."""
    outbox_rows.postpone(connection, claim.outbox, claim.id, claim.due_at, delay_s)
    job_ids = [UUID(job.id) for job in claim.jobs]
    connection.execute(_DELAYED, {"job_ids": job_ids, "event": Event.MAIL_DELAYED.value, **MAIL_LIMIT._asdict()})
