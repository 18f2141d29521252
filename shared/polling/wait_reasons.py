"""Why queued jobs cannot start: periods for each kind of job, in the database.

A reason is written once for all jobs that it holds up. The SQL function `job_timeline` shows it in the timeline of each
job that is queued, and the trigger `keep_waits` copies it into a job's events when the job leaves the queue.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from shared.jobs.reasons import Reason
from shared.polling import generators as generator_store
from shared.services import Services

REOPENED_WITHIN_S = 60.0
"""A reason that is back after a shorter break, without another one in between, continues its period."""

SHOWN = 20
"""How many periods a timeline shows at most for one wait, the newest: the limit in the SQL function `job_waits`."""


@dataclass(frozen=True, slots=True)
class OpenPeriod:
    """A period that has not ended."""

    id: int
    reason: Reason


def update(services: Services) -> None:
    """Begin and end periods where the reasons for waiting have changed; write nothing where they have not."""
    with services.db.statement() as connection:
        shown = {kind: period.reason for kind, period in _list_open(connection).items()}
        if shown == generator_store.list_reasons_for_waiting(connection):
            return
    with services.db.begin() as connection:
        write_changes(connection)


def write_changes(connection: Connection) -> None:
    """Make the open periods those of the reasons for waiting, as the only writer until the transaction ends."""
    # What another writer may just have written is read after the lock. Readers do not wait for it.
    connection.execute(text("LOCK TABLE wait_reasons IN SHARE ROW EXCLUSIVE MODE"))
    periods = _list_open(connection)
    reasons = generator_store.list_reasons_for_waiting(connection)
    over = [period.id for kind, period in periods.items() if period.reason != reasons.get(kind)]
    if over:
        connection.execute(_END, {"ids": over})
    for kind, reason in reasons.items():
        if kind not in periods or periods[kind].reason != reason:
            values = {"kind": kind, "within_s": REOPENED_WITHIN_S, **reason._asdict()}
            connection.execute(_BEGIN, values)


def prune(connection: Connection) -> None:
    """Delete periods that no timeline needs any more.

    Those are ended ones for which no queued job of the kind is old enough, and all but the newest that are shown.
    """
    # A job that is being submitted at this moment is not visible yet, hence the minute.
    query = text("""
        DELETE FROM wait_reasons w WHERE ended_at < clock_timestamp() - make_interval(secs => :kept_s) AND (
            ended_at < coalesce((
                SELECT j.created_at FROM jobs j WHERE j.state = 'queued' AND j.protocols = w.protocols
                ORDER BY j.id LIMIT 1
            ), 'infinity')
            OR id <= (
                SELECT n.id FROM wait_reasons n WHERE n.protocols = w.protocols ORDER BY n.id DESC OFFSET :shown LIMIT 1
            )
        )
    """)
    connection.execute(query, {"kept_s": REOPENED_WITHIN_S, "shown": SHOWN})


def _list_open(connection: Connection) -> dict[str, OpenPeriod]:
    """Return the open period of each kind of job that has one."""
    rows = connection.execute(text("SELECT id, protocols, code, message FROM wait_reasons WHERE ended_at IS NULL"))
    return {row.protocols: OpenPeriod(row.id, Reason(row.code, row.message)) for row in rows}


_END = text("UPDATE wait_reasons SET ended_at = clock_timestamp() WHERE id = ANY(:ids)")
_BEGIN = text("""
WITH latest AS (
    SELECT id, code, message, ended_at FROM wait_reasons WHERE protocols = :kind ORDER BY id DESC LIMIT 1
), reopened AS (
    UPDATE wait_reasons w SET ended_at = NULL FROM latest
    WHERE w.id = latest.id AND latest.code = :code AND latest.message = :message
        AND latest.ended_at > clock_timestamp() - make_interval(secs => :within_s)
    RETURNING w.id
)
INSERT INTO wait_reasons (protocols, code, message)
SELECT :kind, :code, :message WHERE NOT EXISTS (SELECT FROM reopened)
""")
