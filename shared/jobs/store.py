"""The jobs in the database. Functions over a connection; every time is the database's.

`move` is the one way in which a job changes its state, and `submit` the one way in which it begins.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, TextClause, text

from shared.accounts.store import CALLER, STILL_VALID
from shared.core import garbage
from shared.jobs.reasons import Reason
from shared.jobs.records import JOB_IMAGES
from shared.jobs.states import Event, State, sources


class Lost(Exception):
    """The guarded write found the job in another state, or claimed by somebody else. Nothing was written."""


@dataclass(frozen=True)
class NewJob:
    """A checked request, ready to be queued. `protocols` are those that can make it, as `abilities.able` writes them.
    `fingerprint` is a hash of the request, where it has an idempotency key. A
    `notify` of None among the settings stands for the account's default."""

    prompt: str
    settings: dict[str, Any]
    cost: float
    protocols: str
    source_keys: tuple[str, ...]
    idempotency_key: str | None
    fingerprint: bytes


PUBLIC = "j.published_at IS NOT NULL AND j.taken_down_at IS NULL"

# Position and pace are reckoned only for jobs that have not finished; `ahead` is [jobs, their cost].
_OUTLOOK = """
    CASE WHEN j.state = 'queued' THEN (
        SELECT json_build_array(count(*), coalesce(sum(q.cost), 0)) FROM jobs q
        WHERE q.state = 'queued' AND (q.turn, q.id) < (j.turn, j.id)
    ) END AS ahead,
    CASE WHEN j.finished_at IS NULL THEN (SELECT seconds_per_cost FROM queue_clock) END AS seconds_per_cost,
    CASE WHEN j.state = 'queued' THEN (
        SELECT sum(max_in_flight) FROM generators WHERE retry_at IS NULL AND strpos(j.protocols, protocol) > 0
    ) END AS places
"""

# What a job looks like from outside, in one row.
_VIEW = """
SELECT j.id, j.state, j.prompt, j.settings, j.cost, j.progress, j.error_code, j.error_message,
    {public} AS public, j.created_at, j.started_at, j.finished_at,
    {images}, {outlook},
    extract(epoch FROM clock_timestamp() - j.started_at) AS running_s
    {timeline}
FROM jobs j
"""
_TIMELINE = """, (
    SELECT json_agg(json_build_array(
        to_char(at AT TIME ZONE 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), event, detail, code
    ) ORDER BY id) FROM job_events WHERE job_id = j.id
) AS timeline"""


# A user's row is debited and the job written in one statement: who comes second waits for the row, then counts again.
# It answers only what the caller cannot know: the job's view is put together from that and the request.
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
_UNLESS_PRIOR = """AND NOT EXISTS (
        SELECT FROM jobs
        WHERE user_id = u.id AND idempotency_key = :idempotency_key
            AND created_at > now() - interval '24 hours'
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
    """Only the parts that this job needs: Postgres plans the statement anew each time."""
    return text(
        _SUBMIT.format(
            of_caller=_OF_CALLER_BY_TOKEN if by_token else _OF_CALLER_BY_ID,
            unless_prior=_UNLESS_PRIOR if with_key else "",
            source=_SOURCE if with_sources else "",
            outlook=_OUTLOOK,
        )
    )


def submit(
    connection: Connection, caller: UUID | bytes, job: NewJob, *, max_queued: int, jobs_per_day: int
) -> Row[Any] | None:
    """Queue the job and debit its user; return (id, created_at, notify, ahead, seconds_per_cost, places).

    caller: the user's id, or the hash of a token that may be theirs, which spares a round trip. None when a limit or an
    earlier request of the same key stands against it, nobody has that token, or the account is disabled.
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
    return connection.execute(statement, values).one_or_none()


def find_by_idempotency_key(connection: Connection, user_id: UUID, key: str) -> Row[Any] | None:
    """The job (id, fingerprint) that this key made in the last 24 hours."""
    query = text(
        "SELECT id, fingerprint FROM jobs WHERE user_id = :user_id AND idempotency_key = :key"
        " AND created_at > now() - interval '24 hours'"
    )
    return connection.execute(query, {"user_id": user_id, "key": key}).one_or_none()


def free_stale_key(connection: Connection, user_id: UUID, key: str) -> None:
    """Let a key of more than 24 hours ago be used again."""
    query = text(
        "UPDATE jobs SET idempotency_key = NULL WHERE user_id = :user_id AND idempotency_key = :key"
        " AND created_at <= now() - interval '24 hours'"
    )
    connection.execute(query, {"user_id": user_id, "key": key})


_GET = (
    _VIEW.format(public=PUBLIC, images=JOB_IMAGES, outlook=_OUTLOOK, timeline=_TIMELINE)
    + "WHERE j.id = :job_id AND j.user_id = "
)
_GET_OF_USER = text(_GET + ":user_id")
_GET_OF_TOKEN = text(_GET + f"({CALLER})")

# Case is folded by Postgres' own table, whatever the locale of the database. The coalesce keeps the planner from
# guessing that words are rare and reading everything: it walks the user's jobs from the newest one on, and stops when
# the page is full.
_LIST = text(
    _VIEW.format(public=PUBLIC, images=JOB_IMAGES, outlook=_OUTLOOK, timeline="")
    + """
WHERE j.user_id = :user_id AND (CAST(:state AS text) IS NULL OR j.state = :state)
    AND (CAST(:before AS uuid) IS NULL OR j.id < :before)
    AND (CAST(:patterns AS text[]) IS NULL OR coalesce(casefold(j.prompt COLLATE pg_unicode_fast) LIKE ALL (ARRAY(
        SELECT casefold(pattern COLLATE pg_unicode_fast) FROM unnest(CAST(:patterns AS text[])) AS pattern
    )), false))
ORDER BY j.id DESC LIMIT :limit
"""
)
_AS_WRITTEN = str.maketrans({wild: f"\\{wild}" for wild in "%_\\"})


def find_view(connection: Connection, job_id: UUID, user_id: UUID) -> Row[Any] | None:
    """A user's own job with everything that its view shows."""
    return connection.execute(_GET_OF_USER, {"job_id": job_id, "user_id": user_id}).one_or_none()


def find_view_by_token(connection: Connection, job_id: UUID, token_hash: bytes) -> Row[Any] | None:
    """The same for the user whose valid token has this hash, in one round trip: the call that waiting pages repeat."""
    return connection.execute(_GET_OF_TOKEN, {"job_id": job_id, "token_hash": token_hash}).one_or_none()


def list_views(
    connection: Connection,
    user_id: UUID,
    *,
    state: str | None,
    words: Collection[str] = (),
    before: UUID | None,
    limit: int,
) -> list[Row[Any]]:
    """A page of a user's jobs whose prompts hold all these words in any case, newest first, without timelines."""
    patterns = [f"%{word.translate(_AS_WRITTEN)}%" for word in words]
    values = {"user_id": user_id, "state": state, "patterns": patterns or None, "before": before, "limit": limit}
    return list(connection.execute(_LIST, values))


def list_signs(connection: Connection, job_ids: list[UUID]) -> dict[UUID, str]:
    """For each job that is still there a sign that changes when the job does, or its place in the queue."""
    query = text("""
        SELECT id, version || CASE state WHEN 'queued' THEN (SELECT ' ' || turn FROM queue_clock) ELSE '' END AS sign
        FROM jobs WHERE id = ANY(:job_ids)
    """)
    return {row.id: row.sign for row in connection.execute(query, {"job_ids": job_ids})}


# One UPDATE, guarded by the states from which the move is legal and, where the mover holds a claim, by its token. In
# the same statement: the user's counts, the timeline, the wish to look at the job again, and at its end the mail.
_MOVE = """
WITH moved AS (
    UPDATE jobs SET
        state = :to,
        version = version + 1,
        progress = CASE WHEN :to = 'succeeded' THEN 1 ELSE progress END,
        waiting = NULL,
        generator = CASE WHEN :to = 'queued' THEN NULL ELSE coalesce(:generator, generator) END,
        remote_id = CASE WHEN :to IN ('queued', 'generating') THEN NULL ELSE remote_id END,
        sent_at = CASE WHEN :to IN ('queued', 'generating') THEN NULL ELSE sent_at END,
        {attempts},
        attempt_token = NULL,
        lease_until = NULL,
        unreachable_since = NULL,
        next_step_at = CASE WHEN :to = 'generating' THEN clock_timestamp() END,
        finished_at = CASE WHEN :finished THEN clock_timestamp() END,
        error_code = :error_code,
        error_message = :error_message
    WHERE id = :job_id AND state = ANY(:sources)
        AND (CAST(:token AS uuid) IS NULL OR attempt_token = :token)
        AND (:to NOT IN ('succeeded', 'queued') OR cancel_requested_at IS NULL)
    RETURNING id, user_id, quota_day, turn, cost, settings, old.state AS was
), counted AS (
    UPDATE users u SET
        queued = queued - (was = 'queued')::int + (:to = 'queued')::int,
        running = running - (was = 'generating')::int + (:to = 'generating')::int,
        quota_used = quota_used
            + ((was = 'failed')::int - (:to IN ('failed', 'cancelled'))::int) * (u.quota_day = moved.quota_day)::int
            {turn}
    FROM moved WHERE u.id = moved.user_id
), told AS (
    INSERT INTO job_events (job_id, event, detail, code) SELECT id, :event, :detail, :code FROM moved
){mail}
SELECT user_id, turn, cost, was FROM moved
"""
_GO_ON = """attempts = attempts + :attempts,
        started_at = CASE WHEN :to = 'generating' THEN coalesce(started_at, clock_timestamp()) ELSE started_at END"""
# The turn is read without a lock, since a job is always locked before its user: two jobs that are put back at the same
# moment may stand at the same place.
_BEGIN_ANEW = """attempts = 0, crashes = 0, requeues = requeues + 1, started_at = NULL,
        turn = greatest((SELECT next_turn FROM users WHERE id = jobs.user_id), (SELECT turn FROM queue_clock))"""
_NEXT_TURN = ", next_turn = greatest(next_turn, moved.turn) + moved.cost / weight"
# Only the latest ending is told.
_UNSENT = """, unsent AS (
    DELETE FROM mails WHERE job_id IN (SELECT id FROM moved)
)"""
_MAIL = """, mail AS (
    INSERT INTO mails (job_id) SELECT id FROM moved WHERE settings->>'notify' = 'email'
)"""
_MOVE_ON = text(_MOVE.format(attempts=_GO_ON, turn="", mail=""))
_MOVE_TO_THE_END = text(_MOVE.format(attempts=_GO_ON, turn="", mail=_MAIL))
_REQUEUE = text(_MOVE.format(attempts=_BEGIN_ANEW, turn=_NEXT_TURN, mail=_UNSENT))


def move(
    connection: Connection,
    job_id: UUID,
    to: State,
    event: Event,
    *,
    reason: Reason | None = None,
    token: UUID | None = None,
    generator: str | None = None,
    attempts: int = 0,
) -> Row[Any]:
    """Move a job to another state, with its counts, its timeline and, at its end, the mail that it asked for; return
    (user_id, turn, cost, was). With REQUEUED the job begins anew: with all its attempts, behind its user's other jobs,
    and with its unit of the quota where that was given back.

    reason: why, for the timeline; FAILED needs one, which becomes the job's error. token: the claim under which the
    mover works. attempts: how many attempts the move spends. Raises Lost when the job is not where the move begins, or
    the claim is no longer the mover's.
    """
    code, message = reason or (None, None)
    values = {
        "job_id": job_id,
        "to": to.value,
        "sources": [state.value for state in sources(to)],
        "finished": to.finished,
        "event": event.value,
        "detail": message,
        "code": code,
        "token": token,
        "generator": generator,
        "attempts": attempts,
        "error_code": code if to == State.FAILED else None,
        "error_message": message if to == State.FAILED else None,
    }
    if event == Event.REQUEUED:
        statement = _REQUEUE
        del values["attempts"]
    else:
        statement = _MOVE_TO_THE_END if to in (State.SUCCEEDED, State.FAILED) else _MOVE_ON
    moved = connection.execute(statement, values).one_or_none()
    if moved is None:
        raise Lost(f"{job_id} cannot move to {to}")
    return moved


def leave(connection: Connection, job_id: UUID, to: State, event: Event, *, token: UUID, **details: Any) -> State:
    """Move a claimed job away from its generator as `move` does, or to CANCELLED where its user asked for that while
    the step ran; return the state it is in now. Raises Lost."""
    try:
        move(connection, job_id, to, event, token=token, **details)
    except Lost:
        move(connection, job_id, State.CANCELLED, Event.CANCELLED, token=token)
        return State.CANCELLED
    return to


def find_state(connection: Connection, job_id: UUID, user_id: UUID | None, *, lock: bool = False) -> State | None:
    """The state of a user's own job, for an operator (None) of anybody's; with `lock` nobody moves it until the
    transaction ends."""
    query = "SELECT state FROM jobs WHERE id = :job_id AND user_id = coalesce(:user_id, user_id)"
    query += " FOR UPDATE" if lock else ""
    found = connection.execute(text(query), {"job_id": job_id, "user_id": user_id}).scalar()
    return State(found) if found is not None else None


def request_cancel(connection: Connection, job_id: UUID, reason: Reason | None = None) -> bool:
    """Ask the poller to cancel a generating job at its next step, which is due now; False when it was asked before.
    `reason` is for the timeline, where it is not the user who asks."""
    query = text("""
        WITH asked AS (
            UPDATE jobs SET
                version = version + 1, cancel_requested_at = clock_timestamp(), next_step_at = clock_timestamp()
            WHERE id = :job_id AND state = 'generating' AND cancel_requested_at IS NULL RETURNING id
        ) INSERT INTO job_events (job_id, event, detail, code)
        SELECT id, 'cancel_requested', :message, :code FROM asked
    """)
    code, message = reason or (None, None)
    return connection.execute(query, {"job_id": job_id, "code": code, "message": message}).rowcount == 1


def cancel(connection: Connection, job_id: UUID, state: State, reason: Reason | None = None) -> None:
    """Cancel a job that the caller has locked in this unfinished state: a queued one now, a generating one at its next
    step."""
    if state == State.QUEUED:
        move(connection, job_id, State.CANCELLED, Event.CANCELLED, reason=reason)
    else:
        request_cancel(connection, job_id, reason)


def delete(connection: Connection, job_id: UUID) -> None:
    """Delete a finished job with all that hangs on it, and leave its objects to the collector."""
    connection.execute(text("DELETE FROM jobs WHERE id = :job_id"), {"job_id": job_id})
    garbage.discard(connection, f"jobs/{job_id}/")
