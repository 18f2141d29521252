"""The values in which the job store answers. Each is built in one place from the columns of a statement."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Row

from shared.generators.base import GenerationRequest
from shared.jobs.outlook import Outlook, read_outlook
from shared.jobs.states import Event, State

JobSettings: TypeAlias = dict[str, Any]
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
class JobRecord:
    """A job with everything that its view shows. `timeline` is empty in lists."""

    id: UUID
    state: State
    prompt: str
    settings: JobSettings
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


def read_job(row: Row[Any]) -> JobRecord:
    """Build a job from a row of the store's view, with or without its timeline."""
    return JobRecord(
        id=row.id,
        state=State(row.state),
        prompt=row.prompt,
        settings=row.settings,
        cost=row.cost,
        progress=row.progress,
        error_code=row.error_code,
        error_message=row.error_message,
        public=row.public,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        images=read_images(row.images),
        outlook=read_outlook(row.ahead, row.seconds_per_cost, row.places, row.running_s),
        timeline=tuple(TimelineEntry(*entry) for entry in row.timeline or ()),
    )


@dataclass(frozen=True, slots=True)
class NewJob:
    """A checked request, ready to be queued.

    `outline` is its generation request without the bytes of its start pictures. `protocols` are those that can make it,
    as `abilities.supported_protocols` writes them. `fingerprint` is a hash of the request, where it has an idempotency
    key. A `notify` of None in the settings means the account's default.
    """

    prompt: str
    settings: JobSettings
    cost: float
    outline: GenerationRequest
    protocols: str
    source_keys: tuple[str, ...]
    idempotency_key: str | None
    fingerprint: bytes


def read_queued(job: NewJob, row: Row[Any]) -> JobRecord:
    """Build the record of a job that has just been queued.

    The row has only what the database decided (id, created_at, notify and the outlook). Reading the whole job again
    would be a tenth of a submit.
    """
    at = row.created_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return JobRecord(
        id=row.id,
        state=State.QUEUED,
        prompt=job.prompt,
        settings=job.settings | {"notify": row.notify},
        cost=job.cost,
        progress=None,
        error_code=None,
        error_message=None,
        public=False,
        created_at=row.created_at,
        started_at=None,
        finished_at=None,
        images=(),
        outlook=read_outlook(row.ahead, row.seconds_per_cost, row.places),
        timeline=(TimelineEntry(at, Event.ACCEPTED.value, None, None),),
    )


@dataclass(frozen=True, slots=True)
class MovedJob:
    """A job that has just changed its state: whose it is, its start tag in the fair order, and its cost."""

    user_id: UUID
    turn: float
    cost: float


@dataclass(frozen=True, slots=True)
class PriorJob:
    """The job that an idempotency key made before, with the hash of the request that made it."""

    id: UUID
    fingerprint: bytes
