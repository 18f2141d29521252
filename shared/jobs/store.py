"""The jobs in the database. Functions over a connection; every time is the database's.

Only `_move` changes a job's state, and only `submission_store` adds jobs.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, TextClause, text

from shared.accounts.token_store import STILL_VALID, USE_RECORDED
from shared.core import garbage, locks
from shared.core.db import fetch
from shared.jobs.publications import PUBLICATION
from shared.jobs.reasons import Reason
from shared.jobs.records import OF_GROUP, JobRecord, MovedJob, read_job, read_previewed_job
from shared.jobs.states import Event, State, allowed_from


class Lost(Exception):
    """The guarded write found the job in another state, or under another claim. Nothing was written."""


PUBLIC = "j.published_at IS NOT NULL AND j.taken_down_at IS NULL"

SHOWN = f"""shown_job(%(job_id)s, %(user_id)s, %(token_hash)s, {USE_RECORDED}) AS shown CROSS JOIN (
    SELECT CAST(group_id AS text) AS group_id, preview_key, {PUBLICATION} FROM jobs WHERE id = %(job_id)s
) AS own"""
_GET = f"SELECT shown.*, own.* FROM {SHOWN}"
_LIST = f"""
SELECT shown.*, {OF_GROUP} FROM shown_jobs(
    %(user_id)s, %(token_hash)s, %(state)s, %(patterns)s, %(before)s, %(limit)s, %(since)s, {USE_RECORDED}
) AS shown
"""
_SEARCH_END = text(f"""
SELECT id FROM jobs WHERE user_id = (SELECT t.user_id FROM tokens t WHERE {STILL_VALID}) AND id < :before
ORDER BY id DESC OFFSET :searched LIMIT 1
""")
_FIRST_ID, _LAST_ID = UUID(int=0), UUID(int=2**128 - 1)
SEARCHED = 2000
"""How many of a user's jobs a search reads for one page; their words may be rare."""
_AS_WRITTEN = str.maketrans({wild: f"\\{wild}" for wild in "%_\\"})


def find_view(connection: Connection, job_id: UUID, user_id: UUID) -> JobRecord | None:
    """Return a user's own job with its timeline."""
    rows = fetch(connection, _GET, {"job_id": job_id, "user_id": user_id, "token_hash": None})
    return read_previewed_job(rows[0]) if rows else None


def find_view_by_token(connection: Connection, job_id: UUID, token_hash: bytes) -> JobRecord | None:
    """Return the job if it belongs to the user whose valid token has this hash, in one round trip.

    The token has the right to read jobs, and its last use is recorded already. Pages that wait for a job repeat this.
    """
    rows = fetch(connection, _GET, {"job_id": job_id, "user_id": None, "token_hash": token_hash})
    return read_previewed_job(rows[0]) if rows else None


def list_views(
    connection: Connection,
    caller: UUID | bytes,
    *,
    state: str | None,
    words: Collection[str] = (),
    before: UUID | None,
    since: UUID | None = None,
    limit: int,
) -> list[JobRecord]:
    """Return a page of a user's jobs whose prompts contain all these words in any case, newest first.

    caller: the user's id, or the hash of a token; one that is not valid, lacks the right to read jobs, or whose last
    use is to be recorded has no jobs. since: the oldest job to look at.
    """
    patterns = [f"%{word.translate(_AS_WRITTEN)}%" for word in words]
    values = {
        "user_id": caller if isinstance(caller, UUID) else None,
        "token_hash": caller if isinstance(caller, bytes) else None,
        "state": state,
        "patterns": patterns or None,
        "before": before or _LAST_ID,
        "since": since or _FIRST_ID,
        "limit": limit,
    }
    return list(map(read_job, fetch(connection, _LIST, values)))


def find_search_end(connection: Connection, token_hash: bytes, before: UUID | None) -> UUID | None:
    """Return the oldest job that a search may read for the page before this job; None if it may read all."""
    values = {"token_hash": token_hash, "before": before or _LAST_ID, "searched": SEARCHED - 1}
    found: UUID | None = connection.execute(_SEARCH_END, values).scalar()
    return found


# One UPDATE for many jobs, each guarded by the states from which its move is allowed and, where the caller holds a
# claim, by its attempt token: a job that fails its guard is not moved, and the others are. The same statement updates
# the users' counts and the timelines, makes the next step due, and at a job's end queues the mail. Users' rows are
# locked in the order of their ids, so that two batches cannot wait for each other.
_MOVE = """
WITH given AS (
    SELECT * FROM json_to_recordset(CAST(:moves AS json)) AS g (
        job_id uuid, "to" text, allowed_from text[], finished bool, event text, code text, detail text,
        attempt_token uuid, generator text, attempts int, error_code text, error_message text, refused_pause_s float,
        cost_before float, prompt text, stored_bytes bigint
    )
), moved AS (
    UPDATE jobs SET
        state = g.to,
        version = version + 1,
        progress = CASE WHEN g.to = 'succeeded' THEN 1 ELSE progress END,
        waiting = NULL,
        preview_key = NULL,
        preview_at = NULL,
        stored_bytes = g.stored_bytes,
        generator = CASE WHEN g.to = 'queued' THEN NULL ELSE coalesce(g.generator, jobs.generator) END,
        remote_id = CASE WHEN g.to IN ('queued', 'generating') THEN NULL ELSE remote_id END,
        sent_at = CASE WHEN g.to IN ('queued', 'generating') THEN NULL ELSE sent_at END,
        {attempts},
        attempt_token = NULL,
        lease_until = NULL,
        unreachable_since = NULL,
        next_step_at = CASE WHEN g.to = 'generating' THEN clock_timestamp()
            ELSE clock_timestamp() + make_interval(secs => g.refused_pause_s) END,
        {refusals},
        finished_at = CASE WHEN g.finished THEN clock_timestamp() END,
        error_code = g.error_code,
        error_message = g.error_message
    FROM given g
    WHERE id = g.job_id AND state = ANY(g.allowed_from)
        AND (g.attempt_token IS NULL OR jobs.attempt_token = g.attempt_token)
        AND (g.to NOT IN ('succeeded', 'queued') OR cancel_requested_at IS NULL)
    RETURNING id, user_id, quota_day, turn, cost, settings, group_id, old.state AS was, g.to, g.event, g.code, g.detail,
        (g.to IN ('failed', 'cancelled'))::int - (old.state = 'failed')::int AS given_back,
        coalesce(old.progress, 0) AS worked, jobs.stored_bytes - old.stored_bytes AS stored_bytes
), owners AS (
    SELECT id FROM users WHERE id IN (SELECT user_id FROM moved) ORDER BY id FOR UPDATE
), by_day AS (
    SELECT user_id, quota_day, min(turn) AS turn, sum(cost) AS cost,
        sum((moved.to = 'queued')::int - (was IN ('held', 'queued'))::int) AS queued,
        sum((moved.to = 'generating')::int - (was = 'generating')::int) AS running,
        sum(-given_back) AS quota_used, sum(given_back * worked) AS quota_worked, sum(stored_bytes) AS stored_bytes
    FROM moved JOIN owners ON owners.id = user_id GROUP BY user_id, quota_day
), changes AS (
    -- Only jobs of a user's latest day can be jobs of the day that the quota counts.
    SELECT user_id, max(quota_day) AS quota_day, min(turn) AS turn, sum(cost) AS cost, sum(queued) AS queued,
        sum(running) AS running, (array_agg(quota_used ORDER BY quota_day DESC))[1] AS quota_used,
        (array_agg(quota_worked ORDER BY quota_day DESC))[1] AS quota_worked, sum(stored_bytes) AS stored_bytes
    FROM by_day GROUP BY user_id
), counted AS (
    UPDATE users u SET
        queued = u.queued + changes.queued,
        running = u.running + changes.running,
        quota_used = u.quota_used + changes.quota_used * (u.quota_day = changes.quota_day)::int,
        quota_worked = greatest(0, u.quota_worked + changes.quota_worked * (u.quota_day = changes.quota_day)::int),
        stored_bytes = u.stored_bytes + changes.stored_bytes
        {turn}
    FROM changes WHERE u.id = changes.user_id
), logged AS (
    INSERT INTO job_events (job_id, event, detail, code) SELECT id, event, detail, code FROM moved
){mail}
SELECT id, user_id, turn, cost FROM moved
"""
_CONTINUE = """attempts = jobs.attempts + g.attempts,
        started_at = CASE WHEN g.to = 'generating' THEN coalesce(started_at, clock_timestamp()) ELSE started_at END"""
# The turn is read without a lock, because a job is always locked before its user: two jobs that are put back at the
# same moment may get the same turn.
_START_OVER = """attempts = 0, crashes = 0, requeues = requeues + 1, started_at = NULL,
        turn = greatest((SELECT next_turn FROM users WHERE id = jobs.user_id), (SELECT turn FROM queue_clock))"""
# A job enters the fair order when it is released, behind its user's other jobs and those released before it.
_RELEASED = """turn = (
            SELECT greatest(u.next_turn, c.turn) + g.cost_before / u.weight FROM users u, queue_clock c
            WHERE u.id = jobs.user_id
        ), prompt = coalesce(g.prompt, jobs.prompt)"""
_REFUSED = """refusals = refusals + (g.refused_pause_s IS NOT NULL)::int,
        refused_since = CASE WHEN g.refused_pause_s IS NULL THEN refused_since
            ELSE coalesce(refused_since, clock_timestamp()) END,
        refused_by = CASE WHEN g.refused_pause_s IS NULL THEN refused_by ELSE jobs.generator END"""
_FORGIVEN = "refusals = 0, refused_since = NULL, refused_by = NULL"
_NEXT_TURN = ", next_turn = greatest(next_turn, changes.turn) + changes.cost / weight"
# A mail or a webhook is sent only about the latest ending.
_UNSENT = """, unsent AS (
    DELETE FROM mails WHERE job_id IN (SELECT id FROM moved)
), group_unsent AS (
    DELETE FROM group_mails WHERE group_id IN (SELECT group_id FROM moved)
), uncalled AS (
    DELETE FROM webhooks WHERE job_id IN (SELECT id FROM moved)
), untold AS (
    DELETE FROM pushes WHERE job_id IN (SELECT id FROM moved)
)"""
# A trigger writes the mail about a group, once its last job has ended.
_MAIL = """, mail AS (
    INSERT INTO mails (job_id) SELECT moved.id FROM moved JOIN users u ON u.id = user_id
    WHERE moved.to IN ('succeeded', 'failed') AND settings->>'notify' = 'email' AND u.mail_stopped IS NULL
        AND moved.group_id IS NULL
), called AS (
    INSERT INTO webhooks (job_id, user_id, url)
    SELECT moved.id, user_id, nullif(coalesce(settings->>'webhook_url', u.webhook_url), '')
    FROM moved JOIN users u ON u.id = user_id
    WHERE moved.to IN ('succeeded', 'failed', 'cancelled')
        AND coalesce(settings->>'webhook_url', u.webhook_url, '') <> ''
), told AS (
    INSERT INTO pushes (subject, subscription_id, job_id)
    SELECT DISTINCT ON (1, 2) coalesce(moved.group_id, moved.id), s.id, moved.id
    FROM moved JOIN owners ON owners.id = moved.user_id JOIN push_subscriptions s ON s.user_id = moved.user_id
    WHERE moved.to IN ('succeeded', 'failed')
    ORDER BY 1, 2, 3
    ON CONFLICT (subject, subscription_id) DO UPDATE SET
        job_id = excluded.job_id, attempts = pushes.attempts + 1, due_at = excluded.due_at
)"""
_MOVE_ON = text(_MOVE.format(attempts=_CONTINUE, refusals=_REFUSED, turn="", mail=_MAIL))
_REQUEUE = text(_MOVE.format(attempts=_START_OVER, refusals=_FORGIVEN, turn=_NEXT_TURN, mail=_UNSENT))
_RELEASE = text(_MOVE.format(attempts=_RELEASED, refusals=_FORGIVEN, turn=_NEXT_TURN, mail=""))


@dataclass(frozen=True, slots=True)
class Move:
    """A change of a job's state, with its user's counts and its timeline; at its end, the mail and webhook asked for.

    reason: why, for the timeline; FAILED needs one, which becomes the job's error. attempt_token: the claim under which
    the caller works. attempts: how many attempts the move spends. refused_pause_s: the job's generator refused it, and
    it starts no earlier than so many seconds from now. For RELEASED: `cost_before` is the cost of its user's jobs that
    are released in the same call before it, and `prompt` its new prompt, if it gets one.
    """

    job_id: UUID
    to: State
    event: Event
    reason: Reason | None = None
    attempt_token: UUID | None = None
    generator: str | None = None
    attempts: int = 0
    refused_pause_s: float | None = None
    cost_before: float = 0
    prompt: str | None = None
    stored_bytes: int = 0

    def _given(self) -> dict[str, object]:
        code, message = self.reason or (None, None)
        failed = self.to == State.FAILED
        return {
            "job_id": str(self.job_id),
            "to": self.to.value,
            "allowed_from": [state.value for state in allowed_from(self.to)],
            "finished": self.to.finished,
            "event": self.event.value,
            "code": code,
            "detail": message,
            "attempt_token": str(self.attempt_token) if self.attempt_token else None,
            "generator": self.generator,
            "attempts": self.attempts,
            "error_code": code if failed else None,
            "error_message": message if failed else None,
            "refused_pause_s": self.refused_pause_s,
            "cost_before": self.cost_before,
            "prompt": self.prompt,
            "stored_bytes": self.stored_bytes,
        }


def move_all(connection: Connection, moves: Sequence[Move]) -> dict[UUID, MovedJob]:
    """Move jobs, each at most once; return those that moved, by id.

    The others are not in a state from which their move is allowed, or their claim is no longer the caller's.
    """
    return _move(connection, _MOVE_ON, moves)


def release_all(connection: Connection, moves: Sequence[Move]) -> dict[UUID, MovedJob]:
    """Move held jobs into the queue, with their places in the fair order; return those that moved, by id."""
    return _move(connection, _RELEASE, moves)


def _move(connection: Connection, statement: TextClause, moves: Sequence[Move]) -> dict[UUID, MovedJob]:
    if not moves:
        return {}
    rows = connection.execute(statement, {"moves": json.dumps([move._given() for move in moves])})
    return {row.id: MovedJob(row.user_id, row.turn, row.cost) for row in rows}


def move(
    connection: Connection,
    job_id: UUID,
    to: State,
    event: Event,
    *,
    reason: Reason | None = None,
    attempt_token: UUID | None = None,
    generator: str | None = None,
    attempts: int = 0,
) -> MovedJob:
    """Move one job to another state (see `Move`).

    With REQUEUED the job starts over: with all its attempts, behind its user's other jobs, and with its unit of the
    quota where that was given back.

    Raises:
        Lost: the job is not in a state from which this move is allowed, or the claim is no longer the caller's.
    """
    wanted = Move(job_id, to, event, reason, attempt_token, generator, attempts)
    moved = _move(connection, _REQUEUE if event == Event.REQUEUED else _MOVE_ON, [wanted])
    if job_id not in moved:
        raise Lost(f"{job_id} cannot move to {to}")
    return moved[job_id]


def find_state(connection: Connection, job_id: UUID, user_id: UUID | None, *, lock: bool = False) -> State | None:
    """Return the state of a user's own job, or of any job where `user_id` is None (an operator).

    With `lock` the job does not move until the transaction ends.
    """
    query = "SELECT state FROM jobs WHERE id = :job_id AND user_id = coalesce(:user_id, user_id)"
    query += " FOR UPDATE" if lock else ""
    found = connection.execute(text(query), {"job_id": job_id, "user_id": user_id}).scalar()
    return State(found) if found is not None else None


def request_cancel(connection: Connection, job_id: UUID, reason: Reason | None = None) -> bool:
    """Have a generating job cancelled at its next step, which becomes due now; return False when that was asked before.

    reason: for the timeline, where it is not the user who asks.
    """
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
    """Cancel an unfinished job that the caller has locked: a waiting one now, a generating one at its next step."""
    if state.waits:
        move(connection, job_id, State.CANCELLED, Event.CANCELLED, reason=reason)
    else:
        request_cancel(connection, job_id, reason)


def end_pause(connection: Connection, job_id: UUID) -> None:
    """Let a queued job that pauses start now."""
    query = text("UPDATE jobs SET next_step_at = NULL WHERE id = :job_id AND state = 'queued'")
    connection.execute(query, {"job_id": job_id})


def delete(connection: Connection, job_id: UUID) -> None:
    """Delete a finished job with its rows in other tables, and make its objects garbage."""
    locks.lock_for_deletion(connection, [job_id])
    connection.execute(text("DELETE FROM jobs WHERE id = :job_id"), {"job_id": job_id})
    garbage.discard(connection, f"jobs/{job_id}/")
