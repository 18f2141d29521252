"""GET /v1/jobs/{id}: the current state of a job."""

import asyncio
import hashlib
import math
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import Annotated, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response

from functions.http.answers import json_answer
from functions.http.app import lambda_handler
from functions.http.dependencies import CredentialDep, JobId, LongPollDep, ServicesDep
from functions.http.long_poll import LongPoll
from functions.http.problems import SIGNED_IN, problems
from functions.http.threads import in_thread
from shared.accounts.auth import Credential
from shared.api.schemas import JobView
from shared.core.errors import BadRequest, NotFound
from shared.jobs import submission, watch_store
from shared.jobs.records import JobRecord
from shared.jobs.views import Pictures, job_json
from shared.services import Services

LEAST_S, S_PER_PLACE = 1.0, 0.04
"""How long a request waits before a new place alone is an answer: at least, and for each place in the queue."""

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
    wait: Annotated[float, Query(ge=0, le=20, description="Seconds to wait at most for the job to change.")] = 0,
    if_none_match: Annotated[str | None, Header(max_length=1000)] = None,
) -> Response:
    """Return a job with its timeline.

    With `wait` the answer is held until the job differs from `If-None-Match`, or from its state at the beginning of the
    request. Jobs move up at each start, so a new place alone is told a second later near the front, and only at the end
    of the wait far back.
    """
    deadline = asyncio.get_running_loop().time() + wait
    known, changed, told, over = if_none_match, False, False, False
    while True:
        read = (
            _watch(long_poll, services, credential, job_id, soon=changed)
            if wait
            else _get(services, credential, job_id)
        )
        job = await read
        left_s = deadline - asyncio.get_running_loop().time()
        known = known or job.etag
        if over or left_s <= 0 or job.finished or not _matches(job.etag if told else job.own_etag, known):
            break
        wait_s = min(left_s, place_told_after_s(job.place))
        changed = await long_poll.wait(job_id, job.sign, wait_s)
        told, over = told or not changed, not changed and wait_s == left_s
        if over and if_none_match is not None and job.place is None:
            break  # it is as it was read; without a tag of theirs, they get the newest estimate
    headers = {"ETag": job.etag, "Cache-Control": "private, no-cache"}
    if not job.finished:
        headers["Retry-After"] = "1"
    if if_none_match is not None and _matches(job.etag, if_none_match):
        return Response(status_code=304, headers=headers)
    return json_answer(job.body, headers=headers)


def place_told_after_s(place: int | None) -> float:
    """Return after what time of waiting a new place alone is an answer; a job without a place gets no new one."""
    return math.inf if place is None else max(LEAST_S, S_PER_PLACE * place)


@dataclass(frozen=True, slots=True)
class _Job:
    """A job as it is answered. `own_etag` is what its tag begins with: the part without its place in the queue."""

    body: bytes
    own_etag: str
    etag: str
    place: int | None
    finished: bool
    sign: str | None


_Asked: TypeAlias = tuple[UUID, Credential]


async def _get(services: Services, credential: Credential, job_id: UUID) -> _Job:
    return await in_thread(_read, services, (job_id, credential))


async def _watch(long_poll: LongPoll, services: Services, credential: Credential, job_id: UUID, *, soon: bool) -> _Job:
    """Read a job together with those of other requests that wait; by itself if its token is not simply valid."""
    job = await long_poll.gathered(partial(_read_all, services), soon=soon).get((job_id, credential))
    return await in_thread(_read_watched, services, (job_id, credential)) if job is None else job


def _read(services: Services, asked: _Asked) -> _Job:
    return _render(Pictures(services), submission.get_job(services, asked[1], asked[0]), None)


def _read_watched(services: Services, asked: _Asked) -> _Job:
    return _render(Pictures(services), *submission.get_watched_job(services, asked[1], asked[0]))


def _read_all(services: Services, asked: Collection[_Asked]) -> dict[_Asked, _Job]:
    with services.db.statement() as connection:
        keys = [(job_id, credential.token_hash) for job_id, credential in asked]
        found = watch_store.list_watched_views(connection, keys)
    pictures = Pictures(services)
    return {one: _render(pictures, *found[key]) for one, key in zip(asked, keys, strict=True) if key in found}


def _render(pictures: Pictures, job: JobRecord, sign: str | None) -> _Job:
    body, place = job_json(job, pictures).encode(), job.outlook.position
    own_etag = _own_etag(body)
    etag = f'{own_etag}"' if place is None else f'{own_etag}-{place}"'
    return _Job(body, own_etag, etag, place, job.finished_at is not None, sign)


def _matches(etag: str, known: str) -> bool:
    """Return whether a list of tags contains this one, or one that begins so.

    Tags are compared without `W/` (RFC 9110, 13.1.2).
    """
    return etag.removeprefix("W/") in known


def _own_etag(body: bytes) -> str:
    """Return the beginning of a weak tag: that of the answer without its place and its estimate, which change often.

    Both come before all that users write, so the first match is the field itself.
    """
    before, _, after = body.partition(b'"queue_position":')
    digest = hashlib.sha256(before)
    digest.update(after.partition(b'"eta_seconds":')[2].partition(b",")[2])
    return f'W/"{digest.hexdigest()[:32]}'
