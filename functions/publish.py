"""/v1/jobs/{id}/publication: publish a job's pictures in the gallery, withdraw them, or appeal against a refusal."""

from fastapi import APIRouter, Response

from functions.http.answers import job_answer
from functions.http.app import lambda_handler
from functions.http.dependencies import CredentialDep, JobId, ServicesDep
from functions.http.problems import CHANGING, WITH_BODY, problems
from shared.api.schemas import AppealRequest, JobView
from shared.core.errors import NoAppeal, NotFound, NotSucceeded, TakenDown
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

    Repeating it changes nothing. Where the operators look at pictures first, `publication` in the answer says that it
    waits for them.
    """
    return job_answer(services, publication.publish(services, credential, job_id))


@router.delete("/v1/jobs/{job_id}/publication", response_model=JobView, responses=problems(*CHANGING, NotFound))
def take_back(job_id: JobId, credential: CredentialDep, services: ServicesDep) -> Response:
    """Take the pictures out of the gallery.

    Their `/i/` links go on working until the job is deleted: the id in a link is the permission.
    """
    return job_answer(services, publication.withdraw(services, credential, job_id))


@router.post(
    "/v1/jobs/{job_id}/publication/appeal",
    response_model=JobView,
    responses=problems(*CHANGING, *WITH_BODY, NotFound, NoAppeal),
)
def appeal(job_id: JobId, body: AppealRequest, credential: CredentialDep, services: ServicesDep) -> Response:
    """Ask the operators, once, to look again at pictures that they refused or took down. Their answer is final."""
    return job_answer(services, publication.appeal(services, credential, job_id, body.text))
