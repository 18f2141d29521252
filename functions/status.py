"""GET /v1/jobs/{id}: the current state of a job."""

import asyncio
import hashlib
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool

from functions.http.app import lambda_handler
from functions.http.dependencies import CredentialDep, JobId, LongPollDep, ServicesDep
from functions.http.problems import SIGNED_IN, problems
from shared.api import views
from shared.api.schemas import JobView
from shared.core.errors import BadRequest, NotFound
from shared.jobs import submission

router = APIRouter(tags=["jobs"])
handler = lambda_handler(router)


@router.get(
    "/v1/jobs/{job_id}",
    response_model=JobView,
    responses=problems(*SIGNED_IN, BadRequest, NotFound) | {304: {"description": "Nothing has changed."}},
)
async def status(
    job_id: JobId,
    credential: CredentialDep,
    services: ServicesDep,
    long_poll: LongPollDep,
    wait: Annotated[float, Query(ge=0, le=20, description="Seconds to wait for the job to change.")] = 0,
    if_none_match: Annotated[str | None, Header(max_length=1000)] = None,
) -> Response:
    """Return a job with its timeline.

    With `wait` the answer is held until the job differs from `If-None-Match`, or from its state at the beginning of the
    request.
    """
    deadline = asyncio.get_running_loop().time() + wait
    known = if_none_match
    while True:
        seen = await long_poll.version(job_id) if wait else None
        job = await run_in_threadpool(submission.get_job, services, credential, job_id)
        etag = _etag(job)
        left_s = deadline - asyncio.get_running_loop().time()
        known = known or etag
        if left_s <= 0 or not _matches(etag, known) or job["finished_at"] is not None:
            break
        await long_poll.wait(job_id, seen, left_s)
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if job["finished_at"] is None:
        headers["Retry-After"] = "1"
    if if_none_match is not None and _matches(etag, if_none_match):
        return Response(status_code=304, headers=headers)
    return Response(JobView.model_validate(job).model_dump_json(), headers=headers, media_type="application/json")


def _matches(etag: str, known: str) -> bool:
    """Return whether a list of tags contains this one; they are compared without `W/` (RFC 9110, 13.1.2)."""
    return etag.removeprefix("W/") in known


def _etag(job: views.JobView) -> str:
    """Return a weak tag that ignores the estimated wait, which changes every second."""
    stable = {name: value for name, value in job.items() if name != "eta_seconds"}
    return f'W/"{hashlib.sha256(to_json(stable)).hexdigest()[:32]}"'
