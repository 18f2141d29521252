"""The service's error responses: JSON with `error` (a stable code) and `message`.

A 422 also has `parameter` (the first wrong one) and `errors`, with every wrong parameter.
"""

from functools import partial
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from generator.body import BadBody, BodyTooLarge
from generator.engine_process import EngineFailed
from generator.job import FailureReason
from generator.jobs import JobFailed, KeyReused, NotFinished, QueueFull, UnknownJob
from generator.request import NotKept, ParameterError, UnknownAdapter, UnknownAdapters

RETRY_AFTER_S = 5
# A request may have any number of unknown parameters, with names of any length.
MAX_FAULTS, MAX_NAME = 20, 64


CLIENT_CLOSED = 499
"""The status when the client has closed the connection; it is not sent."""


class OtherOrigin(Exception):
    """The request comes from a web page of another origin."""


class Problem(BaseModel):
    """The body of an error response."""

    error: str
    message: str


class Fault(BaseModel):
    """One wrong parameter."""

    parameter: str
    message: str


class BadParameter(Problem):
    """The body of a 422 response."""

    parameter: str
    errors: list[Fault]


_MEANINGS = {
    400: "`bad_body`: neither a JSON object nor form fields",
    403: "`other_origin`: sent by a web page of another origin",
    404: "`unknown_id` or `unknown_adapter`: never given, or removed",
    409: "`not_finished`: no results yet, or the job failed; `key_reused`: the key belongs to another request; "
    "`unknown_adapters`: `adapters` names those that must be sent first",
    413: "`body_too_large`",
    422: "`bad_parameter`: `parameter` names the first wrong one, `errors` all of them",
    500: "`engine_failed`",
    503: "`queue_full` or `stopping`; retry after `Retry-After` seconds",
    504: "`took_too_long`: the job reached its time limit",
    507: "`not_kept`: the disk of the adapters is full or cannot be written",
}


def errors(*statuses: int) -> dict[int | str, dict[str, object]]:
    """Return the error responses of a route for the OpenAPI description; 403 is always included."""
    return {
        status: {"model": BadParameter if status == 422 else Problem, "description": _MEANINGS[status]}
        for status in (403, *statuses)
    }


def refuse_other_origins(request: Request) -> None:
    """Refuse a request that a web page of another origin made a visitor's browser send.

    Such a page cannot read the response, but the work would be done. Programs send neither header. Browsers send
    Sec-Fetch-Site to https and to this machine (W3C, Fetch Metadata), and Origin with every POST from another origin.

    Raises:
        OtherOrigin: The headers name another origin.
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
    """Register a response for each exception of the service."""
    plain: dict[type[Exception], tuple[int, str, str]] = {
        OtherOrigin: (403, "other_origin", "Web pages of other origins may not call this service."),
        UnknownJob: (404, "unknown_id", "No request has this id; it may have been removed."),
        UnknownAdapter: (404, "unknown_adapter", "No adapter has this hash; it may have been removed."),
        NotKept: (507, "not_kept", "The adapter cannot be kept: the disk is full or cannot be written."),
        KeyReused: (409, "key_reused", "This key belongs to another request."),
        EngineFailed: (500, "engine_failed", "The engine does not respond."),
        QueueFull: (503, "queue_full", "The queue is full."),
        BodyTooLarge: (413, "body_too_large", "The body is too large."),
        BadBody: (400, "bad_body", "The body must be a JSON object or form fields."),
    }
    # The client closed the connection in the middle of its body: the answer is not read, and there is no fault to log.
    app.add_exception_handler(ClientDisconnect, lambda *_: Response(status_code=CLIENT_CLOSED))
    for kind, (status, code, message) in plain.items():
        app.add_exception_handler(kind, partial(_response, status, code, message))

    app.exception_handler(HTTPException)(_no_such_call)

    @app.exception_handler(NotFinished)
    def not_finished(request: Request, error: NotFinished) -> JSONResponse:
        return _response(409, "not_finished", str(error), request, error)

    @app.exception_handler(JobFailed)
    def job_failed(request: Request, error: JobFailed) -> JSONResponse:
        return _response(*_FAILURES[error.reason], str(error), request, error)

    @app.exception_handler(UnknownAdapters)
    def unknown_adapters(request: Request, error: UnknownAdapters) -> JSONResponse:
        message = "Send these adapters first: PUT /adapters/<sha256>."
        return _response(409, "unknown_adapters", message, request, error, adapters=error.hashes)

    @app.exception_handler(ParameterError)
    def bad_combination(_: Request, error: ParameterError) -> JSONResponse:
        return _bad_parameter_response([(error.parameter, f" {error.message}")])

    @app.exception_handler(ValidationError)
    @app.exception_handler(RequestValidationError)
    def bad_parameter(_: Request, error: ValidationError | RequestValidationError) -> JSONResponse:
        # The location of a fault in the address begins with "query" or "path".
        return _bad_parameter_response(
            [
                (str(fault["loc"][-1 if fault["loc"][0] in ("query", "path") else 0]), f": {fault['msg']}")
                for fault in error.errors()
            ]
        )


_ADDRESS_FAULTS = [(404, "unknown_path"), (405, "wrong_method")]

_FAILURES = {
    FailureReason.ENGINE: (500, "engine_failed"),
    FailureReason.TOO_LONG: (504, "took_too_long"),
    FailureReason.CLOSED: (503, "stopping"),
}


def _no_such_call(request: Request, error: HTTPException) -> JSONResponse:
    code = dict(_ADDRESS_FAULTS).get(error.status_code, "http_error")
    message = f"{request.method} {request.url.path[:MAX_NAME]}: {error.detail}."
    response = _response(error.status_code, code, message, request, error)
    response.headers.update(error.headers or {})
    return response


def _bad_parameter_response(faults: list[tuple[str, str]]) -> JSONResponse:
    """Return the response that lists wrong parameters; `faults` has their names and the rest of their messages."""
    named = [(parameter[:MAX_NAME], rest) for parameter, rest in faults[:MAX_FAULTS]]
    errors = [{"parameter": parameter, "message": f"{parameter}{rest}"} for parameter, rest in named]
    return JSONResponse({"error": "bad_parameter", **errors[0], "errors": errors}, 422)


def _response(status: int, code: str, message: str, _: Request, __: Exception, **more: object) -> JSONResponse:
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else None
    return JSONResponse({"error": code, "message": message, **more}, status, headers)
