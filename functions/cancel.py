"""POST /v1/jobs/{id}/cancel: cancel a job."""

from fastapi import APIRouter, Response

from functions.http.answers import job_answer
from functions.http.app import lambda_handler
from functions.http.dependencies import CredentialDep, JobId, ServicesDep
from functions.http.problems import CHANGING, problems
from shared.api.schemas import JobView
from shared.core.errors import AlreadyFinished, NotFound
from shared.jobs import submission

router = APIRouter(tags=["jobs"])
handler = lambda_handler(router)


@router.post(
    "/v1/jobs/{job_id}/cancel", response_model=JobView, responses=problems(*CHANGING, NotFound, AlreadyFinished)
)
def cancel(job_id: JobId, credential: CredentialDep, services: ServicesDep) -> Response:
    """Cancel a job: a queued one now, a generating one at its next step."""
    return job_answer(services, submission.cancel(services, credential, job_id))
