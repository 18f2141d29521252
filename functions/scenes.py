"""POST /v1/scenes: a person in a place, as a job."""

from fastapi import APIRouter, Response

from functions.http.answers import json_answer
from functions.http.app import lambda_handler
from functions.http.dependencies import CredentialDep, IdempotencyKey, ServicesDep
from functions.http.problems import SUBMITTING, problems
from shared.api.scene_schemas import SceneRequest, SceneView
from shared.jobs.views import Pictures
from shared.scenes import service, views

router = APIRouter(tags=["scenes"])
handler = lambda_handler(router)


@router.post("/v1/scenes", status_code=202, response_model=SceneView, responses=problems(*SUBMITTING))
def submit(
    body: SceneRequest, credential: CredentialDep, services: ServicesDep, idempotency_key: IdempotencyKey = None
) -> Response:
    """Submit a scene: a person in a place. It is a job like any other, and has a code that leads to its picture."""
    job = service.submit(services, credential, body, idempotency_key)
    headers = {"Location": f"/v1/jobs/{job.id}", "Retry-After": "1"}
    return json_answer(views.scene_json(job, Pictures(services)), 202, headers)
