"""The extension `train`: an adapter (LoRA) for one subject, from photos.

The photos are in the memory of the service and of the training's process only. They are never written to a disk, so
there is nothing to delete, whatever the end.
"""

import hashlib
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Annotated, Literal, cast

from fastapi import APIRouter, Depends
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from generator.body import Body, read_body, request_body
from generator.engines.adapter_files import AdapterFiles
from generator.engines.base import CannotDo, Engine, Trainer, TrainingOrder
from generator.images import BadImage, decode_base64, decode_source, shrink
from generator.jobs import JobQueue
from generator.problems import errors
from generator.request import KeyedRequest, ParameterError, as_list, whole_base64
from generator.work import JobProgress, Results, TrainedAdapter

PHOTOS = 5
MAX_PHOTO_BYTES = 12 * 1024 * 1024
"""Five of them are a body at its limit."""

MIN_PHOTO_SIDE_PX = 64
USED_SIDE_PX = 2048
MAX_STEPS_PER_IMAGE = 600
MAX_RANK = 32


class TrainRequest(KeyedRequest):
    """One request to `/train`."""

    images: Annotated[
        list[str],
        BeforeValidator(as_list),
        Field(min_length=PHOTOS, max_length=PHOTOS),
        AfterValidator(whole_base64),
    ]
    subject: Literal["person", "animal", "object"]
    steps_per_image: Annotated[int, Field(ge=1, le=MAX_STEPS_PER_IMAGE)] = 300
    rank: Annotated[int, Field(ge=1, le=MAX_RANK)] = 8


class Learned(BaseModel):
    """The response of `/get_results` for a training: the hash of the adapter, and what the trainer measured."""

    adapter: str
    report: dict[str, str | float]


@dataclass(frozen=True)
class PreparedTraining:
    """A training that is ready to run: photos decoded from base64 and checked, seed fixed."""

    photos: list[bytes]
    subject: str
    steps: int
    rank: int
    seed: int
    folder: Path


def limits() -> dict[str, int]:
    """Return the limits that `GET /health` reports."""
    return {
        "train_images": PHOTOS,
        "train_image_bytes_max": MAX_PHOTO_BYTES,
        "train_image_side_px_min": MIN_PHOTO_SIDE_PX,
        "train_steps_per_image_max": MAX_STEPS_PER_IMAGE,
        "train_rank_max": MAX_RANK,
    }


def _checked_photos(texts: list[str]) -> list[bytes]:
    """Decode the photos and look at each.

    Raises:
        ParameterError: One cannot be used.
    """
    photos = [decode_base64(text) for text in texts]
    for number, data in zip(count(1), photos):
        try:
            if len(data) > MAX_PHOTO_BYTES:
                raise BadImage(f"has more than {MAX_PHOTO_BYTES} bytes")
            if min(decode_source(data).shape[:2]) < MIN_PHOTO_SIDE_PX:
                raise BadImage(f"has a side of less than {MIN_PHOTO_SIDE_PX} pixels")
        except BadImage as error:
            raise ParameterError("images", f"hold something in place {number} that {error}") from error
    return photos


def run_training(prepared: PreparedTraining, engine: Engine, progress: JobProgress) -> Results:
    """Train an adapter and keep it among those of clients. `Stopped` and the trainer's errors pass."""
    order = TrainingOrder(
        tuple(shrink(decode_source(photo), USED_SIDE_PX) for photo in prepared.photos),
        prepared.subject,
        prepared.steps,
        prepared.rank,
        prepared.seed,
        prepared.folder,
    )
    trained = cast("Trainer", engine).train(order, progress)
    name = hashlib.sha256(trained.adapter).hexdigest()
    try:
        upload = AdapterFiles().new()
        try:
            upload.add(trained.adapter)
            upload.keep(name)
        finally:
            upload.close()
    except OSError as error:
        raise CannotDo(f"the adapter cannot be kept: {error.strerror}") from error
    return Results([], [], [], trained=TrainedAdapter(name, trained.report))


def train_routes(queue: JobQueue, folder: Path) -> APIRouter:
    """Return the call that begins a training; `folder` is the one for what a trainer keeps."""
    router = APIRouter(tags=["img_generator"])

    @router.post("/train", openapi_extra=request_body(TrainRequest), responses=errors(400, 409, 413, 422, 503))
    def train(body: Annotated[Body, Depends(read_body)]) -> int:
        """Queue a training. Returns its id; the other calls take it like a picture's."""
        request = body.parse(TrainRequest)
        photos = _checked_photos(request.images)
        steps = request.steps_per_image * len(photos)
        prepared = PreparedTraining(photos, request.subject, steps, request.rank, request.first_seed(), folder)
        work = partial(run_training, prepared)
        return queue.submit(work, sum(map(len, photos)), request.digest(), request.key)

    return router
