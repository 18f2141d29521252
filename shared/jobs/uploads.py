"""Start pictures: the form with which a browser uploads one directly to the storage, and whether it has arrived."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from shared.accounts.auth import Credential, require_user
from shared.api.schemas import UploadRequest
from shared.core.errors import FieldCode, FieldError, InvalidRequest
from shared.generators.abilities import MAX_OUTPUT_PIXELS
from shared.jobs import upload_store
from shared.jobs.records import NewJob
from shared.services import Services

if TYPE_CHECKING:
    from shared.clients.storage import PresignedPost

EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}

MOST_UPLOADS = 200
"""How many different uploads the jobs of one call may start from: each takes a look at the storage."""


def create_upload(services: Services, credential: Credential, request: UploadRequest) -> tuple[str, "PresignedPost"]:
    """Announce an upload; return its key, for `source_images` of a submit, and the form that sends it."""
    with services.db.begin() as connection:
        user = require_user(connection, credential)
        key = f"uploads/{user.id}/{uuid4()}.{EXTENSIONS[request.content_type]}"
        upload_store.create(connection, user.id, key, request.content_type, request.size)
    return key, services.storage.presigned_post(key, request.content_type, request.size, datetime.now(UTC))


def check_uploaded(
    services: Services, credential: Credential, jobs: Sequence[NewJob], place: Callable[[int], str] = lambda _: ""
) -> None:
    """Check that every start picture is the user's own upload, has arrived, and can be used as its first bytes say.

    place: names the request of the job with this index, before the field. No connection to the database is held while
    the storage is asked.

    Raises:
        InvalidRequest: one is not, or scaled up they have too many pixels.
    """
    keys = {key for job in jobs for key in job.source_keys}
    if not keys:
        return
    if len(keys) > MOST_UPLOADS:
        message = f"start from more than {MOST_UPLOADS} different uploads"
        raise InvalidRequest(fields=(FieldError("requests", message, "too_many", MOST_UPLOADS),))
    with services.db.statement() as connection:
        own = upload_store.list_own_keys(connection, require_user(connection, credential).id, keys)
    pixels: dict[str, int] = {}
    for number, job in enumerate(jobs):
        for index, key in enumerate(job.source_keys):
            field = f"{place(number)}source_images.{index}"
            if key not in own:
                raise _refusal(field, "is not the key of an upload of yours", "not_yours")
            if key not in pixels:
                pixels[key] = _sent_pixels(services, field, key)
        total = sum(pixels[key] for key in job.source_keys) * job.outline.upscale**2
        if not job.outline.generates and total > MAX_OUTPUT_PIXELS:
            message = f"makes more than {MAX_OUTPUT_PIXELS} pixels of these start pictures in all"
            raise InvalidRequest(fields=(FieldError(f"{place(number)}upscale", message, "not_offered"),))


def _sent_pixels(services: Services, field: str, key: str) -> int:
    """Return how many pixels an upload has when it is sent; 0 if its first bytes do not say. Raises InvalidRequest."""
    # Most submits have no start picture.
    from shared.clients.storage import ObjectMissing
    from shared.images.source_rules import HEAD_BYTES, LONG_HEAD_BYTES, PictureError, check_head, sent_pixels

    try:
        for most_bytes in (HEAD_BYTES, LONG_HEAD_BYTES):
            size = check_head(services.storage.get_begin(key, most_bytes))
            if size is not None:
                return sent_pixels(*size)
    except ObjectMissing:
        raise _refusal(field, "has not been uploaded yet", "not_uploaded") from None
    except PictureError as error:
        raise _refusal(field, f"cannot be used: {error.message}", cast(FieldCode, error.code)) from None
    return 0


def _refusal(field: str, message: str, code: FieldCode) -> InvalidRequest:
    return InvalidRequest(fields=(FieldError(field, message, code),))
