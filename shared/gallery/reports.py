"""Reports of published pictures. The only module that writes the table `reports`.

One of each reporter and job is kept, until some time after it was closed. A withdrawal closes none, since the links of
the pictures go on working.
"""

from uuid import UUID

from sqlalchemy import Connection, text

from shared.accounts import token_store
from shared.accounts.auth import Credential
from shared.api.schemas import NewReport
from shared.core.errors import NotFound
from shared.core.rate_limits import Limit, take
from shared.gallery import store as gallery_store
from shared.services import Services

MAX_OPEN_REPORTS = 20
"""Of one job. More add nothing for the operators, and anyone can send them."""

REPORT_DAYS = 180
"""How long a closed report is kept: to see what was reported before, and that a reporter does not decide alone."""

THIS_MACHINE = "this machine"
"""The network of all visitors of a site that is for its own machine only."""

_ADD = text("""
INSERT INTO reports (job_id, reporter, reason, detail) SELECT :job_id, :reporter, :reason, :detail
WHERE (SELECT count(*) FROM reports WHERE job_id = :job_id AND closed_at IS NULL) < :max_open
ON CONFLICT (job_id, reporter) DO NOTHING
""")
_DROP = text("""
DELETE FROM reports WHERE id IN (
    SELECT id FROM reports WHERE closed_at < (SELECT clock_timestamp()) - make_interval(days => :days)
    ORDER BY closed_at LIMIT :limit FOR UPDATE SKIP LOCKED
)
""")


def report(
    services: Services,
    job_id: UUID,
    request: NewReport,
    network: str | None = None,
    credential: Credential | None = None,
) -> None:
    """Store a report of a published job; one of the same reporter, or beyond MAX_OPEN_REPORTS open ones, adds nothing.

    network: where the report comes from, None if that is not limited. credential: of a user who is signed in.

    Raises:
        NotFound: The job is not in the gallery.
        RateLimited: There were too many reports from this network.
    """
    values = {"job_id": job_id, "reason": request.reason, "detail": request.detail, "max_open": MAX_OPEN_REPORTS}
    limit = Limit("reports by network", services.settings.reports_per_address)
    with services.db.begin() as connection:
        # The lock keeps the count of open reports correct: reports of one job wait for each other.
        if not gallery_store.lock_shown(connection, job_id):
            raise NotFound
        if network is not None:
            take(connection, limit, network)
        caller = credential and token_store.find_caller(connection, credential.token_hash)
        # The job is part of what is hashed, so that a reporter's reports of different jobs cannot be told to be theirs.
        name = str(caller.user.id) if caller else network or THIS_MACHINE
        connection.execute(_ADD, values | {"reporter": limit.key(f"{job_id}\0{name}")})


def close(connection: Connection, job_id: UUID, outcome: str) -> int:
    """Mark the job's open reports as decided, `dismissed` or `taken_down`; return how many there were."""
    query = text("""
        UPDATE reports SET closed_at = clock_timestamp(), outcome = :outcome
        WHERE job_id = :job_id AND closed_at IS NULL
    """)
    return connection.execute(query, {"job_id": job_id, "outcome": outcome}).rowcount


def drop_old(connection: Connection, limit: int = 1000) -> int:
    """Delete reports that were closed REPORT_DAYS ago, at most so many; return how many."""
    return connection.execute(_DROP, {"days": REPORT_DAYS, "limit": limit}).rowcount
