"""GET /v1/jobs: the caller's jobs, newest first."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from functions.http.app import lambda_handler
from functions.http.dependencies import Before, CredentialDep, Limit, ServicesDep
from functions.http.problems import SIGNED_IN, problems
from shared.api.schemas import JobList, Search, StateName
from shared.core.errors import BadRequest
from shared.jobs import submission

router = APIRouter(tags=["jobs"])
handler = lambda_handler(router)


@router.get("/v1/jobs", response_model=JobList, responses=problems(*SIGNED_IN, BadRequest))
def list_jobs(
    credential: CredentialDep,
    services: ServicesDep,
    before: Before,
    limit: Limit = 20,
    state: StateName | None = None,
    q: Annotated[Search | None, Query(description="Words that the prompt contains, in any case.")] = None,
) -> Response:
    """List your jobs, newest first, without their timelines.

    `state` and `q` filter: the prompt contains every word of `q`, in any case, also as part of a longer word.
    """
    jobs, after = submission.list_jobs(services, credential, state=state, search=q or "", before=before, limit=limit)
    # Serialized here, since FastAPI would use its thread pool a second time to do it.
    page = JobList.model_validate({"jobs": jobs, "next": after})
    return Response(page.model_dump_json(), media_type="application/json")
