"""GET /v1/jobs: the caller's jobs, newest first."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from functions.http.answers import json_answer
from functions.http.app import lambda_handler
from functions.http.cursors import next_cursor
from functions.http.dependencies import Before, CredentialDep, Limit, ServicesDep
from functions.http.problems import SIGNED_IN, problems
from shared.api.fields import Search
from shared.api.schemas import JobList, StateName
from shared.core.errors import BadRequest
from shared.jobs import submission
from shared.jobs.views import Pictures, job_json, text_json

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

    `state` and `q` filter: the prompt contains every word of `q`, in any case, also as part of a longer word. A page of
    filtered jobs may be short, or empty, and not the last: `next` is null only on that one.
    """
    jobs, after = submission.list_jobs(services, credential, state=state, search=q or "", before=before, limit=limit)
    pictures = Pictures(services)
    rows = ",".join([job_json(job, pictures) for job in jobs])
    cursor = next_cursor(credential, after)
    return json_answer(f'{{"jobs":[{rows}],"next":{text_json(cursor) if cursor else "null"}}}')
