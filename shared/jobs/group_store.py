"""Groups of jobs in the database. Functions over a connection."""

from uuid import UUID

from sqlalchemy import Connection, text

from shared.core import garbage, locks
from shared.core.db import fetch
from shared.jobs.records import JOB_IMAGES, JobRecord, read_job, utc
from shared.jobs.states import State

ARCHIVES = "archives/"
"""The folder of the groups' ZIP files in the storage."""

_CREATED_AT = f"SELECT {utc('created_at')} FROM job_groups WHERE id = %(group_id)s AND user_id = %(user_id)s"

# As the SQL function `shown_jobs`: the places of all waiting jobs take one look at the queue.
_JOBS = f"""
WITH page AS MATERIALIZED (
    SELECT * FROM jobs WHERE group_id = %(group_id)s AND user_id = %(user_id)s
), places AS MATERIALIZED (
    SELECT a.id, a.jobs, a.cost, a.is_estimate
    FROM (SELECT array_agg(id) AS ids, array_agg(turn) AS turns FROM page WHERE state = 'queued') q,
        queue_ahead(q.ids, q.turns) a
)
SELECT CAST(j.id AS text), j.state, j.prompt, CAST(j.settings AS text), j.cost, j.progress, j.error_code,
    j.error_message, j.published_at IS NOT NULL AND j.taken_down_at IS NULL, {utc("j.created_at")},
    {utc("j.started_at")}, {utc("j.finished_at")}, {JOB_IMAGES},
    CASE WHEN a.id IS NOT NULL THEN json_build_array(
        a.jobs, (a.jobs * p.fixed_s + a.cost * p.pace) / p.seconds_per_cost, a.is_estimate
    ) END, p.seconds_per_cost, p.places, CAST(extract(epoch FROM clock_timestamp() - j.started_at) AS float), NULL,
    CAST(j.group_id AS text)
FROM page j LEFT JOIN places a ON a.id = j.id
    CROSS JOIN LATERAL job_pace(j.state, j.protocols, j.generator, j.cost, j.finished_at) p
ORDER BY j.id
"""


def find_created_at(connection: Connection, group_id: UUID, user_id: UUID) -> str | None:
    """Return when a user's own group was made, as RFC 3339; None if there is no such group."""
    rows = fetch(connection, _CREATED_AT, {"group_id": group_id, "user_id": user_id})
    return str(rows[0][0]) if rows else None


def list_views(connection: Connection, group_id: UUID, user_id: UUID) -> list[JobRecord]:
    """Return the jobs of a user's own group, in the order of their requests."""
    return [read_job(row) for row in fetch(connection, _JOBS, {"group_id": group_id, "user_id": user_id})]


def lock_waiting(connection: Connection, group_id: UUID) -> list[UUID]:
    """Return the group's jobs that are at no generator yet; they do not move until the transaction ends."""
    query = text(
        "SELECT id FROM jobs WHERE group_id = :group_id AND state IN ('held', 'queued') ORDER BY id FOR UPDATE"
    )
    return list(connection.execute(query, {"group_id": group_id}).scalars())


def list_generating(connection: Connection, group_id: UUID) -> list[UUID]:
    """Return the group's jobs that are at a generator."""
    query = text("SELECT id FROM jobs WHERE group_id = :group_id AND state = 'generating' ORDER BY id")
    return list(connection.execute(query, {"group_id": group_id}).scalars())


def is_unfinished(connection: Connection, group_id: UUID) -> bool:
    """Return whether a job of the group has not ended."""
    query = text("SELECT EXISTS (SELECT FROM jobs WHERE group_id = :group_id AND NOT state = ANY(:finished))")
    values = {"group_id": group_id, "finished": [state.value for state in State if state.finished]}
    return bool(connection.execute(query, values).scalar_one())


def delete(connection: Connection, group_id: UUID) -> None:
    """Delete a group whose jobs have all ended, with these, and make their objects garbage."""
    query = text("SELECT id FROM jobs WHERE group_id = :group_id")
    job_ids = list(connection.execute(query, {"group_id": group_id}).scalars())
    locks.lock_for_deletion(connection, job_ids)
    connection.execute(text("DELETE FROM jobs WHERE id = ANY(:job_ids)"), {"job_ids": job_ids})
    garbage.discard(connection, f"{ARCHIVES}{group_id}/", *(f"jobs/{job_id}/" for job_id in job_ids))
    connection.execute(text("DELETE FROM job_groups WHERE id = :group_id"), {"group_id": group_id})
