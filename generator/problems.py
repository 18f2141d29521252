"""Errors as the service answers them: JSON with `error` (a stable code) and `message`.

A 422 also has `parameter` (the first wrong one) and `errors`, with every wrong parameter.
"""

from functools import partial
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError

from generator.body import BadBody, BodyTooLarge
from generator.jobs import JobFailed, KeyReused, NotFinished, QueueFull, Reason, UnknownJob
from generator.order import ParameterError
from generator.studio import EngineFailed

RETRY_AFTER_S = 5
# A request may bring any number of unknown parameters, with names of any length.
MAX_FAULTS, MAX_NAME = 20, 64


class OtherOrigin(Exception):
    """The request comes from a web page that is not the service's own."""


class Problem(BaseModel):
    """Every error."""

    error: str
    message: str


class Fault(BaseModel):
    """One wrong parameter."""

    parameter: str
    message: str


class BadParameter(Problem):
    """Every 422."""

    parameter: str
    errors: list[Fault]


_MEANINGS = {
    400: "`bad_body`: neither a JSON object nor form fields",
    403: "`other_origin`: asked by a web page that is not the service's own",
    404: "`unknown_id`: never given, or forgotten",
    409: "`not_finished`: no results, not yet or never; `key_reused`: the key belongs to another request",
    413: "`body_too_large`",
    422: "`bad_parameter`: `parameter` names the first wrong one, `errors` all of them",
    500: "`engine_failed`",
    503: "`queue_full` or `stopping`; `Retry-After` says when to try again",
    504: "`took_too_long`: the limit of a job's time was reached",
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route can answer beside its results, for the docs."""
    return {
        status: {"model": BadParameter if status == 422 else Problem, "description": _MEANINGS[status]}
        for status in (403, *statuses)
    }


def refuse_other_origins(request: Request) -> None:
    """Refuses what a page from elsewhere has a visitor's browser send; the work would be done even if it cannot read
    the answer. Raises OtherOrigin.

    Programs send neither header. Browsers send Sec-Fetch-Site to https and to this machine (W3C, Fetch Metadata), and
    Origin with every POST from another origin.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        foreign = site not in ("same-origin", "none")
    else:
        foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    if foreign:
        raise OtherOrigin


def add_errors(app: FastAPI) -> None:
    """Has the app answer the errors of this part."""
    plain: dict[type[Exception], tuple[int, str, str]] = {
        OtherOrigin: (403, "other_origin", "Web pages of other origins may not ask this service."),
        UnknownJob: (404, "unknown_id", "No request has this number; it may have been forgotten."),
        KeyReused: (409, "key_reused", "This key belongs to another request."),
        EngineFailed: (500, "engine_failed", "The engine does not answer."),
        QueueFull: (503, "queue_full", "The queue is full."),
        BodyTooLarge: (413, "body_too_large", "The body is too large."),
        BadBody: (400, "bad_body", "The body must be a JSON object or form fields."),
    }
    for kind, (status, code, message) in plain.items():
        app.add_exception_handler(kind, partial(_answer, status, code, message))

    @app.exception_handler(NotFinished)
    def not_finished(request: Request, error: NotFinished) -> JSONResponse:
        return _answer(409, "not_finished", str(error), request, error)

    @app.exception_handler(JobFailed)
    def job_failed(request: Request, error: JobFailed) -> JSONResponse:
        return _answer(*_FAILURES[error.reason], str(error), request, error)

    @app.exception_handler(ParameterError)
    def bad_combination(_: Request, error: ParameterError) -> JSONResponse:
        return _name([(error.parameter, f" {error.message}")])

    @app.exception_handler(ValidationError)
    @app.exception_handler(RequestValidationError)
    def bad_parameter(_: Request, error: ValidationError | RequestValidationError) -> JSONResponse:
        # A query's faults say first that they are a query's.
        return _name(
            [
                (str(fault["loc"][-1 if fault["loc"][0] == "query" else 0]), f": {fault['msg']}")
                for fault in error.errors()
            ]
        )


_FAILURES = {
    Reason.ENGINE: (500, "engine_failed"),
    Reason.TOO_LONG: (504, "took_too_long"),
    Reason.CLOSED: (503, "stopping"),
}


def _name(faults: list[tuple[str, str]]) -> JSONResponse:
    """The answer that names wrong parameters; each comes with what follows its name in the message."""
    named = [(parameter[:MAX_NAME], words) for parameter, words in faults[:MAX_FAULTS]]
    errors = [{"parameter": parameter, "message": f"{parameter}{words}"} for parameter, words in named]
    return JSONResponse({"error": "bad_parameter", **errors[0], "errors": errors}, 422)


def _answer(status: int, code: str, message: str, _: Request, __: Exception) -> JSONResponse:
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else None
    return JSONResponse({"error": code, "message": message}, status, headers)
