"""What operators do with published pictures: list them and their reports, approve, take down, dismiss."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

from shared.core.errors import NotFound, TakenDown
from shared.gallery import reports, reviews
from shared.gallery import store as gallery_store
from shared.gallery.store import IS_SHOWN
from shared.services import Services

MAX_REASON_CHARACTERS = 300
"""Of the reason that the owner of refused pictures reads."""


@dataclass(frozen=True, slots=True)
class PublishedJob:
    """A job of the gallery in a list."""

    id: UUID
    prompt: str
    published_at: datetime


@dataclass(frozen=True, slots=True)
class AwaitingJob:
    """A job about which an operator is to decide: `waiting` to be public, `listed` already, or with an `appeal`.

    `reason` is that of the decision which is appealed against, `link` leads to the first picture.
    """

    id: UUID
    prompt: str
    review: str
    since: datetime
    reason: str | None
    appeal: str | None
    open_reports: int
    link: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """A report. `at` is in UTC, as `2026-01-31 13:45`, and so is `closed_at`, which is None while it is open."""

    at: str
    reason: str
    detail: str
    closed_at: str | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class ReportedJob:
    """A job with its reports, the oldest first. `prompt` is None if it was deleted; `link` leads to a picture of it."""

    id: UUID
    prompt: str | None
    shown: bool
    link: str | None
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
_IMAGE = """(
    SELECT json_build_array(i.id, CASE WHEN j.taken_down_at IS NOT NULL THEN i.key END)
    FROM images i WHERE i.job_id = j.id ORDER BY i.index LIMIT 1
) AS image"""
_AWAITING = text(f"""
SELECT j.id, j.prompt, p.review, p.awaits_since AS since, p.reason, p.appeal, p.open_reports, {_IMAGE}
FROM publications p JOIN jobs j ON j.id = p.job_id
WHERE p.awaits_since IS NOT NULL ORDER BY p.awaits_since, p.job_id LIMIT :limit
""")
_UTC = "to_char(r.{} AT TIME ZONE 'utc', 'YYYY-MM-DD HH24:MI')"
_REPORTS = f"""(
    SELECT json_agg(json_build_array({_UTC.format("created_at")}, r.reason, r.detail,
        {_UTC.format("closed_at")}, r.outcome) ORDER BY r.id) FROM reports r WHERE r.job_id = {{job}}
) AS reports"""
_REPORTED = text(f"""
SELECT j.id, j.prompt, {IS_SHOWN} AS shown, {_IMAGE}, {_REPORTS.format(job="j.id AND r.closed_at IS NULL")}
FROM (
    SELECT job_id, open_reports, reported_at FROM publications WHERE open_reports > 0
    ORDER BY open_reports DESC, reported_at DESC LIMIT :limit
) AS p JOIN jobs j ON j.id = p.job_id ORDER BY p.open_reports DESC, p.reported_at DESC
""")
_REPORTED_JOB = text(f"""
SELECT asked.id, j.prompt, coalesce({IS_SHOWN}, false) AS shown, {_IMAGE}, {_REPORTS.format(job="asked.id")}
FROM (SELECT CAST(:job_id AS uuid) AS id) AS asked LEFT JOIN jobs j ON j.id = asked.id
""")


def list_published(services: Services, *, limit: int) -> list[PublishedJob]:
    """Return the latest jobs of the gallery, newest first."""
    with services.db.statement() as connection:
        return [PublishedJob(*row) for row in connection.execute(_PUBLISHED, {"limit": limit})]


def list_awaiting(services: Services, *, limit: int) -> list[AwaitingJob]:
    """Return jobs about which an operator is to decide, the one that has waited longest first."""
    with services.db.statement() as connection:
        rows = connection.execute(_AWAITING, {"limit": limit}).all()
    return [
        AwaitingJob(
            row.id,
            row.prompt,
            row.review,
            row.since,
            row.reason,
            row.appeal,
            row.open_reports,
            _link(services, row.image),
        )
        for row in rows
    ]


def list_reported(services: Services, *, limit: int) -> list[ReportedJob]:
    """Return jobs with their open reports, those with the most first, then those with the newest."""
    with services.db.statement() as connection:
        rows = connection.execute(_REPORTED, {"limit": limit}).all()
    return [_reported(services, row) for row in rows]


def get_reported(services: Services, job_id: UUID) -> ReportedJob:
    """Return a job with all of its reports, also one that was deleted.

    Raises:
        NotFound: There is no such job, or it was deleted and has no reports.
    """
    with services.db.statement() as connection:
        row = connection.execute(_REPORTED_JOB, {"job_id": job_id}).one()
    if row.prompt is None and row.reports is None:
        raise NotFound
    return _reported(services, row)


def _reported(services: Services, row: Row[Any]) -> ReportedJob:
    found = tuple(Report(*report) for report in row.reports or ())
    return ReportedJob(row.id, row.prompt, row.shown, _link(services, row.image), found)


def _link(services: Services, image: tuple[str, str | None] | None) -> str | None:
    """Return where the picture can be seen: its stable link, or a presigned URL where that does not work."""
    if image is None:
        return None
    image_id, key = image
    if key is None:
        return f"{services.settings.public_url}/i/{image_id}"
    return services.storage.presigned_url(key, datetime.now(UTC))


def take_down(services: Services, job_id: UUID, reason: str | None = None) -> Decision:
    """Take a job out of the gallery or refuse it, disable the links of its pictures, and close its reports.

    Its owner keeps the job, reads the reason, and may appeal once; an appeal that was made is refused for good.

    Raises:
        NotFound: There is no such job.
    """
    with services.db.begin() as connection:
        _lock(connection, job_id)
        awaited = reviews.awaits(connection, job_id)
        changed = gallery_store.take_down(connection, job_id)
        if changed or awaited:
            reviews.refuse(connection, job_id, reason)
        if awaited and not changed:
            gallery_store.touch(connection, job_id)
        return Decision(changed or awaited, reports.close(connection, job_id, "taken_down"))


def approve(services: Services, job_id: UUID) -> Decision:
    """Publish a job that waits for that, undo a take-down, or end the look at one that is public.

    A job that was taken down is in the gallery again where it was, unless its owner has withdrawn it.

    Raises:
        NotFound: There is no such job.
        TakenDown: Its pictures show a likeness that was deleted.
    """
    with services.db.begin() as connection:
        _lock(connection, job_id)
        if gallery_store.shows_deleted(connection, job_id):
            raise TakenDown
        awaited, never_public = reviews.approve(connection, job_id)
        restored = gallery_store.restore(connection, job_id, publish=never_public)
        return Decision(restored or awaited, 0)


def dismiss(services: Services, job_id: UUID) -> Decision:
    """Close a job's reports and leave the job as it is.

    Raises:
        NotFound: There is no such job.
    """
    with services.db.begin() as connection:
        _lock(connection, job_id)
        return Decision(False, reports.close(connection, job_id, "dismissed"))


def _lock(connection: Connection, job_id: UUID) -> None:
    """Lock a job until the transaction ends. Raises NotFound."""
    if not gallery_store.lock(connection, job_id):
        raise NotFound
