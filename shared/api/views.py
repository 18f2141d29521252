"""The types of the dicts that use cases return for the schemas of jobs and pictures.

They have the fields of `shared.api.schemas`, which validates and serializes them once, in the function.
"""

from datetime import datetime
from typing import Any, TypedDict


class ImageView(TypedDict):
    """A picture with fresh presigned URLs."""

    id: str
    index: int
    url: str
    thumbnail_url: str
    url_expires_at: datetime
    link: str
    width: int
    height: int
    seed: int | None
    description: str | None


class EventView(TypedDict):
    """A line of a job's timeline. `at` is ISO 8601 in UTC with milliseconds."""

    at: str
    event: str
    detail: str | None
    code: str | None


class JobErrorView(TypedDict):
    """Why a job failed."""

    code: str
    message: str | None


class LinksView(TypedDict):
    """The paths of a job, and of its first picture."""

    self: str
    image: str | None


class JobSummary(TypedDict):
    """A job in a list."""

    id: str
    state: str
    queue_position: int | None
    eta_seconds: int | None
    progress: float | None
    prompt: str
    settings: dict[str, Any]
    images: list[ImageView]
    timelapse_url: str | None
    error: JobErrorView | None
    public: bool
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    links: LinksView


class JobView(JobSummary):
    """A job with its timeline."""

    timeline: list[EventView]
