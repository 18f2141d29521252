"""Published jobs, take-downs and reports in the database. Functions over a connection.

A job is shown when its owner has published it, it has succeeded, and no operator has taken it down.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, text

from shared.jobs.store import IMAGES, PUBLIC

_SHOWN = f"{PUBLIC} AND j.state = 'succeeded'"
_ITEM = f"SELECT j.id, j.prompt, j.settings, j.created_at, j.published_at, {IMAGES} FROM jobs j WHERE {_SHOWN}"

_LIST = text(f"""
{_ITEM} AND (CAST(:at AS timestamptz) IS NULL OR (j.published_at, j.id) < (:at, CAST(:before AS uuid)))
ORDER BY j.published_at DESC, j.id DESC LIMIT :limit
""")
_FIND = text(f"{_ITEM} AND j.id = :job_id")


def list_shown(connection: Connection, *, after: tuple[datetime, UUID] | None, limit: int) -> list[Row[Any]]:
    """A page of the gallery (id, prompt, settings, created_at, published_at, images), the latest first; `after` is the
    moment of publication and the id of the last job of the page before."""
    at, before = after or (None, None)
    return list(connection.execute(_LIST, {"at": at, "before": before, "limit": limit}))


def find_shown(connection: Connection, job_id: UUID) -> Row[Any] | None:
    """One job of the gallery, as `list_shown` has it."""
    return connection.execute(_FIND, {"job_id": job_id}).one_or_none()


def find_picture(connection: Connection, image_id: UUID) -> Row[Any] | None:
    """The objects (key, thumbnail_key) of a picture, unless its job was taken down."""
    query = text("""
        SELECT i.key, i.thumbnail_key FROM images i JOIN jobs j ON j.id = i.job_id
        WHERE i.id = :image_id AND j.taken_down_at IS NULL
    """)
    return connection.execute(query, {"image_id": image_id}).one_or_none()


def publish(connection: Connection, job_id: UUID, user_id: UUID) -> bool:
    """Show the pictures of a user's own job; False when nothing has changed."""
    query = text("""
        UPDATE jobs SET published_at = clock_timestamp(), version = version + 1
        WHERE id = :job_id AND user_id = :user_id AND state = 'succeeded'
            AND published_at IS NULL AND taken_down_at IS NULL
            AND EXISTS (SELECT FROM images WHERE job_id = :job_id)
    """)
    return connection.execute(query, {"job_id": job_id, "user_id": user_id}).rowcount == 1


def take_back(connection: Connection, job_id: UUID, user_id: UUID) -> bool:
    """Show a user's own job no more; False when nothing has changed."""
    query = text("""
        UPDATE jobs SET published_at = NULL, version = version + 1
        WHERE id = :job_id AND user_id = :user_id AND published_at IS NOT NULL
    """)
    return connection.execute(query, {"job_id": job_id, "user_id": user_id}).rowcount == 1


def publish_beforehand(connection: Connection, job_id: UUID) -> None:
    """Show a new job as soon as it has succeeded."""
    connection.execute(text("UPDATE jobs SET published_at = clock_timestamp() WHERE id = :job_id"), {"job_id": job_id})


def find_taken_down(connection: Connection, job_id: UUID) -> bool | None:
    """Whether an operator has taken the job down; None where there is no such job."""
    query = text("SELECT taken_down_at IS NOT NULL FROM jobs WHERE id = :job_id")
    return connection.execute(query, {"job_id": job_id}).scalar_one_or_none()


def lock_shown(connection: Connection, job_id: UUID) -> bool:
    """Whether the job is shown; if so, it stays as it is until the transaction ends."""
    query = text(f"SELECT j.id FROM jobs j WHERE {_SHOWN} AND j.id = :job_id FOR NO KEY UPDATE")
    return connection.execute(query, {"job_id": job_id}).one_or_none() is not None


def add_report(connection: Connection, job_id: UUID, reason: str, detail: str, *, most: int) -> None:
    """Keep a report, unless the job has `most` open ones. The caller holds the job (`lock_shown`), so that the count
    stands."""
    query = text("""
        INSERT INTO reports (job_id, reason, detail) SELECT :job_id, :reason, :detail
        WHERE (SELECT count(*) FROM reports WHERE job_id = :job_id AND closed_at IS NULL) < :most
    """)
    connection.execute(query, {"job_id": job_id, "reason": reason, "detail": detail, "most": most})


def list_reported(connection: Connection, *, limit: int) -> list[Row[Any]]:
    """Jobs with open reports (id, prompt, image_id, shown, reports), the one with the longest waiting report first.

    `image_id` is that of the first picture. `reports` are [time, reason, detail] each, the oldest first.
    """
    query = text(f"""
        SELECT j.id, j.prompt, {_SHOWN} AS shown, r.reports,
            (SELECT i.id FROM images i WHERE i.job_id = j.id ORDER BY i.index LIMIT 1) AS image_id
        FROM (
            SELECT job_id, min(created_at) AS since,
                json_agg(json_build_array(
                    to_char(created_at AT TIME ZONE 'utc', 'YYYY-MM-DD HH24:MI'), reason, detail
                ) ORDER BY id) AS reports
            FROM reports WHERE closed_at IS NULL GROUP BY job_id ORDER BY since LIMIT :limit
        ) AS r JOIN jobs j ON j.id = r.job_id ORDER BY r.since
    """)
    return list(connection.execute(query, {"limit": limit}))


def take_down(connection: Connection, job_id: UUID) -> bool:
    """Hide a job for good and its pictures' links with it; False when nothing has changed."""
    query = text("""
        UPDATE jobs SET taken_down_at = clock_timestamp(), version = version + 1
        WHERE id = :job_id AND taken_down_at IS NULL
    """)
    return connection.execute(query, {"job_id": job_id}).rowcount == 1


def list_shown_of(connection: Connection, user_id: UUID) -> list[UUID]:
    """The jobs that a user has published and no operator has taken down."""
    query = text(f"SELECT j.id FROM jobs j WHERE j.user_id = :user_id AND {PUBLIC} ORDER BY j.id")
    return list(connection.execute(query, {"user_id": user_id}).scalars())


def restore(connection: Connection, job_id: UUID) -> bool:
    """Undo `take_down`; False when nothing has changed."""
    query = text("""
        UPDATE jobs SET taken_down_at = NULL, version = version + 1
        WHERE id = :job_id AND taken_down_at IS NOT NULL
    """)
    return connection.execute(query, {"job_id": job_id}).rowcount == 1


def close_reports(connection: Connection, job_id: UUID) -> int:
    """Mark the job's open reports as decided; return how many there were."""
    query = text("UPDATE reports SET closed_at = clock_timestamp() WHERE job_id = :job_id AND closed_at IS NULL")
    return connection.execute(query, {"job_id": job_id}).rowcount
