"""What callers see of jobs and pictures: records become the JSON of the HTTP API.

The texts are written here instead of by pydantic, which takes longer than everything else in an answer with fifty jobs.
Their fields are those of `shared.api.schemas`; a test compares them.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from json.encoder import encode_basestring
from typing import TYPE_CHECKING

from shared.jobs.publications import publication_json
from shared.jobs.records import JobImage, JobRecord
from shared.jobs.states import State
from shared.services import Services

if TYPE_CHECKING:
    from shared.clients.storage import SigningWindow

text_json = encode_basestring
"""Writes a string as JSON."""


def number_json(number: float | None) -> str:
    """Return a finite number, or null."""
    return "null" if number is None else repr(number)


class Pictures:
    """Writes the pictures of one answer, all signed as of one moment. The storage is touched only if there is one."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._window: SigningWindow | None = None

    def write(self, images: tuple[JobImage, ...]) -> str:
        """Return the pictures of a job as an array."""
        if not images:
            return "[]"
        url = self._signing.url
        return f"[{','.join([self._one(image, url) for image in images])}]"

    def url(self, key: str | None) -> str:
        """Return the presigned URL of an object, or null for None."""
        return "null" if key is None else text_json(self._signing.url(key))

    def timelapse(self, images: tuple[JobImage, ...]) -> str:
        """Return the presigned URL of the video of a job's making, or null without one."""
        return self.url(images[0].timelapse_key if images else None)

    @property
    def _signing(self) -> "SigningWindow":
        if self._window is None:
            self._window = self._services.storage.signing_window(datetime.now(UTC))
            self._expires_at = self._window.expires_at.isoformat().replace("+00:00", "Z")
        return self._window

    def _one(self, image: JobImage, url: Callable[[str], str]) -> str:
        image_id, index, key, thumbnail_key, width, height, seed, description, _ = image
        return (
            f'{{"id":"{image_id}","index":{index},"url":{text_json(url(key))},'
            f'"thumbnail_url":{text_json(url(thumbnail_key))},"url_expires_at":"{self._expires_at}",'
            f'"link":"/i/{image_id}","width":{width},"height":{height},'
            f'"seed":{number_json(seed)},"description":{_maybe(description)}}}'
        )


def job_json(job: JobRecord, pictures: Pictures) -> str:
    """Return a job: with its preview and timeline, unless it is from a list."""
    job_id, prompt, outlook, images = job.id, text_json(job.prompt), job.outlook, job.images
    error = (
        f'{{"code":{text_json(job.error_code)},"message":{_maybe(job.error_message)}}}' if job.error_code else "null"
    )
    timeline = (
        ""
        if job.timeline is None
        else (
            f',"preview_url":{pictures.url(job.preview_key)},"timeline":{job.timeline},'
            f'"publication":{publication_json(job.publication, public=job.public)}'
        )
    )
    return (
        f'{{"id":"{job_id}","state":"{(State.QUEUED if job.state.waits else job.state).value}",'
        f'"queue_position":{number_json(outlook.position)},'
        f'"position_is_estimate":{"true" if outlook.is_estimate else "false"},'
        f'"eta_seconds":{number_json(outlook.eta_s(job.cost, job.progress))},"progress":{number_json(job.progress)},'
        f'"prompt":{prompt},"settings":{{"prompt":{prompt},{job.settings[1:]},'
        f'"images":{pictures.write(images)},"timelapse_url":{pictures.timelapse(images)},"error":{error},'
        f'"public":{"true" if job.public else "false"},"created_at":"{job.created_at}",'
        f'"started_at":{_maybe(job.started_at)},"finished_at":{_maybe(job.finished_at)},'
        f'"links":{{"self":"/v1/jobs/{job_id}","image":{_link(images)}}},'
        f'"group_id":{_maybe(job.group_id)}{timeline}}}'
    )


def _link(images: tuple[JobImage, ...]) -> str:
    return f'"/i/{images[0].id}"' if images else "null"


def _maybe(text: str | None) -> str:
    return "null" if text is None else text_json(text)
