"""The Glide API: a sheet of pictures in one synchronous call, and the steps of the two stages.

As in GLIDE, a base picture is painted small and then refined at the wanted size. The call waits for its job without a
thread of its own, so that any number of waiting calls leaves the other calls their threads.
"""

import asyncio
import base64
import secrets
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError
from starlette.concurrency import run_in_threadpool

from generator.engines.base import Brief, Engine, Pixels
from generator.images import encode_png
from generator.jobs import Job, JobQueue
from generator.order import MAX_PROMPT, MAX_SCALE, MAX_SEED, MAX_STEPS, ParameterError
from generator.problems import MAX_NAME, errors
from generator.studio import Studio
from generator.work import Note, Results, part_of

SIZES = (64, 128, 256, 512, 1024)
MAX_BATCH = 8
BASE_SIZE_PX = 64
UPSCALING = 4
"""The second stage has up to this many times the pixels of the first on each side, as in GLIDE (64 to 256)."""

SCALE_PER_GUIDANCE = 2.5
"""Engines take img_generator's scale. What 3.0 is to GLIDE, 7.5 is to that: the value that each protocol advises."""

_BASE_SHARE, _UPSCALE_SHARE = 0.3, 0.1

CLIENT_CLOSED = 499
"""For a client that has hung up; nobody reads it."""


@dataclass(frozen=True)
class Steps:
    """The steps of the two stages; the defaults are those of GLIDE's notebook text2im (100 and fast27)."""

    base: int = 100
    upsample: int = 27


def _known_size(size: int) -> int:
    if size not in SIZES:
        raise PydanticCustomError("unknown_size", f"Input should be one of {', '.join(map(str, SIZES))}")
    return size


def _not_blank(prompt: str) -> str:
    if not prompt.strip():
        raise PydanticCustomError("blank", "Input should not be blank")
    return prompt


class SheetOrder(BaseModel):
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


class StepsOrder(BaseModel):
    """The parameter of `/basemodel` and `/upmodel`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    diffusion_steps: Annotated[int, Field(ge=1, le=MAX_STEPS)]


class Sheet(BaseModel):
    """What `/image` answers."""

    data_type: Literal["image/png;base64"]
    gpu_memory_allocated: Annotated[str, Field(examples=["1.72 Gb"])]
    gpu_memory_reserved: Annotated[str, Field(examples=["4.48 Gb"])]
    image: Annotated[str, Field(description="the sheet: PNG, base64, `size` times `batch_size` wide")]
    image_size: Annotated[int, Field(description="`size`", examples=[64])]
    processing_time: Annotated[str, Field(description="without the time in the queue", examples=["2.21875 s"])]


class BaseModelSize(BaseModel):
    """What `/basemodel` answers."""

    base_model_total_parameters: int


class UpModelSize(BaseModel):
    """What `/upmodel` answers."""

    upsample_model_total_parameters: int


def limits() -> dict[str, Any]:
    """The limits as `GET /health` tells them."""
    return {
        "sizes": list(SIZES),
        "prompt_characters": MAX_PROMPT,
        "batch_size_max": MAX_BATCH,
        "guidance_scale_max": MAX_SCALE,
        "upsample_temp_max": 1.0,
        "diffusion_steps_max": MAX_STEPS,
    }


def paint_sheet(order: SheetOrder, steps: Steps, first_seed: int, engine: Engine, note: Note) -> Results:
    """The pictures of an order, of seed, seed + 1 and so on, side by side as one PNG.

    Lets `Stopped` and whatever the engine raises pass.
    """
    share = 1 / order.batch_size
    pictures: list[Pixels] = []
    for k in range(order.batch_size):
        seed = (first_seed + k) & MAX_SEED
        pictures.append(_picture(engine, order, steps, seed, part_of(note, k * share, share)))
    return Results([encode_png(np.concatenate(pictures, axis=1))], [], [])


def _picture(engine: Engine, order: SheetOrder, steps: Steps, seed: int, note: Note) -> Pixels:
    small = max(BASE_SIZE_PX, order.size // UPSCALING)
    scale = min(MAX_SCALE, order.guidance_scale * SCALE_PER_GUIDANCE)
    brief = Brief(order.prompt, "", small, small, steps.base, scale, seed)
    if order.size == small:
        return engine.generate(brief, part_of(note, 0, 1))
    base = engine.generate(brief, part_of(note, 0, _BASE_SHARE))
    large = engine.upscale(base, order.size // small, part_of(note, _BASE_SHARE, _UPSCALE_SHARE))
    finer = replace(brief, width=order.size, height=order.size, steps=steps.upsample)
    begin = _BASE_SHARE + _UPSCALE_SHARE
    return engine.transform(large, finer, order.upsample_temp, part_of(note, begin, 1 - begin))


async def _attended(job: Job, queue: JobQueue, request: Request) -> Results | None:
    """What the job brings, or None when the client hangs up, which ends the job. Raises JobFailed."""
    assert job.outcome is not None
    outcome = asyncio.wrap_future(job.outcome)
    hung_up = asyncio.ensure_future(_hang_up(request))
    try:
        await asyncio.wait((outcome, hung_up), return_when=asyncio.FIRST_COMPLETED)
        return outcome.result() if outcome.done() else None
    finally:
        # Also when the server itself gives up: it cancels the calls that its end finds waiting.
        hung_up.cancel()
        outcome.cancel()
        queue.leave(job)


async def _hang_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _once_each(request: Request) -> None:
    """Raises ParameterError for a parameter that is given twice."""
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name in seen:
            raise ParameterError(name[:MAX_NAME], "is given more than once")
        seen.add(name)


def _gigabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1024**3:.2f} Gb"


class _StepsInUse:
    """What `/basemodel` and `/upmodel` set, for every client of the service."""

    def __init__(self) -> None:
        self.now = Steps()


def glide_routes(studio: Studio, queue: JobQueue) -> APIRouter:
    """The three calls of the protocol. The steps that two of them set hold for the later calls of the third."""
    router = APIRouter(tags=["Glide"], dependencies=[Depends(_once_each)])
    steps = _StepsInUse()

    @router.get("/image", response_model=Sheet, responses=errors(422, 500, 503, 504))
    async def image(order: Annotated[SheetOrder, Query()], request: Request) -> Response:
        """Paint a sheet of pictures. The call lasts as long as that takes; hanging up ends the work."""
        work = partial(paint_sheet, order, steps.now, secrets.randbelow(MAX_SEED + 1))
        job = queue.attend(work)
        results = await _attended(job, queue, request)
        if results is None:
            return Response(status_code=CLIENT_CLOSED)
        return await run_in_threadpool(_answer, studio, order, results, job.took_s)

    @router.post("/basemodel", response_model=BaseModelSize, responses=errors(422, 500))
    async def basemodel(order: Annotated[StepsOrder, Query()]) -> dict[str, int]:
        """Set the steps of the base pictures. Answers the number of weights and biases of the network behind them."""
        equipment = await run_in_threadpool(studio.equipment)
        steps.now = replace(steps.now, base=order.diffusion_steps)
        return {"base_model_total_parameters": equipment.base_parameters}

    @router.post("/upmodel", response_model=UpModelSize, responses=errors(422, 500))
    async def upmodel(order: Annotated[StepsOrder, Query()]) -> dict[str, int]:
        """Set the steps of refining. Answers the number of weights and biases of the network that scales up."""
        equipment = await run_in_threadpool(studio.equipment)
        steps.now = replace(steps.now, upsample=order.diffusion_steps)
        return {"upsample_model_total_parameters": equipment.upsample_parameters}

    return router


def _answer(studio: Studio, order: SheetOrder, results: Results, took_s: float) -> JSONResponse:
    equipment = studio.equipment()
    return JSONResponse(
        {
            "data_type": "image/png;base64",
            "gpu_memory_allocated": _gigabytes(equipment.gpu_allocated_bytes),
            "gpu_memory_reserved": _gigabytes(equipment.gpu_reserved_bytes),
            "image": base64.b64encode(results.imgs[0]).decode(),
            "image_size": order.size,
            "processing_time": f"{took_s:.5f} s",
        },
        # The same address gives other pictures each time.
        headers={"Cache-Control": "no-store"},
    )
