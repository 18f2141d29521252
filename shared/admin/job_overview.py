"""What operators see of all users' jobs. Reads only."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text

from shared.core.errors import NotFound, Unavailable
from shared.jobs.records import JOB_IMAGES, JobImage, JobSettings, TimelineEntry, read_images
from shared.jobs.states import State
from shared.services import Services


@dataclass(frozen=True, slots=True)
class JobOverview:
    """A job in a list, without its prompt.

    `position` is its number in the queue, counted up to 1,001 and estimated further back. `reason` is why it waits or
    failed.
    """

    id: UUID
    state: State
    email: str
    age_s: float
    position: int | None
    generator: str | None
    attempts: int
    requeues: int
    reason: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SourceUpload:
    """A start picture of a job, with its announced size."""

    key: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class JobDetail:
    """Everything that is known of a job.

    `lease_s` and `next_step_s` are seconds from now and may be negative. `object_sizes` are the objects stored under
    the job's prefix, by key, with their sizes in bytes; None if the storage does not answer. `position` as in
    JobOverview.
    """

    id: UUID
    state: State
    email: str
    user_disabled: bool
    prompt: str
    settings: JobSettings
    protocols: list[str]
    quota_day: date
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error_code: str | None
    error_message: str | None
    waiting: str | None
    position: int | None
    generator: str | None
    remote_id: str | None
    sent_at: datetime | None
    progress: float | None
    attempts: int
    crashes: int
    requeues: int
    lease_until: datetime | None
    lease_s: float | None
    next_step_at: datetime | None
    next_step_s: float | None
    unreachable_since: datetime | None
    cancel_requested_at: datetime | None
    published_at: datetime | None
    taken_down_at: datetime | None
    timeline: tuple[TimelineEntry, ...]
    images: tuple[JobImage, ...]
    source_uploads: tuple[SourceUpload, ...]
    object_sizes: dict[str, int] | None


# A queued job waits for what holds up its kind; a generating one has a reason in its row.
_WAITING = """CASE WHEN {job}.state = 'queued' THEN (
        SELECT message FROM wait_reasons w WHERE w.protocols = {job}.protocols AND w.ended_at IS NULL
    ) ELSE {job}.waiting END"""

_JOBS = text(f"""
WITH page AS (
    SELECT j.*, u.email FROM jobs j JOIN users u ON u.id = j.user_id
    WHERE (CAST(:state AS text) IS NULL OR j.state = :state)
        AND (CAST(:user_id AS uuid) IS NULL OR j.user_id = :user_id)
        AND (CAST(:generator AS text) IS NULL OR j.generator = :generator)
        -- An id contains the time of its job, and is what the rows are ordered by.
        AND (CAST(:older_than_s AS float) IS NULL
            OR j.id < (SELECT uuidv7(make_interval(secs => -CAST(:older_than_s AS float)))))
    ORDER BY j.id DESC LIMIT :limit
), queue AS MATERIALIZED (
    SELECT a.id, a.jobs + 1 AS position
    FROM (SELECT array_agg(id) AS ids, array_agg(turn) AS turns FROM page WHERE state = 'queued') q,
        queue_ahead(q.ids, q.turns) a
)
SELECT p.id, p.state, p.email, extract(epoch FROM clock_timestamp() - p.created_at)::float AS age_s, q.position,
    p.generator, p.attempts, p.requeues, coalesce(p.error_message, {_WAITING.format(job="p")}) AS reason, p.created_at
FROM page p LEFT JOIN queue q ON q.id = p.id ORDER BY p.id DESC
""")

# Named as JobDetail's fields; the last three columns are JSON arrays.
_JOB = text(f"""
SELECT j.id, j.state, u.email, u.disabled_at IS NOT NULL AS user_disabled, j.prompt, j.settings,
    string_to_array(j.protocols, ',') AS protocols, j.quota_day, j.created_at, j.started_at, j.finished_at,
    j.error_code, j.error_message, {_WAITING.format(job="j")} AS waiting,
    CASE WHEN j.state = 'queued' THEN (
        SELECT a.jobs + 1 FROM queue_place(j.id, j.turn) a
    ) END AS position,
    j.generator, j.remote_id, j.sent_at, j.progress, j.attempts, j.crashes, j.requeues,
    j.lease_until, extract(epoch FROM j.lease_until - clock_timestamp())::float AS lease_s,
    j.next_step_at, extract(epoch FROM j.next_step_at - clock_timestamp())::float AS next_step_s,
    j.unreachable_since, j.cancel_requested_at, j.published_at, j.taken_down_at,
    coalesce((SELECT t.entries FROM job_timeline(j.id, j.state, j.protocols) t), '[]') AS timeline,
    {JOB_IMAGES},
    coalesce((
        SELECT json_agg(json_build_array(s.upload_key, up.size_bytes) ORDER BY s.index)
        FROM job_sources s JOIN uploads up ON up.key = s.upload_key WHERE s.job_id = j.id
    ), '[]') AS source_uploads
FROM jobs j JOIN users u ON u.id = j.user_id WHERE j.id = :job_id
""")


def list_jobs(
    services: Services,
    *,
    state: State | None = None,
    user_id: UUID | None = None,
    generator: str | None = None,
    older_than_s: float | None = None,
    limit: int,
) -> list[JobOverview]:
    """Return the latest jobs that match all the filters, newest first."""
    values = {
        "state": state.value if state else None,
        "user_id": user_id,
        "generator": generator,
        "older_than_s": older_than_s,
        "limit": limit,
    }
    with services.db.statement() as connection:
        rows = connection.execute(_JOBS, values).all()
    return [JobOverview(job_id, State(found), *columns) for job_id, found, *columns in rows]


def get_job(services: Services, job_id: UUID) -> JobDetail:
    """Return everything that the database and the storage know of a job.

    Raises:
        NotFound: There is no such job.
    """
    with services.db.statement() as connection:
        row = connection.execute(_JOB, {"job_id": job_id}).one_or_none()
    if row is None:
        raise NotFound
    sizes: dict[str, int] | None
    try:
        sizes = services.storage.sizes_bytes(f"jobs/{job_id}/")
    except Unavailable:
        sizes = None
    built = {
        "state": State(row.state),
        "timeline": tuple(TimelineEntry(**entry) for entry in row.timeline),
        "images": read_images(row.images),
        "source_uploads": tuple(SourceUpload(*upload) for upload in row.source_uploads),
    }
    return JobDetail(**{**row._mapping, **built}, object_sizes=sizes)
