"""SQL for the metrics, and for the line that the poller logs once a minute.

Nothing here reads a finished job or counts the queue. Running jobs are read through partial indexes; the queue's length
and totals come from the tables `queue_depth` and `tallies`, to which triggers add (see `shared.core.tables`).
"""

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, text

JOB_BOUNDS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
"""Upper bounds in seconds of the triggers' buckets from submit to success; the last bucket is `+Inf`."""

COMPACT_AT = 500
"""How many rows of `tallies` there may be before they are added up."""

TIMEOUT_MS = 3000
"""Time limit for reading the metrics, so that a scrape does not load a slow database further."""

MOST = 10_000
"""Mails, garbage and reports are counted up to this many."""

# The oldest job has the smallest id (UUIDv7), which contains its creation time to the millisecond.
_QUEUED = """
    SELECT 'queued' AS name, d.protocols AS label, d.jobs::float AS count,
        coalesce(greatest(extract(epoch FROM clock_timestamp() - uuid_extract_timestamp(oldest.id)), 0), 0)::float
            AS amount
    FROM (
        SELECT protocols, sum(jobs) AS jobs FROM queue_depth WHERE protocols IS NOT NULL
        GROUP BY protocols HAVING sum(jobs) > 0
    ) d LEFT JOIN LATERAL (
        SELECT id FROM jobs WHERE state = 'queued' AND protocols = d.protocols ORDER BY id LIMIT 1
    ) oldest ON true
"""

# A single statement, and so a single snapshot: the numbers of a scrape are consistent.
_READ = text(f"""
{_QUEUED}
UNION ALL SELECT 'generating', generator, count(*), 0 FROM jobs WHERE state = 'generating' GROUP BY generator
UNION ALL SELECT 'generator', name, (failures = 0)::int, max_in_flight FROM generators
UNION ALL SELECT 'refusals', name, refusals, 0 FROM generators
UNION ALL SELECT 'swept', '', 1, extract(epoch FROM clock_timestamp() - swept_at) FROM queue_clock
    WHERE swept_at IS NOT NULL
UNION ALL SELECT 'mails', '', count(*), 0 FROM (
    SELECT FROM (
        (SELECT FROM mails LIMIT {MOST}) UNION ALL (SELECT FROM group_mails LIMIT {MOST})
        UNION ALL (SELECT FROM account_mails LIMIT {MOST})
    ) waiting LIMIT {MOST}
) few
UNION ALL SELECT 'garbage', '', count(*), 0 FROM (SELECT FROM garbage LIMIT {MOST}) few
UNION ALL SELECT 'reports', '', least(coalesce(sum(open_reports), 0), {MOST}), 0 FROM (
    SELECT open_reports FROM publications WHERE open_reports > 0 LIMIT {MOST}
) few
UNION ALL SELECT name, label, sum(count), sum(amount) FROM tallies GROUP BY name, label
""")


class Count(NamedTuple):
    """One metric of the database. `read` describes `number` and `amount` for each name."""

    name: str
    label: str
    number: float
    amount: float


def read(connection: Connection) -> list[Count]:
    """Return every metric, of one moment. The connection must be in a transaction.

    queued: by protocols, with the age of the oldest in seconds; generating: by generator; generator: 1 if it works,
    with its places; refusals: by generator; swept: the seconds since the last sweep; mails, garbage, reports: what
    waits, at most MOST. The counters, since the installation: succeeded (by the bound of its bucket, with the seconds
    from submit), failed (by code), cancelled, attempts and crashes of jobs that ended, stored and deleted (pictures,
    with their bytes), users.
    """
    connection.execute(text("SELECT set_config('statement_timeout', :ms, true)"), {"ms": str(TIMEOUT_MS)})
    return [Count(row[0], row[1], float(row[2]), float(row[3])) for row in connection.execute(_READ)]


@dataclass(frozen=True, slots=True)
class QueueReport:
    """The state of the queue. `failed` counts jobs since the last report, whichever process made that."""

    queued: int
    oldest_queued_s: float
    generating: int
    failed: int


# Only the holder of the clock's lock reports, so a failure is in one report, however many report at once.
_REPORT = text(f"""
WITH queue AS ({_QUEUED}), failures AS (
    SELECT coalesce(sum(count) FILTER (WHERE name = 'failed'), 0)
        - coalesce(sum(count) FILTER (WHERE name = 'failures_reported'), 0) AS new FROM tallies
), recorded AS (
    INSERT INTO tallies (name, label, count, amount)
    SELECT 'failures_reported', '', new, 0 FROM failures WHERE new > 0
)
SELECT coalesce(sum(count), 0)::int AS queued, coalesce(max(amount), 0)::float AS oldest_queued_s,
    (SELECT count(*) FROM jobs WHERE state = 'generating')::int AS generating,
    (SELECT new FROM failures)::int AS failed
FROM queue
""")


def report(connection: Connection) -> QueueReport:
    """Return the state of the queue, and mark its failures as reported when the transaction ends.

    The transaction must hold the lock of the clock.
    """
    row = connection.execute(_REPORT).one()
    return QueueReport(row.queued, round(row.oldest_queued_s, 1), row.generating, row.failed)


_COMPACT = text("""
WITH taken AS (
    DELETE FROM tallies WHERE id = ANY(ARRAY(SELECT id FROM tallies FOR UPDATE SKIP LOCKED))
        AND (SELECT count(*) FROM tallies) > :compact_at
    RETURNING name, label, count, amount
)
INSERT INTO tallies (name, label, count, amount)
SELECT name, label, sum(count), sum(amount) FROM taken GROUP BY name, label
""")


def compact(connection: Connection) -> None:
    """Add up the increments of each counter, once there are many rows. Readers and writers do not wait for it."""
    connection.execute(_COMPACT, {"compact_at": COMPACT_AT})
