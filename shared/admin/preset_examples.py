"""The example picture of each type and style, made by the site's own pipeline."""

import io
from collections.abc import Callable, Collection, Iterator
from uuid import UUID, uuid4

from shared.accounts import store as user_store
from shared.admin.examples import submit_all
from shared.api.presets import STYLES, TYPES
from shared.api.schemas import JobRequest
from shared.images.codec import decode_picture
from shared.jobs import store as job_store
from shared.jobs.records import JobRecord
from shared.jobs.states import State
from shared.services import Services

PROMPT = "a lighthouse on a cliff by the sea, a small boat"
SEED = 7
WIDTH_PX, HEIGHT_PX = 384, 240
REDUCED_BY = 2
"""An example is this much smaller than its picture."""
CELLS = 96
MAX_BYTES = 10 * 1024 * 1024
_QUALITY = 80


class ExampleFailed(Exception):
    """A job did not succeed. No error of the API: only an operator sees it."""


def list_names() -> list[str]:
    """Return the name of every example: `type-` or `style-` and the key."""
    return [*(f"type-{key}" for key in TYPES), *(f"style-{key}" for key in STYLES)]


def request_of(name: str) -> JobRequest:
    """Return the request for the picture of an example: of the same things with the same seed for all."""
    field, key = name.split("-", 1)
    grid = {"pixel_art": {"cells": CELLS}} if "pixel_art" in name else {}
    size = {"width": WIDTH_PX, "height": HEIGHT_PX}
    return JobRequest.model_validate({"prompt": PROMPT, "seed": SEED, "notify": "none", field: key, **size, **grid})


def render(services: Services, names: Collection[str], pause: Callable[[], None]) -> Iterator[tuple[str, bytes]]:
    """Submit a job for each of these examples and yield each with its WebP file, in this order.

    The jobs belong to an account that cannot log in and that is deleted with them at the end. `pause` is called
    between two looks at a job.

    Raises:
        ExampleFailed: A job failed.
    """
    with services.db.begin() as connection:
        user = user_store.create(connection, f"presets-{uuid4()}@easel.invalid", "no password")
        job_ids = submit_all(services, connection, user.id, [request_of(name) for name in names])
    services.wake_ups.wake()
    try:
        for name, job_id in zip(names, job_ids, strict=True):
            job = _finished(services, job_id, user.id, pause)
            if job.state != State.SUCCEEDED:
                raise ExampleFailed(f"{name}: {job.error_message or job.state.value}")
            yield name, _example(services.storage.get(job.images[0].key, MAX_BYTES))
    finally:
        with services.db.begin() as connection:
            user_store.close(connection, user.id)


def _finished(services: Services, job_id: UUID, user_id: UUID, pause: Callable[[], None]) -> JobRecord:
    """Wait until the job has finished."""
    while True:
        with services.db.statement() as connection:
            job = job_store.find_view(connection, job_id, user_id)
        assert job is not None, "only this function deletes the job"
        if job.state.finished:
            return job
        pause()


def _example(png: bytes) -> bytes:
    picture = decode_picture(png, expected_size=None)
    buffer = io.BytesIO()
    picture.reduce(REDUCED_BY).save(buffer, "WEBP", quality=_QUALITY, method=6)
    return buffer.getvalue()
