"""What operators see of everybody's jobs, of the accounts and of the generators. Nothing is changed here."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

# The queue is numbered as one, in a single pass over its index, and only where a row of the page waits in it.
_JOBS = text("""
WITH page AS (
    SELECT j.*, u.email FROM jobs j JOIN users u ON u.id = j.user_id
    WHERE (CAST(:state AS text) IS NULL OR j.state = :state)
        AND (CAST(:user_id AS uuid) IS NULL OR j.user_id = :user_id)
        AND (CAST(:generator AS text) IS NULL OR j.generator = :generator)
        AND (CAST(:older_than_s AS float) IS NULL
            OR j.created_at < clock_timestamp() - make_interval(secs => :older_than_s))
    ORDER BY j.id DESC LIMIT :limit
), queue AS (
    SELECT id, row_number() OVER (ORDER BY turn, id) AS position FROM jobs
    WHERE state = 'queued' AND EXISTS (SELECT FROM page WHERE page.state = 'queued')
)
SELECT p.id, p.state, p.email, extract(epoch FROM clock_timestamp() - p.created_at)::float AS age_s, q.position,
    p.generator, p.attempts, p.requeues, coalesce(p.error_message, p.waiting) AS reason, p.created_at
FROM page p LEFT JOIN queue q ON q.id = p.id ORDER BY p.id DESC
""")

_JOB = text("""
SELECT j.*, u.email, u.disabled_at IS NOT NULL AS user_disabled,
    CASE WHEN j.state = 'queued' THEN (
        SELECT count(*) + 1 FROM jobs q WHERE q.state = 'queued' AND (q.turn, q.id) < (j.turn, j.id)
    ) END AS position,
    extract(epoch FROM j.lease_until - clock_timestamp())::float AS lease_s,
    extract(epoch FROM j.next_step_at - clock_timestamp())::float AS next_step_s,
    coalesce((
        SELECT json_agg(json_build_array(
            to_char(at AT TIME ZONE 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), event, detail, code
        ) ORDER BY id) FROM job_events WHERE job_id = j.id
    ), '[]') AS timeline,
    coalesce((
        SELECT json_agg(json_build_array(id, key, thumbnail_key, width, height, seed) ORDER BY index)
        FROM images WHERE job_id = j.id
    ), '[]') AS images,
    coalesce((
        SELECT json_agg(json_build_array(s.upload_key, up.size_bytes) ORDER BY s.index)
        FROM job_sources s JOIN uploads up ON up.key = s.upload_key WHERE s.job_id = j.id
    ), '[]') AS sources
FROM jobs j JOIN users u ON u.id = j.user_id WHERE j.id = :job_id
""")

_USERS = text("""
SELECT id, email, created_at, queued, running, weight, jobs_per_day, disabled_at, disabled_reason,
    CASE WHEN quota_day = (now() AT TIME ZONE 'utc')::date THEN quota_used ELSE 0 END AS used_today
FROM users WHERE CAST(:search AS text) IS NULL OR strpos(email, :search) > 0
ORDER BY id DESC LIMIT :limit
""")

_GENERATORS = text("""
SELECT g.name, g.protocol, g.max_in_flight, g.failures, g.retry_at, g.last_error,
    (SELECT count(*) FROM jobs j WHERE j.state = 'generating' AND j.generator = g.name) AS in_flight
FROM generators g ORDER BY g.name
""")


def list_jobs(
    connection: Connection,
    *,
    state: str | None,
    user_id: UUID | None,
    generator: str | None,
    older_than_s: float | None,
    limit: int,
) -> list[Row[Any]]:
    """The latest jobs of these kinds, the latest first (id, state, email, age_s, position, generator, attempts,
    requeues, reason, created_at). `reason` is why one waits or has failed; nobody's prompt is among it."""
    values = {"state": state, "user_id": user_id, "generator": generator, "older_than_s": older_than_s, "limit": limit}
    return list(connection.execute(_JOBS, values))


def find_job(connection: Connection, job_id: UUID) -> Row[Any] | None:
    """All that the database knows of a job: its columns and email, user_disabled, position, lease_s and next_step_s
    (seconds from now), timeline ([at, event, detail, code], the oldest first), images ([id, key, thumbnail_key, width,
    height, seed]), sources ([key, size in bytes])."""
    return connection.execute(_JOB, {"job_id": job_id}).one_or_none()


def list_users(connection: Connection, *, search: str | None, limit: int) -> list[Row[Any]]:
    """The latest accounts whose address holds the text (id, email, created_at, queued, running, weight, jobs_per_day,
    disabled_at, disabled_reason, used_today)."""
    return list(connection.execute(_USERS, {"search": search, "limit": limit}))


def list_generators(connection: Connection) -> list[Row[Any]]:
    """The generators as the poller knows them (name, protocol, max_in_flight, failures, retry_at, last_error,
    in_flight)."""
    return list(connection.execute(_GENERATORS))


def list_unfinished(connection: Connection, user_id: UUID) -> list[UUID]:
    """The jobs of a user that have not finished and are not being cancelled yet."""
    query = text("""
        SELECT id FROM jobs WHERE user_id = :user_id AND state IN ('queued', 'generating')
            AND cancel_requested_at IS NULL ORDER BY id
    """)
    return list(connection.execute(query, {"user_id": user_id}).scalars())
