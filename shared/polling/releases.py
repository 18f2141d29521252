"""Moving held jobs on when the jobs whose pictures they start from have ended."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from shared.core import locks
from shared.core.content_rules import ContentRules
from shared.core.db import Database
from shared.jobs import source_store
from shared.jobs import store as job_store
from shared.jobs.reasons import PROMPT_REJECTED
from shared.jobs.source_store import DueJob
from shared.jobs.sources import find_fault, prompt_from
from shared.jobs.states import Event, State
from shared.jobs.store import Move

AT_ONCE = 200


def release(db: Database, rules: ContentRules | None = None) -> int:
    """Put held jobs whose sources have succeeded into the queue, and fail the others; return how many of both.

    rules: what the descriptions that become prompts must keep to.

    A job that another transaction holds is left to the next call.
    """
    with db.begin() as connection:
        due = source_store.claim_due(connection, AT_ONCE)
        if not due:
            return 0
        # Both moves lock users' rows; locked before, in the order of their ids, neither waits.
        locks.lock_users(connection, {job.user_id for job in due})
        moves = _moves([job for job in due if job.is_held], rules)
        job_store.release_all(connection, [move for move in moves if move.to == State.QUEUED])
        job_store.move_all(connection, [move for move in moves if move.to == State.FAILED])
        source_store.forget(connection, [job.id for job in due])
    return len(due)


def _moves(held: Sequence[DueJob], rules: ContentRules | None) -> list[Move]:
    released: defaultdict[UUID, float] = defaultdict(float)
    moves = []
    for job in held:
        needs_words = not job.prompt and job.strength >= 0
        fault = find_fault(job.source, needs_words=needs_words)
        if fault is not None or job.source is None:
            moves.append(Move(job.id, State.FAILED, Event.FAILED, fault))
            continue
        prompt = prompt_from(job.source) if needs_words else None
        if rules and prompt and rules.find_reason(prompt):
            moves.append(Move(job.id, State.FAILED, Event.FAILED, PROMPT_REJECTED))
            continue
        moves.append(Move(job.id, State.QUEUED, Event.RELEASED, cost_before=released[job.user_id], prompt=prompt))
        released[job.user_id] += job.cost
    return moves
