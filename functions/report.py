"""POST /v1/gallery/{job_id}/reports: report published pictures to the operators."""

from fastapi import APIRouter

from functions.http.app import lambda_handler
from functions.http.dependencies import JobId, MaybeCredentialDep, NetworkDep, ServicesDep
from functions.http.problems import WITH_BODY, problems
from shared.api.schemas import NewReport, ReportView
from shared.core.errors import NotFound, RateLimited
from shared.gallery import reports

router = APIRouter(tags=["pictures"])
handler = lambda_handler(router)


@router.post(
    "/v1/gallery/{job_id}/reports",
    status_code=202,
    response_model=ReportView,
    responses=problems(*WITH_BODY, NotFound, RateLimited),
)
def report(
    job_id: JobId, body: NewReport, services: ServicesDep, network: NetworkDep, credential: MaybeCredentialDep
) -> dict[str, str]:
    """Report published pictures to the operators. No account is needed.

    Another report of the same user, or without an account from the same network, adds nothing. It is kept with a hash
    that tells them apart, and its owner never learns who reported.
    """
    reports.report(services, job_id, body, network, credential)
    return {"status": "received"}
