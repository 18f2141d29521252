"""Start pictures: a form with which a browser uploads one directly to the storage."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from shared.accounts.auth import Credential, require_user
from shared.api.schemas import UploadRequest
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
