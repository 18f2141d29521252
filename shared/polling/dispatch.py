"""Starting queued jobs in fair order at generators with free places.

The order is start-time fair queueing (Goyal, Vin and Cheng, 1996). A submit gives each job a start tag, the column
`turn`: the later of the virtual time and the finish tag of its user's job before it, which is that job's start tag plus
cost / weight. The job with the smallest start tag starts next. The virtual time, `queue_clock.turn`, is the start tag
of the job that started last. One dispatcher at a time starts jobs: it holds the row of `queue_clock`.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, text

from shared.core.log import fields as log_fields
from shared.generators.abilities import kinds_for
from shared.jobs import store as job_store
from shared.jobs.states import Event, State
from shared.polling import generators as generator_store
from shared.polling.generators import Room
from shared.services import Services

STARTS_AT_ONCE = 64

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NextJob:
    """The queued job that starts next, with the protocols that support it."""

    id: UUID
    protocols: str


class FreePlaces:
    """The free places at generators, while the dispatcher assigns them."""

    def __init__(self, rooms: Sequence[Room]) -> None:
        self._free = {room.name: room.free for room in rooms if room.free > 0}
        self._protocol = {room.name: room.protocol for room in rooms}

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of jobs for which there is a free place."""
        return kinds_for(frozenset(self._protocol[name] for name in self._free))

    def take(self, protocols: str) -> str:
        """Assign a place to a job that these protocols support; return the generator's name.

        Generators that follow more of a job's settings come first; those that ignore settings get what the others have
        no room for. Among equals the one with most free places is chosen.
        """
        supported = protocols.split(",")
        fitting = [name for name in self._free if self._protocol[name] in supported]
        chosen = min(fitting, key=lambda name: (supported.index(self._protocol[name]), -self._free[name], name))
        self._free[chosen] -= 1
        if not self._free[chosen]:
            del self._free[chosen]
        return chosen


def start(services: Services, names: Sequence[str]) -> list[UUID]:
    """Assign queued jobs to free places at these generators, in fair order; return the ids of the jobs started."""
    started: list[UUID] = []
    with services.db.begin() as connection:
        lock_clock(connection)
        places = FreePlaces(generator_store.list_rooms(connection, names))
        while len(started) < STARTS_AT_ONCE and (kinds := places.kinds):
            found = find_next(connection, max_running=services.settings.max_running, kinds=kinds)
            if found is None:
                break
            generator = places.take(found.protocols)
            moved = job_store.move(connection, found.id, State.GENERATING, Event.STARTED, generator=generator)
            advance_clock(connection, user_id=moved.user_id, turn=moved.turn, cost=moved.cost)
            started.append(found.id)
    for job_id in started:
        _log.info("started", extra=log_fields(job_id=str(job_id)))
    return started


def lock_clock(connection: Connection) -> None:
    """Become the only dispatcher until the transaction ends."""
    connection.execute(text("SELECT turn FROM queue_clock FOR UPDATE"))


# A user whose jobs were passed over, because all their places were taken, falls behind the virtual time. Once a place
# was free, their whole backlog would start before every newcomer's job; so their tags move up to the virtual time.
_ADVANCE = text("""
WITH clock AS (
    UPDATE queue_clock SET turn = greatest(turn, :turn) RETURNING turn, old.turn AS was
), behind AS (
    SELECT u.id, clock.turn + :cost / u.weight - min(q.turn) AS distance
    FROM clock, users u, jobs q
    WHERE clock.was > :turn AND u.id = :user_id AND q.user_id = u.id AND q.state = 'queued'
    GROUP BY u.id, clock.turn HAVING min(q.turn) < clock.turn + :cost / u.weight
), moved AS (
    UPDATE jobs SET turn = jobs.turn + distance FROM behind WHERE jobs.id IN (
        SELECT id FROM jobs WHERE user_id = :user_id AND state = 'queued' FOR UPDATE SKIP LOCKED
    )
)
UPDATE users SET next_turn = next_turn + distance FROM behind WHERE users.id = behind.id
""")


def advance_clock(connection: Connection, *, user_id: UUID, turn: float, cost: float) -> None:
    """Advance the virtual time to the start tag `turn` of a job that has just started.

    Its user's next job starts no earlier than the job's cost after the virtual time.
    """
    connection.execute(_ADVANCE, {"user_id": user_id, "turn": turn, "cost": cost})


# The rows that the scan passes over belong to users who have all their places at the generators, so there are at most
# (places / max_running) such users, with at most max_queued jobs each.
# Each kind of job has its own order in the index, so that a backlog of one kind is not scanned for another.
_NEXT = text("""
SELECT first.id, first.protocols FROM unnest(CAST(:kinds AS text[])) AS kind CROSS JOIN LATERAL (
    SELECT q.id, q.turn, q.protocols FROM jobs q JOIN users u ON u.id = q.user_id
    WHERE q.state = 'queued' AND q.protocols = kind AND u.running < :max_running
    ORDER BY q.turn, q.id LIMIT 1 FOR UPDATE OF q SKIP LOCKED
) AS first ORDER BY first.turn, first.id LIMIT 1
""")


def find_next(connection: Connection, *, max_running: int, kinds: Sequence[str]) -> NextJob | None:
    """Return the queued job of these kinds with the smallest start tag. Only the dispatcher calls this."""
    row = connection.execute(_NEXT, {"max_running": max_running, "kinds": list(kinds)}).one_or_none()
    return NextJob(row.id, row.protocols) if row else None


def record_pace(connection: Connection, job_id: UUID) -> None:
    """Add the duration of a job that has just succeeded to the average from which waits are estimated."""
    query = text("""
        UPDATE queue_clock SET seconds_per_cost = seconds_per_cost * 0.8
            + 0.2 * greatest(extract(epoch FROM j.finished_at - j.started_at)::float / j.cost, 0.0001)
        FROM jobs j WHERE j.id = :job_id AND j.state = 'succeeded' AND j.attempts = 1
    """)
    connection.execute(query, {"job_id": job_id})
