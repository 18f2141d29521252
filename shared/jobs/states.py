"""The states of a job, the moves between them, and the numbers that govern them. Pure: no database, no clock."""

from enum import StrEnum


class State(StrEnum):
    """The state of a job.

    HELD: accepted; starts from the picture of another job, which has not finished. The end of that job moves it on: to
        QUEUED if it succeeded, to FAILED otherwise. The API shows it as queued.
    QUEUED: accepted, or put back after a lost attempt; waits for its start. The dispatcher or a cancel moves it on.
    GENERATING: holds a place at one generator. A worker moves it on: to its end, or back to QUEUED when the attempt is
        lost. The sweep finds it again when its worker died.
    SUCCEEDED: every picture is stored and verified. Only deletion follows.
    FAILED: given up, with a code and a message. Of its unit of the quota, what was not worked off is given back.
        Deletion follows, or an operator puts it back to QUEUED, which takes the unit again.
    CANCELLED: its user cancelled it. What was not worked off of its unit is given back. Only deletion follows.
    """

    HELD = "held"
    QUEUED = "queued"
    GENERATING = "generating"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def finished(self) -> bool:
        """Return whether the job has ended."""
        return self in FINISHED

    @property
    def waits(self) -> bool:
        """Return whether the job is not at a generator, and not finished."""
        return self in (State.HELD, State.QUEUED)


FINISHED = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED})

MOVES: dict[State, frozenset[State]] = {
    State.HELD: frozenset({State.QUEUED, State.CANCELLED, State.FAILED}),
    State.QUEUED: frozenset({State.GENERATING, State.CANCELLED, State.FAILED}),
    State.GENERATING: FINISHED | {State.QUEUED},
    State.SUCCEEDED: frozenset(),
    State.FAILED: frozenset({State.QUEUED}),
    State.CANCELLED: frozenset(),
}


def allowed_from(to: State) -> frozenset[State]:
    """Return the states from which a job may move to `to`."""
    return frozenset(state for state, targets in MOVES.items() if to in targets)


class Event(StrEnum):
    """The events of a job's timeline, as the API names them."""

    ACCEPTED = "accepted"
    RELEASED = "released"  # the job whose picture it starts from has succeeded
    WAITING = "waiting"  # no generator can accept it now; the detail says why
    STARTED = "started"  # it got a place at a generator
    SENT = "sent"  # the generator accepted it
    ADAPTED = "adapted"  # its generator ignores some of the settings; the detail says which
    PROCESSING = "processing"  # the generator works on it
    RETRYING = "retrying"  # an attempt was lost; the detail says why
    RECOVERED = "recovered"  # its worker died during a step; another one took over
    REQUEUED = "requeued"  # an operator put it back, with all its attempts
    CANCEL_REQUESTED = "cancel_requested"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    MAIL_DELAYED = "mail_delayed"  # the mail about its end waits; the detail says why


MAX_ATTEMPTS = 3
"""How often a job is sent to a generator before it fails."""

MAX_CRASHES = 3
"""How often a job's worker may die under it before the job is assumed to be the cause."""

LEASE_S = 20.0
LEASE_RENEWAL_S = 2.0
"""How often a running step renews its lease; it also learns then that its job was cancelled."""

UNREACHABLE_S = 30.0
"""How long the generator that holds a job may be unreachable before the job is retried elsewhere."""

PATIENT_TIMES, LEAST_PATIENT_S = 20, 600.0
"""How many times longer than such jobs usually take one attempt may take, and how long at least."""

IDEMPOTENCY_KEY_KEPT_H = 24
"""How long an idempotency key leads to the job that it made."""

UNUSED_UPLOAD_KEPT_H = 24
"""How long an announced upload that no job uses is kept."""

LOST_OBJECTS_KEPT_S = 3600
"""Objects of a lost attempt are deleted only when no frozen worker can still be writing them."""

QUICKEST_POLL_S = 0.05
FIRST_POLL_S = 0.3
LONGEST_POLL_S = 10.0


def cost(n: int, width: int, height: int, steps: int, upscale: int) -> float:
    """Return the work of a job in megapixel-steps, the unit of the fair order and of wait estimates."""
    megapixels = n * width * height / 1e6
    return max(megapixels * (steps + upscale * upscale), 0.01)


def longest_attempt_s(expected_s: float | None, longest_s: float) -> float:
    """Return how long one attempt may take.

    expected_s: how long its generator should take, if that is known; one that has shown nothing yet may load its models
    for tens of minutes. longest_s: the limit of the site.
    """
    return longest_s if expected_s is None else min(max(PATIENT_TIMES * expected_s, LEAST_PATIENT_S), longest_s)


def first_poll_s(usual_s: float | None) -> float:
    """Return the seconds until a job that was just sent is polled.

    usual_s: how long its generator should take for it, by its last pictures, if that is known.
    """
    return FIRST_POLL_S if usual_s is None else min(FIRST_POLL_S, max(QUICKEST_POLL_S, 0.7 * usual_s))


def next_poll_s(elapsed_s: float, position: int | None, fraction: float | None, usual_s: float | None = None) -> float:
    """Return the seconds until a running job is polled again.

    elapsed_s: since it was sent. position: its place in the generator's queue, if it waits there. fraction: 0..1 of the
    work done, if the generator reports it. usual_s: as for `first_poll_s`; a generator whose pictures are quick is
    polled more often, until the job takes much longer than usual.
    """
    quick = usual_s is not None and elapsed_s < 3 * usual_s
    shortest_s = min(FIRST_POLL_S, max(QUICKEST_POLL_S, 0.15 * (usual_s or 0))) if quick else FIRST_POLL_S
    if position is not None:
        each_s = min(0.5, usual_s) if quick and usual_s is not None else 0.5
        return min(LONGEST_POLL_S, max(shortest_s, each_s * position))
    if fraction is not None and fraction > 0:
        left_s = elapsed_s * (1 - fraction) / fraction
        return min(2.0, max(shortest_s, left_s / 3))
    return min(LONGEST_POLL_S, max(shortest_s, elapsed_s / 5))
