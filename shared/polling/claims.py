"""Claims on generating jobs: a worker holds a lease, and writes only under its own attempt token (the fence).

One worker at a time works on a generating job. A lease that has run out means that its worker died.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import Connection, Row, text

from shared.generators.abilities import TRAINING
from shared.jobs.likeness_codes import USABLE
from shared.jobs.reasons import Reason
from shared.jobs.records import JobSettings, StoredImage
from shared.jobs.states import LEASE_S, Event
from shared.jobs.store import Lost
from shared.polling import lost_objects
from shared.polling.lost_objects import KEPT_S, LOST_PREFIXES

# A worker's clock and the database's may differ slightly; a task that comes early must not be lost.
_EARLY_S = 0.1

HIGHEST_PROGRESS = 0.99
"""1 is only for jobs that have succeeded."""


class ClaimedSource(NamedTuple):
    """A start picture: its key, and for an upload the ETag of the content that was checked when it was first used."""

    key: str
    etag: str | None = None


class ClaimedLikeness(NamedTuple):
    """A likeness of a claimed job: its place among the job's codes from 1, its adapter, and how much it counts.

    `trigger` are the words by which a prompt calls whom it shows, as the trainer has reported them.
    """

    place: int
    sha256: str
    key: str
    weight: float
    trigger: str | None


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A generating job that this worker holds for one step.

    `remote_id` is the generator's id of the job, None before it was sent. `crashed`: the worker before died under the
    job. `generator_failures`: how often the job's generator has failed since it was last healthy, `generator_refusals`:
    how many jobs it has refused since it accepted one; None when it is no longer known. `refusals`: how often this job
    was refused by generators that are well, and `refused_s` since when. `preview_s`: since its last preview.
    `expected_s`: how long its generator takes for such a job, None before its first. `protocols` is the job's kind.
    `likenesses` are those of its codes that work for its user now.
    Times ending in `_s` are seconds until now by the database's clock.
    """

    id: UUID
    prompt: str
    settings: JobSettings
    cost: float
    generator: str
    remote_id: str | None
    attempts: int
    crashes: int
    requeues: int
    attempt_token: UUID
    created_at: datetime
    cancelling: bool
    progress: float | None
    crashed: bool
    sent_s: float | None
    unreachable_s: float | None
    generator_failures: int | None
    generator_refusals: int | None
    refusals: int
    refused_s: float | None
    preview_s: float | None
    sources: tuple[ClaimedSource, ...]
    protocols: str = ""
    likenesses: tuple[ClaimedLikeness, ...] = ()
    expected_s: float | None = None

    @property
    def is_training(self) -> bool:
        """Return whether the job trains a likeness, instead of making pictures."""
        return self.protocols == TRAINING

    @property
    def prefix(self) -> str:
        """Return the prefix of the objects that this claim stores."""
        return lost_objects.object_prefix(self.id, self.attempt_token)

    @property
    def preview_key(self) -> str:
        """Return the key of the preview that this step stores. Each has another one: objects never change."""
        return f"jobs/{self.id}/preview/{self.attempt_token}.webp"

    def after_sending(self, remote_id: str | None) -> "ClaimedJob":
        """Return this claim after the generator has accepted the job under this id."""
        return replace(
            self, remote_id=remote_id, attempts=self.attempts + 1, sent_s=0.0, unreachable_s=None, crashed=False
        )


@dataclass(frozen=True, slots=True)
class Release:
    """How a step leaves a job that stays at its generator.

    keep: the claim goes on, unless the job is to be cancelled. remote_id: the generator accepted the job in this step,
    which spends an attempt. unreachable: the generator did not answer. adapted: which settings the generator does not
    follow. by: engine and model, for people. preview: the key of a new preview. waiting: why the job cannot continue;
    the timeline gets each reason once.
    """

    next_step_s: float
    keep: bool = False
    remote_id: str | None = None
    progress: float | None = None
    unreachable: bool = False
    event: Event | None = None
    adapted: Reason | None = None
    waiting: Reason | None = None
    by: str | None = None
    preview: str | None = None


UNHELD = """(lease_until IS NULL OR (lease_until < clock_timestamp() AND NOT EXISTS (
    SELECT FROM leases l WHERE l.attempt_token = j.attempt_token AND l.until >= clock_timestamp()
)))"""
"""SQL: no worker holds the job `j`, or the one that did has died."""

# A claimed job is overdue for as long as its step runs, so the scan passes over at most the jobs in flight. What a dead
# worker stored becomes garbage with the claim of the next one, which may die, too. A likeness that is being deleted is
# passed over; one that is found cannot be deleted before its use is written, so that no picture of it is missed.
_CLAIM = """
WITH due AS (
    SELECT id FROM jobs j
    WHERE state = 'generating' AND next_step_at <= clock_timestamp() + make_interval(secs => :early_s) {only}
        AND next_step_at >= coalesce(CAST(:floor AS timestamptz), '-infinity') AND generator <> ALL(:without)
        AND {unheld}
    ORDER BY next_step_at LIMIT :limit FOR UPDATE SKIP LOCKED
), numbered AS (
    SELECT id, row_number() OVER ()::int AS number FROM due
), claimed AS (
    UPDATE jobs SET
        attempt_token = (CAST(:tokens AS uuid[]))[number],
        crashes = crashes + (lease_until IS NOT NULL)::int,
        crashed_token = CASE WHEN lease_until IS NULL THEN crashed_token ELSE attempt_token END,
        lease_until = clock_timestamp() + make_interval(secs => :lease_s)
    FROM numbered WHERE jobs.id = numbered.id
    RETURNING jobs.*, old.lease_until IS NOT NULL AS crashed
), discarded AS (
    INSERT INTO garbage (prefix, due_at)
    SELECT lost.prefix, clock_timestamp() + make_interval(secs => lost.kept_s)
    FROM claimed, {lost}
    WHERE crashed AND crashed_token IS NOT NULL
    ON CONFLICT (prefix) DO UPDATE SET due_at = greatest(garbage.due_at, excluded.due_at)
), named AS (
    SELECT claimed.id, claimed.remote_id, n.place, n.entry->'weight' AS weight, found.*
    FROM claimed, jsonb_array_elements(
        CASE WHEN jsonb_typeof(settings->'likeness') = 'array' THEN settings->'likeness' END
    ) WITH ORDINALITY AS n (entry, place), LATERAL (
        SELECT l.job_id AS likeness_id, l.adapter_sha256, l.adapter_key, l.report->>'trigger' AS trigger
        FROM likenesses l WHERE {usable} FOR KEY SHARE OF l SKIP LOCKED
    ) AS found
), used AS (
    INSERT INTO likeness_uses (job_id, likeness_id)
    SELECT id, likeness_id FROM named WHERE remote_id IS NULL
    UNION SELECT claimed.id, u.likeness_id FROM claimed
    JOIN likeness_uses u ON u.job_id = CAST(settings->>'from_job' AS uuid) WHERE remote_id IS NULL
    ON CONFLICT DO NOTHING
)
SELECT id, prompt, settings, cost, protocols, generator, remote_id, attempts, crashes, requeues, attempt_token,
    created_at, cancel_requested_at IS NOT NULL AS cancelling, progress, crashed,
    extract(epoch FROM clock_timestamp() - sent_at)::float AS sent_s,
    extract(epoch FROM clock_timestamp() - unreachable_since)::float AS unreachable_s,
    g.failures AS generator_failures, g.refusals_in_row AS generator_refusals, refusals,
    extract(epoch FROM clock_timestamp() - refused_since)::float AS refused_s,
    extract(epoch FROM clock_timestamp() - preview_at)::float AS preview_s,
    g.fixed_s + g.seconds_per_cost * cost AS expected_s,
    coalesce((
        SELECT json_agg(json_build_array(u.key, u.etag) ORDER BY s.index)
        FROM job_sources s JOIN uploads u ON u.key = s.upload_key WHERE s.job_id = claimed.id
    ), (
        SELECT json_build_array(json_build_array(key)) FROM images WHERE job_id = CAST(settings->>'from_job' AS uuid)
            AND id = coalesce(CAST(settings->>'from_image' AS uuid), id)
        ORDER BY index LIMIT 1
    ), '[]') AS sources,
    (SELECT json_agg(
        json_build_array(place, adapter_sha256, adapter_key, weight, trigger) ORDER BY place
    ) FROM named WHERE named.id = claimed.id) AS likenesses
FROM claimed CROSS JOIN commit_lazily() LEFT JOIN (
    SELECT name, failures, refusals_in_row, CASE WHEN pace_weight > 0 THEN fixed_s END AS fixed_s, seconds_per_cost
    FROM generators
) g ON g.name = claimed.generator
"""
_LIKENESS = USABLE.format(code="n.entry->>'code'", user="claimed.user_id")
_LOST = LOST_PREFIXES.format("claimed.id", "crashed_token")
_CLAIM_ANY = text(_CLAIM.format(only="", unheld=UNHELD, usable=_LIKENESS, lost=_LOST))
_CLAIM_ONE = text(_CLAIM.format(only="AND id = :job_id", unheld=UNHELD, usable=_LIKENESS, lost=_LOST))


def _read_claim(row: Row[Any]) -> ClaimedJob:
    columns = dict(row._mapping)
    sources = tuple(ClaimedSource(*source) for source in columns.pop("sources"))
    likenesses = tuple(map(ClaimedLikeness._make, columns.pop("likenesses") or ()))
    return ClaimedJob(sources=sources, likenesses=likenesses, **columns)


def new_tokens(limit: int) -> list[UUID]:
    """Return attempt tokens for so many claims."""
    return [uuid4() for _ in range(limit)]


def claim(connection: Connection, job_id: UUID, token: UUID | None = None) -> ClaimedJob | None:
    """Claim a generating job whose next step is due; return None when it is not due or another worker holds it."""
    row = connection.execute(_CLAIM_ONE, {"job_id": job_id, **_values([token or uuid4()], _EARLY_S)}).one_or_none()
    return _read_claim(row) if row else None


def claim_due(
    connection: Connection, tokens: Sequence[UUID], floor: datetime | None = None, without: Sequence[str] = ()
) -> list[ClaimedJob]:
    """Claim generating jobs whose next step is due since `floor`, and that no other worker holds: one for each token.

    without: generators whose jobs are left out.
    """
    return [_read_claim(row) for row in connection.execute(_CLAIM_ANY, _values(tokens, 0, floor, without))]


def _values(
    tokens: Sequence[UUID], early_s: float, floor: datetime | None = None, without: Sequence[str] = ()
) -> dict[str, object]:
    return {
        "tokens": list(tokens),
        "limit": len(tokens),
        "without": list(without),
        "early_s": early_s,
        "floor": floor,
        "lease_s": LEASE_S,
        **KEPT_S,
    }


def record_processing(connection: Connection, job_id: UUID, attempt_token: UUID) -> None:
    """Show, before the step ends, that the generator works on the job now. Raises Lost."""
    query = text("""
        WITH held AS (
            UPDATE jobs SET progress = coalesce(progress, 0), version = version + 1
            WHERE id = :job_id AND attempt_token = :attempt_token AND state = 'generating' RETURNING id
        ), logged AS (
            INSERT INTO job_events (job_id, event) SELECT id, 'processing' FROM held
        ) SELECT id FROM held
    """)
    if connection.execute(query, {"job_id": job_id, "attempt_token": attempt_token}).one_or_none() is None:
        raise Lost(f"the claim on {job_id} is gone")


# The jobs are locked in the order of their ids, as everywhere.
_RELEASE = text("""
WITH given AS (
    SELECT * FROM json_to_recordset(CAST(:releases AS json)) AS g (
        job_id uuid, attempt_token uuid, next_step_s float, keep bool, remote_id text, progress float, unreachable bool,
        event text, by text, adapted text, adapted_code text, waiting text, waiting_code text, preview text
    )
), held AS MATERIALIZED (
    SELECT g.* FROM jobs JOIN given g ON jobs.id = g.job_id AND jobs.attempt_token = g.attempt_token
    WHERE jobs.state = 'generating' ORDER BY jobs.id FOR NO KEY UPDATE OF jobs
), released AS (
    UPDATE jobs SET
        lease_until = CASE WHEN g.keep AND cancel_requested_at IS NULL
            THEN clock_timestamp() + make_interval(secs => :lease_s) END,
        next_step_at = clock_timestamp()
            + CASE WHEN cancel_requested_at IS NULL THEN make_interval(secs => g.next_step_s) ELSE interval '0' END,
        remote_id = coalesce(g.remote_id, jobs.remote_id),
        sent_at = CASE WHEN g.remote_id IS NULL THEN sent_at ELSE clock_timestamp() END,
        attempts = attempts + (g.remote_id IS NOT NULL)::int,
        progress = greatest(jobs.progress, g.progress),
        waiting = g.waiting,
        preview_key = coalesce(g.preview, jobs.preview_key),
        preview_at = CASE WHEN g.preview IS NULL THEN jobs.preview_at ELSE clock_timestamp() END,
        unreachable_since = CASE WHEN g.unreachable THEN coalesce(unreachable_since, clock_timestamp()) END,
        version = version + (
            g.event IS NOT NULL
            OR g.preview IS NOT NULL
            OR (g.waiting IS NOT NULL AND jobs.waiting IS DISTINCT FROM g.waiting)
            OR greatest(jobs.progress, g.progress) IS DISTINCT FROM jobs.progress
        )::int
    FROM held g WHERE id = g.job_id
    RETURNING id, cancel_requested_at IS NOT NULL AS cancelling, g.event, g.by, g.adapted, g.adapted_code, g.waiting,
        g.waiting_code, g.preview,
        g.waiting IS DISTINCT FROM old.waiting AND cancel_requested_at IS NULL AS is_new_reason
), logged AS (
    INSERT INTO job_events (job_id, event, detail, code)
    SELECT id, event, by, NULL FROM released WHERE event IS NOT NULL
    UNION ALL SELECT id, 'adapted', adapted, adapted_code FROM released WHERE adapted IS NOT NULL
    UNION ALL SELECT id, 'waiting', waiting, waiting_code FROM released WHERE waiting IS NOT NULL AND is_new_reason
), discarded AS (
    INSERT INTO garbage (prefix, due_at)
    SELECT 'jobs/' || id || '/preview/', clock_timestamp() + make_interval(secs => :previews_kept_s)
    FROM released WHERE preview IS NOT NULL
    ON CONFLICT (prefix) DO UPDATE SET due_at = excluded.due_at
)
SELECT id, cancelling FROM released
""")


def release(connection: Connection, releases: Sequence[tuple[ClaimedJob, Release]]) -> dict[UUID, bool]:
    """End steps that leave their jobs at the generators; return whether each job is to be cancelled, by job.

    A job that is to be cancelled is due at once. Jobs whose claim is gone are missing.
    """
    given = json.dumps([_given(*pair) for pair in releases])
    rows = connection.execute(_RELEASE, {"releases": given, "lease_s": LEASE_S, **KEPT_S})
    return {row.id: row.cancelling for row in rows}


def _given(claim: ClaimedJob, change: Release) -> dict[str, object]:
    adapted_code, adapted_words = change.adapted or (None, None)
    waiting_code, waiting_words = change.waiting or (None, None)
    return {
        "job_id": str(claim.id),
        "attempt_token": str(claim.attempt_token),
        "next_step_s": change.next_step_s,
        "keep": change.keep,
        "remote_id": change.remote_id,
        "progress": None if change.progress is None else min(change.progress, HIGHEST_PROGRESS),
        "unreachable": change.unreachable,
        "event": change.event.value if change.event else None,
        "by": change.by,
        "adapted": adapted_words,
        "adapted_code": adapted_code,
        "waiting": waiting_words,
        "waiting_code": waiting_code,
        "preview": change.preview,
    }


def append_event(connection: Connection, job_id: UUID, event: Event, reason: Reason) -> None:
    """Append a line to a job's timeline."""
    query = text("""
        WITH seen AS (UPDATE jobs SET version = version + 1 WHERE id = :job_id RETURNING id)
        INSERT INTO job_events (job_id, event, detail, code) SELECT id, :event, :message, :code FROM seen
    """)
    connection.execute(query, {"job_id": job_id, "event": event.value, **reason._asdict()})


def fill_in_settings(connection: Connection, job_id: UUID, settings: Mapping[str, float]) -> None:
    """Write the settings that a job left to its generator, in the transaction that moves it to SUCCEEDED."""
    query = text("UPDATE jobs SET settings = settings || CAST(:settings AS jsonb) WHERE id = :job_id")
    connection.execute(query, {"job_id": job_id, "settings": json.dumps(dict(settings))})


def insert_images(connection: Connection, images: Mapping[UUID, Sequence[StoredImage]]) -> None:
    """Insert the pictures of jobs, by job, in the transaction that moves the jobs to SUCCEEDED."""
    query = text("""
        INSERT INTO images (
            job_id, index, key, thumbnail_key, width, height, size_bytes, seed, description, timelapse_key
        )
        SELECT i.* FROM json_to_recordset(CAST(:images AS json)) AS i (
            job_id uuid, index int, key text, thumbnail_key text, width int, height int, size_bytes bigint, seed bigint,
            description text, timelapse_key text
        )
    """)
    rows = [{"job_id": str(job_id), **asdict(image)} for job_id, stored in images.items() for image in stored]
    connection.execute(query, {"images": json.dumps(rows)})
