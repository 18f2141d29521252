"""The values in which the job store answers. Each is built in one place from the columns of a statement."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from pydantic_core import from_json

from shared.generators.base import GenerationRequest
from shared.jobs.outlook import Outlook, read_outlook
from shared.jobs.publications import Publication, read_publication
from shared.jobs.states import Event, State

JobSettings: TypeAlias = dict[str, Any]
"""A job's resolved settings as `shared.api.presets.resolve` makes them: a JSON object."""

JOB_IMAGES = """(
    SELECT CAST(json_agg(
        json_build_array(id, index, key, thumbnail_key, width, height, seed, description, timelapse_key) ORDER BY index
    ) AS text) FROM images WHERE job_id = j.id
) AS images"""
"""SQL: the column `images` of a statement over `jobs j`, to be read with `read_images`."""


class JobImage(NamedTuple):
    """A picture that belongs to a job. `seed` is None where the generator did not follow the job's seed.

    `timelapse_key` is the video of its making, which a job has of its first picture.

    A tuple, and `id` as text, since an answer may have hundreds of them.
    """

    id: str
    index: int  # type: ignore[assignment] # tuple's method of this name is not used
    key: str
    thumbnail_key: str
    width: int
    height: int
    seed: int | None
    description: str | None
    timelapse_key: str | None = None


def read_images(column: str | None) -> tuple[JobImage, ...]:
    """Build the pictures of a job, in order of their index, from the column of `JOB_IMAGES`."""
    return () if column is None else tuple(map(JobImage._make, from_json(column)))


def utc(column: str) -> str:
    """Return SQL for a time of this column as RFC 3339 in UTC: Postgres writes it ten times as fast as Python."""
    return f"""to_char({column} AT TIME ZONE 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


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
    timelapse_key: str | None = None


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of a job's timeline. Times are ISO 8601 in UTC with milliseconds.

    A line that has repeated counts how often, from `first_at` to `at`.
    """

    at: str
    event: str
    detail: str | None
    code: str | None
    count: int = 1
    first_at: str | None = None


class JobRecord(NamedTuple):
    """A job with everything that its view shows. A tuple, for the same reason as JobImage.

    `settings` is a JSON object as text, and `timeline` a JSON array of the API's events, which views copy; it is None
    in lists. `group_id`: the group with which the job was submitted, if any. `preview_key` is the object that shows the
    picture as it is now; it and `publication` are read only with the timeline. Times are RFC 3339 in UTC.
    """

    id: str
    state: State
    prompt: str
    settings: str
    cost: float
    progress: float | None
    error_code: str | None
    error_message: str | None
    public: bool
    created_at: str
    started_at: str | None
    finished_at: str | None
    images: tuple[JobImage, ...]
    outlook: Outlook
    timeline: str | None
    group_id: str | None
    preview_key: str | None = None
    publication: Publication | None = None


OF_GROUP = "(SELECT CAST(g.group_id AS text) FROM jobs g WHERE g.id = CAST(shown.id AS uuid)) AS group_id"
"""SQL: the last column of a job, for a statement over `shown`, the rows of a SQL function of jobs."""

_FINISHED = Outlook()


def read_job(row: Sequence[Any]) -> JobRecord:
    """Build a job from a row of the SQL functions of jobs, whose first columns are ordered as the fields.

    The last column is the job's group.
    """
    return read_previewed_job((*row, None, None))


def read_previewed_job(row: Sequence[Any]) -> JobRecord:
    """Build a job from such a row with the key of its preview and its publication at the end."""
    *shown, group_id, preview, publication = row
    job_id, state, *fields, images, ahead, seconds_per_cost, places, running_s, timeline = shown
    outlook = _FINISHED if seconds_per_cost is None else read_outlook(ahead, seconds_per_cost, places, running_s)
    made = (job_id, State(state), *fields, read_images(images), outlook, timeline, group_id, preview)
    return JobRecord._make((*made, read_publication(publication)))


@dataclass(frozen=True, slots=True)
class NewJob:
    """A checked request, ready to be queued.

    `outline` is its generation request without the bytes of its start pictures. `protocols` are those that can make it,
    as `abilities.supported_protocols` writes them. `fingerprint` is a hash of the request, where it has an idempotency
    key. A `notify` of None in the settings means the account's default. `held_by`: the unfinished job whose picture it
    starts from, or the index of that job among those that are submitted with it.
    """

    prompt: str
    settings: JobSettings
    cost: float
    outline: GenerationRequest
    protocols: str
    source_keys: tuple[str, ...]
    idempotency_key: str | None
    fingerprint: bytes
    held_by: UUID | int | None = None


def read_queued(
    job: NewJob,
    job_id: str,
    created_at: datetime,
    notify: str,
    ahead: tuple[int, float, bool] | None,
    seconds_per_cost: float,
    places: int | None,
) -> JobRecord:
    """Build the record of a job that has just been queued, from what only the database decided.

    Reading the whole job again would be a tenth of a submit.
    """
    at = created_at.astimezone(UTC).replace(tzinfo=None)
    accepted = {
        "at": f"{at.isoformat(timespec='milliseconds')}Z",
        "event": Event.ACCEPTED.value,
        "detail": None,
        "code": None,
    }
    return JobRecord(
        id=job_id,
        state=State.QUEUED,
        prompt=job.prompt,
        settings=json.dumps(job.settings | {"notify": notify}, ensure_ascii=False),
        cost=job.cost,
        progress=None,
        error_code=None,
        error_message=None,
        public=False,
        created_at=f"{at.isoformat()}Z",
        started_at=None,
        finished_at=None,
        images=(),
        outlook=read_outlook(ahead, seconds_per_cost, places),
        timeline=json.dumps([accepted]),
        group_id=None,
    )


@dataclass(frozen=True, slots=True)
class MovedJob:
    """A job that has just changed its state: whose it is, its start tag in the fair order, and its cost."""

    user_id: UUID
    turn: float
    cost: float
