"""Visitors' reports of published pictures. The only module that writes the table `reports`."""

from uuid import UUID

from sqlalchemy import Connection, text

from shared.api.schemas import NewReport
from shared.core.errors import NotFound
from shared.core.rate_limits import Limit, take
from shared.gallery import store as gallery_store
from shared.services import Services

MAX_OPEN_REPORTS = 20
"""Of one job. More add nothing for the operators, and anyone can send them."""

_ADD = text("""
INSERT INTO reports (job_id, reason, detail) SELECT :job_id, :reason, :detail
WHERE (SELECT count(*) FROM reports WHERE job_id = :job_id AND closed_at IS NULL) < :max_open
""")


def report(services: Services, job_id: UUID, request: NewReport, network: str | None = None) -> None:
    """Store a report of a published job, unless the job has MAX_OPEN_REPORTS open ones.

    network: where the report comes from, None if that is not limited.

    Raises:
        NotFound: The job is not in the gallery.
        RateLimited: There were too many reports from this network.
    """
    values = {"job_id": job_id, "reason": request.reason, "detail": request.detail, "max_open": MAX_OPEN_REPORTS}
    with services.db.begin() as connection:
        # The lock keeps the count of open reports correct: reports of one job wait for each other.
        if not gallery_store.lock_shown(connection, job_id):
            raise NotFound
        if network is not None:
            take(connection, Limit("reports by network", services.settings.reports_per_address), network)
        connection.execute(_ADD, values)


def close(connection: Connection, job_id: UUID) -> int:
    """Mark the job's open reports as decided; return how many there were."""
    query = text("UPDATE reports SET closed_at = clock_timestamp() WHERE job_id = :job_id AND closed_at IS NULL")
    return connection.execute(query, {"job_id": job_id}).rowcount
