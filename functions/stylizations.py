"""POST /v1/stylizations: a photo in several styles."""

from fastapi import APIRouter, Response

from functions.http.answers import json_answer
from functions.http.app import lambda_handler
from functions.http.dependencies import CredentialDep, IdempotencyKey, ServicesDep
from functions.http.problems import SUBMITTING, problems
from shared.api.batches import BatchView, StylizationRequest
from shared.jobs import groups, stylizations
from shared.jobs.group_views import group_json
from shared.jobs.views import Pictures

router = APIRouter(tags=["jobs"])
handler = lambda_handler(router)


@router.post(
    "/v1/stylizations",
    status_code=202,
    response_model=BatchView,
    responses=problems(*SUBMITTING),
)
def stylize(
    body: StylizationRequest, credential: CredentialDep, services: ServicesDep, idempotency_key: IdempotencyKey = None
) -> Response:
    """Make a photo again in each style: a group, whose first job describes the photo unless there is a prompt.

    `GET /v1/batches/{id}` shows how far it is.
    """
    planned = stylizations.plan(services, credential, body, idempotency_key, body.fingerprint())
    group = groups.submit(services, credential, planned)
    headers = {"Location": f"/v1/batches/{group.id}", "Retry-After": "1"}
    return json_answer(group_json(group, Pictures(services)), 202, headers)
