"""The values in which the job store answers. Each is built in one place from the columns of a statement."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from shared.jobs.states import State

Settings: TypeAlias = dict[str, Any]
"""A job's resolved settings as `shared.api.presets.resolve` makes them: a JSON object."""

JOB_IMAGES = """coalesce((
    SELECT json_agg(
        json_build_array(id, index, key, thumbnail_key, width, height, seed, description) ORDER BY index
    ) FROM images WHERE job_id = j.id
), '[]') AS images"""
"""SQL: the column `images` of a statement over `jobs j`, to be read with `read_images`."""


@dataclass(frozen=True, slots=True)
class JobImage:
    """A picture that belongs to a job. `seed` is None where the generator did not follow the job's seed."""

    id: UUID
    index: int
    key: str
    thumbnail_key: str
    width: int
    height: int
    seed: int | None
    description: str | None


def read_images(column: Iterable[list[Any]]) -> tuple[JobImage, ...]:
    """Build the pictures of a job, in order of their index, from the column of `JOB_IMAGES`."""
    return tuple(JobImage(UUID(image_id), *columns) for image_id, *columns in column)


@dataclass(frozen=True, slots=True)
class StoredImage:
    """A picture that is stored and verified, and is about to be written as part of its job."""

    index: int
    key: str
    thumbnail_key: str
    width: int
    height: int
    size_bytes: int
    seed: int | None
    description: str | None


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of a job's timeline. `at` is ISO 8601 in UTC with milliseconds."""

    at: str
    event: str
    detail: str | None
    code: str | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the wait of an unfinished job is estimated from; see `shared.jobs.outlook`.

    `jobs_ahead`, `cost_ahead` and `places` are None unless the job is queued, `seconds_per_cost` is None once it has
    finished, `running_s` is None before it has started. `places` is how many jobs the generators that can make this one
    may hold at once, or None when there are none.
    """

    jobs_ahead: int | None = None
    cost_ahead: float | None = None
    seconds_per_cost: float | None = None
    places: int | None = None
    running_s: float | None = None


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job with everything that its view shows. `timeline` is empty in lists."""

    id: UUID
    state: State
    prompt: str
    settings: Settings
    cost: float
    progress: float | None
    error_code: str | None
    error_message: str | None
    public: bool
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    images: tuple[JobImage, ...]
    outlook: Outlook
    timeline: tuple[TimelineEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class SubmittedJob:
    """What the database decided about a job that has just been queued."""

    id: UUID
    created_at: datetime
    notify: str
    outlook: Outlook
