"""SQL for the renewals of claims."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, text

from shared.jobs.states import LEASE_S
from shared.polling.claims import ClaimedJob

# Renewals are written to a narrow table of their own: a step may last for minutes, and a new version of the whole job
# every two seconds would be a hundred times as much for vacuum to clean up.
_RENEW = text("""
WITH held AS (
    SELECT attempt_token, cancel_requested_at IS NOT NULL AS cancelling FROM jobs
    WHERE id = ANY(:job_ids) AND attempt_token = ANY(:attempt_tokens) AND lease_until IS NOT NULL
), renewed AS (
    INSERT INTO leases (attempt_token, until)
    SELECT attempt_token, clock_timestamp() + make_interval(secs => :lease_s) FROM held ORDER BY attempt_token
    ON CONFLICT (attempt_token) DO UPDATE SET until = excluded.until
)
SELECT attempt_token, cancelling FROM held
""")


def renew(connection: Connection, held: Sequence[ClaimedJob]) -> dict[UUID, bool]:
    """Extend the leases of claims; return whether the job is to be cancelled, by the token of each that is not lost."""
    values = {
        "job_ids": [claim.id for claim in held],
        "attempt_tokens": [claim.attempt_token for claim in held],
        "lease_s": LEASE_S,
    }
    return {row.attempt_token: row.cancelling for row in connection.execute(_RENEW, values)}


def drop_old_leases(connection: Connection) -> None:
    """Delete the renewals of claims that ended."""
    query = text("""
        DELETE FROM leases WHERE attempt_token IN (
            SELECT attempt_token FROM leases WHERE until < clock_timestamp() - interval '1 minute'
            FOR UPDATE SKIP LOCKED
        )
    """)
    connection.execute(query)
