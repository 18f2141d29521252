"""The img_generator protocol with its extensions, and the Glide API, over one queue and the workers of one engine.

The responses of img_generator are bare: a number, a word, a map of images. Errors are JSON: `error` (a stable code),
`message`, and for 422 `parameter` and `errors` with every wrong parameter.
"""

import base64
import math
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from generator import glide, training
from generator.adapters import adapter_routes, check_adapters
from generator.body import MAX_WAIT_S, Body, JobRef, StatusQuery, read_body, request_body
from generator.engine_pool import EnginePool
from generator.engines.adapter_files import AdapterFiles
from generator.images import BadImage, decode_base64
from generator.jobs import Bounds, JobQueue, new_ids
from generator.problems import add_errors, errors, refuse_other_origins
from generator.request import SCENE_PICTURES, GenerationRequest, ParameterError, limits
from generator.site import add_site
from generator.training_pool import TrainingPool
from generator.waiting import wait_while_connected
from generator.work import PreparedRequest, Results, prepare, run_request

EXTENSIONS = ["key", "frames", "progress", "cancel", "wait", "preview"]

TRAIN_BOUNDS = Bounds(max_queue=10, job_timeout_s=7200)

BodyOf = Annotated[Body, Depends(read_body)]


class Pictures(BaseModel):
    """The response of `/get_results`: base64 PNG and text."""

    imgs: list[str]
    descs: list[str]
    frames: list[str] | None = None
    flags: list[list[str]] | None = None


class StatusWithPreview(BaseModel):
    """The response of `/check_status` with `preview`: the status, and a small WebP in base64 if there is one."""

    status: str
    preview: str | None = None


class Cancelled(BaseModel):
    """The response of `/cancel`."""

    cancelled: bool


class _Queues:
    """The queue of pictures, and that of trainings where the engine can train. No id is in both."""

    def __init__(self, engine_pool: EnginePool, bounds: Bounds, train_bounds: Bounds) -> None:
        ids = new_ids()
        self.pictures = JobQueue(engine_pool, bounds, ids)
        self.training_pool = None if engine_pool.trainer is None else TrainingPool(engine_pool.trainer)
        self.trainings = None if self.training_pool is None else JobQueue(self.training_pool, train_bounds, ids)

    @property
    def _all(self) -> list[JobQueue]:
        return [self.pictures] if self.trainings is None else [self.pictures, self.trainings]

    def of(self, job_id: int) -> JobQueue:
        """Return the queue that has the job; that of pictures if none has."""
        return next((queue for queue in self._all if queue.knows(job_id)), self.pictures)

    def start(self) -> None:
        """Start the workers of both."""
        for queue in self._all:
            queue.start()

    def close(self) -> None:
        """End the jobs of both."""
        for queue in self._all:
            queue.close()


def create_app(engine_pool: EnginePool, bounds: Bounds | None = None, train_bounds: Bounds | None = None) -> FastAPI:
    """Build the service as an ASGI app. Its workers run between the lifespan's start and end.

    `state.queues` can be closed before the lifespan's end, which ends the calls that wait for an image.
    """
    bounds, train_bounds = bounds or Bounds(), train_bounds or TRAIN_BOUNDS
    queues = _Queues(engine_pool, bounds, train_bounds)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        queues.start()
        try:
            yield
        finally:
            queues.close()

    # FastAPI's documentation page would load its script from another origin.
    app = FastAPI(title="Easel generator", description=__doc__, lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.queues = queues
    for router in _routers(engine_pool, queues):
        app.include_router(router, dependencies=[Depends(refuse_other_origins)])
    add_errors(app)
    add_site(app)

    @app.get("/health")
    def health() -> dict[str, object]:
        """Return the engine, the extensions that a client may use, the limits, and how busy the service is."""
        return {
            "status": "ok",
            "engine": engine_pool.engine,
            **_model(engine_pool),
            "extensions": [*EXTENSIONS, *engine_pool.extensions],
            "limits": limits()
            | {"max_queue": bounds.max_queue, "job_timeout_s": bounds.job_timeout_s, "wait_s_max": MAX_WAIT_S},
            "glide": glide.limits(),
            "workers": bounds.workers,
            **({"schedulers": engine_pool.schedulers} if engine_pool.schedulers else {}),
            **queues.pictures.counts(),
            **_trainings(queues.trainings, train_bounds),
        }

    return app


def _routers(engine_pool: EnginePool, queues: _Queues) -> Iterator[APIRouter]:
    files = AdapterFiles() if "adapters" in engine_pool.extensions else None
    if files is not None:
        files.check()
        yield adapter_routes(files)
    if queues.training_pool is not None and queues.trainings is not None:
        yield training.train_routes(queues.trainings, queues.training_pool.folder.path)
    yield _img_generator_routes(engine_pool, files, queues)
    yield glide.glide_routes(engine_pool, queues.pictures)


def _trainings(queue: JobQueue | None, bounds: Bounds) -> dict[str, object]:
    """Return the limits of trainings and how many there are; nothing where the engine cannot train."""
    if queue is None:
        return {}
    own = {"max_queue": bounds.max_queue, "job_timeout_s": bounds.job_timeout_s}
    return {"trainings": queue.counts() | {"limits": training.limits() | own}}


def _model(engine_pool: EnginePool) -> dict[str, object]:
    """Return what the engine says of its model; while it loads, about how many seconds that takes."""
    if engine_pool.is_loading:
        seconds = engine_pool.loading_s()
        about = "" if seconds is None else f", about {math.ceil(seconds)} s"
        return {"loading": f"model is loading{about}"}
    stats = engine_pool.find_stats()
    return {} if stats is None or stats.model is None else {"model": asdict(stats.model)}


def _img_generator_routes(engine_pool: EnginePool, files: AdapterFiles | None, queues: _Queues) -> APIRouter:
    router = APIRouter(tags=["img_generator"])

    # The handlers are plain functions: FastAPI runs each in a thread, so that decoding does not block the event loop.
    @router.post(
        "/initiate_processing",
        openapi_extra=request_body(GenerationRequest),
        responses=errors(400, 409, 413, 422, 503),
    )
    def initiate_processing(body: BodyOf) -> int:
        """Queue a request. Returns its id."""
        request = body.parse(GenerationRequest)
        prepared = _prepared(request, engine_pool)
        check_adapters(request, files)
        work = partial(run_request, prepared)
        return queues.pictures.submit(work, prepared.size_bytes, request.digest(), request.key)

    # A call that waits holds no thread: hundreds may wait without blocking the others.
    @router.post(
        "/check_status",
        openapi_extra=request_body(StatusQuery),
        response_model_exclude_none=True,
        responses=errors(400, 404, 413, 422),
    )
    async def check_status(body: BodyOf, request: Request) -> str | StatusWithPreview:
        """Return `queue position: 3`, `processing: 40%`, `finished` or `error`; with `preview` also a small picture."""
        query = await run_in_threadpool(body.parse, StatusQuery)
        return await _status(query, request, queues.of(query.id))

    @router.post(
        "/get_results",
        openapi_extra=request_body(JobRef),
        response_model=Pictures | training.Learned,
        responses=errors(400, 404, 409, 413, 422),
    )
    def get_results(body: BodyOf) -> JSONResponse:
        """Return the images as base64 PNG, the descriptions and frames if requested; of a training the adapter."""
        job_id = body.parse(JobRef).id
        return JSONResponse(_content(queues.of(job_id).results(job_id)))

    @router.post(
        "/cancel", openapi_extra=request_body(JobRef), response_model=Cancelled, responses=errors(400, 404, 413, 422)
    )
    def cancel(body: BodyOf) -> dict[str, bool]:
        """Cancel a job. Its status becomes `error`; `cancelled` is false if it had already ended."""
        job_id = body.parse(JobRef).id
        return {"cancelled": queues.of(job_id).cancel(job_id)}

    return router


async def _status(query: StatusQuery, request: Request, queue: JobQueue) -> str | StatusWithPreview:
    changed = queue.watch(query.id) if query.wait_s else None
    if changed is not None:
        await wait_while_connected(changed, request, query.wait_s)
    if not query.preview:
        return queue.status(query.id)
    picture = queue.ask_preview(query.id)
    return StatusWithPreview(status=queue.status(query.id), preview=_base64(picture) if picture else None)


def _prepared(request: GenerationRequest, engine_pool: EnginePool) -> PreparedRequest:
    """Decode what a request holds.

    Raises:
        ParameterError: A picture is none, or the engine cannot do what is asked.
    """
    if request.scheduler is not None and request.scheduler not in engine_pool.schedulers:
        known = ", ".join(engine_pool.schedulers)
        raise ParameterError("scheduler", f"is one of {known}" if known else "cannot be chosen for this engine")
    needed = {"mask": "inpaint", "control": "control"} | dict.fromkeys(SCENE_PICTURES, "scene")
    for parameter, extension in needed.items():
        if getattr(request, parameter) is not None and extension not in engine_pool.extensions:
            raise ParameterError(parameter, f"needs the extension {extension}, which this engine does not offer")
    try:
        return prepare(request, [decode_base64(text) for text in request.imgs])
    except BadImage as error:
        raise ParameterError("imgs", f"hold something that {error}") from error


def _content(results: Results) -> dict[str, object]:
    if results.trained is not None:
        return {"adapter": results.trained.sha256, "report": results.trained.report}
    content: dict[str, object] = {"imgs": [_base64(img) for img in results.imgs], "descs": results.descs}
    if results.frames:
        content["frames"] = [_base64(frame) for frame in results.frames]
    if any(results.flags):
        content["flags"] = results.flags
    return content


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
