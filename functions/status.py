"""GET /v1/jobs/{id}: the current state of a job."""

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response

from functions.http.answers import json_answer
from functions.http.app import lambda_handler
from functions.http.dependencies import CredentialDep, JobId, LongPollDep, ServicesDep
from functions.http.problems import SIGNED_IN, problems
from functions.http.threads import in_thread
from shared.accounts.auth import Credential
from shared.api.schemas import JobView
from shared.core.errors import BadRequest, NotFound
from shared.jobs import submission
from shared.jobs.records import JobRecord
from shared.jobs.views import Pictures, job_json
from shared.services import Services

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
        job = await in_thread(_read_watched if wait else _read, services, credential, job_id)
        left_s = deadline - asyncio.get_running_loop().time()
        known = known or job.etag
        if left_s <= 0 or not _matches(job.etag, known) or job.finished:
            break
        await long_poll.wait(job_id, job.sign, left_s)
    headers = {"ETag": job.etag, "Cache-Control": "private, no-cache"}
    if not job.finished:
        headers["Retry-After"] = "1"
    if if_none_match is not None and _matches(job.etag, if_none_match):
        return Response(status_code=304, headers=headers)
    return json_answer(job.body, headers=headers)


@dataclass(frozen=True, slots=True)
class _Job:
    body: bytes
    etag: str
    finished: bool
    sign: str | None


def _read(services: Services, credential: Credential, job_id: UUID) -> _Job:
    return _render(services, submission.get_job(services, credential, job_id), None)


def _read_watched(services: Services, credential: Credential, job_id: UUID) -> _Job:
    return _render(services, *submission.get_watched_job(services, credential, job_id))


def _render(services: Services, job: JobRecord, sign: str | None) -> _Job:
    body = job_json(job, Pictures(services)).encode()
    return _Job(body, _etag(body), job.finished_at is not None, sign)


def _matches(etag: str, known: str) -> bool:
    """Return whether a list of tags contains this one; they are compared without `W/` (RFC 9110, 13.1.2)."""
    return etag.removeprefix("W/") in known


def _etag(body: bytes) -> str:
    """Return a weak tag of the answer without the estimated wait, which changes every second.

    The estimate comes before all that users write, so the first match is the field itself.
    """
    before, _, after = body.partition(b'"eta_seconds":')
    digest = hashlib.sha256(before)
    digest.update(after.partition(b",")[2])
    return f'W/"{digest.hexdigest()[:32]}"'
