"""Claims on generating jobs: a worker holds a lease, and writes only under its own attempt token (the fence).

One worker at a time works on a generating job. A lease that has run out means that its worker died.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

from shared.jobs.reasons import Reason
from shared.jobs.records import JobSettings, StoredImage
from shared.jobs.states import LEASE_S, Event
from shared.jobs.store import Lost

# A worker's clock and the database's may differ slightly; a task that comes early must not be lost.
_EARLY_S = 0.1

HIGHEST_PROGRESS = 0.99
"""1 is only for jobs that have succeeded."""


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A generating job that this worker holds for one step.

    `remote_id` is the generator's id of the job, None before it was sent. `crashed`: the worker before died under the
    job, and what it stored is under `lost_token`. `generator_failures`: how often the job's generator has failed since
    it was last healthy; None when it is no longer known. Times ending in `_s` are seconds until now by the database's
    clock.
    """

    id: UUID
    prompt: str
    settings: JobSettings
    generator: str
    remote_id: str | None
    attempts: int
    crashes: int
    requeues: int
    attempt_token: UUID
    created_at: datetime
    cancelling: bool
    progress: float | None
    lost_token: UUID | None
    crashed: bool
    sent_s: float | None
    unreachable_s: float | None
    generator_failures: int | None
    source_keys: tuple[str, ...]

    @property
    def prefix(self) -> str:
        """Return the prefix of the objects that this claim stores."""
        return object_prefix(self.id, self.attempt_token)


@dataclass(frozen=True, slots=True)
class Release:
    """How a step leaves a job that stays at its generator.

    remote_id: the generator accepted the job in this step, which spends an attempt. unreachable: the generator did not
    answer. adapted: which settings the generator does not follow. waiting: why the job cannot continue; the timeline
    gets it once per reason.
    """

    next_step_s: float
    remote_id: str | None = None
    progress: float | None = None
    unreachable: bool = False
    event: Event | None = None
    adapted: Reason | None = None
    waiting: Reason | None = None


@dataclass(frozen=True, slots=True)
class RenewedLease:
    """A claim that is still held; `cancelling` says that its job is to be cancelled."""

    cancelling: bool


def object_prefix(job_id: UUID, attempt_token: UUID) -> str:
    """Return the prefix of the objects that a claim stores."""
    return f"jobs/{job_id}/{attempt_token}/"


_CLAIM = text("""
UPDATE jobs SET
    attempt_token = gen_random_uuid(),
    crashes = crashes + (lease_until IS NOT NULL)::int,
    lease_until = clock_timestamp() + make_interval(secs => :lease_s)
WHERE id = (
    SELECT id FROM jobs
    WHERE id = :job_id AND state = 'generating'
        AND CASE WHEN lease_until IS NULL
            THEN next_step_at <= clock_timestamp() + make_interval(secs => :early_s)
            ELSE lease_until < clock_timestamp() END
    FOR UPDATE SKIP LOCKED
)
RETURNING id, prompt, settings, generator, remote_id, attempts, crashes, requeues, attempt_token, created_at,
    cancel_requested_at IS NOT NULL AS cancelling, progress, old.attempt_token AS lost_token,
    old.lease_until IS NOT NULL AS crashed, extract(epoch FROM clock_timestamp() - sent_at)::float AS sent_s,
    extract(epoch FROM clock_timestamp() - unreachable_since)::float AS unreachable_s,
    (SELECT failures FROM generators g WHERE g.name = jobs.generator) AS generator_failures,
    coalesce((
        SELECT json_agg(upload_key ORDER BY index) FROM job_sources WHERE job_id = jobs.id
    ), '[]') AS source_keys
""")


def _read_claim(row: Row[Any]) -> ClaimedJob:
    columns = dict(row._mapping)
    return ClaimedJob(source_keys=tuple(columns.pop("source_keys")), **columns)


def claim(connection: Connection, job_id: UUID) -> ClaimedJob | None:
    """Claim a generating job whose next step is due; return None when it is not due or another worker holds it."""
    row = connection.execute(_CLAIM, {"job_id": job_id, "lease_s": LEASE_S, "early_s": _EARLY_S}).one_or_none()
    return _read_claim(row) if row else None


def renew(connection: Connection, job_id: UUID, attempt_token: UUID) -> RenewedLease | None:
    """Extend the lease of a claim; return None when the claim is lost."""
    query = text("""
        UPDATE jobs SET lease_until = clock_timestamp() + make_interval(secs => :lease_s)
        WHERE id = :job_id AND attempt_token = :attempt_token AND lease_until IS NOT NULL
        RETURNING cancel_requested_at IS NOT NULL AS cancelling
    """)
    values = {"job_id": job_id, "attempt_token": attempt_token, "lease_s": LEASE_S}
    row = connection.execute(query, values).one_or_none()
    return RenewedLease(row.cancelling) if row else None


def record_processing(connection: Connection, job_id: UUID, attempt_token: UUID) -> None:
    """Show, before the step ends, that the generator works on the job now. Raises Lost."""
    query = text("""
        WITH held AS (
            UPDATE jobs SET progress = coalesce(progress, 0), version = version + 1
            WHERE id = :job_id AND attempt_token = :attempt_token AND state = 'generating' RETURNING id
        ), logged AS (
            INSERT INTO job_events (job_id, event) SELECT id, 'processing' FROM held
        ) SELECT id FROM held
    """)
    if connection.execute(query, {"job_id": job_id, "attempt_token": attempt_token}).one_or_none() is None:
        raise Lost(f"the claim on {job_id} is gone")


_RELEASE = text("""
WITH released AS (
    UPDATE jobs SET
        lease_until = NULL,
        next_step_at = clock_timestamp()
            + CASE WHEN cancel_requested_at IS NULL THEN make_interval(secs => :next_step_s) ELSE interval '0' END,
        remote_id = coalesce(:remote_id, remote_id),
        sent_at = CASE WHEN CAST(:remote_id AS text) IS NULL THEN sent_at ELSE clock_timestamp() END,
        attempts = attempts + (CAST(:remote_id AS text) IS NOT NULL)::int,
        progress = greatest(progress, CAST(:progress AS float)),
        waiting = :waiting,
        unreachable_since = CASE WHEN :unreachable THEN coalesce(unreachable_since, clock_timestamp()) END,
        version = version + (
            CAST(:event AS text) IS NOT NULL
            OR (CAST(:waiting AS text) IS NOT NULL AND waiting IS DISTINCT FROM :waiting)
            OR greatest(progress, CAST(:progress AS float)) IS DISTINCT FROM progress
        )::int
    WHERE id = :job_id AND attempt_token = :attempt_token AND state = 'generating'
    RETURNING id, cancel_requested_at IS NOT NULL AS cancelling,
        waiting IS NOT NULL AND waiting IS DISTINCT FROM old.waiting AND cancel_requested_at IS NULL AS is_new_reason
), logged AS (
    INSERT INTO job_events (job_id, event, detail, code)
    SELECT id, :event, NULL, NULL FROM released WHERE CAST(:event AS text) IS NOT NULL
    UNION ALL SELECT id, 'adapted', :adapted, :adapted_code FROM released WHERE CAST(:adapted AS text) IS NOT NULL
    UNION ALL SELECT id, 'waiting', :waiting, :waiting_code FROM released WHERE is_new_reason
)
SELECT cancelling FROM released
""")


def release(connection: Connection, job_id: UUID, attempt_token: UUID, change: Release) -> float:
    """End a step that leaves the job at its generator; return the seconds until the next one.

    That is 0 when the job is to be cancelled.

    Raises:
        Lost: the claim is gone.
    """
    adapted_code, adapted_words = change.adapted or (None, None)
    waiting_code, waiting_words = change.waiting or (None, None)
    values = {
        "job_id": job_id,
        "attempt_token": attempt_token,
        "next_step_s": change.next_step_s,
        "remote_id": change.remote_id,
        "progress": None if change.progress is None else min(change.progress, HIGHEST_PROGRESS),
        "unreachable": change.unreachable,
        "event": change.event.value if change.event else None,
        "adapted": adapted_words,
        "adapted_code": adapted_code,
        "waiting": waiting_words,
        "waiting_code": waiting_code,
    }
    released = connection.execute(_RELEASE, values).one_or_none()
    if released is None:
        raise Lost(f"the claim on {job_id} is gone")
    return 0 if released.cancelling else change.next_step_s


def append_event(connection: Connection, job_id: UUID, event: Event, reason: Reason) -> None:
    """Append a line to a job's timeline."""
    query = text("""
        WITH seen AS (UPDATE jobs SET version = version + 1 WHERE id = :job_id RETURNING id)
        INSERT INTO job_events (job_id, event, detail, code) SELECT id, :event, :message, :code FROM seen
    """)
    connection.execute(query, {"job_id": job_id, "event": event.value, **reason._asdict()})


def insert_images(connection: Connection, job_id: UUID, images: Sequence[StoredImage]) -> None:
    """Insert the pictures of a job, in the transaction that moves it to SUCCEEDED."""
    query = text("""
        INSERT INTO images (job_id, index, key, thumbnail_key, width, height, size_bytes, seed, description)
        SELECT :job_id, i.* FROM json_to_recordset(CAST(:images AS json)) AS i (
            index int, key text, thumbnail_key text, width int, height int, size_bytes bigint, seed bigint,
            description text
        )
    """)
    connection.execute(query, {"job_id": job_id, "images": json.dumps([asdict(image) for image in images])})
