"""Claims on generating jobs: who works on one holds a lease, and writes only under the token of its own claim.

The order that this module keeps: one dispatcher at a time starts queued jobs (it holds the row of `queue_clock`), and
one worker at a time works on a generating job (it holds the lease).
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

from shared.jobs.reasons import Reason
from shared.jobs.records import StoredImage
from shared.jobs.states import LEASE_S, Event
from shared.jobs.store import Lost

# A worker's own clock and the database's may differ by a little; a task that comes early must not be lost.
_EARLY_S = 0.1

HIGHEST_PROGRESS = 0.99
"""1 is only for jobs that have succeeded."""


def lock_clock(connection: Connection) -> None:
    """Become the one dispatcher until the transaction ends."""
    connection.execute(text("SELECT turn FROM queue_clock FOR UPDATE"))


# A user whose jobs were passed over, because all their places were taken, falls behind the clock. Served at once when a
# place comes free, their whole backlog would go before every newcomer; so it moves on to where the clock is.
_ADVANCE = text("""
WITH clock AS (
    UPDATE queue_clock SET turn = greatest(turn, :turn) RETURNING turn, old.turn AS was
), behind AS (
    SELECT u.id, clock.turn + :cost / u.weight - min(q.turn) AS distance
    FROM clock, users u, jobs q
    WHERE clock.was > :turn AND u.id = :user_id AND q.user_id = u.id AND q.state = 'queued'
    GROUP BY u.id, clock.turn HAVING min(q.turn) < clock.turn + :cost / u.weight
), moved AS (
    UPDATE jobs SET turn = jobs.turn + distance FROM behind WHERE jobs.id IN (
        SELECT id FROM jobs WHERE user_id = :user_id AND state = 'queued' FOR UPDATE SKIP LOCKED
    )
)
UPDATE users SET next_turn = next_turn + distance FROM behind WHERE users.id = behind.id
""")


def advance_clock(connection: Connection, *, user_id: UUID, turn: float, cost: float) -> None:
    """Note that a job of this turn has started: newcomers begin here, and its user's next job comes no sooner than the
    job's cost after the clock."""
    connection.execute(_ADVANCE, {"user_id": user_id, "turn": turn, "cost": cost})


# The rows that the scan passes over belong to users who have all their places at the generators, so there are at most
# (places / max_running) users of them, with at most max_queued jobs each.
# Each kind of job has an order of its own in the index, so that a backlog of one kind is no scan for another.
_NEXT = text("""
SELECT first.id, first.protocols FROM unnest(CAST(:kinds AS text[])) AS kind CROSS JOIN LATERAL (
    SELECT q.id, q.turn, q.protocols FROM jobs q JOIN users u ON u.id = q.user_id
    WHERE q.state = 'queued' AND q.protocols = kind AND u.running < :max_running
    ORDER BY q.turn, q.id LIMIT 1 FOR UPDATE OF q SKIP LOCKED
) AS first ORDER BY first.turn, first.id LIMIT 1
""")


def find_next(connection: Connection, *, max_running: int, kinds: Sequence[str]) -> Row[Any] | None:
    """The queued job (id, protocols) whose turn it is among those of these kinds. Only the dispatcher asks."""
    return connection.execute(_NEXT, {"max_running": max_running, "kinds": list(kinds)}).one_or_none()


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
RETURNING id, user_id, prompt, settings, cost, generator, remote_id, attempts, crashes, requeues, attempt_token,
    created_at,
    cancel_requested_at IS NOT NULL AS cancelling, progress, old.attempt_token AS lost_token,
    old.lease_until IS NOT NULL AS crashed, extract(epoch FROM clock_timestamp() - sent_at)::float AS sent_s,
    extract(epoch FROM clock_timestamp() - unreachable_since)::float AS unreachable_s,
    (SELECT failures FROM generators g WHERE g.name = jobs.generator) AS generator_failures,
    coalesce((
        SELECT json_agg(upload_key ORDER BY index) FROM job_sources WHERE job_id = jobs.id
    ), '[]') AS source_keys
""")


def claim(connection: Connection, job_id: UUID) -> Row[Any] | None:
    """Take a generating job whose next step is due, for 20 s; None when there is nothing to do or somebody has it.

    A lease that ran out means that its worker died: `crashed` says so, and `lost_token` names the objects it left.
    """
    return connection.execute(_CLAIM, {"job_id": job_id, "lease_s": LEASE_S, "early_s": _EARLY_S}).one_or_none()


def renew(connection: Connection, job_id: UUID, token: UUID) -> Row[Any] | None:
    """Keep the claim for another 20 s; return whether the job is to be cancelled (cancelling), None when it is lost."""
    query = text("""
        UPDATE jobs SET lease_until = clock_timestamp() + make_interval(secs => :lease_s)
        WHERE id = :job_id AND attempt_token = :token AND lease_until IS NOT NULL
        RETURNING cancel_requested_at IS NOT NULL AS cancelling
    """)
    return connection.execute(query, {"job_id": job_id, "token": token, "lease_s": LEASE_S}).one_or_none()


def note_processing(connection: Connection, job_id: UUID, token: UUID) -> None:
    """Tell, while the step goes on, that the generator works on the job now; once in an attempt. Raises Lost."""
    query = text("""
        WITH held AS (
            UPDATE jobs SET progress = coalesce(progress, 0), version = version + 1
            WHERE id = :job_id AND attempt_token = :token AND state = 'generating' RETURNING id
        ), told AS (
            INSERT INTO job_events (job_id, event) SELECT id, 'processing' FROM held
        ) SELECT id FROM held
    """)
    if connection.execute(query, {"job_id": job_id, "token": token}).one_or_none() is None:
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
    WHERE id = :job_id AND attempt_token = :token AND state = 'generating'
    RETURNING id, cancel_requested_at IS NOT NULL AS cancelling,
        waiting IS NOT NULL AND waiting IS DISTINCT FROM old.waiting AND cancel_requested_at IS NULL AS news
), told AS (
    INSERT INTO job_events (job_id, event, detail, code)
    SELECT id, :event, NULL, NULL FROM released WHERE CAST(:event AS text) IS NOT NULL
    UNION ALL SELECT id, 'adapted', :adapted, :adapted_code FROM released WHERE CAST(:adapted AS text) IS NOT NULL
    UNION ALL SELECT id, 'waiting', :waiting, :waiting_code FROM released WHERE news
)
SELECT cancelling FROM released
""")


def release(
    connection: Connection,
    job_id: UUID,
    token: UUID,
    next_step_s: float,
    *,
    remote_id: str | None = None,
    progress: float | None = None,
    unreachable: bool = False,
    event: Event | None = None,
    adapted: Reason | None = None,
    waiting: Reason | None = None,
) -> float:
    """End a step that leaves the job generating; return the seconds until its next one (0 when it is to be cancelled).

    remote_id: the generator took the job in this step, which spends an attempt. unreachable: the generator did not
    answer. adapted: what of the order the generator does not follow. waiting: why the job cannot go on; the timeline
    tells it once per reason. Raises Lost.
    """
    adapted_code, adapted_words = adapted or (None, None)
    waiting_code, waiting_words = waiting or (None, None)
    values = {
        "job_id": job_id,
        "token": token,
        "next_step_s": next_step_s,
        "remote_id": remote_id,
        "progress": None if progress is None else min(progress, HIGHEST_PROGRESS),
        "unreachable": unreachable,
        "event": event.value if event else None,
        "adapted": adapted_words,
        "adapted_code": adapted_code,
        "waiting": waiting_words,
        "waiting_code": waiting_code,
    }
    released = connection.execute(_RELEASE, values).one_or_none()
    if released is None:
        raise Lost(f"the claim on {job_id} is gone")
    return 0 if released.cancelling else next_step_s


def tell(connection: Connection, job_id: UUID, event: Event, reason: Reason) -> None:
    """Add a line to a job's timeline."""
    query = text("""
        WITH seen AS (UPDATE jobs SET version = version + 1 WHERE id = :job_id RETURNING id)
        INSERT INTO job_events (job_id, event, detail, code) SELECT id, :event, :message, :code FROM seen
    """)
    connection.execute(query, {"job_id": job_id, "event": event.value, **reason._asdict()})


def insert_images(connection: Connection, job_id: UUID, images: list[StoredImage]) -> None:
    """Make stored pictures part of their job, in the transaction that moves it to SUCCEEDED."""
    query = text("""
        INSERT INTO images (job_id, index, key, thumbnail_key, width, height, size_bytes, seed, description)
        SELECT :job_id, i.* FROM json_to_recordset(CAST(:images AS json)) AS i (
            index int, key text, thumbnail_key text, width int, height int, size_bytes bigint, seed bigint,
            description text
        )
    """)
    connection.execute(query, {"job_id": job_id, "images": json.dumps([asdict(image) for image in images])})


def note_pace(connection: Connection, job_id: UUID) -> None:
    """Let a job that has just succeeded count towards the pace by which waits are estimated."""
    query = text("""
        UPDATE queue_clock SET seconds_per_cost = seconds_per_cost * 0.8
            + 0.2 * greatest(extract(epoch FROM j.finished_at - j.started_at)::float / j.cost, 0.0001)
        FROM jobs j WHERE j.id = :job_id AND j.state = 'succeeded' AND j.attempts = 1
    """)
    connection.execute(query, {"job_id": job_id})


def note_sweep(connection: Connection) -> None:
    """Leave the sign that a worker has just swept."""
    connection.execute(text("UPDATE queue_clock SET swept_at = clock_timestamp()"))


def list_due(connection: Connection, limit: int) -> list[UUID]:
    """Generating jobs that nobody works on although their step is overdue, or whose worker died."""
    query = text("""
        SELECT id FROM jobs WHERE state = 'generating' AND next_step_at < clock_timestamp() - interval '0.5 s'
            AND (lease_until IS NULL OR lease_until < clock_timestamp())
        ORDER BY next_step_at LIMIT :limit
    """)
    return list(connection.execute(query, {"limit": limit}).scalars())


def explain_wait(connection: Connection, reason: Reason, kinds: Sequence[str]) -> int:
    """Write into the timeline of every waiting job of these kinds why it cannot start now, once per reason; return how
    many."""
    query = text("""
        WITH told AS (
            UPDATE jobs SET waiting = :message, version = version + 1 WHERE id IN (
                SELECT id FROM jobs WHERE state = 'queued' AND protocols = ANY(:kinds)
                    AND waiting IS DISTINCT FROM :message FOR UPDATE SKIP LOCKED
            ) RETURNING id
        ) INSERT INTO job_events (job_id, event, detail, code) SELECT id, 'waiting', :message, :code FROM told
    """)
    return connection.execute(query, {"kinds": list(kinds), **reason._asdict()}).rowcount
