"""What becomes of a job whose step the storage fails."""

import logging
from uuid import UUID

from sqlalchemy import Connection, text

from shared.clients.storage import ObjectMissing, ObjectTooLarge, Storage
from shared.core.errors import Unavailable
from shared.jobs.reasons import Reason
from shared.polling.claims import ClaimedJob
from shared.polling.outcomes import Failed, Waits

STORAGE_RETRY_S = 2.0
LONGEST_RETRY_S = 60.0
"""The longest pause between two steps: as a generator's `Retry-After` may ask for, or while the storage fails."""
STORAGE_DOWN_S = 8 * 3600.0
"""How long a job at a generator waits for a storage that is down."""
PATIENT_S = 600.0
"""How long a generator that has a job may answer its status calls with 429, and a storage that works for other objects
may refuse those of a job."""

_log = logging.getLogger(__name__)


def decide(claim: ClaimedJob, storage: Storage, failing_s: float, error: Unavailable) -> Waits | Failed:
    """Wait for the storage, longer each time, up to a limit: shorter if it refuses only what this job needs.

    failing_s: for how long it has failed the job's steps.
    """
    _log.warning("the storage failed a step: %s", error.detail)
    if failing_s > STORAGE_DOWN_S or (failing_s > PATIENT_S and _works(storage, claim)):
        message = f"Given up after {failing_s / 60:.0f} minutes. {error.detail}"
        return Failed(Reason("storage_unavailable", message))
    pause_s = min(STORAGE_RETRY_S + failing_s / 4, LONGEST_RETRY_S)
    return Waits(Reason("storage_unavailable", error.detail), pause_s, has_objects=claim.remote_id is not None)


def _works(storage: Storage, claim: ClaimedJob) -> bool:
    """Return whether the storage keeps other objects than the job's. The bucket's rules delete one that is left."""
    key = f"conformance/{claim.attempt_token}"
    try:
        storage.put(key, b"1", "text/plain")
        storage.get(key, 1)
        storage.delete([key])
    except (Unavailable, ObjectMissing, ObjectTooLarge):
        return False
    return True


def failing_s(connection: Connection, job_id: UUID) -> float | None:
    """Return for how many seconds the storage has failed the job's steps; None before a failure was written."""
    query = text("""
        SELECT extract(epoch FROM clock_timestamp() - min(coalesce(first_at, at)))::float FROM job_events
        WHERE job_id = :job_id AND code = 'storage_unavailable' AND id > (
            SELECT max(id) FROM job_events
            WHERE job_id = :job_id AND (event IN ('started', 'sent') OR code <> 'storage_unavailable')
        )
    """)
    seconds: float | None = connection.execute(query, {"job_id": job_id}).scalar_one()
    return seconds
