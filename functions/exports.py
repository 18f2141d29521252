"""/v1/exports: everything that the site has of the caller, as ZIP files that the poller makes."""

from typing import Any

from fastapi import APIRouter, Response

from functions.http.app import lambda_handler
from functions.http.cursors import next_cursor
from functions.http.dependencies import Before, CredentialDep, ExportId, Limit, ServicesDep
from functions.http.problems import CHANGING, SIGNED_IN, problems
from shared.api.exports import ExportList, ExportView
from shared.core.errors import BadRequest, NotFound, RateLimited
from shared.exports import service as exports
from shared.exports.service import export_view

router = APIRouter(tags=["accounts"])
handler = lambda_handler(router)


@router.post("/v1/exports", status_code=202, response_model=ExportView, responses=problems(*CHANGING, RateLimited))
def request_export(credential: CredentialDep, services: ServicesDep, response: Response) -> dict[str, Any]:
    """Ask for an export of your account, jobs and pictures. It replaces the last one.

    While one is being made, the answer is that one. Its files are kept for a week.
    """
    found = export_view(services, exports.request(services, credential))
    response.headers["Location"] = found["links"]["self"]
    response.headers["Retry-After"] = "1"
    return found


@router.get("/v1/exports", response_model=ExportList, responses=problems(*SIGNED_IN, BadRequest))
def list_exports(credential: CredentialDep, services: ServicesDep, before: Before, limit: Limit = 20) -> dict[str, Any]:
    """List your exports, newest first."""
    found, after = exports.list_own(services, credential, before=before, limit=limit)
    return {"exports": [export_view(services, one) for one in found], "next": next_cursor(credential, after)}


@router.get("/v1/exports/{export_id}", response_model=ExportView, responses=problems(*SIGNED_IN, NotFound))
def get_export(
    export_id: ExportId, credential: CredentialDep, services: ServicesDep, response: Response
) -> dict[str, Any]:
    """Return an export with its progress, and once it is ready with URLs of its files."""
    found = exports.get(services, credential, export_id)
    if found.finished_at is None:
        response.headers["Retry-After"] = "1"
    return export_view(services, found)


@router.delete(
    "/v1/exports/{export_id}", status_code=204, response_class=Response, responses=problems(*CHANGING, NotFound)
)
def delete_export(export_id: ExportId, credential: CredentialDep, services: ServicesDep) -> None:
    """Delete an export with its files, also one that is being made."""
    exports.delete(services, credential, export_id)
