"""Claims that end without a written outcome: their jobs go on, and what they stored becomes garbage.

A worker that could not renew a claim is taken for dead. When it turns up, the crash that its job counted is taken back.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, text

from shared.core.db import Database
from shared.jobs.states import FIRST_POLL_S, MAX_CRASHES
from shared.polling import claims
from shared.polling.claims import ClaimedJob, Release
from shared.polling.lost_objects import KEPT_S, LOST_PREFIXES

# An outcome that was thought lost may have been written: then its pictures are the job's.
_DISCARD = text(f"""
    INSERT INTO garbage (prefix, due_at)
    SELECT DISTINCT lost.prefix, clock_timestamp() + make_interval(secs => lost.kept_s)
    FROM unnest(CAST(:job_ids AS uuid[]), CAST(:attempt_tokens AS text[])) AS ended (job_id, attempt_token),
        {LOST_PREFIXES.format("ended.job_id", "ended.attempt_token")}
    WHERE NOT EXISTS (SELECT FROM images i WHERE i.job_id = ended.job_id AND starts_with(i.key, lost.prefix))
        AND NOT EXISTS (
            SELECT FROM likenesses l WHERE l.job_id = ended.job_id AND starts_with(l.adapter_key, lost.prefix)
        )
    ORDER BY lost.prefix
    ON CONFLICT (prefix) DO UPDATE SET due_at = greatest(
        garbage.due_at + interval '1 microsecond', excluded.due_at
    )
""")

# There are few generating jobs, and an index of them. A job that has failed of its crashes keeps their count.
_TAKE_BACK_CRASHES = text("""
    UPDATE jobs SET crashes = greatest(crashes - 1, 0), crashed_token = NULL
    WHERE state = 'generating' AND crashed_token = ANY(:attempt_tokens) AND crashes < :max_crashes
""")
_LOCK = text("""
    SELECT FROM jobs WHERE state = 'generating'
        AND (attempt_token = ANY(:attempt_tokens) OR crashed_token = ANY(:attempt_tokens))
    ORDER BY id FOR NO KEY UPDATE
""")
_GIVE_BACK = text("""
    UPDATE jobs SET lease_until = NULL
    WHERE state = 'generating' AND attempt_token = ANY(:attempt_tokens) AND lease_until IS NOT NULL
""")


def settle(db: Database, unsettled: Sequence[ClaimedJob]) -> None:
    """End claims whose outcomes could not be written, so that the next sweep finds the jobs; name what they stored.

    Otherwise the leases would have to run out, and this worker would be taken for dead. A claim may be lost already,
    and need not be known to the worker that has taken the job since: a server that fell forgets a claim that it had not
    yet written to its disk. Raises Unavailable.
    """
    # Only a claim that was sent before can have stored anything.
    storing = [claim for claim in unsettled if claim.remote_id is not None]
    values = {
        "job_ids": [claim.id for claim in storing],
        "attempt_tokens": [str(claim.attempt_token) for claim in storing],
        **KEPT_S,
    }
    with db.begin() as connection:
        # First: it waits for an outcome of the same claim whose answer was lost, and that is still being written.
        _lock(connection, [claim.attempt_token for claim in unsettled])
        claims.release(connection, [(claim, Release(FIRST_POLL_S)) for claim in unsettled])
        if storing:
            connection.execute(_DISCARD, values)
        _take_back_crashes(connection, [claim.attempt_token for claim in unsettled])


def give_back(db: Database, attempt_tokens: Sequence[UUID]) -> None:
    """End claims that this worker has asked for under these tokens without getting an answer; it has done no step.

    Raises Unavailable.
    """
    with db.begin() as connection:
        _lock(connection, attempt_tokens)
        connection.execute(_GIVE_BACK, {"attempt_tokens": list(attempt_tokens)})
        _take_back_crashes(connection, attempt_tokens)


def _lock(connection: Connection, attempt_tokens: Sequence[UUID]) -> None:
    """Lock the jobs of claims, and those that were taken from them, in the order of their ids."""
    connection.execute(_LOCK, {"attempt_tokens": list(attempt_tokens)})


def _take_back_crashes(connection: Connection, attempt_tokens: Sequence[UUID]) -> None:
    values = {"attempt_tokens": list(attempt_tokens), "max_crashes": MAX_CRASHES}
    connection.execute(_TAKE_BACK_CRASHES, values)
