"""The public gallery and the stable links to pictures. No caller needs an account."""

import base64
import binascii
import json
from datetime import UTC, datetime
from uuid import UUID

from shared.api.schemas import GallerySettings
from shared.core.errors import BadRequest, NotFound
from shared.gallery import store as gallery_store
from shared.gallery.store import GalleryItem
from shared.jobs.views import Pictures, text_json
from shared.services import Services


def list_gallery(services: Services, *, cursor: str | None, limit: int) -> tuple[list[GalleryItem], str | None]:
    """Return a page of published jobs, newest first, and the cursor of the next page.

    Raises:
        BadRequest: The cursor was not issued by this function.
    """
    after = _decode_cursor(cursor) if cursor is not None else None
    with services.db.statement() as connection:
        items = gallery_store.list_shown(connection, after=after, limit=limit + 1)
    page = items[:limit]
    return page, _encode_cursor(page[-1]) if len(items) > limit else None


def get_item(services: Services, job_id: UUID) -> GalleryItem:
    """Return one published job.

    Raises:
        NotFound: The job is not in the gallery.
    """
    with services.db.statement() as connection:
        item = gallery_store.find_shown(connection, job_id)
    if item is None:
        raise NotFound
    return item


def picture_url(
    services: Services, image_id: UUID, *, thumbnail: bool, timelapse: bool, download: bool, head: bool
) -> str:
    """Return a fresh presigned URL of a picture, or of its time-lapse, for GET or for HEAD, as a signature covers that.

    The id is the permission, whether the job is published or not, until the job is taken down.

    Raises:
        NotFound: There is no such picture or time-lapse, or its job was taken down.
    """
    with services.db.statement() as connection:
        picture = gallery_store.find_picture(connection, image_id)
    if picture is None:
        raise NotFound
    key = picture.timelapse_key if timelapse else picture.thumbnail_key if thumbnail else picture.key
    if key is None:
        raise NotFound
    name = f"easel-{image_id}.{key.rsplit('.', 1)[-1]}" if download else None
    return services.storage.presigned_url(key, datetime.now(UTC), download_name=name, method="HEAD" if head else "GET")


def item_json(item: GalleryItem, pictures: Pictures) -> str:
    """Return a published job as JSON."""
    style = text_json(item.style) if isinstance(item.style, str) else json.dumps(item.style)
    return (
        f'{{"job_id":"{item.id}","prompt":{text_json(item.prompt)},"style":{style},'
        f'"images":{pictures.write(item.images)},"timelapse_url":{pictures.timelapse(item.images)},'
        f'"created_at":"{item.created_at}","published_at":"{item.published_at}"}}'
    )


def item_with_recipe_json(item: GalleryItem, pictures: Pictures) -> str:
    """Return a published job as JSON, with those of its settings that a caller may receive."""
    recipe = GallerySettings.model_validate_json(item.settings).model_dump_json()
    return f'{item_json(item, pictures)[:-1]},"settings":{recipe}}}'


def _encode_cursor(last: GalleryItem) -> str:
    return base64.urlsafe_b64encode(f"{last.published_at} {last.id}".encode()).decode().rstrip("=")


def _decode_cursor(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, job_id = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().rsplit(" ", 1)
        return datetime.fromisoformat(at).astimezone(UTC), UUID(job_id)
    except (ValueError, OverflowError, binascii.Error):
        raise BadRequest("The cursor was not issued by this list.") from None
