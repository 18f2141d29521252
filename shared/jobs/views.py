"""What callers see of jobs and pictures: rows become the shapes of the contract."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row

from shared.jobs.records import JobImage, read_images
from shared.services import Services

Sign = Callable[[JobImage], dict[str, Any]]


def image_signer(services: Services) -> Sign:
    """Return a function from a picture to its view.

    All pictures of one answer are signed as of the same moment, and the storage is touched only when there is one.
    """
    now = datetime.now(UTC)

    def sign(image: JobImage) -> dict[str, Any]:
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


def job_summary(row: Row[Any], sign: Sign) -> dict[str, Any]:
    """A job as lists show it."""
    images = [sign(image) for image in read_images(row.images)]
    return {
        "id": str(row.id),
        "state": row.state,
        "queue_position": row.ahead[0] + 1 if row.state == "queued" else None,
        "eta_seconds": _eta_s(row),
        "progress": row.progress,
        "prompt": row.prompt,
        "settings": {"prompt": row.prompt, **row.settings},
        "images": images,
        "timelapse_url": None,
        "error": {"code": row.error_code, "message": row.error_message} if row.error_code else None,
        "public": row.public,
        "created_at": row.created_at,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
        "links": {"self": f"/v1/jobs/{row.id}", "image": images[0]["link"] if images else None},
    }


def job_view(row: Row[Any], sign: Sign) -> dict[str, Any]:
    """A job with its timeline."""
    timeline = [dict(zip(("at", "event", "detail", "code"), entry, strict=True)) for entry in row.timeline]
    return job_summary(row, sign) | {"timeline": timeline}


def _eta_s(row: Row[Any]) -> int | None:
    """Whole seconds until the pictures are there, from the pace of the latest jobs (Little's law for those waiting)."""
    if row.seconds_per_cost is None:
        return None
    own_s = float(row.cost * row.seconds_per_cost)
    if row.state == "queued":
        waiting_s = float(row.ahead[1] * row.seconds_per_cost) / max(int(row.places or 0), 1)
        return math.ceil(waiting_s + own_s)
    running_s = float(row.running_s or 0)
    if row.progress:
        own_s = running_s / float(row.progress)
    return max(1, math.ceil(own_s - running_s))
