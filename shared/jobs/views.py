"""What callers see of jobs and pictures: records become the shapes of the HTTP API."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

from shared.api.views import EventView, ImageView, JobSummary, JobView
from shared.jobs.records import JobImage, JobRecord
from shared.services import Services

Sign: TypeAlias = Callable[[JobImage], ImageView]


def image_signer(services: Services) -> Sign:
    """Return a function from a picture to its view.

    All pictures of one answer are signed as of the same moment, and the storage is touched only when there is one.
    """
    now = datetime.now(UTC)

    def sign(image: JobImage) -> ImageView:
        storage = services.storage
        return {
            "id": str(image.id),
            "index": image.index,
            "url": storage.presigned_url(image.key, now),
            "thumbnail_url": storage.presigned_url(image.thumbnail_key, now),
            "url_expires_at": storage.url_expires_at(now),
            "link": f"/i/{image.id}",
            "width": image.width,
            "height": image.height,
            "seed": image.seed,
            "description": image.description,
        }

    return sign


def job_summary(job: JobRecord, sign: Sign) -> JobSummary:
    """Return a job as lists show it."""
    images = [sign(image) for image in job.images]
    return {
        "id": str(job.id),
        "state": job.state.value,
        "queue_position": job.outlook.position,
        "eta_seconds": job.outlook.eta_s(job.cost, job.progress),
        "progress": job.progress,
        "prompt": job.prompt,
        "settings": {"prompt": job.prompt, **job.settings},
        "images": images,
        "timelapse_url": None,
        "error": {"code": job.error_code, "message": job.error_message} if job.error_code else None,
        "public": job.public,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "links": {"self": f"/v1/jobs/{job.id}", "image": images[0]["link"] if images else None},
    }


def job_view(job: JobRecord, sign: Sign) -> JobView:
    """Return a job with its timeline."""
    timeline = [
        EventView(at=entry.at, event=entry.event, detail=entry.detail, code=entry.code) for entry in job.timeline
    ]
    return {**job_summary(job, sign), "timeline": timeline}
