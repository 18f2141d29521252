"""Starting queued jobs in fair order at generators with free places.

The order is start-time fair queueing (Goyal, Vin and Cheng, 1996). A submit gives each job a start tag, the column
`turn`: the later of the virtual time and the finish tag of its user's job before it, which is that job's start tag plus
cost / weight. The job with the smallest start tag starts next. The virtual time, `queue_clock.turn`, is the start tag
of the job that started last. One dispatcher at a time starts jobs: it holds the row of `queue_clock`.
"""

import logging
import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import Connection, text

from shared.core.log import fields as log_fields
from shared.generators.abilities import kinds_for
from shared.jobs import store as job_store
from shared.jobs.states import Event, State
from shared.jobs.store import Move
from shared.polling import generators as generator_store
from shared.polling import releases
from shared.polling.generators import Room
from shared.services import Services

STARTS_AT_ONCE = 64
MOVED_AT_ONCE = 500
"""How many jobs of a user who fell behind the virtual time one transaction moves."""

Place: TypeAlias = tuple[float, UUID]
"""Where a job is in the order of starts: its start tag, and its id among equal ones."""

FIRST: Place = (-math.inf, UUID(int=0))

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NextJob:
    """A queued job that may start next.

    `protocols` support it, `turn` is its start tag, `running` counts its user's jobs that run already. `refused_by` is
    the generator that refused it last. `timelapse`: frames of its making are wanted, too.
    """

    id: UUID
    user_id: UUID
    protocols: str
    turn: float
    cost: float
    running: int
    refused_by: str | None = None
    timelapse: bool = False


class FreePlaces:
    """The free places at generators, while the dispatcher assigns them."""

    def __init__(self, rooms: Sequence[Room], ignored: Mapping[str, int]) -> None:
        self._ignored = ignored
        self._rooms = rooms
        self._free = {room: room.free for room in rooms if room.free > 0}

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of jobs for which there is a free place."""
        return kinds_for(frozenset(offer for room in self._free for offer in room.offers))

    def take(self, job: NextJob) -> str | None:
        """Assign a place to a job that its protocols support; return the generator's name, None if all are full.

        Generators that follow more settings come first; those that ignore some get what the others have no room for.
        Among equals the one with most free places is chosen. The generator that refused the job gets it
        again only if there is no other healthy one for it, even a full one.
        """
        supported = job.protocols.split(",")
        known = [
            room
            for room in self._rooms
            if not set(supported).isdisjoint(room.offers) and (not job.timelapse or room.timelapses)
        ]
        fitting = [room for room in known if room in self._free and (room.name != job.refused_by or len(known) == 1)]
        if not fitting:
            return None
        chosen = min(fitting, key=lambda room: self._rank(room, supported))
        self._free[chosen] -= 1
        if not self._free[chosen]:
            del self._free[chosen]
        return chosen.name

    def _rank(self, room: Room, supported: Sequence[str]) -> tuple[int, int, int, str]:
        """Return the order of a generator among those that support a job; the least is chosen."""
        place = min(supported.index(offer) for offer in room.offers if offer in supported)
        return self._ignored[room.name], place, -self._free[room], room.name


def start(
    services: Services, ignored: Mapping[str, int], floor: Place = FIRST, avoided: Collection[str] = ()
) -> list[UUID]:
    """Assign queued jobs to free places at generators, in fair order; return the ids of the jobs started.

    Held jobs whose sources have ended come into the queue before.

    ignored: the names of the generators, each with how many settings it ignores. Jobs before `floor` are left out.
    avoided: generators that get only jobs that no other healthy one can make.
    """
    started: list[UUID] = []
    left_over, released = True, False
    while left_over and len(started) < STARTS_AT_ONCE:
        move_up(services)
        # Each round is a transaction: within one, users' rows are locked in the order of their ids, by one statement.
        with services.db.begin() as connection:
            clock, are_due = lock_clock(connection)
            if released or not are_due:
                rooms = without_avoided(generator_store.list_rooms(connection, list(ignored)), avoided)
                places, limit = FreePlaces(rooms, ignored), STARTS_AT_ONCE - len(started)
                jobs, left_over = _start_round(connection, clock, places, services.settings.max_running, limit, floor)
                started += jobs
                continue
        releases.release(services.db, services.settings.content_rules)
        released = True
    for job_id in started:
        _log.info("started", extra=log_fields(job_id=str(job_id)))
    return started


def without_avoided(rooms: Sequence[Room], avoided: Collection[str]) -> list[Room]:
    """Leave out the room of these generators where others, even full ones, make all that they make."""

    def made(room: Room) -> set[tuple[str, bool]]:
        return {(offer, timelapses) for offer in room.offers for timelapses in {False, room.timelapses}}

    elsewhere = {one for room in rooms if room.name not in avoided for one in made(room)}
    return [room for room in rooms if room.name not in avoided or not made(room) <= elsewhere]


def _start_round(
    connection: Connection, clock: float, places: FreePlaces, max_running: int, limit: int, floor: Place
) -> tuple[list[UUID], bool]:
    """Start the jobs that are next now; return their ids, and whether jobs are left for which there is a place."""
    if not places.kinds:
        return [], False
    candidates = list_next(connection, max_running=max_running, kinds=places.kinds, limit=limit, floor=floor)
    chosen = _choose(candidates, places, clock, max_running)
    free = _lock_queued(connection, [job.id for job, _ in chosen])
    moves = [Move(job.id, State.GENERATING, Event.STARTED, generator=name) for job, name in chosen if job.id in free]
    job_store.move_all(connection, moves)
    started = [job for job, _ in chosen if job.id in free]
    _advance_clock(connection, clock, started)
    left_over = bool(started) and bool(places.kinds) and (len(chosen) < len(candidates) or len(candidates) == limit)
    return [job.id for job in started], left_over


def _choose(
    candidates: Sequence[NextJob], places: FreePlaces, clock: float, max_running: int
) -> list[tuple[NextJob, str]]:
    """Return the jobs that start in this round, in fair order, each with its generator.

    A user runs at most `max_running` jobs. If there are jobs behind the virtual time, only the first of each user is
    chosen, and no other: starting them moves the rest of those users' jobs.
    """
    chosen: list[tuple[NextJob, str]] = []
    running: Counter[UUID] = Counter()
    for job in candidates:
        if chosen and chosen[0][0].turn < clock and (job.turn >= clock or running[job.user_id]):
            continue
        if job.running + running[job.user_id] < max_running and (name := places.take(job)):
            running[job.user_id] += 1
            chosen.append((job, name))
    return chosen


def lock_clock(connection: Connection) -> tuple[float, bool]:
    """Become the only dispatcher until the transaction ends; return the virtual time, and whether held jobs are due.

    The commit does not wait for the disk: a start that a crash of Postgres undoes is made again.
    """
    query = text("""
        SELECT turn, EXISTS (SELECT FROM held_jobs WHERE is_due) FROM queue_clock, commit_lazily()
        FOR UPDATE OF queue_clock
    """)
    turn, are_due = connection.execute(query).one()
    return turn, are_due


# A user whose jobs were passed over, because all their places were taken, falls behind the virtual time. Once a place
# was free, their whole backlog would start before every newcomer's job; so their tags move up to the virtual time.
# The dispatcher only writes down how far; the jobs follow in slices, of which others wait for none. What the user
# submits meanwhile goes by the new `next_turn`, which is above all that is to be moved.
_FALL_BEHIND = text("""
UPDATE users SET behind_by = distance, behind_below = next_turn, next_turn = next_turn + distance
FROM (
    SELECT u.id AS user_id, :clock + :cost / u.weight - (
        SELECT turn FROM jobs WHERE user_id = u.id AND state = 'queued' ORDER BY turn LIMIT 1
    ) AS distance
    FROM users u WHERE u.id = :user_id
) behind WHERE id = user_id AND distance > 0
""")
# From the end of the backlog, so that the order stays the same and `behind_below` divides what is moved from the rest.
_MOVE_UP = text("""
WITH owner AS MATERIALIZED (
    SELECT id, behind_by, behind_below FROM users WHERE behind_by > 0 LIMIT 1 FOR UPDATE SKIP LOCKED
), slice AS MATERIALIZED (
    SELECT q.id, q.turn, o.behind_by FROM owner o JOIN jobs q ON q.user_id = o.id
    WHERE q.state = 'queued' AND q.turn < o.behind_below ORDER BY q.turn DESC LIMIT :limit FOR UPDATE OF q SKIP LOCKED
), moved AS (
    UPDATE jobs SET turn = jobs.turn + slice.behind_by FROM slice WHERE jobs.id = slice.id
)
UPDATE users SET behind_below = least(users.behind_below, done.lowest),
    behind_by = CASE WHEN done.jobs = :limit THEN users.behind_by ELSE 0 END
FROM owner, (SELECT count(*) AS jobs, min(turn) AS lowest FROM slice) AS done WHERE users.id = owner.id
""")


def move_up(services: Services) -> None:
    """Move the backlogs of users who fell behind the virtual time, each slice in a transaction of its own."""
    with services.db.statement() as connection:
        while connection.execute(_MOVE_UP, {"limit": MOVED_AT_ONCE}).rowcount:
            pass


def _advance_clock(connection: Connection, clock: float, started: Sequence[NextJob]) -> None:
    """Advance the virtual time from `clock` to the start tags of jobs that have just started.

    The next job of a user who was behind it starts no earlier than the started job's cost after the virtual time.
    """
    for job in started:
        if job.turn < clock:
            connection.execute(_FALL_BEHIND, {"clock": clock, "user_id": job.user_id, "cost": job.cost})
    latest = max((job.turn for job in started), default=clock)
    if latest > clock:
        connection.execute(text("UPDATE queue_clock SET turn = :turn"), {"turn": latest})


# The rows that the scan passes over belong to users who have all their places at the generators, so there are at most
# (places / max_running) such users, with at most max_queued jobs each. Jobs that pause after a refusal are few, because
# a generator that refuses different jobs gets no more of them for a while.
# Each kind of job has its own order in the index, so that a backlog of one kind is not scanned for another.
_NEXT = text("""
SELECT first.* FROM unnest(CAST(:kinds AS text[])) AS kind CROSS JOIN LATERAL (
    SELECT q.id, q.user_id, q.protocols, q.turn, q.cost, u.running, q.refused_by, q.settings @> '{"timelapse": true}'
    FROM jobs q JOIN users u ON u.id = q.user_id
    WHERE q.state = 'queued' AND q.protocols = kind AND (q.turn, q.id) >= (:floor, :floor_id)
        AND u.running < :max_running AND u.behind_by <= 0
        AND (q.next_step_at IS NULL OR q.next_step_at <= clock_timestamp())
    ORDER BY q.turn, q.id LIMIT :limit
) AS first ORDER BY first.turn, first.id LIMIT :limit
""")


def list_next(
    connection: Connection, *, max_running: int, kinds: Sequence[str], limit: int, floor: Place = FIRST
) -> list[NextJob]:
    """Return the first queued jobs of these kinds in fair order, of users who may run more. They are not locked.

    floor: the first place to look at.
    """
    values = {"max_running": max_running, "kinds": list(kinds), "limit": limit}
    rows = connection.execute(_NEXT, values | {"floor": floor[0], "floor_id": floor[1]})
    return [NextJob(*row) for row in rows]


def _lock_queued(connection: Connection, job_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Lock jobs that are still queued; return those that no other transaction holds.

    A cancel holds its job while it waits for the user's row, so the dispatcher must not wait for the job.
    """
    query = text("SELECT id FROM jobs WHERE id = ANY(:job_ids) AND state = 'queued' FOR UPDATE SKIP LOCKED")
    return frozenset(connection.execute(query, {"job_ids": list(job_ids)}).scalars())
