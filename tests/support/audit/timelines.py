"""Only legal moves: the lines of a timeline must be a way through the states that ends in the job's state.

Some lines do not say alone which move they were: `waiting` may have put the job back into the queue. So a timeline is
followed through every state in which the job may have been.
"""

from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from shared.jobs.states import FINISHED, MAX_ATTEMPTS, MOVES, Event, State

_UNFINISHED = frozenset(set(State) - FINISHED)

NEXT: dict[Event, dict[State, set[State]]] = {
    Event.RELEASED: {State.HELD: {State.QUEUED}},
    Event.WAITING: {
        State.HELD: {State.HELD},
        State.QUEUED: {State.QUEUED},
        State.GENERATING: {State.GENERATING, State.QUEUED},
    },
    Event.STARTED: {State.QUEUED: {State.GENERATING}},
    Event.SENT: {State.GENERATING: {State.GENERATING}},
    Event.ADAPTED: {State.GENERATING: {State.GENERATING}},
    Event.PROCESSING: {State.GENERATING: {State.GENERATING}},
    Event.RETRYING: {State.GENERATING: {State.QUEUED}},
    Event.RECOVERED: {State.GENERATING: {State.GENERATING}},
    Event.REQUEUED: {State.GENERATING: {State.QUEUED}, State.FAILED: {State.QUEUED}},
    Event.CANCEL_REQUESTED: {State.GENERATING: {State.GENERATING}},
    Event.SUCCEEDED: {State.GENERATING: {State.SUCCEEDED}},
    Event.FAILED: {state: {State.FAILED} for state in _UNFINISHED},
    Event.CANCELLED: {state: {State.CANCELLED} for state in _UNFINISHED},
    Event.MAIL_DELAYED: {state: {state} for state in FINISHED},
}
"""For each line of a timeline, from which states it may come, and to which it leads."""

_LINES = text("""
SELECT j.id AS job_id, j.state, e.event FROM jobs j LEFT JOIN job_events e ON e.job_id = j.id
WHERE CAST(:job_ids AS uuid[]) IS NULL OR j.id = ANY(:job_ids)
ORDER BY j.id, e.id
""")


class Line(NamedTuple):
    """A line of a job's timeline, None for a job without any, and the job's state now."""

    job_id: UUID
    state: str
    event: str | None


def find_violations(connection: Connection, job_ids: list[UUID] | None = None) -> list[str]:
    """Return the timelines that no legal moves can have written, in words."""
    lines: Iterable[Line] = (Line(*row) for row in connection.execute(_LINES, {"job_ids": job_ids}))
    found = []
    for job_id, group in groupby(lines, lambda line: line.job_id):
        of_job = list(group)
        fault = find_fault(State(of_job[0].state), [line.event for line in of_job if line.event is not None])
        if fault is not None:
            events = " ".join(line.event or "(none)" for line in of_job)
            found.append(f"legal moves only: job {job_id}, {of_job[0].state}, {fault}: {events}")
    return found


def find_fault(state: State, events: list[str]) -> str | None:
    """Return what is wrong with the timeline of a job that is in this state now; None if it is legal."""
    if not events or events[0] != Event.ACCEPTED:
        return "was not accepted first"
    possible = {State.HELD} if Event.RELEASED in events else {State.HELD, State.QUEUED}
    starts = 0
    for place, name in enumerate(events[1:], 2):
        event = Event(name)
        if event == Event.ACCEPTED:
            return "was accepted twice"
        possible = set().union(*(NEXT[event].get(before, ()) for before in possible))
        if not possible:
            return f"cannot have had line {place}"
        starts = 0 if event == Event.REQUEUED else starts + (event == Event.RETRYING)
        if starts > MAX_ATTEMPTS:
            return f"was retried {starts} times"
    return None if state in possible else "cannot have come to this state"


assert all(
    after == before or after in MOVES[before] for way in NEXT.values() for before, to in way.items() for after in to
), "the lines lead only where moves are allowed"
