"""/v1/batches: groups of jobs that are submitted, read, fetched as a ZIP file, cancelled and deleted together."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from functions.http.answers import json_answer
from functions.http.app import lambda_handler
from functions.http.dependencies import CredentialDep, GroupId, IdempotencyKey, ServicesDep
from functions.http.head import is_head
from functions.http.problems import CHANGING, SIGNED_IN, SUBMITTING, problems
from shared.api.batches import BatchRequest, BatchView, QuoteView
from shared.core.errors import AlreadyFinished, NotFound, NotSucceeded, StillRunning, TooLarge
from shared.jobs import archives, groups
from shared.jobs.group_views import group_json, quote_json
from shared.jobs.views import Pictures

router = APIRouter(tags=["jobs"])
handler = lambda_handler(router)

_QUOTED: dict[int | str, dict[str, Any]] = {200: {"model": QuoteView, "description": "With `dry_run`."}}


@router.post(
    "/v1/batches",
    status_code=202,
    response_model=BatchView,
    responses=problems(*SUBMITTING) | _QUOTED,
)
def submit_batch(
    body: BatchRequest, credential: CredentialDep, services: ServicesDep, idempotency_key: IdempotencyKey = None
) -> Response:
    """Submit up to 200 jobs as a group: all of them, or none if one is refused or a limit has no room for all.

    A repeated request with the same Idempotency-Key within 24 hours gets the same group.
    """
    planned = groups.plan(services, credential, body.requests, idempotency_key, body.fingerprint())
    if body.dry_run:
        return json_answer(quote_json(groups.quote(services, credential, planned)))
    group = groups.submit(services, credential, planned)
    headers = {"Location": f"/v1/batches/{group.id}", "Retry-After": "1"}
    return json_answer(group_json(group, Pictures(services)), 202, headers)


@router.get("/v1/batches/{group_id}", response_model=BatchView, responses=problems(*SIGNED_IN, NotFound))
def get_batch(group_id: GroupId, credential: CredentialDep, services: ServicesDep) -> Response:
    """Return a group with its progress and its jobs."""
    group = groups.get(services, credential, group_id)
    headers = {} if group.state == "finished" else {"Retry-After": "1"}
    return json_answer(group_json(group, Pictures(services)), 200, headers)


@router.get(
    "/v1/batches/{group_id}/pictures.zip",
    status_code=302,
    response_class=RedirectResponse,
    responses=problems(*SIGNED_IN, NotFound, NotSucceeded, TooLarge),
)
def get_batch_pictures(
    request: Request, group_id: GroupId, credential: CredentialDep, services: ServicesDep
) -> RedirectResponse:
    """Redirect to a ZIP file of the group's pictures and videos, by a presigned URL.

    While jobs of the group are unfinished, it holds the pictures made so far. It is deleted after two hours.
    """
    url = archives.group_url(services, credential, group_id, method="HEAD" if is_head(request) else "GET")
    return RedirectResponse(url, 302)


@router.post(
    "/v1/batches/{group_id}/cancel",
    response_model=BatchView,
    responses=problems(*CHANGING, NotFound, AlreadyFinished),
)
def cancel_batch(group_id: GroupId, credential: CredentialDep, services: ServicesDep) -> Response:
    """Cancel all jobs of a group that have not finished: queued ones now, generating ones at their next step."""
    return json_answer(group_json(groups.cancel(services, credential, group_id), Pictures(services)))


@router.delete(
    "/v1/batches/{group_id}",
    status_code=204,
    response_class=Response,
    responses=problems(*CHANGING, NotFound, StillRunning),
)
def delete_batch(group_id: GroupId, credential: CredentialDep, services: ServicesDep) -> None:
    """Delete a group whose jobs have all finished, with these and their pictures."""
    groups.delete(services, credential, group_id)
