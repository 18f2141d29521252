"""PUT and DELETE /v1/jobs/{id}/publication: publish a job's pictures in the gallery, or withdraw them."""

from fastapi import APIRouter, Response

from functions.http.answers import job_answer
from functions.http.app import lambda_handler
from functions.http.dependencies import CredentialDep, JobId, ServicesDep
from functions.http.problems import CHANGING, problems
from shared.api.schemas import JobView
from shared.core.errors import NotFound, NotSucceeded, TakenDown
from shared.gallery import publication

router = APIRouter(tags=["jobs"])
handler = lambda_handler(router)


@router.put(
    "/v1/jobs/{job_id}/publication",
    response_model=JobView,
    responses=problems(*CHANGING, TakenDown, NotFound, NotSucceeded),
)
def publish(job_id: JobId, credential: CredentialDep, services: ServicesDep) -> Response:
    """Publish the pictures of a succeeded job in the gallery, with their recipe and without your name.

    Repeating it changes nothing.
    """
    return job_answer(services, publication.publish(services, credential, job_id))


@router.delete("/v1/jobs/{job_id}/publication", response_model=JobView, responses=problems(*CHANGING, NotFound))
def take_back(job_id: JobId, credential: CredentialDep, services: ServicesDep) -> Response:
    """Take the pictures out of the gallery.

    Their `/i/` links go on working until the job is deleted: the id in a link is the permission.
    """
    return job_answer(services, publication.withdraw(services, credential, job_id))
