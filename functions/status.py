"""GET /v1/jobs/{id}: how a job stands."""

import asyncio
import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool

from functions.http.app import lambda_handler
from functions.http.dependencies import CredentialDep, JobId, ServicesDep, WatchDep
from functions.http.problems import SIGNED_IN, problems
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
    watch: WatchDep,
    wait: Annotated[float, Query(ge=0, le=20, description="Seconds to hold the answer until the job changes.")] = 0,
    if_none_match: Annotated[str | None, Header(max_length=1000)] = None,
) -> Response:
    """A job with its timeline. With `wait` the answer is held until the job differs from `If-None-Match`, or from what
    it was when the request came."""
    deadline = asyncio.get_running_loop().time() + wait
    known = if_none_match
    while True:
        seen = await watch.sign(job_id) if wait else None
        job = await run_in_threadpool(submission.get_job, services, credential, job_id)
        etag = _etag(job)
        left_s = deadline - asyncio.get_running_loop().time()
        known = known or etag
        if left_s <= 0 or not _is_named(etag, known) or job["finished_at"] is not None:
            break
        await watch.changed(job_id, seen, left_s)
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if job["finished_at"] is None:
        headers["Retry-After"] = "1"
    if if_none_match is not None and _is_named(etag, if_none_match):
        return Response(status_code=304, headers=headers)
    return Response(JobView.model_validate(job).model_dump_json(), headers=headers, media_type="application/json")


def _is_named(etag: str, known: str) -> bool:
    """Whether a list of tags holds this one; `If-None-Match` compares them without their `W/` (RFC 9110, 13.1.2)."""
    return etag.removeprefix("W/") in known


def _etag(job: dict[str, Any]) -> str:
    """Weak: the estimate of the wait changes by the second and is no change of the job."""
    steady = {name: value for name, value in job.items() if name != "eta_seconds"}
    return f'W/"{hashlib.sha256(to_json(steady)).hexdigest()[:32]}"'
