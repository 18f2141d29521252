"""What the database counts: for the metrics, and for the line that the poller logs once a minute.

Nothing here reads a finished job. What waits and runs is read through indexes that hold nothing else; what has happened
comes from `tallies`, to which triggers add (see `shared.core.tables`).
"""

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, text

JOB_BOUNDS_S = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
"""Seconds from submit to success, by which the triggers sort jobs; what took longer is under `+Inf`."""

FOLD_AT = 500
"""Rows of `tallies` that are not worth adding up yet."""

TIMEOUT_MS = 3000
"""A reading gives up after this time: the database has more important things to do."""

# An id tells when it was made (UUIDv7), to the millisecond, and stands in the index; `created_at` does not. A plain
# `ORDER BY id LIMIT 1` could walk through all finished jobs.
_QUEUED = """
    SELECT 'queued' AS name, protocols AS label, count(*)::float AS count,
        greatest(extract(epoch FROM clock_timestamp() - min(uuid_extract_timestamp(id))), 0)::float AS amount
    FROM jobs WHERE state = 'queued' GROUP BY protocols
"""

# One statement is one snapshot: the numbers of a scrape fit each other.
_READ = text(f"""
{_QUEUED}
UNION ALL SELECT 'generating', generator, count(*), 0 FROM jobs WHERE state = 'generating' GROUP BY generator
UNION ALL SELECT 'generator', name, (failures = 0)::int, max_in_flight FROM generators
UNION ALL SELECT 'swept', '', 1, extract(epoch FROM clock_timestamp() - swept_at) FROM queue_clock
    WHERE swept_at IS NOT NULL
UNION ALL SELECT 'mails', '', count(*), 0 FROM mails
UNION ALL SELECT 'garbage', '', count(*), 0 FROM garbage
UNION ALL SELECT 'reports', '', count(*), 0 FROM reports WHERE closed_at IS NULL
UNION ALL SELECT name, label, sum(count), sum(amount) FROM tallies GROUP BY name, label
""")


class Count(NamedTuple):
    """One number of the database. What `number` and `amount` are, `read` says for each name."""

    name: str
    label: str
    number: float
    amount: float


def read(connection: Connection) -> list[Count]:
    """Every count, of one moment. The connection is in a transaction.

    queued: by kind, with the age of the oldest in seconds; generating: by generator; generator: 1 where it is well,
    with its places; swept: the seconds since a worker last looked for what is due; mails, garbage, reports: what waits.
    The tallies, since the installation began: succeeded (by the bound of its bucket, with the seconds from submit),
    failed (by code), cancelled, attempts and crashes of jobs that ended, stored and deleted (pictures, with their
    bytes), users.
    """
    connection.execute(text("SELECT set_config('statement_timeout', :ms, true)"), {"ms": str(TIMEOUT_MS)})
    return [Count(row[0], row[1], float(row[2]), float(row[3])) for row in connection.execute(_READ)]


@dataclass(frozen=True)
class QueueReport:
    """How the queue stands. `failed`: jobs that failed since the last report, whichever process made that."""

    queued: int
    oldest_queued_s: float
    generating: int
    failed: int


# Who holds the clock is the only one to report: a failure is in one report, however many beats ask for them.
_REPORT = text(f"""
WITH queue AS ({_QUEUED}), failures AS (
    SELECT coalesce(sum(count) FILTER (WHERE name = 'failed'), 0)
        - coalesce(sum(count) FILTER (WHERE name = 'failures_reported'), 0) AS new FROM tallies
), noted AS (
    INSERT INTO tallies (name, label, count, amount)
    SELECT 'failures_reported', '', new, 0 FROM failures WHERE new > 0
)
SELECT coalesce(sum(count), 0)::int AS queued, coalesce(max(amount), 0)::float AS oldest_queued_s,
    (SELECT count(*) FROM jobs WHERE state = 'generating')::int AS generating,
    (SELECT new FROM failures)::int AS failed
FROM queue
""")


def report(connection: Connection) -> QueueReport:
    """How the queue stands now. In a transaction that holds the clock: its end makes the failures reported ones."""
    row = connection.execute(_REPORT).one()
    return QueueReport(row.queued, round(row.oldest_queued_s, 1), row.generating, row.failed)


_FOLD = text("""
WITH taken AS (
    DELETE FROM tallies WHERE id = ANY(ARRAY(SELECT id FROM tallies FOR UPDATE SKIP LOCKED))
        AND (SELECT count(*) FROM tallies) > :fold_at
    RETURNING name, label, count, amount
)
INSERT INTO tallies (name, label, count, amount)
SELECT name, label, sum(count), sum(amount) FROM taken GROUP BY name, label
""")


def fold(connection: Connection) -> None:
    """Add the increments up, once there are many. Readers see them either apart or added up; writers need not wait."""
    connection.execute(_FOLD, {"fold_at": FOLD_AT})
