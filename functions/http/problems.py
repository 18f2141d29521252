"""Errors as RFC 9457 problem documents."""

import json
from dataclasses import asdict
from typing import Any, cast, get_args

from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from shared.api.schemas import Problem
from shared.core.errors import (
    AccountDisabled,
    BadRequest,
    Capacity,
    CrossSite,
    EaselError,
    FieldCode,
    FieldError,
    IdempotencyMismatch,
    Internal,
    InvalidRequest,
    MethodNotAllowed,
    NotConfirmed,
    NotFound,
    NotPermitted,
    NotSignedIn,
    PromptRejected,
    QueueFull,
    QuotaSpent,
    RateLimited,
    StorageFull,
    TooLarge,
    Unavailable,
)

# The errors of a route that needs a user, that changes something for one, that reads a body, that submits jobs.
SIGNED_IN = (NotSignedIn, AccountDisabled, NotPermitted)
CHANGING = (*SIGNED_IN, CrossSite)
WITH_BODY = (TooLarge, InvalidRequest)
FULL = (QueueFull, QuotaSpent, StorageFull, Capacity)
SUBMITTING = (*CHANGING, NotConfirmed, *WITH_BODY, BadRequest, IdempotencyMismatch, PromptRejected, RateLimited, *FULL)

_BY_STATUS: dict[int, type[EaselError]] = {404: NotFound, 405: MethodNotAllowed}


def render(error: EaselError) -> Response:
    """Return the answer for this error."""
    problem = {
        "type": f"/docs#{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
    }
    if error.status == 422:
        problem["errors"] = [asdict(field) for field in error.fields]
    headers = {"Cache-Control": "no-store"}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(
        json.dumps(problem, ensure_ascii=False), error.status, headers, media_type="application/problem+json"
    )


def problems(*errors: type[EaselError]) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses of a route that raises these errors, with those of every route."""
    by_status: dict[int | str, dict[str, Any]] = {}
    of_every_route: tuple[type[EaselError], ...] = (Internal, Unavailable)
    for error in errors + of_every_route:
        response = by_status.setdefault(error.status, {"model": Problem, "description": ""})
        response["description"] = f"{response['description']}\n\n`{error.code}`: {error.title}".strip()
    return by_status


def from_validation(error: RequestValidationError) -> EaselError:
    """Convert FastAPI's validation error: 400 for a header or the query, 422 for the body."""
    problems = error.errors()
    locations = {str(problem["loc"][0]) for problem in problems}
    if locations and "body" not in locations:
        return BadRequest("; ".join(f"{problem['loc'][-1]}: {_describe(problem)}" for problem in problems[:5]))
    return InvalidRequest(fields=tuple(_field(problem) for problem in problems[:20]))


def from_http(error: HTTPException) -> EaselError:
    """Convert Starlette's errors: unknown address, wrong method, a body that is too large, unclear or not JSON."""
    if error.status_code == 413:
        return TooLarge(error.detail)
    if error.status_code == 422:
        return InvalidRequest("The body cannot be read.", fields=(FieldError("body", error.detail),))
    return _BY_STATUS.get(error.status_code, _Unreadable)()


class _Unreadable(InvalidRequest):
    def __init__(self) -> None:
        super().__init__("The body cannot be read.", fields=(FieldError("body", "is not JSON"),))


def _field(problem: dict[str, object]) -> FieldError:
    """Return one field's error. It never repeats the value, which may be a password, and a long name only in part."""
    location = problem["loc"]
    assert isinstance(location, tuple)
    path = ".".join(str(part) for part in location[1:] if not str(part).startswith("function-"))
    if problem["type"] == "json_invalid":
        return FieldError("body", "is not JSON")
    message = _describe(problem)
    if ": " in message and (not path or isinstance(location[-1], int)):
        # A rule about several fields names the one to change, of a request in a list as well.
        field, message = message.split(": ", 1)
        path = f"{path}.{field}" if path else field
    return FieldError(path[:100] or "body", message, *_code_and_limit(problem))


_CODES: dict[str, FieldCode] = {
    **{code: code for code in get_args(FieldCode)},  # Easel's validators use the API's codes
    "missing": "required",
    "extra_forbidden": "unknown_field",
    "string_too_long": "too_long",
    "string_too_short": "too_short",
    "greater_than": "too_small",
    "greater_than_equal": "too_small",
    "less_than": "too_large",
    "less_than_equal": "too_large",
    "multiple_of": "not_a_multiple",
    "literal_error": "not_a_choice",
}
"""The API's code for each of pydantic's error types. Those that end in `_type` are all `wrong_type`."""

_BOUNDS = ("max_length", "min_length", "ge", "gt", "le", "lt", "multiple_of")


def _code_and_limit(problem: dict[str, object]) -> tuple[FieldCode, float | None]:
    kind = str(problem["type"])
    code = _CODES.get(kind, "wrong_type" if kind.endswith("_type") else "invalid")
    if code == "too_long" and not isinstance(problem.get("input"), str):
        code = "too_many"  # pydantic has the same type for lists and for texts with a validator before the length
    bounds = cast(dict[str, float], problem.get("ctx") or {})
    return code, next((bounds[name] for name in _BOUNDS if name in bounds), None)


def _describe(problem: dict[str, object]) -> str:
    if problem["type"] in ("model_attributes_type", "model_type", "dict_type"):
        whole = problem["loc"] == ("body",)
        return "is not a JSON object whose Content-Type is application/json" if whole else "should be a JSON object"
    message = str(problem["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    return {"extra_forbidden": "is not a field of this request", "missing": "is required"}.get(
        str(problem["type"]), message
    )
