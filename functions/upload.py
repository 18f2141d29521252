"""POST /v1/uploads: a presigned form that sends one start picture directly to the storage."""

from typing import Any

from fastapi import APIRouter

from functions.http.app import lambda_handler
from functions.http.dependencies import CredentialDep, ServicesDep
from functions.http.problems import CHANGING, WITH_BODY, problems
from shared.api.schemas import UploadRequest, UploadView
from shared.jobs import uploads

router = APIRouter(tags=["pictures"])
handler = lambda_handler(router)


@router.post("/v1/uploads", status_code=201, response_model=UploadView, responses=problems(*CHANGING, *WITH_BODY))
def upload(body: UploadRequest, credential: CredentialDep, services: ServicesDep) -> dict[str, Any]:
    """Announce a picture: POST `fields`, then the file as `file`, to `url`; then name `key` in `source_images`."""
    key, form = uploads.create_upload(services, credential, body)
    return {"key": key, "url": form.url, "fields": form.fields, "expires_at": form.expires_at}
