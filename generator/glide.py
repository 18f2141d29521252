"""The Glide API: a sheet of images in one synchronous call, and the steps of the two stages.

As in GLIDE, a base image is generated small and then refined at the requested size. The call awaits its job without
occupying a thread, so that any number of waiting calls does not block the others.
"""

import base64
import secrets
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError
from starlette.concurrency import run_in_threadpool

from generator.engine_pool import EnginePool
from generator.engines.base import Engine, ImageRequest, Pixels, ProgressReporter
from generator.images import encode_png
from generator.job import Job
from generator.jobs import JobQueue
from generator.problems import CLIENT_CLOSED, MAX_NAME, errors
from generator.request import MAX_PROMPT, MAX_SCALE, MAX_SEED, MAX_STEPS, ParameterError, composed
from generator.waiting import wait_while_connected
from generator.work import Results, share_of

SIZES = (64, 128, 256, 512, 1024)
MAX_BATCH = 8
BASE_SIZE_PX = 64
UPSCALING = 4
"""The second stage has up to this many times the pixels of the first on each side, as in GLIDE (64 to 256)."""

SCALE_PER_GUIDANCE = 2.5
"""Engines take img_generator's scale; its recommended 7.5 corresponds to Glide's recommended 3.0."""

_BASE_SHARE, _UPSCALE_SHARE = 0.3, 0.1


@dataclass(frozen=True)
class StageSteps:
    """The steps of the two stages; the defaults are those of GLIDE's notebook text2im (100 and fast27)."""

    base: int = 100
    upsample: int = 27


def _known_size(size: int) -> int:
    if size not in SIZES:
        raise PydanticCustomError("unknown_size", f"Input should be one of {', '.join(map(str, SIZES))}")
    return size


def _not_blank(prompt: str) -> str:
    prompt = composed(prompt)
    if not prompt.strip():
        raise PydanticCustomError("blank", "Input should not be blank")
    return prompt


class SheetRequest(BaseModel):
    """The parameters of `/image`, with the protocol's names."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    prompt: Annotated[str, Field(max_length=MAX_PROMPT, description="what to paint"), AfterValidator(_not_blank)]
    size: Annotated[
        int,
        AfterValidator(_known_size),
        Field(description="width and height of each picture in pixels", json_schema_extra={"enum": list(SIZES)}),
    ]
    batch_size: Annotated[int, Field(ge=1, le=MAX_BATCH, description="pictures in the sheet, side by side")] = 1
    guidance_scale: Annotated[float, Field(ge=0, le=MAX_SCALE, description="how closely to follow the text")] = 3.0
    upsample_temp: Annotated[
        float, Field(ge=0, le=1, description="how freely sizes above 64 are refined: low is smooth, high is crisp")
    ] = 0.997


class StepsRequest(BaseModel):
    """The parameter of `/basemodel` and `/upmodel`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    diffusion_steps: Annotated[int, Field(ge=1, le=MAX_STEPS)]


class Sheet(BaseModel):
    """The response of `/image`."""

    data_type: Literal["image/png;base64"]
    gpu_memory_allocated: Annotated[str, Field(examples=["1.72 Gb"])]
    gpu_memory_reserved: Annotated[str, Field(examples=["4.48 Gb"])]
    image: Annotated[str, Field(description="the sheet: PNG, base64, `size` times `batch_size` wide")]
    image_size: Annotated[int, Field(description="`size`", examples=[64])]
    processing_time: Annotated[str, Field(description="without the time in the queue", examples=["2.21875 s"])]


class BaseModelSize(BaseModel):
    """The response of `/basemodel`."""

    base_model_total_parameters: int


class UpModelSize(BaseModel):
    """The response of `/upmodel`."""

    upsample_model_total_parameters: int


def limits() -> dict[str, object]:
    """Return the limits that `GET /health` reports."""
    return {
        "sizes": list(SIZES),
        "prompt_characters": MAX_PROMPT,
        "batch_size_max": MAX_BATCH,
        "guidance_scale_max": MAX_SCALE,
        "upsample_temp_max": 1.0,
        "diffusion_steps_max": MAX_STEPS,
    }


def paint_sheet(
    sheet: SheetRequest, steps: StageSteps, first_seed: int, engine: Engine, progress: ProgressReporter
) -> Results:
    """Make the images of seed, seed + 1 and so on, side by side as one PNG. `Stopped` and the engine's errors pass."""
    share = 1 / sheet.batch_size
    pictures: list[Pixels] = []
    for k in range(sheet.batch_size):
        seed = (first_seed + k) & MAX_SEED
        pictures.append(_make_image(engine, sheet, steps, seed, share_of(progress, k * share, share)))
    return Results([encode_png(np.concatenate(pictures, axis=1))], [], [])


def _make_image(
    engine: Engine, sheet: SheetRequest, steps: StageSteps, seed: int, progress: ProgressReporter
) -> Pixels:
    small = max(BASE_SIZE_PX, sheet.size // UPSCALING)
    scale = min(MAX_SCALE, sheet.guidance_scale * SCALE_PER_GUIDANCE)
    image_request = ImageRequest(sheet.prompt, "", small, small, steps.base, scale, seed)
    if sheet.size == small:
        return engine.generate(image_request, share_of(progress, 0, 1))
    base = engine.generate(image_request, share_of(progress, 0, _BASE_SHARE))
    large = engine.upscale(base, sheet.size // small, share_of(progress, _BASE_SHARE, _UPSCALE_SHARE))
    finer = replace(image_request, width=sheet.size, height=sheet.size, steps=steps.upsample)
    begin = _BASE_SHARE + _UPSCALE_SHARE
    return engine.transform(large, finer, sheet.upsample_temp, share_of(progress, begin, 1 - begin))


async def _wait_for(job: Job, queue: JobQueue, request: Request) -> Results | None:
    """Wait for the results of a job; return None if the client disconnects first, which ends the job.

    Raises:
        JobFailed: The job ended without results.
    """
    assert job.outcome is not None
    try:
        return await wait_while_connected(job.outcome, request)
    finally:
        queue.abandon(job)


async def _refuse_repeated_parameters(request: Request) -> None:
    """Check that no parameter is given twice.

    Raises:
        ParameterError: One is.
    """
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name in seen:
            raise ParameterError(name[:MAX_NAME], "is given more than once")
        seen.add(name)


def _gigabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1024**3:.2f} Gb"


class _StepsInUse:
    """The steps that `/basemodel` and `/upmodel` set, for every client of the service."""

    def __init__(self) -> None:
        self.now = StageSteps()


def glide_routes(engine_pool: EnginePool, queue: JobQueue) -> APIRouter:
    """Return the three calls of the protocol. Two of them set the steps for later calls of the third."""
    router = APIRouter(tags=["Glide"], dependencies=[Depends(_refuse_repeated_parameters)])
    steps = _StepsInUse()

    @router.get("/image", response_model=Sheet, responses=errors(422, 500, 503, 504))
    async def image(sheet: Annotated[SheetRequest, Query()], request: Request) -> Response:
        """Make a sheet of images. The call lasts until it is finished; closing the connection cancels the work."""
        work = partial(paint_sheet, sheet, steps.now, secrets.randbelow(MAX_SEED + 1))
        job = queue.submit_awaited(work)
        results = await _wait_for(job, queue, request)
        if results is None:
            return Response(status_code=CLIENT_CLOSED)
        return await run_in_threadpool(_sheet_response, engine_pool, sheet, results, job.took_s)

    @router.post("/basemodel", response_model=BaseModelSize, responses=errors(422, 500))
    async def basemodel(wanted: Annotated[StepsRequest, Query()]) -> dict[str, int]:
        """Set the steps of the base images. Returns the number of weights and biases of the network behind them."""
        stats = await run_in_threadpool(engine_pool.stats)
        steps.now = replace(steps.now, base=wanted.diffusion_steps)
        return {"base_model_total_parameters": stats.base_parameters}

    @router.post("/upmodel", response_model=UpModelSize, responses=errors(422, 500))
    async def upmodel(wanted: Annotated[StepsRequest, Query()]) -> dict[str, int]:
        """Set the steps of refining. Returns the number of weights and biases of the network that upscales."""
        stats = await run_in_threadpool(engine_pool.stats)
        steps.now = replace(steps.now, upsample=wanted.diffusion_steps)
        return {"upsample_model_total_parameters": stats.upsample_parameters}

    return router


def _sheet_response(engine_pool: EnginePool, sheet: SheetRequest, results: Results, took_s: float) -> JSONResponse:
    stats = engine_pool.stats()
    return JSONResponse(
        {
            "data_type": "image/png;base64",
            "gpu_memory_allocated": _gigabytes(stats.gpu_allocated_bytes),
            "gpu_memory_reserved": _gigabytes(stats.gpu_reserved_bytes),
            "image": base64.b64encode(results.imgs[0]).decode(),
            "image_size": sheet.size,
            "processing_time": f"{took_s:.5f} s",
        },
        # The same URL returns different images each time.
        headers={"Cache-Control": "no-store"},
    )
