"""Adding jobs to the database: the statement that queues one, and the idempotency keys that guard it."""

import json
from functools import cache
from uuid import UUID

from psycopg2.errors import UniqueViolation
from sqlalchemy import Connection, TextClause, text
from sqlalchemy.exc import IntegrityError

from shared.accounts.store import STILL_VALID
from shared.jobs.outlook import OUTLOOK
from shared.jobs.records import JobRecord, NewJob, PriorJob, read_queued
from shared.jobs.states import IDEMPOTENCY_KEY_KEPT_H

_KEY_LIMIT = f"now() - interval '{IDEMPOTENCY_KEY_KEPT_H} hours'"
"""SQL: idempotency keys of jobs created before this moment are free again."""

# One statement debits the user's row and inserts the job; a concurrent submit of the same user waits for the row and
# counts again. It returns only what the caller cannot know; the rest of the job's view comes from the request.
_SUBMIT = """
WITH debit AS (
    UPDATE users u SET
        queued = queued + 1,
        quota_used = CASE WHEN quota_day = (now() AT TIME ZONE 'utc')::date THEN quota_used ELSE 0 END + 1,
        quota_day = (now() AT TIME ZONE 'utc')::date,
        next_turn = greatest(next_turn, (SELECT turn FROM queue_clock)) + :cost / weight
    {of_caller} AND disabled_at IS NULL AND queued < :max_queued {unless_prior}
        AND (quota_day <> (now() AT TIME ZONE 'utc')::date OR quota_used < coalesce(jobs_per_day, :jobs_per_day))
    RETURNING u.id AS user_id, notify, quota_day, next_turn - :cost / weight AS turn
), job AS (
    INSERT INTO jobs (user_id, prompt, settings, cost, turn, protocols, quota_day, idempotency_key, fingerprint)
    SELECT user_id, :prompt, CAST(:settings AS jsonb) || jsonb_build_object('notify', coalesce(:notify, notify)),
        :cost, turn, :protocols, quota_day, :idempotency_key, :fingerprint
    FROM debit
    RETURNING id, state, turn, protocols, created_at, finished_at, settings->>'notify' AS notify
), event AS (
    INSERT INTO job_events (job_id, event, at) SELECT id, 'accepted', created_at FROM job
){source}
SELECT j.id, j.created_at, j.notify, {outlook} FROM job j
"""
_UNLESS_PRIOR = f"""AND NOT EXISTS (
        SELECT FROM jobs
        WHERE user_id = u.id AND idempotency_key = :idempotency_key
            AND created_at > {_KEY_LIMIT}
    )"""
_SOURCE = """, source AS (
    INSERT INTO job_sources (job_id, index, upload_key)
    SELECT job.id, given.index - 1, given.key
    FROM job, unnest(CAST(:source_keys AS text[])) WITH ORDINALITY AS given (key, index)
)"""
_OF_CALLER_BY_ID = "WHERE u.id = :user_id"
_OF_CALLER_BY_TOKEN = f"FROM tokens t WHERE {STILL_VALID} AND u.id = t.user_id"


@cache
def _submit_statement(*, by_token: bool, with_key: bool, with_sources: bool) -> TextClause:
    """Build the statement from only the parts that this job needs: Postgres plans it again each time."""
    return text(
        _SUBMIT.format(
            of_caller=_OF_CALLER_BY_TOKEN if by_token else _OF_CALLER_BY_ID,
            unless_prior=_UNLESS_PRIOR if with_key else "",
            source=_SOURCE if with_sources else "",
            outlook=OUTLOOK,
        )
    )


def queue(
    connection: Connection, caller: UUID | bytes, job: NewJob, *, max_queued: int, jobs_per_day: int
) -> JobRecord | None:
    """Queue the job and debit its user; return the queued job.

    caller: the user's id, or the hash of a token that may be theirs, which saves a round trip. Returns None when a
    limit or an earlier request with the same key prevents it, the token is not valid, or the account is disabled.
    """
    by_token = isinstance(caller, bytes)
    values = {
        "token_hash" if by_token else "user_id": caller,
        "prompt": job.prompt,
        "notify": job.settings["notify"],
        "settings": json.dumps(job.settings),
        "cost": job.cost,
        "protocols": job.protocols,
        "idempotency_key": job.idempotency_key,
        "fingerprint": job.fingerprint,
        "max_queued": max_queued,
        "jobs_per_day": jobs_per_day,
    }
    if job.source_keys:
        values["source_keys"] = list(job.source_keys)
    statement = _submit_statement(
        by_token=by_token, with_key=job.idempotency_key is not None, with_sources=bool(job.source_keys)
    )
    try:
        row = connection.execute(statement, values).one_or_none()
    except IntegrityError as error:
        if not isinstance(error.orig, UniqueViolation):
            raise
        # Another request has the same key at the same moment, or a stale key still holds it. Nothing was written.
        return None
    return read_queued(job, row) if row else None


def find_by_idempotency_key(connection: Connection, user_id: UUID, key: str) -> PriorJob | None:
    """Return the job that this key made, while the key is kept."""
    query = text(
        "SELECT id, fingerprint FROM jobs WHERE user_id = :user_id AND idempotency_key = :key"
        f" AND created_at > {_KEY_LIMIT}"
    )
    row = connection.execute(query, {"user_id": user_id, "key": key}).one_or_none()
    return PriorJob(row.id, bytes(row.fingerprint)) if row else None


def free_stale_key(connection: Connection, user_id: UUID, key: str) -> None:
    """Let a key that is no longer kept be used again."""
    query = text(
        "UPDATE jobs SET idempotency_key = NULL WHERE user_id = :user_id AND idempotency_key = :key"
        f" AND created_at <= {_KEY_LIMIT}"
    )
    connection.execute(query, {"user_id": user_id, "key": key})
