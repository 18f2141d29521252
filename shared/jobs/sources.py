"""Jobs that start from other jobs' pictures: which picture that is, and whether it can be used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.accounts.auth import Credential, require_user
from shared.api.schemas import JobRequest
from shared.core.errors import FieldCode, FieldError, InvalidRequest
from shared.core.limits import MAX_UPLOAD_BYTES
from shared.generators.abilities import MAX_OUTPUT_PIXELS
from shared.jobs import source_store
from shared.jobs.reasons import (
    SOURCE_DELETED,
    SOURCE_FAILED,
    SOURCE_TOO_LARGE,
    SOURCE_UNDESCRIBED,
    Reason,
)
from shared.jobs.source_store import Source
from shared.jobs.states import State
from shared.services import Services

MAX_PROMPT = 2000
"""Descriptions become prompts as far as that."""


@dataclass(frozen=True, slots=True)
class Start:
    """A request whose source is known. `held_by`: see `NewJob`. `fault`: why it is refused."""

    request: JobRequest
    held_by: UUID | int | None = None
    fault: FieldError | None = None

    @property
    def refusal(self) -> InvalidRequest | None:
        """Return the fault as the error of a single request."""
        return InvalidRequest(fields=(self.fault,)) if self.fault else None


def find_starts(services: Services, credential: Credential, requests: Sequence[JobRequest]) -> list[Start]:
    """Find the jobs and pictures that the requests start from, in one look; raises nothing about them."""
    job_ids = {UUID(request.from_job) for request in requests if request.from_job}
    image_ids = {UUID(request.from_image) for request in requests if request.from_image}
    if not job_ids and not image_ids:
        return [Start(request) for request in requests]
    with services.db.statement() as connection:
        user = require_user(connection, credential)
        found = source_store.list_sources(connection, user.id, job_ids=job_ids, image_ids=image_ids)
    return [_start(request, found) for request in requests]


def _start(request: JobRequest, found: Mapping[UUID, Source]) -> Start:
    named = request.from_image or request.from_job
    if named is None:
        return Start(request)
    field = "from_image" if request.from_image else "from_job"
    source = found.get(UUID(named))
    if source is None:
        kind = "picture" if request.from_image else "job"
        return _refused(request, field, f"is not the id of a {kind} of yours", "not_yours")
    changes = {"from_job": str(source.job_id)} | ({} if request.has_prompt else {"prompt": ""})
    request = request.model_copy(update=changes)
    needs_words = request.generates and not request.prompt
    if not source.state.finished:
        if needs_words and not source.describes:
            return _refused(request, "prompt", "is required: that job describes no picture", "required")
        return Start(request, source.job_id)
    fault = find_fault(source, needs_words=needs_words)
    if fault == SOURCE_UNDESCRIBED:
        return _refused(request, "prompt", "is required: that picture has no description", "required")
    if fault:
        return _refused(request, field, fault.message, "source_failed")
    pixels = (source.width or 0) * (source.height or 0) * (request.upscale or 1) ** 2
    if not request.generates and pixels > MAX_OUTPUT_PIXELS:
        return _refused(
            request, "upscale", f"makes more than {MAX_OUTPUT_PIXELS} pixels of this picture", "not_offered"
        )
    return Start(request.model_copy(update={"prompt": prompt_from(source)}) if needs_words else request)


def find_fault(source: Source | None, *, needs_words: bool) -> Reason | None:
    """Return why no job can start from this one, which has ended; None if one can.

    needs_words: the job has no prompt, and the picture's description is to be one.
    """
    if source is None:
        return SOURCE_DELETED
    if source.state != State.SUCCEEDED or source.size_bytes is None:
        return SOURCE_FAILED
    if source.size_bytes > MAX_UPLOAD_BYTES:
        return SOURCE_TOO_LARGE
    return SOURCE_UNDESCRIBED if needs_words and not prompt_from(source) else None


def prompt_from(source: Source) -> str:
    """Return the description of the source's picture as a prompt; `|` would split it."""
    return (source.description or "").replace("|", " ").strip()[:MAX_PROMPT]


def _refused(request: JobRequest, field: str, message: str, code: FieldCode) -> Start:
    return Start(request, fault=FieldError(field, message, code))
