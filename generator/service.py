"""The HTTP service: the img_generator protocol and its extensions, over one engine.

The answers of the protocol are bare: a number, a word, a map of pictures. Errors are JSON: `error` (a stable code),
`message`, and for 422 `parameter` and `errors` with every wrong parameter.
"""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError

from generator.body import BadBody, Body, BodyTooLarge, JobRef, parameter_errors, read_body
from generator.engines.base import Engine
from generator.images import BadImage, decode_base64
from generator.jobs import Bounds, JobQueue, KeyReused, NotFinished, QueueFull, UnknownJob
from generator.order import Order, ParameterError, limits
from generator.work import carry_out, prepare

EXTENSIONS = ["key", "frames", "progress", "cancel"]

BodyOf = Annotated[Body, Depends(read_body)]


def create_app(engine: Engine, bounds: Bounds | None = None) -> FastAPI:
    """The service as an ASGI app. Its workers run between the lifespan's start and end, in threads of this process."""
    bounds = bounds or Bounds()
    queue = JobQueue(partial(carry_out, engine), bounds)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        queue.start()
        try:
            yield
        finally:
            queue.close()

    app = FastAPI(title="Easel generator", description=__doc__, lifespan=lifespan)
    _add_protocol(app, queue)
    _add_errors(app)

    @app.get("/health")
    def health() -> dict[str, Any]:
        """The engine, the extensions that a client may use, the limits, and how busy the service is."""
        return {
            "status": "ok",
            "engine": engine.name,
            "extensions": EXTENSIONS,
            "limits": limits() | {"max_queue": bounds.max_queue, "job_timeout_s": bounds.job_timeout_s},
            "workers": bounds.workers,
            **queue.counts(),
        }

    return app


def _add_protocol(app: FastAPI, queue: JobQueue) -> None:
    # The handlers are plain functions: each runs in a thread of its own, away from the server's loop.
    @app.post("/initiate_processing", openapi_extra=_documented(Order))
    def initiate_processing(body: BodyOf) -> int:
        """Queue a request. Answers its number."""
        order = body.parse(Order)
        try:
            task = prepare(order, [decode_base64(text) for text in order.imgs])
        except BadImage as error:
            raise ParameterError("imgs", f"hold something that {error}") from error
        return queue.submit(task, order.digest(), order.key)

    @app.post("/check_status", openapi_extra=_documented(JobRef))
    def check_status(body: BodyOf) -> str:
        """`queue position: 3`, `processing: 40%`, `finished` or `error`."""
        return queue.status(body.parse(JobRef).id)

    @app.post("/get_results", openapi_extra=_documented(JobRef))
    def get_results(body: BodyOf) -> JSONResponse:
        """The pictures as base64 PNG, the descriptions, and the frames if some were asked for."""
        results = queue.results(body.parse(JobRef).id)
        answer = {"imgs": [_base64(img) for img in results.imgs], "descs": results.descs}
        if results.frames:
            answer["frames"] = [_base64(frame) for frame in results.frames]
        return JSONResponse(answer)

    @app.post("/cancel", openapi_extra=_documented(JobRef))
    def cancel(body: BodyOf) -> dict[str, bool]:
        """End a job. Its status becomes `error`; `cancelled` is false if it had already ended."""
        return {"cancelled": queue.cancel(body.parse(JobRef).id)}


def _add_errors(app: FastAPI) -> None:
    plain: dict[type[Exception], tuple[int, str, str]] = {
        UnknownJob: (404, "unknown_id", "No request has this number; it may have been forgotten."),
        KeyReused: (409, "key_reused", "This key belongs to another request."),
        QueueFull: (503, "queue_full", "The queue is full."),
        BodyTooLarge: (413, "body_too_large", "The body is too large."),
        BadBody: (400, "bad_body", "The body must be a JSON object or form fields."),
    }
    for kind, (status, code, message) in plain.items():
        headers = {"Retry-After": "5"} if status == 503 else None
        app.add_exception_handler(kind, partial(_answer, status, {"error": code, "message": message}, headers))

    @app.exception_handler(NotFinished)
    def not_finished(_: Request, error: NotFinished) -> JSONResponse:
        return JSONResponse({"error": "not_finished", "message": str(error)}, 409)

    @app.exception_handler(ParameterError)
    @app.exception_handler(ValidationError)
    def bad_parameter(_: Request, error: ValidationError | ParameterError) -> JSONResponse:
        errors = parameter_errors(error)
        return JSONResponse({"error": "bad_parameter", **errors[0], "errors": errors}, 422)


def _answer(
    status: int, content: dict[str, str], headers: dict[str, str] | None, _: Request, __: Exception
) -> JSONResponse:
    return JSONResponse(content, status, headers)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _documented(model: type[BaseModel]) -> dict[str, Any]:
    """The body's schema for the docs: it is read by hand, since it may be JSON or a form."""
    schema = {"schema": model.model_json_schema()}
    return {"requestBody": {"content": {"application/json": schema, "application/x-www-form-urlencoded": schema}}}
