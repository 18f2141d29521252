"""POST /v1/uploads: a presigned form that sends one start picture directly to the storage."""

from datetime import datetime
from typing import TypedDict

from fastapi import APIRouter

from functions.http.app import lambda_handler
from functions.http.dependencies import CredentialDep, ServicesDep
from functions.http.problems import CHANGING, WITH_BODY, problems
from shared.api.schemas import UploadRequest, UploadView
from shared.core.errors import Capacity, RateLimited, StorageFull
from shared.jobs import uploads

router = APIRouter(tags=["pictures"])
handler = lambda_handler(router)


class UploadForm(TypedDict):
    """A presigned form, and the key of the upload."""

    key: str
    url: str
    fields: dict[str, str]
    expires_at: datetime


@router.post(
    "/v1/uploads",
    status_code=201,
    response_model=UploadView,
    responses=problems(*CHANGING, *WITH_BODY, StorageFull, RateLimited, Capacity),
)
def upload(body: UploadRequest, credential: CredentialDep, services: ServicesDep) -> UploadForm:
    """Create an upload form: POST `fields`, then the file as `file`, to `url`; then name `key` in `source_images`."""
    key, form = uploads.create_upload(services, credential, body)
    return {"key": key, "url": form.url, "fields": form.fields, "expires_at": form.expires_at}
