"""What everyone may see and say: the gallery, reports, stable links to pictures, and a new installation's examples."""

import base64
import binascii
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from shared.accounts import store as user_store
from shared.api.schemas import JobRequest, NewReport
from shared.core.errors import BadRequest, NotFound
from shared.gallery import store as gallery_store
from shared.jobs import store as job_store
from shared.jobs.submission import new_job
from shared.jobs.views import Sign, image_signer
from shared.services import Services

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

MAX_OPEN_REPORTS = 20
"""Of one job. More would tell the operators nothing new, and anybody can send them."""


def list_gallery(services: Services, *, cursor: str | None, limit: int) -> tuple[list[dict[str, Any]], str | None]:
    """A page of published jobs, the latest first, with the cursor of the next page. Nothing of their owners."""
    after = _read_cursor(cursor) if cursor is not None else None
    with services.db.statement() as connection:
        rows = gallery_store.list_shown(connection, after=after, limit=limit + 1)
    more, rows = len(rows) > limit, rows[:limit]
    sign = image_signer(services)
    return [_item(row, sign) for row in rows], _cursor(rows[-1].published_at, rows[-1].id) if more else None


def get_item(services: Services, job_id: UUID) -> dict[str, Any]:
    """One published job with its recipe; a caller is given no more than `contract.GalleryDetail` names of the settings.
    Raises NotFound."""
    with services.db.statement() as connection:
        row = gallery_store.find_shown(connection, job_id)
    if row is None:
        raise NotFound
    return _item(row, image_signer(services)) | {"settings": row.settings}


def report(services: Services, job_id: UUID, request: NewReport) -> None:
    """Have the operators look at a published job. A job with many open reports gets no further one. Raises NotFound."""
    with services.db.begin() as connection:
        if not gallery_store.lock_shown(connection, job_id):
            raise NotFound
        gallery_store.add_report(connection, job_id, request.reason, request.detail, most=MAX_OPEN_REPORTS)


def picture_url(services: Services, image_id: UUID, *, thumbnail: bool, download: bool) -> str:
    """A fresh presigned URL of a picture; its id is the permission, whether its job is published or not, until an
    operator takes the job down. Raises NotFound."""
    with services.db.statement() as connection:
        row = gallery_store.find_picture(connection, image_id)
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
            gallery_store.publish_beforehand(connection, row.id)
    services.wake_ups.wake()
    return len(EXAMPLES)


def _item(row: Row[Any], sign: Sign) -> dict[str, Any]:
    return {
        "job_id": str(row.id),
        "prompt": row.prompt,
        "style": row.settings["style"],
        "images": [sign(image) for image in row.images],
        "created_at": row.created_at,
        "published_at": row.published_at,
    }


def _cursor(at: datetime, job_id: UUID) -> str:
    return base64.urlsafe_b64encode(f"{at.isoformat()} {job_id}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, job_id = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().rsplit(" ", 1)
        return datetime.fromisoformat(at).astimezone(UTC), UUID(job_id)
    except (ValueError, OverflowError, binascii.Error):
        raise BadRequest("The cursor is not one that a list gave out.") from None
