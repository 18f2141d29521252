"""What operators have to do with publications, in the database. The only module that writes the table `publications`.

Triggers count the open reports in it. Each function expects that the caller has locked the job, except `ask` where the
job's own UPDATE does.
"""

from uuid import UUID

from sqlalchemy import Connection, text

from shared.jobs.publications import SHOWS_DELETED

_SET = "INSERT INTO publications (job_id, {columns}) VALUES (:job_id, {values}) ON CONFLICT (job_id) DO UPDATE SET "
_ASK = text(
    _SET.format(columns="review, awaits_since", values=":review, clock_timestamp()")
    + "review = excluded.review, awaits_since = coalesce(publications.awaits_since, excluded.awaits_since)"
)
_WITHDRAW = text("""
UPDATE publications SET
    review = CASE review WHEN 'refused' THEN 'removed' ELSE 'none' END,
    awaits_since = CASE WHEN review IN ('waiting', 'listed') THEN NULL ELSE awaits_since END
WHERE job_id = :job_id AND review IN ('waiting', 'listed', 'refused')
RETURNING review
""")
_APPEAL = text(f"""
INSERT INTO publications (job_id, review, appeal, appealed_at, awaits_since)
SELECT id, 'removed', :appeal, clock_timestamp(), clock_timestamp() FROM jobs
WHERE id = :job_id AND taken_down_at IS NOT NULL AND NOT {SHOWS_DELETED}
ON CONFLICT (job_id) DO UPDATE SET appeal = excluded.appeal, appealed_at = excluded.appealed_at,
    awaits_since = excluded.awaits_since,
    review = CASE WHEN publications.review = 'refused' THEN 'refused' ELSE 'removed' END
WHERE publications.appeal IS NULL
""")
_REFUSE = text(
    _SET.format(columns="review, reason, decided_at", values="'removed', :reason, clock_timestamp()")
    + """review = CASE WHEN publications.review IN ('waiting', 'refused') THEN 'refused' ELSE 'removed' END,
    reason = coalesce(excluded.reason, publications.reason), decided_at = excluded.decided_at, awaits_since = NULL"""
)
_APPROVE = text("""
UPDATE publications SET review = CASE WHEN review = 'none' THEN 'none' ELSE 'approved' END, awaits_since = NULL,
    reason = NULL, appeal = NULL, appealed_at = NULL, decided_at = clock_timestamp()
WHERE job_id = :job_id RETURNING old.review, old.awaits_since IS NOT NULL AS awaited
""")


def is_approved(connection: Connection, job_id: UUID) -> bool:
    """Return whether an operator has approved these pictures and nothing was reported since."""
    query = text("SELECT FROM publications WHERE job_id = :job_id AND review = 'approved' AND open_reports = 0")
    return connection.execute(query, {"job_id": job_id}).one_or_none() is not None


def is_waiting(connection: Connection, job_id: UUID) -> bool:
    """Return whether the publication waits to be approved."""
    query = text("SELECT FROM publications WHERE job_id = :job_id AND review = 'waiting'")
    return connection.execute(query, {"job_id": job_id}).one_or_none() is not None


def ask(connection: Connection, job_id: UUID, *, is_public: bool) -> None:
    """Have an operator look at a publication, which is public already, or waits for that."""
    connection.execute(_ASK, {"job_id": job_id, "review": "listed" if is_public else "waiting"})


def withdraw(connection: Connection, job_id: UUID) -> bool:
    """Note that the owner no longer wants the publication; return whether it was waiting."""
    return connection.execute(_WITHDRAW, {"job_id": job_id}).scalar() == "none"


def appeal(connection: Connection, job_id: UUID, words: str) -> bool:
    """Write the owner's appeal against a take-down; return False if there is none, or was an appeal."""
    return connection.execute(_APPEAL, {"job_id": job_id, "appeal": words}).rowcount == 1


def refuse(connection: Connection, job_id: UUID, reason: str | None) -> None:
    """Write that an operator has taken a job down, and whether that was before it was public."""
    connection.execute(_REFUSE, {"job_id": job_id, "reason": reason})


def approve(connection: Connection, job_id: UUID) -> tuple[bool, bool]:
    """Write that an operator has approved a job; return whether it awaited that, and whether it was never public."""
    row = connection.execute(_APPROVE, {"job_id": job_id}).one_or_none()
    return (False, False) if row is None else (row.awaited, row.review in ("waiting", "refused"))


def awaits(connection: Connection, job_id: UUID) -> bool:
    """Return whether an operator is to decide about the job."""
    query = text("SELECT FROM publications WHERE job_id = :job_id AND awaits_since IS NOT NULL")
    return connection.execute(query, {"job_id": job_id}).one_or_none() is not None
