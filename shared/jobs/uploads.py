"""Start pictures: the form with which a browser uploads one directly to the storage, and whether it has arrived."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast
from uuid import UUID, uuid4

from sqlalchemy import Connection

from shared.accounts.auth import Credential, require_user
from shared.api.schemas import UploadRequest
from shared.core.errors import Capacity, FieldCode, FieldError, InvalidRequest, StorageFull
from shared.core.limits import MIB
from shared.core.rate_limits import Limit, take
from shared.generators.abilities import MAX_OUTPUT_PIXELS
from shared.jobs import upload_store
from shared.jobs.records import NewJob
from shared.services import Services

if TYPE_CHECKING:
    from shared.clients.storage import PresignedPost

EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}

MOST_UPLOADS = 200
"""How many different uploads the jobs of one call may start from: each takes a look at the storage."""

SENT_AGAIN = "was sent again after a job had used it; upload the picture again"


def create_upload(services: Services, credential: Credential, request: UploadRequest) -> tuple[str, "PresignedPost"]:
    """Announce an upload; return its key, for `source_images` of a submit, and the form that sends it.

    Raises:
        RateLimited: The user has announced too many lately, or too large ones.
        Capacity: All users together have.
        StorageFull: The user's account would store more than it may.
    """
    with services.db.begin() as connection:
        user = require_user(connection, credential)
        _count(services, connection, user.id, request.size)
        key = f"uploads/{user.id}/{uuid4()}.{EXTENSIONS[request.content_type]}"
        stored_bytes = upload_store.create(connection, user.id, key, request.content_type, request.size)
        if stored_bytes > services.settings.max_user_mb * MIB:
            raise storage_full(services.settings.max_user_mb)
        # Last, because everybody's row is locked until the end of the transaction.
        detail = "This site takes no more uploads at the moment. Try again later."
        most = services.settings.upload_mb_in_all * MIB
        take(connection, Limit("bytes of all uploads", most, error=Capacity, detail=detail), "", request.size)
    return key, services.storage.presigned_post(key, request.content_type, request.size, datetime.now(UTC))


def storage_full(max_mb: int) -> StorageFull:
    """Return the error for an account that stores as much as it may."""
    return StorageFull(f"Your pictures and uploads have {max_mb} MB, which an account may store. Delete some first.")


def _count(services: Services, connection: Connection, user_id: UUID, size_bytes: int) -> None:
    """Count an upload of a user. An error rolls the transaction back, and with it what was counted before."""
    limits = services.settings
    detail = "Too many uploads within an hour. Try again later."
    of_user = Limit("uploads", limits.uploads_per_hour, detail=detail)
    bytes_of_user = Limit("bytes of uploads", limits.upload_mb_per_hour * MIB, detail=detail)
    take(connection, of_user, str(user_id))
    take(connection, bytes_of_user, str(user_id), size_bytes)


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
        own = upload_store.list_own(connection, require_user(connection, credential).id, keys)
    pixels: dict[str, int] = {}
    found: dict[str, tuple[str, str]] = {}
    for number, job in enumerate(jobs):
        for index, key in enumerate(job.source_keys):
            field = f"{place(number)}source_images.{index}"
            if key not in own:
                raise _refusal(field, "is not the key of an upload of yours", "not_yours")
            if key not in pixels:
                pixels[key], etag = _look(services, field, key)
                found[key] = field, etag
        total = sum(pixels[key] for key in job.source_keys) * job.outline.upscale**2
        if not job.outline.generates and total > MAX_OUTPUT_PIXELS:
            message = f"makes more than {MAX_OUTPUT_PIXELS} pixels of these start pictures in all"
            raise InvalidRequest(fields=(FieldError(f"{place(number)}upscale", message, "not_offered"),))
    changed = fix_contents(services, {key: etag for key, (_, etag) in found.items()}, own)
    if changed:
        raise _refusal(found[min(changed)][0], SENT_AGAIN, "not_uploaded")


def fix_contents(services: Services, etags: Mapping[str, str], known: Mapping[str, str | None]) -> set[str]:
    """Make jobs use the content of uploads that was just looked at; return the keys of which they use another one.

    A form is good for one content: sent again after a job has used its upload, what it brings is used by no job.
    known: the ETags that were recorded before.
    """
    if all(known.get(key) == etag for key, etag in etags.items()):
        return set()
    with services.db.statement() as connection:
        return upload_store.fix_contents(connection, etags)


def _look(services: Services, field: str, key: str) -> tuple[int, str]:
    """Return how many pixels an upload has when it is sent, 0 if its first bytes do not say, and its ETag.

    Raises InvalidRequest.
    """
    # Most submits have no start picture.
    from shared.clients.storage import ObjectMissing
    from shared.images.source_rules import HEAD_BYTES, LONG_HEAD_BYTES, PictureError, check_head, sent_pixels

    try:
        for most_bytes in (HEAD_BYTES, LONG_HEAD_BYTES):
            begin, etag = services.storage.get_begin(key, most_bytes)
            size = check_head(begin)
            if size is not None:
                return sent_pixels(*size), etag
    except ObjectMissing:
        raise _refusal(field, "has not been uploaded yet", "not_uploaded") from None
    except PictureError as error:
        raise _refusal(field, f"cannot be used: {error.message}", cast(FieldCode, error.code)) from None
    return 0, etag


def _refusal(field: str, message: str, code: FieldCode) -> InvalidRequest:
    return InvalidRequest(fields=(FieldError(field, message, code),))
