"""POST /v1/jobs: submit a job."""

from fastapi import APIRouter, Response

from functions.http.answers import json_answer
from functions.http.app import lambda_handler
from functions.http.dependencies import CredentialDep, IdempotencyKey, ServicesDep
from functions.http.problems import SUBMITTING, problems
from shared.api.schemas import JobRequest, JobView
from shared.jobs import submission
from shared.jobs.views import Pictures, job_json

router = APIRouter(tags=["jobs"])
handler = lambda_handler(router)


@router.post(
    "/v1/jobs",
    status_code=202,
    response_model=JobView,
    responses=problems(*SUBMITTING),
)
def submit(
    body: JobRequest,
    credential: CredentialDep,
    services: ServicesDep,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Submit a job. A repeated request with the same Idempotency-Key within 24 hours gets the same job."""
    job = submission.submit(services, credential, body, idempotency_key)
    headers = {"Location": f"/v1/jobs/{job.id}", "Retry-After": "1"}
    return json_answer(job_json(job, Pictures(services)), 202, headers)
