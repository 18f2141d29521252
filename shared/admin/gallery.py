"""What operators do with published pictures: list them and their reports, take down, restore, dismiss."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from shared.core.errors import NotFound, TakenDown
from shared.gallery import reports
from shared.gallery import store as gallery_store
from shared.gallery.store import IS_SHOWN
from shared.services import Services


@dataclass(frozen=True, slots=True)
class PublishedJob:
    """A job of the gallery in a list."""

    id: UUID
    prompt: str
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """A visitor's report. `at` is in UTC, as `2026-01-31 13:45`."""

    at: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class ReportedJob:
    """A job with its open reports, the oldest first. `image_id` is that of the job's first picture."""

    id: UUID
    prompt: str
    shown: bool
    image_id: UUID | None
    reports: tuple[Report, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a decision changed: whether the job, and how many open reports it closed."""

    changed: bool
    closed: int


_PUBLISHED = text(f"""
SELECT j.id, j.prompt, j.published_at FROM jobs j WHERE {IS_SHOWN}
ORDER BY j.published_at DESC, j.id DESC LIMIT :limit
""")

_REPORTED = text(f"""
SELECT j.id, j.prompt, {IS_SHOWN} AS shown,
    (SELECT i.id FROM images i WHERE i.job_id = j.id ORDER BY i.index LIMIT 1) AS image_id, r.reports
FROM (
    SELECT job_id, min(created_at) AS since,
        json_agg(json_build_array(
            to_char(created_at AT TIME ZONE 'utc', 'YYYY-MM-DD HH24:MI'), reason, detail
        ) ORDER BY id) AS reports
    FROM reports WHERE closed_at IS NULL GROUP BY job_id ORDER BY since LIMIT :limit
) AS r JOIN jobs j ON j.id = r.job_id ORDER BY r.since
""")


def list_published(services: Services, *, limit: int) -> list[PublishedJob]:
    """Return the latest jobs of the gallery, newest first."""
    with services.db.statement() as connection:
        return [PublishedJob(*row) for row in connection.execute(_PUBLISHED, {"limit": limit})]


def list_reported(services: Services, *, limit: int) -> list[ReportedJob]:
    """Return jobs with open reports, the one whose oldest report has waited longest first."""
    with services.db.statement() as connection:
        rows = connection.execute(_REPORTED, {"limit": limit}).all()
    return [
        ReportedJob(**{**row._mapping, "reports": tuple(Report(*report) for report in row.reports)}) for row in rows
    ]


def take_down(services: Services, job_id: UUID) -> Decision:
    """Take a job out of the gallery, disable the links of its pictures, and close its reports.

    Its owner keeps the job, but cannot publish it again.

    Raises:
        NotFound: There is no such job.
    """
    with services.db.begin() as connection:
        changed = gallery_store.take_down(connection, job_id)
        _require_job(connection, job_id)
        return Decision(changed, reports.close(connection, job_id))


def restore(services: Services, job_id: UUID) -> Decision:
    """Undo a take-down: the job is in the gallery again where it was, unless its owner has withdrawn it.

    Raises:
        NotFound: There is no such job.
        TakenDown: Its pictures show a likeness that was deleted.
    """
    with services.db.begin() as connection:
        changed = gallery_store.restore(connection, job_id)
        _require_job(connection, job_id)
        if gallery_store.shows_deleted(connection, job_id):
            raise TakenDown
        return Decision(changed, 0)


def dismiss(services: Services, job_id: UUID) -> Decision:
    """Close a job's reports and leave the job as it is.

    Raises:
        NotFound: There is no such job.
    """
    with services.db.begin() as connection:
        _require_job(connection, job_id)
        return Decision(False, reports.close(connection, job_id))


def _require_job(connection: Connection, job_id: UUID) -> None:
    if gallery_store.find_taken_down(connection, job_id) is None:
        raise NotFound
