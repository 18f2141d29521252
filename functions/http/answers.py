"""Answers with a job, as every function that returns one sends it."""

from collections.abc import Mapping

from starlette.responses import Response

from shared.jobs.records import JobRecord
from shared.jobs.views import Pictures, job_json
from shared.services import Services


def json_answer(body: str | bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer whose body is JSON already.

    Endpoints return it instead of a value, which FastAPI would validate and serialize in a thread of its pool.
    """
    return Response(body, status, headers, media_type="application/json")


def job_answer(services: Services, job: JobRecord) -> Response:
    """Return an answer with one job."""
    return json_answer(job_json(job, Pictures(services)))
