"""SQL for published jobs and take-downs. Each function takes a connection and returns frozen values.

A job is in the gallery when its owner has published it, it has succeeded, it is not taken down, and the owner's account
is not deleted. An operator takes a job down, or the deletion of a likeness that its pictures show.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic_core import from_json
from sqlalchemy import Connection, text

from shared.core.db import fetch
from shared.jobs.publications import SHOWS_DELETED
from shared.jobs.records import JOB_IMAGES, JobImage, read_images, utc
from shared.jobs.store import PUBLIC

_NOT_DELETED = "j.user_id <> ALL (ARRAY(SELECT c.id FROM users c WHERE c.deleted_at IS NOT NULL))"
"""The rows of a deleted account are deleted in batches. Few accounts are in that state, so they are listed once."""

IS_SHOWN = f"{PUBLIC} AND j.state = 'succeeded' AND {_NOT_DELETED}"
"""The condition on a job `j` that is in the gallery."""

_ITEM = f"""
SELECT CAST(j.id AS text) AS id, j.prompt, j.settings->>'style' AS style, CAST(j.settings AS text) AS settings,
    {utc("j.created_at")} AS created_at, {utc("j.published_at")} AS published_at, {JOB_IMAGES}
FROM jobs j WHERE {IS_SHOWN}
"""
_LIST = "SELECT * FROM shown_gallery(%(at)s, %(before)s, %(limit)s)"
_NEWEST = (datetime.max.replace(tzinfo=UTC), UUID(int=2**128 - 1))
_FIND = text(f"{_ITEM} AND j.id = :job_id")


class GalleryItem(NamedTuple):
    """A job of the gallery, without its owner. `settings` is a JSON object as text; times are RFC 3339 in UTC."""

    id: str
    prompt: str
    style: str | list[str] | None
    settings: str
    created_at: str
    published_at: str
    images: tuple[JobImage, ...]


@dataclass(frozen=True, slots=True)
class PictureKeys:
    """The storage keys of a picture, its thumbnail, and the time-lapse of its making if there is one."""

    key: str
    thumbnail_key: str
    timelapse_key: str | None


def list_shown(connection: Connection, *, after: tuple[datetime, UUID] | None, limit: int) -> list[GalleryItem]:
    """Return a page of the gallery, newest first.

    `after` is the time of publication and the id of the last job of the page before.
    """
    at, before = after or _NEWEST
    return list(map(_item, fetch(connection, _LIST, {"at": at, "before": before, "limit": limit})))


def find_shown(connection: Connection, job_id: UUID) -> GalleryItem | None:
    """Return one job of the gallery."""
    row = connection.execute(_FIND, {"job_id": job_id}).one_or_none()
    return _item(row) if row else None


def find_picture(connection: Connection, image_id: UUID) -> PictureKeys | None:
    """Return the storage keys of a picture, unless its job was taken down or its account deleted."""
    query = text(f"""
        SELECT i.key, i.thumbnail_key, i.timelapse_key FROM images i JOIN jobs j ON j.id = i.job_id
        WHERE i.id = :image_id AND j.taken_down_at IS NULL AND {_NOT_DELETED}
    """)
    row = connection.execute(query, {"image_id": image_id}).one_or_none()
    return PictureKeys(*row) if row else None


def lock(connection: Connection, job_id: UUID) -> bool:
    """Lock a job until the transaction ends; return False if there is none."""
    query = text("SELECT FROM jobs WHERE id = :job_id FOR NO KEY UPDATE")
    return connection.execute(query, {"job_id": job_id}).one_or_none() is not None


def lock_own(connection: Connection, job_id: UUID, user_id: UUID) -> bool:
    """Lock a user's own job until the transaction ends; return False if there is none."""
    query = text("SELECT FROM jobs WHERE id = :job_id AND user_id = :user_id FOR NO KEY UPDATE")
    return connection.execute(query, {"job_id": job_id, "user_id": user_id}).one_or_none() is not None


def lock_publishable(connection: Connection, job_id: UUID, user_id: UUID) -> bool:
    """Lock a user's own job until the transaction ends; return False unless it can be published and is not yet."""
    query = text(f"""
        SELECT FROM jobs WHERE id = :job_id AND user_id = :user_id AND state = 'succeeded'
            AND published_at IS NULL AND taken_down_at IS NULL AND NOT {SHOWS_DELETED}
            AND EXISTS (SELECT FROM images WHERE job_id = :job_id)
        FOR NO KEY UPDATE
    """)
    return connection.execute(query, {"job_id": job_id, "user_id": user_id}).one_or_none() is not None


def publish(connection: Connection, job_id: UUID) -> None:
    """Publish a job that `lock_publishable` has locked."""
    query = text("UPDATE jobs SET published_at = clock_timestamp(), version = version + 1 WHERE id = :job_id")
    connection.execute(query, {"job_id": job_id})


def withdraw(connection: Connection, job_id: UUID) -> bool:
    """Undo the publication of a job; return False if nothing changed."""
    query = text("""
        UPDATE jobs SET published_at = NULL, version = version + 1 WHERE id = :job_id AND published_at IS NOT NULL
    """)
    return connection.execute(query, {"job_id": job_id}).rowcount == 1


def touch(connection: Connection, job_id: UUID) -> None:
    """Count a change that is not in the job's row, so that its watchers read it again."""
    connection.execute(text("UPDATE jobs SET version = version + 1 WHERE id = :job_id"), {"job_id": job_id})


def publish_when_done(connection: Connection, job_id: UUID) -> None:
    """Publish a new job in advance: the gallery shows it as soon as it has succeeded."""
    connection.execute(text("UPDATE jobs SET published_at = clock_timestamp() WHERE id = :job_id"), {"job_id": job_id})


def find_taken_down(connection: Connection, job_id: UUID) -> bool | None:
    """Return whether the job is taken down, or is to stay out of the gallery as if; None if there is no such job."""
    query = text(f"SELECT taken_down_at IS NOT NULL OR {SHOWS_DELETED} FROM jobs WHERE id = :job_id")
    return connection.execute(query, {"job_id": job_id}).scalar_one_or_none()


def shows_deleted(connection: Connection, job_id: UUID) -> bool:
    """Return whether the job's pictures show a likeness that was deleted."""
    query = text(f"SELECT FROM jobs WHERE id = :job_id AND {SHOWS_DELETED}")
    return connection.execute(query, {"job_id": job_id}).one_or_none() is not None


def lock_shown(connection: Connection, job_id: UUID) -> bool:
    """Return whether the job is in the gallery; if so, it stays so until the transaction ends."""
    query = text(f"SELECT j.id FROM jobs j WHERE {IS_SHOWN} AND j.id = :job_id FOR NO KEY UPDATE")
    return connection.execute(query, {"job_id": job_id}).one_or_none() is not None


def list_public_ids(connection: Connection, user_id: UUID) -> list[UUID]:
    """Return the jobs that a user has published and that are not taken down."""
    query = text(f"SELECT j.id FROM jobs j WHERE j.user_id = :user_id AND {PUBLIC} ORDER BY j.id")
    return list(connection.execute(query, {"user_id": user_id}).scalars())


def take_down(connection: Connection, job_id: UUID) -> bool:
    """Hide a job and the links of its pictures; return False if nothing changed."""
    query = text("""
        UPDATE jobs SET taken_down_at = clock_timestamp(), version = version + 1
        WHERE id = :job_id AND taken_down_at IS NULL
    """)
    return connection.execute(query, {"job_id": job_id}).rowcount == 1


def restore(connection: Connection, job_id: UUID, *, publish: bool = False) -> bool:
    """Undo `take_down`, unless the pictures show a deleted likeness; return False if nothing changed.

    publish: the job is public from now on; otherwise it is if it was before.
    """
    query = text(f"""
        UPDATE jobs SET taken_down_at = NULL, version = version + 1,
            published_at = CASE WHEN :publish THEN coalesce(published_at, clock_timestamp()) ELSE published_at END
        WHERE id = :job_id AND NOT {SHOWS_DELETED}
            AND (taken_down_at IS NOT NULL OR (:publish AND published_at IS NULL))
    """)
    return connection.execute(query, {"job_id": job_id, "publish": publish}).rowcount == 1


def _item(row: Sequence[Any]) -> GalleryItem:
    job_id, prompt, style, *fields, images = row
    # As text a list of styles is JSON, which no key looks like.
    styles = from_json(style) if style and style.startswith("[") else style
    return GalleryItem._make((job_id, prompt, styles, *fields, read_images(images)))
