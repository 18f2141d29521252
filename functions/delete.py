"""DELETE /v1/jobs/{id}: delete a finished job and its pictures."""

from fastapi import APIRouter, Response

from functions.http.app import lambda_handler
from functions.http.dependencies import CredentialDep, JobId, ServicesDep
from functions.http.problems import CHANGING, problems
from shared.core.errors import NotFound, StillRunning
from shared.jobs import submission

router = APIRouter(tags=["jobs"])
handler = lambda_handler(router)


@router.delete(
    "/v1/jobs/{job_id}", status_code=204, response_class=Response, responses=problems(*CHANGING, NotFound, StillRunning)
)
def delete(job_id: JobId, credential: CredentialDep, services: ServicesDep) -> None:
    """Delete a finished job and its pictures."""
    submission.delete(services, credential, job_id)
