"""Start pictures: the form with which a browser uploads one directly to the storage, and whether it has arrived."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast
from uuid import UUID, uuid4

from sqlalchemy import Connection

from shared.accounts.auth import Credential, require_user
from shared.api.schemas import UploadRequest
from shared.core.errors import FieldCode, FieldError, InvalidRequest
from shared.jobs import upload_store
from shared.services import Services

if TYPE_CHECKING:
    from shared.clients.storage import PresignedPost

EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


def create_upload(services: Services, credential: Credential, request: UploadRequest) -> tuple[str, "PresignedPost"]:
    """Announce an upload; return its key, for `source_images` of a submit, and the form that sends it."""
    with services.db.begin() as connection:
        user = require_user(connection, credential)
        key = f"uploads/{user.id}/{uuid4()}.{EXTENSIONS[request.content_type]}"
        upload_store.create(connection, user.id, key, request.content_type, request.size)
    return key, services.storage.presigned_post(key, request.content_type, request.size, datetime.now(UTC))


def check_uploaded(services: Services, connection: Connection, user_id: UUID, keys: Sequence[str]) -> None:
    """Check that every start picture is the user's own upload, has arrived, and can be used as far as it begins.

    Raises:
        InvalidRequest: one is not.
    """
    if not keys:
        return
    # Most submits have no start picture.
    from shared.clients.storage import ObjectMissing
    from shared.images.source_rules import HEAD_BYTES, PictureError, check_head

    own = upload_store.list_own_keys(connection, user_id, keys)
    checked: set[str] = set()
    for index, key in enumerate(keys):
        field = f"source_images.{index}"
        if key not in own:
            raise InvalidRequest(fields=(FieldError(field, "is not the key of an upload of yours", "not_yours"),))
        if key in checked:
            continue
        checked.add(key)
        try:
            check_head(services.storage.get_begin(key, HEAD_BYTES))
        except ObjectMissing:
            raise InvalidRequest(fields=(FieldError(field, "has not been uploaded yet", "not_uploaded"),)) from None
        except PictureError as error:
            code = cast(FieldCode, error.code)
            raise InvalidRequest(fields=(FieldError(field, f"cannot be used: {error.message}", code),)) from None
