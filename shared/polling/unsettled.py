"""Claims that end without a written outcome: their jobs go on, and what they stored becomes garbage."""

from collections.abc import Sequence

from sqlalchemy import text

from shared.core.db import Database
from shared.jobs.states import FIRST_POLL_S, LOST_OBJECTS_KEPT_S
from shared.polling import claims
from shared.polling.claims import PREVIEWS_KEPT_S, ClaimedJob, Release

# An outcome that was thought lost may have been written: then its pictures are the job's.
_DISCARD = text("""
    INSERT INTO garbage (prefix, due_at)
    SELECT DISTINCT lost.prefix, clock_timestamp() + make_interval(secs => lost.kept_s)
    FROM unnest(CAST(:job_ids AS uuid[]), CAST(:attempt_tokens AS text[])) AS ended (job_id, attempt_token), LATERAL (
        VALUES ('jobs/' || job_id || '/' || attempt_token || '/', CAST(:lost_s AS float)),
            ('jobs/' || job_id || '/preview/', :previews_kept_s)
    ) AS lost (prefix, kept_s)
    WHERE NOT EXISTS (SELECT FROM images i WHERE i.job_id = ended.job_id AND starts_with(i.key, lost.prefix))
        AND NOT EXISTS (
            SELECT FROM likenesses l WHERE l.job_id = ended.job_id AND starts_with(l.adapter_key, lost.prefix)
        )
    ORDER BY lost.prefix
    ON CONFLICT (prefix) DO UPDATE SET due_at = greatest(
        garbage.due_at + interval '1 microsecond', excluded.due_at
    )
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
        "lost_s": LOST_OBJECTS_KEPT_S,
        "previews_kept_s": PREVIEWS_KEPT_S,
    }
    with db.begin() as connection:
        # First: it waits for an outcome of the same claim whose answer was lost, and that is still being written.
        claims.release(connection, [(claim, Release(FIRST_POLL_S)) for claim in unsettled])
        if storing:
            connection.execute(_DISCARD, values)
