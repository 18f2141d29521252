"""The app around one function's router (in the cloud) or around all of them (the gateway)."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeAlias

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from functions.http.access_log import AccessLog
from functions.http.caching import Private
from functions.http.direct import Direct
from functions.http.head import Head
from functions.http.headers import declared_headers
from functions.http.lambda_events import handlers_for, is_request
from functions.http.long_poll import LAMBDA_PAUSE_S, SHORTEST_PAUSE_S, LongPoll
from functions.http.problems import from_http, from_validation, render
from functions.http.request_id import RequestId, Unexpected
from shared.core import deadline, log
from shared.core.db import waiting_at_most
from shared.core.errors import EaselError
from shared.jobs import watch_store
from shared.jobs.watch_store import Seen
from shared.metrics.process import MeasureRequest, unmeasured
from shared.services import Services

if TYPE_CHECKING:
    from mangum import Mangum
    from mangum.types import LambdaContext

FLUSH_S = 5.0
RESERVED_S = 1.0
"""Kept of a Lambda function's time for the answer, once it stops waiting for database and storage."""


LambdaEvent: TypeAlias = dict[str, Any]
LambdaAnswer: TypeAlias = dict[str, Any]
LambdaHandler: TypeAlias = "Callable[[LambdaEvent, LambdaContext], LambdaAnswer]"


def create_app(
    routers: Sequence[APIRouter],
    services: Services,
    measure: MeasureRequest = unmeasured,
    look_pause_s: float = SHORTEST_PAUSE_S,
) -> FastAPI:
    """Return an app with these routers, and with Easel's errors, limits, request ids and access log.

    look_pause_s: the shortest pause between two looks at the jobs that requests wait for.
    """
    app = _App(
        title="Easel",
        description="Turns a sentence into pictures, for many people at once.",
        version="1",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.services = services
    app.state.long_poll = LongPoll(_list_changed(services), look_pause_s)
    # Not by `include_router`, which makes each route a second time, at the first request that none of them takes.
    app.router.routes.extend(route for router in routers for route in router.routes)
    routes = [route for route in app.router.routes if isinstance(route, APIRoute)]
    app.add_middleware(Direct, routes=routes)
    app.add_middleware(Private)
    app.add_middleware(Head, routes=routes)
    app.add_middleware(Unexpected)
    app.add_exception_handler(EaselError, _on_easel_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http_exception)
    if services.settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(services.settings.cors_origins),
            **asdict(declared_headers().cors),
        )
    app.add_middleware(RequestId, usual=declared_headers().usual_headers(services.settings.public_url))
    app.add_middleware(AccessLog, measure=measure)
    return app


def lambda_handler(router: APIRouter) -> LambdaHandler:
    """Return a handler for AWS Lambda behind an HTTP API, a REST API or a function URL.

    An event without a request, such as a schedule that keeps the function warm, only builds the app,
    which otherwise the first request does, so that importing a function does nothing. If the database or the storage
    does not answer, the caller gets a 503 before Lambda ends the process.
    """
    built: list[tuple[Services, Mangum]] = []

    def handler(event: LambdaEvent, context: "LambdaContext") -> LambdaAnswer:
        if not built:
            services = Services.from_environment()
            log.configure(services.settings.log_level)
            built.append((services, create_lambda(router, services)))
        if not is_request(event):
            return {}
        [(services, answer)] = built
        with _deadline(context):
            try:
                return answer(event, context)
            finally:
                services.flush(min(deadline.left_s(), FLUSH_S))  # Lambda freezes the process after the answer

    return handler


def _deadline(context: "LambdaContext | None") -> AbstractContextManager[None]:
    """Limit waiting by the function's remaining time, which Lambda's context knows."""
    if context is None:
        return nullcontext()
    return waiting_at_most(context.get_remaining_time_in_millis() / 1000 - RESERVED_S)


def create_lambda(router: APIRouter, services: Services) -> "Mangum":
    """Return one function as Lambda calls it: a callable of an event and a context that returns the answer."""
    from mangum import Mangum  # the gateway does not need it

    routes = [route for route in router.routes if isinstance(route, APIRoute)]
    # Every request that waits has a process of its own here, so that looks are not shared.
    app = create_app([router], services, look_pause_s=LAMBDA_PAUSE_S)
    return Mangum(app, lifespan="off", custom_handlers=handlers_for(routes))


class _App(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """Return FastAPI's document with Easel's errors: their media type, and no 422 for a wrong query."""
        if self.openapi_schema is not None:
            return self.openapi_schema
        document = super().openapi()
        for path in document["paths"].values():
            for operation in path.values():
                responses = operation["responses"]
                for status, response in list(responses.items()):
                    content = response.get("content", {})
                    schema = content.get("application/json", {}).get("schema", {}).get("$ref", "")
                    if schema.endswith("/HTTPValidationError"):
                        del responses[status]
                    elif schema.endswith("/Problem"):
                        content["application/problem+json"] = content.pop("application/json")
        for unused in ("HTTPValidationError", "ValidationError"):
            document["components"]["schemas"].pop(unused, None)
        return document


def _list_changed(services: Services) -> Callable[[Collection[Seen]], Collection[Seen]]:
    def read(seen: Collection[Seen]) -> Collection[Seen]:
        with services.db.statement() as connection:
            return watch_store.list_changed_signs(connection, seen)

    return read


async def _on_easel_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, EaselError)
    return render(error)


async def _on_invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return render(from_validation(error))


async def _on_http_exception(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = render(from_http(error))
    response.headers.update(error.headers or {})
    return response
