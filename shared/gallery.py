"""What everyone may see: the gallery, the stable links to pictures, and the examples a new installation begins with."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from shared import job_store, user_store
from shared.contract import JobRequest
from shared.errors import BadRequest, NotFound
from shared.job_views import image_signer
from shared.services import Services
from shared.submission import new_job

EXAMPLES_EMAIL = "gallery@easel.invalid"

EXAMPLES: tuple[dict[str, Any], ...] = (
    {"prompt": "a lighthouse at night, stars over a calm sea", "seed": 11},
    {"prompt": "mountains at sunrise above a misty lake", "aspect": "widescreen", "seed": 12},
    {"prompt": "a birch forest in autumn, golden light", "aspect": "portrait", "seed": 13},
    {"prompt": "an old castle on a hill in a thunderstorm", "style": "oil", "seed": 14},
    {"prompt": "a city at night in the rain, neon reflections", "aspect": "widescreen", "seed": 15},
    {"prompt": "a small boat on a turquoise lake in summer", "style": "watercolour", "seed": 16},
    {"prompt": "northern lights over a snowy village", "seed": 17},
    {"prompt": "a field of red flowers under big clouds", "aspect": "widescreen", "seed": 18},
    {"prompt": "a desert road at dusk, a huge moon", "aspect": "portrait", "seed": 19},
    {"prompt": "an island with palms in a purple evening", "type": "painting", "seed": 20},
    {"prompt": "a house by the river in winter, warm windows", "seed": 21},
    {"prompt": "абстракция: синий огонь и золотой дым", "aspect": "portrait", "seed": 22},
)

_GALLERY = text(f"""
SELECT j.id, j.prompt, j.settings->>'style' AS style, j.created_at, j.published_at, {job_store.IMAGES}
FROM jobs j
WHERE j.published_at IS NOT NULL AND j.state = 'succeeded'
    AND (CAST(:at AS timestamptz) IS NULL OR (j.published_at, j.id) < (:at, CAST(:before AS uuid)))
ORDER BY j.published_at DESC, j.id DESC LIMIT :limit
""")


def list_gallery(services: Services, *, cursor: str | None, limit: int) -> tuple[list[dict[str, Any]], str | None]:
    """A page of published jobs, the latest first, with the cursor of the next page. Nothing of their owners."""
    at, before = _read_cursor(cursor) if cursor is not None else (None, None)
    with services.db.statement() as connection:
        rows = list(connection.execute(_GALLERY, {"at": at, "before": before, "limit": limit + 1}))
    more, rows = len(rows) > limit, rows[:limit]
    sign = image_signer(services)
    items = [
        {
            "job_id": str(row.id),
            "prompt": row.prompt,
            "style": row.style,
            "images": [sign(image) for image in row.images],
            "created_at": row.created_at,
        }
        for row in rows
    ]
    return items, _cursor(rows[-1].published_at, rows[-1].id) if more else None


def picture_url(services: Services, image_id: UUID, *, thumbnail: bool, download: bool) -> str:
    """A fresh presigned URL of a picture; its id is the permission. Raises NotFound."""
    query = text("SELECT key, thumbnail_key FROM images WHERE id = :image_id")
    with services.db.statement() as connection:
        row = connection.execute(query, {"image_id": image_id}).one_or_none()
    if row is None:
        raise NotFound
    key = row.thumbnail_key if thumbnail else row.key
    name = f"easel-{image_id}.{key.rsplit('.', 1)[-1]}" if download else None
    return services.storage.presigned_url(key, datetime.now(UTC), download_name=name)


def seed_examples(services: Services) -> int:
    """Queue the example prompts through the ordinary pipeline, unless that was done before; return how many.

    They belong to a user who cannot log in, and are published from the start; the gallery shows each when it is done.
    """
    with services.db.begin() as connection:
        if user_store.find_by_email(connection, EXAMPLES_EMAIL):
            return 0
        user = user_store.create(connection, EXAMPLES_EMAIL, "no password")
        for example in EXAMPLES:
            job = new_job(JobRequest(**example), None, b"")
            row = job_store.submit(connection, user.id, job, max_queued=len(EXAMPLES), jobs_per_day=len(EXAMPLES))
            assert row is not None, "a new user is within the limits"
            connection.execute(
                text("UPDATE jobs SET published_at = clock_timestamp() WHERE id = :job_id"), {"job_id": row.id}
            )
    services.wake_ups.wake()
    return len(EXAMPLES)


def _cursor(at: datetime, job_id: UUID) -> str:
    return base64.urlsafe_b64encode(f"{at.isoformat()} {job_id}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, job_id = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().rsplit(" ", 1)
        return datetime.fromisoformat(at).astimezone(UTC), UUID(job_id)
    except (ValueError, OverflowError, binascii.Error):
        raise BadRequest("The cursor is not one that a list gave out.") from None
